from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.models import Script, played

from realtime_matte import models
from realtime_matte.errors import ModelError, SpecError
from realtime_matte.frame import Frame
from realtime_matte.models import onnx_file as graph
from realtime_matte.models import runtime, session, starting
from realtime_matte.models import verify as proof
from realtime_matte.models.family import understand
from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.providers import (
    COREML,
    CPU,
    CUDA,
    DIRECTML,
    OPENVINO,
    TENSORRT,
    Machine,
    Provider,
    asked,
    nvidia_gpu,
)
from realtime_matte.models.weights_folder import weights_folder

EVERY = frozenset(provider.key for provider in (TENSORRT, CUDA, DIRECTML, COREML, OPENVINO, CPU))
GPU = Machine({CUDA.key, TENSORRT.key, CPU.key}, nvidia=True)
SLOW = "it takes 16.2 ms a frame here, the CPU 10.0"
WARM_UP = 3
"""Runs that prove a provider."""
NO_GPU = Machine({CUDA.key, TENSORRT.key, CPU.key}, nvidia=False, system="linux")


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return tiny.recurrent(tmp_path / "tiny.onnx")


def start(
    net: Path,
    scripts: dict[str, Script],
    *,
    machine: Machine = GPU,
    provider: str | None = None,
    larger: starting.Choice | None = None,
    given: Mapping[str, object] | None = None,
) -> OnnxNetwork:
    found, there = graph.read(net), played(scripts)
    return starting.start(
        "tiny", found, given or {}, provider=provider, threads=1, runtime=there, machine=machine, larger=larger
    )


def alphas(network: OnnxNetwork, levels: Sequence[int]) -> list[float]:
    """The mean alpha of grey frames of one shot."""
    state, means = None, []
    for index, level in enumerate(levels):
        frame = Frame(np.full((72, 128, 3), level, np.uint8), float(index), index)
        matte, state = network.process(frame, state)
        means.append(round(float(matte.alpha.mean()), 3))
    return means


def test_the_best_provider_that_is_proven_runs(net: Path) -> None:
    script = Script()
    network = start(net, {CUDA.key: script})
    assert (network.provider, network.notices) == ("cuda", ())
    assert alphas(network, [51, 51, 102]) == [0.21, 0.22, 0.43]
    assert script.runs == WARM_UP + 3, "the warm-up's and ours"


@pytest.fixture
def larger(tmp_path: Path) -> starting.Choice:
    """Gives twice the alpha, so that one sees which of the two runs."""
    return starting.Choice("broad", tiny.recurrent(tmp_path / "broad.onnx", gain=2.0), {})


def test_a_gpu_runs_the_larger_network_and_the_cpu_that_takes_over_the_usual_one(
    net: Path, larger: starting.Choice
) -> None:
    network = start(net, {CUDA.key: Script(fails_on=WARM_UP + 2)}, larger=larger)
    assert (alphas(network, [51]), network.name, network.provider) == ([0.41], "broad", "cuda")
    assert (alphas(network, [51]), network.name, network.provider) == ([0.21], "tiny", "cpu")
    assert network.notices[0].endswith("encountered); running 'tiny' on CPU since, until rtmatte is started again")


def test_a_provider_that_is_no_gpu_runs_the_usual_network(net: Path, larger: starting.Choice) -> None:
    machine = Machine({OPENVINO.key, CPU.key}, nvidia=False, system="linux")
    network = start(net, {OPENVINO.key: Script()}, machine=machine, larger=larger)
    assert (network.name, network.provider, network.notices) == ("tiny", "openvino", ())


def test_without_a_gpu_the_larger_network_is_not_even_read(net: Path) -> None:
    network = start(net, {}, machine=NO_GPU, larger=starting.Choice("broad", Path("nowhere.onnx"), {}))
    assert (network.name, network.provider, network.notices) == ("tiny", "cpu", ())


def test_onnxruntime_gpu_without_a_gpu_says_nothing_and_tries_nothing(net: Path) -> None:
    script = Script(refuses="no CUDA-capable device is detected")
    network = start(net, {CUDA.key: script}, machine=NO_GPU)
    assert (network.provider, network.notices, script.starts) == ("cpu", (), 0)


def test_tensorrt_runs_only_when_asked_for(net: Path) -> None:
    scripts = {TENSORRT.key: Script(), CUDA.key: Script()}
    assert start(net, scripts).provider == "cuda"
    assert scripts[TENSORRT.key].starts == 0
    assert start(net, scripts, provider="tensorrt").provider == "tensorrt"


def test_tensorrt_keeps_its_engines_out_of_the_working_folder(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    script = Script()
    start(net, {TENSORRT.key: script}, provider="tensorrt")
    assert Path(script.options["trt_engine_cache_path"]).is_absolute()
    assert "tensorrt" in script.options["trt_engine_cache_path"]


def test_the_cpu_runs_when_asked_for(net: Path) -> None:
    script = Script()
    assert start(net, {CUDA.key: script}, provider="cpu").provider == "cpu"
    assert script.starts == 0


DRIVER, PIP = "; install or update the NVIDIA driver", "; pip install '.[cuda]' in rtmatte's folder"
CUDA_CODE = (
    "/src/core/providers/cuda/cuda_call.cc:129 bool onnxruntime::CudaCall(int, const char*) [with ERRTYPE = cudaError] "
    "CUDA failure 35: CUDA driver version is insufficient ; GPU=0 ; hostname=here; file=/src/cuda.cc ; line=1"
)
CHECK = "; rtmatte doctor tells whether the driver, CUDA and cuDNN fit together"
NO_KERNEL = (
    "Error in execution: Non-zero status code returned while running Mul node. Name:'/memory4/Mul' Status Message: "
    "CUDA error cudaErrorUnknown:unknown error"
)
PRINTED = "Failed to load a.so.9: a.so.9: cannot open it\nand more"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (Script(refuses=CUDA_CODE), "CUDA failure 35: CUDA driver version is insufficient" + DRIVER),
        (Script(hides=True, prints=PRINTED), "a.so.9: cannot open it" + PIP),
        (Script(hides=True, lacks="libcuda.so.1: cannot open it"), "libcuda.so.1: cannot open it" + DRIVER),
        (Script(refuses="no engine", lacks="libnvinfer.so: not there"), "libnvinfer.so: not there" + PIP),
        (Script(hides=True), "ONNX Runtime gave no reason" + PIP),
        (Script(refuses="/src/state.cc:7 void plug(int&, const x::Y&) Please install it."), "Please install it" + PIP),
        (Script(refuses="[ONNXRuntimeError] : 1 : FAIL : no : room."), "no : room" + PIP),
        (Script(idle=True), "not one operator ran on it" + CHECK),
        (Script(left=1), "it left 1 of 1 convolutions to the CPU" + CHECK),
        (Script(fails_on=1), "CUDA failure 700: an illegal memory access was encountered" + CHECK),
        (Script(fails_on=1, error=RuntimeError(NO_KERNEL)), "CUDA error cudaErrorUnknown:unknown error" + CHECK),
        (Script(fails_on=3), "CUDA failure 700: an illegal memory access was encountered" + CHECK),
    ],
)
def test_a_better_one_that_fails_is_told_with_reason_and_mend(net: Path, script: Script, told: str) -> None:
    network = start(net, {CUDA.key: script})
    assert network.notices == (f"CUDA is not used: {told}; running on CPU",)
    assert network.provider == "cpu"
    assert alphas(network, [51]) == [0.21]


def test_a_trace_that_cannot_be_deleted_hides_nothing(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a file that is open cannot be: a session that failed to start holds its trace still."""
    there = played({CUDA.key: Script(refuses="no device")})

    def native(path: str, options: Any, providers: Sequence[tuple[str, dict[str, str]]]) -> runtime.Native:  # noqa: ANN401
        if options.enable_profiling:
            Path(options.profile_file_prefix).touch()
        return there.native(path, options, providers)

    def unlink(*_: object, **__: object) -> None:
        raise PermissionError(13, "it is being used by another process")

    monkeypatch.setattr("os.unlink", unlink)
    network = starting.start(
        "tiny", graph.read(net), {}, provider=None, threads=1, runtime=replace(there, native=native), machine=GPU
    )
    assert network.notices == (f"CUDA is not used: no device{PIP}; running on CPU",)


def test_a_provider_that_computes_something_else_is_not_used(net: Path, tmp_path: Path) -> None:
    other = tiny.recurrent(tmp_path / "other.onnx", gain=0.5)
    network = start(net, {CUDA.key: Script(instead=other)})
    assert network.provider == "cpu"
    assert "its alpha of warm-up frame 1 is off by 0." in network.notices[0]


def test_a_provider_that_never_sees_a_second_frame_is_not_used(net: Path) -> None:
    network = start(net, {CUDA.key: Script(stale=True)})
    assert network.provider == "cpu"
    assert "its alpha of warm-up frame 2 is off by 0." in network.notices[0]


def test_a_provider_that_forgets_is_not_used_even_where_alpha_hardly_shows_it(net: Path) -> None:
    network = start(net, {CUDA.key: Script(forgets=True)})
    assert network.provider == "cpu"
    assert "its memory m8 after warm-up frame 3 is off by 67 % from the CPU's" in network.notices[0]


def shipped(name: str) -> proof.WarmUp:
    found = graph.read(weights_folder() / name)
    cpu = session.start_cpu(found.path, runtime.installed_runtime(), threads=1)
    return proof.warm_up(cpu, understand(found, {}))


def test_the_warm_up_shows_the_shipped_network_a_person() -> None:
    seen = shipped("small.onnx")
    assert all(0.2 < alpha.mean() < 0.6 for alpha in seen.alphas)
    assert all(np.abs(memory).mean() > 0.01 for memory in seen.memories.values())


def test_the_shipped_twin_is_proven() -> None:
    proof.check_equal(shipped("small-int8.onnx"), shipped("small.onnx"))


def test_a_provider_that_computes_nan_is_not_used(net: Path, tmp_path: Path) -> None:
    other = tiny.recurrent(tmp_path / "nan.onnx", gain=0, black_is_nan=True)
    network = start(net, {CUDA.key: Script(instead=other)})
    assert "CUDA is not used: its output is not finite; " in network.notices[0]


def test_a_provider_slower_than_the_cpu_is_used_only_when_asked_for(net: Path) -> None:
    network = start(net, {CUDA.key: Script(takes_s=0.0162)})
    assert network.provider == "cpu"
    [note] = network.notices
    assert note == f"CUDA is not used: {SLOW}; --provider cuda takes it all the same; running on CPU"
    assert start(net, {CUDA.key: Script(takes_s=0.0162)}, provider="cuda").provider == "cuda"


def test_each_of_two_grids_has_a_session_of_its_own_on_a_gpu(net: Path) -> None:
    """On one for both, cuDNN planned every convolution of every frame anew: 190 ms on a card that needs 6."""
    network = start(net, {CUDA.key: Script(plans_s=1.0)}, given={"quality": 4.0})
    assert network.notices == ()
    assert network.provider == "cuda"
    assert alphas(network, [51] * 4) == [0.21, 0.22, 0.23, 0.24]


def test_a_gpu_that_has_no_time_for_the_larger_network_runs_the_usual_one(net: Path, larger: starting.Choice) -> None:
    gpu = Script(takes_s=0.0149)
    assert start(net, {CUDA.key: gpu}, larger=larger).name == "broad"
    network = start(net, {CUDA.key: Script(takes_s=0.0149), "broad.onnx": Script(takes_s=0.0162)}, larger=larger)
    assert (network.name, network.provider) == ("tiny", "cuda")
    told = f"CUDA runs 'tiny' in place of 'broad': {SLOW}; --provider cuda takes it all the same"
    assert network.notices == (told,)


def test_a_gpu_that_fails_with_the_larger_network_alone_runs_the_usual_one(net: Path, larger: starting.Choice) -> None:
    script = Script(fails_on=1, fails=1, error=RuntimeError("CUDA failure 2: no room"))
    network = start(net, {CUDA.key: script}, larger=larger)
    assert (network.name, network.provider) == ("tiny", "cuda")
    assert network.notices == ("CUDA runs 'tiny' in place of 'broad': CUDA failure 2: no room",)


def test_a_larger_network_that_is_broken_is_told(net: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_text("no network")
    network = start(net, {CUDA.key: Script()}, larger=starting.Choice("broad", tmp_path / "broken.onnx", {}))
    assert (network.name, network.provider) == ("tiny", "cuda")
    assert network.notices[0].startswith("CUDA runs 'tiny' in place of 'broad': ")


@pytest.mark.parametrize("trace", ["[{", None])
def test_without_room_for_the_trace_the_cpu_runs(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trace: str | None
) -> None:
    """A full disk cuts the trace short; a temporary folder may be missing or read-only."""
    if trace is None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    network = start(net, {CUDA.key: Script(trace=trace)})
    assert network.provider == "cpu"
    assert "CUDA is not used: its trace cannot be kept (" in network.notices[0]
    assert "; make room in " in network.notices[0]


def test_the_next_best_is_tried(net: Path) -> None:
    scripts = {CUDA.key: Script(refuses="out of memory"), OPENVINO.key: Script()}
    network = start(net, scripts, machine=Machine({CUDA.key, OPENVINO.key, CPU.key}, nvidia=True))
    assert network.provider == "openvino"
    assert [note.rpartition("; ")[2] for note in network.notices] == ["running on OpenVINO"]


def test_a_real_cuda_that_lacks_its_libraries_is_told(net: Path) -> None:
    """Only where ONNX Runtime lists CUDA and no GPU is there."""
    if CUDA.key not in runtime.this_machine().listed or nvidia_gpu():
        pytest.skip("needs onnxruntime-gpu on a machine without an NVIDIA GPU")
    found = graph.read(net)
    real = runtime.installed_runtime()
    network = starting.start("tiny", found, {}, provider=None, threads=1, runtime=real, machine=GPU)
    [note] = network.notices
    assert note.startswith("CUDA is not used: ")
    assert note.endswith("; running on CPU")
    assert "no reason" not in note


def test_an_nvidia_gpu_that_onnxruntime_cannot_use_is_told(net: Path) -> None:
    network = start(net, {}, machine=Machine({CPU.key}, nvidia=True))
    [note] = network.notices
    assert note.startswith(
        "an NVIDIA GPU is here, but the installed ONNX Runtime has none; pip install onnxruntime-gpu"
    )
    assert note.endswith("; running on CPU")
    assert start(net, {}, machine=Machine({CPU.key}, nvidia=True), provider="cpu").notices == ()


def test_an_unknown_provider_is_refused_with_those_possible(net: Path) -> None:
    with pytest.raises(SpecError, match=r"no provider called 'gpu'; possible here: tensorrt, cuda, cpu$"):
        start(net, {}, provider="gpu")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cuda", "no NVIDIA GPU can be seen"),
        ("openvino", "the installed ONNX Runtime has none; pip install onnxruntime-openvino in its place"),
        ("coreml", "it is there on macOS alone"),
    ],
)
def test_an_impossible_provider_is_refused_with_reason_and_those_possible(net: Path, name: str, reason: str) -> None:
    with pytest.raises(SpecError, match=f"provider '{name}' cannot run here: {reason}; possible here: cpu"):
        start(net, {}, machine=NO_GPU, provider=name)


def test_a_provider_asked_for_that_fails_is_an_error(net: Path) -> None:
    with pytest.raises(ModelError, match=r"CUDA is not used: out of memory; pip .*; or leave out --provider cuda"):
        start(net, {CUDA.key: Script(refuses="out of memory")}, provider="cuda")


def test_every_provider_is_found_by_its_name_in_any_case() -> None:
    machine = Machine(EVERY, nvidia=True)
    for provider in (TENSORRT, CUDA, DIRECTML, COREML, OPENVINO, CPU):
        assert asked(provider.name, machine) is provider
        assert asked(provider.title, machine) is provider


def test_a_provider_that_fails_on_frame_7_hands_that_frame_to_the_cpu(net: Path) -> None:
    script = Script(fails_on=WARM_UP + 6 + 1)
    network = start(net, {CUDA.key: script})
    assert alphas(network, [51] * 9) == [0.21, 0.22, 0.23, 0.24, 0.25, 0.26, 0.21, 0.22, 0.23]
    assert network.provider == "cpu"
    [note] = network.notices
    assert note == (
        "CUDA failed while running (CUDA failure 700: an illegal memory access was encountered); "
        "running on CPU since, until rtmatte is started again"
    )
    assert script.runs == WARM_UP + 6 + 1, "it is not tried again"


def test_nan_in_mid_run_hands_over(net: Path, tmp_path: Path) -> None:
    other = tiny.recurrent(tmp_path / "nan.onnx", black_is_nan=True)
    network = start(net, {CUDA.key: Script(instead=other)})
    assert alphas(network, [51, 0, 51]) == [0.21, 0.01, 0.22]
    assert network.notices == (
        "CUDA failed while running (its output is not finite); running on CPU since, until rtmatte is started again",
    )


def test_when_the_cpu_fails_too_there_is_no_matte(net: Path) -> None:
    scripts = {CUDA.key: Script(fails_on=WARM_UP + 2), CPU.key: Script(fails_on=WARM_UP + 1)}
    network = start(net, scripts)
    assert alphas(network, [51]) == [0.21]
    with pytest.raises(ModelError, match=r"model 'tiny' failed on the CPU: CUDA failure 700.*; take another --model"):
        alphas(network, [51, 51, 51])


@pytest.mark.parametrize("error", runtime.FAILURES)
def test_whatever_onnxruntime_raises_is_caught(net: Path, error: type[Exception]) -> None:
    network = start(
        net, {CUDA.key: Script(fails_on=WARM_UP + 1, error=error("[ONNXRuntimeError] : 6 : FAIL : device lost."))}
    )
    assert alphas(network, [51]) == [0.21]
    assert network.notices == (
        "CUDA failed while running (device lost); running on CPU since, until rtmatte is started again",
    )


def test_starting_is_silent(net: Path, capfd: pytest.CaptureFixture[str]) -> None:
    start(net, {CUDA.key: Script(hides=True, prints="Failed to load a.so: no")})
    models.open(str(net)).close()
    assert capfd.readouterr() == ("", "")


def test_standings_tell_every_provider() -> None:
    found = {standing.name: standing.lacks for standing in models.standings()}
    assert list(found) == ["tensorrt", "cuda", "directml", "coreml", "openvino", "cpu"]
    assert found["cpu"] == ""


@pytest.mark.parametrize(
    ("provider", "system", "lacks"),
    [
        (DIRECTML, "linux", "it is there on Windows alone"),
        (DIRECTML, "win32", "the installed ONNX Runtime has none; pip install onnxruntime-directml in its place"),
        (COREML, "linux", "it is there on macOS alone"),
        (COREML, "darwin", "the installed ONNX Runtime has none; pip install onnxruntime in its place"),
        (OPENVINO, "darwin", "it is there on Linux and Windows alone"),
        (OPENVINO, "linux", "the installed ONNX Runtime has none; pip install onnxruntime-openvino in its place"),
    ],
)
def test_only_what_a_system_can_have_is_proposed(provider: Provider, system: str, lacks: str) -> None:
    assert Machine({CPU.key}, nvidia=False, system=system).lacks(provider) == lacks
    assert Machine(EVERY, nvidia=True, system=system).lacks(provider) == ""


def test_a_gpu_is_seen_by_its_device_file(tmp_path: Path) -> None:
    (tmp_path / "nvidia-caps").touch()
    assert not nvidia_gpu(tmp_path, hidden="0")
    (tmp_path / "nvidia0").touch()
    assert nvidia_gpu(tmp_path, hidden="0")


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_hidden_gpu_is_not_there(tmp_path: Path, hidden: str) -> None:
    (tmp_path / "nvidia0").touch()
    assert not nvidia_gpu(tmp_path, hidden=hidden)
