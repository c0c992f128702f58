import hashlib
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from fakes import networks as tiny
from fakes.networks import cpu, grey
from fakes.scripted import ScriptedNetwork

from realtime_matte import models
from realtime_matte.errors import BadFile, MissingDependency, MissingFile, ModelError, SpecError
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Network
from realtime_matte.models import catalog as shelf
from realtime_matte.models import opening, starting, weights_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped weights with one network in it."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    tiny.recurrent(shipped / "small.onnx")
    monkeypatch.setattr(shelf, "weights_folder", lambda: shipped)
    return shipped


NAN = "its output is not finite"


def test_importing_the_package_loads_no_onnxruntime() -> None:
    code = "import sys, realtime_matte.models; sys.exit('onnxruntime' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 -- ourselves


def test_a_network_gives_the_alpha_of_its_frame(ours: str) -> None:
    matte, _ = cpu(ours).process(grey(51), None)
    assert matte.alpha.shape == (144, 256)
    assert matte.alpha.dtype == np.float32
    assert matte.foreground is None
    np.testing.assert_allclose(matte.alpha, 0.2 + 0.01, atol=1e-6)


def test_it_remembers_what_its_state_remembers(ours: str) -> None:
    network = cpu(ours)
    _, first = network.process(grey(51), None)
    second, _ = network.process(grey(51), first)
    np.testing.assert_allclose(second.alpha, 0.2 + 0.02, atol=1e-6)


def test_a_state_stays_what_it_was(ours: str) -> None:
    network = cpu(ours)
    _, first = network.process(grey(51), None)
    state = first
    for _ in range(5):
        _, state = network.process(grey(51), state)
    again, _ = network.process(grey(51), first)
    np.testing.assert_allclose(again.alpha, 0.2 + 0.02, atol=1e-6)


def test_no_state_starts_a_shot(ours: str) -> None:
    network = cpu(ours)
    _, state = network.process(grey(51), None)
    network.process(grey(51), state)
    fresh, _ = network.process(grey(51), None)
    np.testing.assert_allclose(fresh.alpha, 0.2 + 0.01, atol=1e-6)


def test_another_frame_size_starts_a_shot_on_its_own_grid(ours: str) -> None:
    network = cpu(ours)
    _, state = network.process(grey(51), None)
    matte, _ = network.process(grey(51, (480, 640)), state)
    assert matte.alpha.shape == (224, 160)
    np.testing.assert_allclose(matte.alpha, 0.2 + 0.01, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (17, 3), (3, 400), (1281, 721), (3840, 2160), (720, 1280)])
def test_every_frame_size_is_taken(ours: str, size: Size) -> None:
    matte, _ = cpu(ours).process(grey(102, size), None)
    np.testing.assert_allclose(matte.alpha, 0.4 + 0.01, atol=1e-5)


def test_alpha_stays_within_its_range(tmp_path: Path) -> None:
    network = cpu(str(tiny.recurrent(tmp_path / "bright.onnx", gain=3)))
    assert network.process(grey(250), None)[0].alpha.max() == 1


@pytest.mark.parametrize("options", ["", "?quality=best"])
def test_a_steady_network_allocates_no_picture(ours: str, options: str) -> None:
    network, frame = cpu(ours + options), grey(51)
    _, state = network.process(frame, None)
    tracemalloc.start()
    for _ in range(5):
        _, state = network.process(frame, state)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000, "bytes; the smallest picture in there is 110 592"


def test_a_read_only_frame_is_left_alone(ours: str) -> None:
    frame = grey(51)
    frame.pixels.flags.writeable = False
    assert cpu(ours).process(frame, None)[0].alpha.shape == (144, 256)
    assert (frame.pixels == 51).all()


def test_a_closed_network_says_so(ours: str) -> None:
    network = cpu(ours)
    network.close()
    network.close()
    with pytest.raises(ModelError, match=r"was closed; open it again"):
        network.process(grey(1), None)


def test_its_name_is_what_it_was_called_by(ours: str, folder: Path) -> None:
    assert folder.is_dir()
    assert cpu(ours).name == ours
    assert cpu(ours + "?size=64x32").name == ours + "?size=64x32"
    assert cpu("auto?quality=low").name == "small?quality=low"
    assert cpu("small").name == "small"
    assert cpu("small").provider == "cpu"
    assert cpu("small").notices == ()


def test_large_is_fine_unless_asked_otherwise() -> None:
    frame = Frame(np.zeros((720, 1280, 3), np.uint8), 0.0, 0)
    shapes = [cpu(spec).process(frame, None)[0].alpha.shape for spec in ("large", "large?quality=normal")]
    assert shapes == [(288, 512), (160, 288)]


def test_the_size_asked_for_is_the_grid(ours: str) -> None:
    assert cpu(ours + "?size=64x32").process(grey(9), None)[0].alpha.shape == (32, 64)


@pytest.mark.parametrize(
    ("spec", "usual", "larger"),
    [("auto", "small", ["large"]), ("small", "small", []), ("auto?quality=low", "small?quality=low", [])],
)
def test_left_out_the_model_is_a_larger_one_where_a_gpu_has_the_time(
    monkeypatch: pytest.MonkeyPatch, spec: str, usual: str, larger: list[str]
) -> None:
    started: list[tuple[str, starting.Choice | None]] = []

    def start_here(name: str, _graph: object, _given: object, **more: Any) -> Network:  # noqa: ANN401
        started.append((name, more["larger"]))
        return ScriptedNetwork()

    monkeypatch.setattr(starting, "start_here", start_here)
    models.open(spec)
    [(name, choice)] = started
    assert name == usual
    assert [one.name for one in (choice,) if one] == larger
    if choice:
        assert (choice.path.name, choice.given) == ("large.onnx", {})
        assert choice.path.is_file()


@pytest.mark.parametrize(
    ("quality", "shape"), [("low", (112, 208)), ("normal", (144, 256)), ("high", (192, 336)), ("best", (256, 464))]
)
def test_quality_is_more_pixels_in_the_frame_s_shape(ours: str, quality: str, shape: tuple[int, int]) -> None:
    frame = Frame(np.zeros((720, 1280, 3), np.uint8), 0.0, 0)
    assert cpu(f"{ours}?quality={quality}").process(frame, None)[0].alpha.shape == shape


def test_an_unknown_name_is_refused_with_those_there_are(folder: Path) -> None:
    assert folder.is_dir()
    with pytest.raises(
        SpecError, match=r"no model called 'smal'; there are: small; or give the path of an \.onnx file"
    ):
        models.open("smal")


@pytest.mark.usefixtures("folder")
def test_a_file_that_no_system_can_have_is_refused() -> None:
    for name in ("~nobody-of-that-name/net.onnx", "a\0b.onnx"):
        with pytest.raises(SpecError, match=r"no file can be called .*; write the whole path"):
            models.open(name)


def test_a_missing_file_is_refused_with_the_shipped_ones(folder: Path) -> None:
    assert folder.is_dir()
    with pytest.raises(MissingFile, match=r"no model file nowhere/net\.onnx; shipped ones go by their names: small"):
        models.open("nowhere/net.onnx")


def test_a_path_that_may_not_be_looked_at_is_refused_as_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def stat(path: Path, **how: bool) -> os.stat_result:
        if "somebody" in path.parts:
            raise PermissionError(13, "Permission denied")
        return real(path, **how)

    monkeypatch.setattr(Path, "stat", stat)
    for name in ("/home/somebody/net.onnx", "a" * 300, "a" * 300 + ".onnx"):
        with pytest.raises((MissingFile, SpecError), match=r"^no model"):
            models.open(name)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are Unicode")
def test_a_name_that_is_not_in_utf_8_is_refused(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx").rename(tmp_path / "caf\udce9.onnx")
    with pytest.raises(SpecError, match=r"'.*caf\\udce9\.onnx' is not in UTF-8; rename it"):
        models.open(str(path))


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_are_at_least_one(ours: str, threads: int) -> None:
    with pytest.raises(SpecError, match=rf"threads is {threads}; it must be 1 or more"):
        models.open(ours, threads=threads)


def test_two_threads_give_the_same_alpha(ours: str) -> None:
    matte, _ = models.open(ours, provider="cpu", threads=2).process(grey(51), None)
    np.testing.assert_allclose(matte.alpha, 0.21, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("speed=3", "no option 'speed' in '.*'; there are: mean, order, quality, size, std"),
        ("size=250x144", "size 250x144 is not of whole multiples of 16; try 256x144"),
        ("size=big", "option size=big in '.*' is not a size such as 512x288"),
        ("size=0x9", "option size=0x9 in '.*' is not a size such as 512x288"),
        ("mean=127.5", "a model of the family recurrent takes no option 'mean'; there are: quality, size"),
        ("quality=4k", "option quality=4k in '.*' is not one of low, normal, high, best"),
        ("std=0", "option std=0 in '.*' is not above 0"),
        ("std=1,2", "option std=1,2 in '.*' is not one number or three, such as"),
        ("mean=nan", "option mean=nan in '.*' is not one number or three, such as"),
        ("order=grb", "option order=grb in '.*' is not rgb or bgr"),
    ],
)
def test_each_wrong_option_is_told(ours: str, options: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        cpu(f"{ours}?{options}")


def test_a_graph_that_onnx_runtime_refuses_is_a_bad_file(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "future.onnx")
    model = onnx.load(path)
    model.graph.node[2].op_type = "Convolve"
    onnx.save(model, path)
    with pytest.raises(BadFile, match=r"future\.onnx cannot be loaded: .*Convolve.*; export it again"):
        cpu(str(path))


def test_a_graph_that_does_not_run_is_told_at_once(tmp_path: Path) -> None:
    states = '[{"input": "m8", "output": "n8", "channels": 5, "stride": 8}]'
    path = tiny.recurrent(tmp_path / "odd.onnx", told=tiny.metadata(states=states))
    with pytest.raises(ModelError, match=r"model '.*odd\.onnx' fails on its first frames: .+; take another --model"):
        cpu(str(path))


def test_a_spoilt_state_is_dropped_and_the_frame_matted(tmp_path: Path) -> None:
    network = cpu(str(tiny.recurrent(tmp_path / "spoils.onnx")))
    _, (mine, memory) = network.process(grey(51), None)
    spoilt = type(memory).ortvalue_from_numpy(np.full(memory.shape(), np.nan, np.float32), "cpu", 0)
    network.process(grey(51), (mine, spoilt))
    matte, _ = network.process(grey(51), (mine, spoilt))
    assert network.notices == (f"model {network.name!r} started a new shot, as it failed in the old one: {NAN}",)
    np.testing.assert_allclose(matte.alpha, 0.21, atol=1e-6)


def test_nothing_that_is_not_finite_is_a_matte(tmp_path: Path) -> None:
    network = cpu(str(tiny.recurrent(tmp_path / "nan.onnx", black_is_nan=True)))
    _, state = network.process(grey(51), None)
    with pytest.raises(ModelError, match=r"failed on the CPU: its output is not finite; take another --model"):
        network.process(grey(0), state)
    with pytest.raises(ModelError, match=r"failed on the CPU"):
        network.process(grey(0), None)
    assert np.isfinite(network.process(grey(51), None)[0].alpha).all()


def test_onnxruntime_that_does_not_load_is_told(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ImportError("libdl.so.7: cannot open shared object file")

    monkeypatch.setattr(opening, "import_module", broken)
    with pytest.raises(
        MissingDependency, match=r"ONNX Runtime cannot be loaded: libdl\.so\.7: .*; pip list names its package: pip"
    ):
        models.open(ours)


def test_a_bug_of_ours_is_no_broken_onnxruntime(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = opening.import_module

    def broken(name: str) -> object:
        if name.startswith("realtime_matte"):
            raise ImportError("cannot import name 'stat' from 'realtime_matte.models.starting'")
        return real(name)

    monkeypatch.setattr(opening, "import_module", broken)
    with pytest.raises(ImportError, match="cannot import name 'stat'") as caught:
        models.open(ours)
    assert not isinstance(caught.value, MissingDependency)


def test_the_shipped_ones_are_told_from_their_files(folder: Path) -> None:
    [found] = models.installed(folder)
    assert (found.name, found.family, found.licence, found.commit) == ("small", "recurrent", "MIT", "abc123")
    assert (found.version, found.created, found.path) == ("1", "2026-01-02", folder / "small.onnx")
    assert found.size_bytes == found.path.stat().st_size
    assert found.intact is None


def test_a_changed_file_is_not_intact(folder: Path) -> None:
    path = folder / "small.onnx"
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  small.onnx\n")
    assert models.installed(folder)[0].intact is True
    tiny.recurrent(path, gain=2)
    assert models.installed(folder)[0].intact is False


def test_a_broken_list_of_hashes_is_told(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("what is this\n")
    with pytest.raises(BadFile, match=r"SHA256SUMS is not as sha256sum writes it"):
        models.installed(folder)


def test_the_weights_in_this_checkout_are_as_published() -> None:
    assert all(info.intact for info in models.installed())


def test_weights_lie_inside_the_package_or_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "realtime_matte"
    package.mkdir()
    monkeypatch.setattr(weights_folder, "__file__", str(package / "models" / "weights_folder.py"))
    assert weights_folder.weights_folder() == tmp_path / "weights"
    (package / "weights").mkdir()
    assert weights_folder.weights_folder() == package / "weights"
