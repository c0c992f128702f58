import os
import subprocess
import sys
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
from realtime_matte.frame import Frame
from realtime_matte.interfaces import Network
from realtime_matte.models import best_provider, catalog, opening
from realtime_matte.models.catalog import ModelFile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of shipped weights, with one network in it."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    tiny.recurrent(shipped / "small.onnx")
    monkeypatch.setattr(catalog, "weights_folder", lambda: shipped)
    return shipped


def test_importing_the_package_does_not_load_onnxruntime() -> None:
    code = "import sys, realtime_matte.models; sys.exit('onnxruntime' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 -- ourselves


def test_name_is_the_spec_it_was_opened_by(ours: str, folder: Path) -> None:
    assert folder.is_dir()
    assert cpu(ours).name == f"{ours}?unverified&unlimited"
    assert cpu(ours + "?size=64x32").name == f"{ours}?size=64x32&unverified&unlimited"
    small = models.open("small", provider="cpu")
    assert models.open("auto?quality=low", provider="cpu").name == "small?quality=low"
    assert (small.name, small.provider, small.notices) == ("small", "cpu", ())


def test_large_runs_on_a_fine_grid_by_default() -> None:
    frame = Frame(np.zeros((720, 1280, 3), np.uint8), 0.0, 0)
    shapes = [cpu(spec).process(frame, None)[0].alpha.shape for spec in ("large", "large?quality=normal")]
    assert shapes == [(288, 512), (160, 288)]


def test_network_runs_at_the_requested_size(ours: str) -> None:
    assert cpu(ours + "?size=64x32").process(grey(9), None)[0].alpha.shape == (32, 64)


@pytest.mark.parametrize(
    ("spec", "name", "gpu_names"),
    [("auto", "small", ["large"]), ("small", "small", []), ("auto?quality=low", "small?quality=low", [])],
)
def test_auto_is_a_larger_network_on_a_fast_gpu(
    monkeypatch: pytest.MonkeyPatch, spec: str, name: str, gpu_names: list[str]
) -> None:
    started: list[tuple[ModelFile, ModelFile | None]] = []

    def start(model: ModelFile, *, gpu_model: ModelFile | None, **_: object) -> Network:
        started.append((model, gpu_model))
        return ScriptedNetwork()

    monkeypatch.setattr(best_provider, "start", start)
    models.open(spec)
    [(model, gpu_model)] = started
    assert model.name == name
    assert [found.name for found in (gpu_model,) if found] == gpu_names
    if gpu_model:
        assert (gpu_model.path.name, gpu_model.options) == ("large.onnx", {})
        assert gpu_model.path.is_file()


@pytest.mark.parametrize(
    ("quality", "shape"), [("low", (112, 208)), ("normal", (144, 256)), ("high", (192, 336)), ("best", (256, 464))]
)
def test_quality_sets_the_number_of_input_pixels(ours: str, quality: str, shape: tuple[int, int]) -> None:
    frame = Frame(np.zeros((720, 1280, 3), np.uint8), 0.0, 0)
    assert cpu(f"{ours}?quality={quality}").process(frame, None)[0].alpha.shape == shape


def test_unknown_name_is_refused_with_the_shipped_names(folder: Path) -> None:
    assert folder.is_dir()
    hint = r"did you mean small\? choose one of: small, chromakey; or give the path of an \.onnx file"
    with pytest.raises(SpecError, match=rf"unknown model 'smal'; {hint}"):
        models.open("smal")


@pytest.mark.usefixtures("folder")
def test_file_name_that_no_system_allows_is_refused() -> None:
    for name in ("~no-such-user/net.onnx", "a\0b.onnx"):
        with pytest.raises(SpecError, match=r"no file can be called .*; write the whole path"):
            models.open(name)


def test_missing_file_is_refused_with_the_shipped_names(folder: Path) -> None:
    assert folder.is_dir()
    with pytest.raises(MissingFile, match=r"model file nowhere/net\.onnx does not exist; shipped models are: small"):
        models.open("nowhere/net.onnx")


def test_path_without_permission_is_refused_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if "somebody" in path.parts:
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    for name in ("/home/somebody/net.onnx", "a" * 300, "a" * 300 + ".onnx"):
        with pytest.raises((MissingFile, SpecError), match=r"^model file .* cannot be read: |^unknown model"):
            models.open(name)


@pytest.mark.skipif(sys.platform == "win32", reason="no devices in the file system")
@pytest.mark.parametrize(("place", "kind"), [("/dev/zero", "device"), ("/dev", "folder"), ("pipe.onnx", "named pipe")])
def test_what_is_not_a_file_is_named(place: str, kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(BadFile, match=f"'.*{place}' is a {kind}, not a file; name a file"):
        models.open(str(tmp_path / place))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are Unicode")
def test_name_that_is_not_in_utf_8_is_refused(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx").rename(tmp_path / "caf\udce9.onnx")
    with pytest.raises(SpecError, match=r"'.*caf\\udce9\.onnx' is not in UTF-8; rename it"):
        models.open(str(path))


@pytest.mark.parametrize("threads", [0, -1, 257, 10**6, 1.5, "2"])
def test_threads_are_a_whole_number_within_bounds(ours: str, threads: Any) -> None:  # noqa: ANN401 - as callers try
    with pytest.raises(SpecError, match=rf"threads is {threads!r}; it must be a whole number from 1 to 256"):
        models.open(ours, threads=threads)


def test_two_threads_give_the_same_alpha(ours: str) -> None:
    matte, _ = models.open(tiny.unverified(ours), provider="cpu", threads=2).process(grey(51), None)
    np.testing.assert_allclose(matte.alpha, 0.21, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("speed=3", "no option 'speed' in '.*'; there are: mean, order, quality, size, std"),
        ("size=250x144", "size 250x144 is not a multiple of 16; try 256x144"),
        ("size=big", "option size=big in '.*' is not a size such as 512x288"),
        ("size=0x9", "option size=0x9 in '.*' is not a size such as 512x288"),
        ("mean=127.5", "models of the family recurrent have no option 'mean'; valid options: quality, size"),
        ("quality=4k", "option quality=4k in '.*' is not one of low, normal, high, best"),
        ("std=0", "option std=0 in '.*' is not above 0"),
        ("std=1,2", "option std=1,2 in '.*' is not one number or three, such as"),
        ("mean=nan", "option mean=nan in '.*' is not one number or three, such as"),
        ("order=grb", "option order=grb in '.*' is not rgb or bgr"),
    ],
)
def test_invalid_option_is_reported(ours: str, options: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        cpu(f"{ours}?{options}")


def test_graph_that_onnxruntime_refuses_is_a_bad_file(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "future.onnx")
    model = onnx.load(path)
    model.graph.node[2].op_type = "Convolve"
    onnx.save(model, path)
    with pytest.raises(BadFile, match=r"cannot load .*future\.onnx: .*Convolve.*; export it again"):
        cpu(str(path))


def test_graph_that_does_not_run_is_reported_when_opened(tmp_path: Path) -> None:
    states = '[{"input": "m8", "output": "n8", "channels": 5, "stride": 8}]'
    path = tiny.recurrent(tmp_path / "odd.onnx", metadata=tiny.recurrent_metadata(states=states))
    message = r"model '.*odd\.onnx\?unverified&unlimited' fails on its first frames: .+; choose another --model"
    with pytest.raises(ModelError, match=message):
        cpu(str(path))


def test_onnxruntime_that_does_not_load_is_reported(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ImportError("libdl.so.7: cannot open shared object file")

    monkeypatch.setattr(opening, "import_module", broken)
    with pytest.raises(
        MissingDependency,
        match=r"cannot load ONNX Runtime: libdl\.so\.7: .*; find the name of its package with pip list",
    ):
        models.open(ours)


def test_an_interrupt_while_onnxruntime_is_loaded_stays_one(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr(opening, "import_module", interrupted)
    with pytest.raises(KeyboardInterrupt):
        models.open(ours)


def test_import_error_of_our_own_is_not_reported_as_onnxruntimes(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(models, "best_provider")
    monkeypatch.setitem(sys.modules, "realtime_matte.models.best_provider", None)
    with pytest.raises(ImportError, match="best_provider") as caught:
        models.open(ours)
    assert not isinstance(caught.value, MissingDependency)
