from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import networks as tiny
from fakes.models import GPU, NO_GPU, Script, fake_runtime, mean_alphas, start_network

from realtime_matte import models
from realtime_matte.errors import ModelError, SpecError
from realtime_matte.models import best_provider, runtime
from realtime_matte.models.catalog import ModelFile
from realtime_matte.models.providers import CPU, CUDA, OPENVINO, TENSORRT, Machine, nvidia_gpu

SLOW = "it takes 16.2 ms a frame, the CPU 10.0"
WARM_UP = 3
"""Runs that verify a provider."""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return tiny.recurrent(tmp_path / "tiny.onnx")


@pytest.fixture
def gpu_model(tmp_path: Path) -> ModelFile:
    """Doubles alpha, so that alpha shows which of the two networks runs."""
    return ModelFile("broad", tiny.recurrent(tmp_path / "broad.onnx", gain=2.0), {})


def test_best_verified_provider_runs(net: Path) -> None:
    script = Script()
    network = start_network(net, {CUDA.key: script})
    assert (network.provider, network.notices) == ("cuda", ())
    assert mean_alphas(network, [51, 51, 102]) == [0.21, 0.22, 0.43]
    assert script.runs == WARM_UP + 3, "of the warm-up and of the test"


def test_gpu_runs_the_gpu_model_and_the_cpu_that_replaces_it_the_model(net: Path, gpu_model: ModelFile) -> None:
    network = start_network(net, {CUDA.key: Script(fails_on=WARM_UP + 2)}, gpu_model=gpu_model)
    assert (mean_alphas(network, [51]), network.name, network.provider) == ([0.41], "broad", "cuda")
    assert (mean_alphas(network, [51]), network.name, network.provider) == ([0.21], "tiny", "cpu")
    assert network.notices[0].endswith("encountered); now running 'tiny' on CPU until rtmatte is restarted")


def test_provider_that_is_not_a_gpu_runs_the_model(net: Path, gpu_model: ModelFile) -> None:
    machine = Machine({OPENVINO.key, CPU.key}, nvidia=False, system="linux")
    network = start_network(net, {OPENVINO.key: Script()}, machine=machine, gpu_model=gpu_model)
    assert (network.name, network.provider, network.notices) == ("tiny", "openvino", ())


def test_gpu_model_is_not_read_without_a_gpu(net: Path) -> None:
    network = start_network(net, {}, machine=NO_GPU, gpu_model=ModelFile("broad", Path("nowhere.onnx"), {}))
    assert (network.name, network.provider, network.notices) == ("tiny", "cpu", ())


def test_onnxruntime_gpu_without_a_gpu_reports_nothing_and_tries_nothing(net: Path) -> None:
    script = Script(start_error="no CUDA-capable device is detected")
    network = start_network(net, {CUDA.key: script}, machine=NO_GPU)
    assert (network.provider, network.notices, script.starts) == ("cpu", (), 0)


@pytest.mark.parametrize(("spec", "key"), [("cuda?pipeline", CUDA.key), ("cpu?pipeline", CPU.key)])
def test_a_network_is_offered_for_a_graph_of_the_pipeline_on_request(net: Path, spec: str, key: str) -> None:
    network = start_network(net, {CUDA.key: Script(), CPU.key: Script()}, provider=spec)
    assert network.pipeline
    assert (network.pipeline.graph.path, network.pipeline.provider.key) == (net, key)
    assert start_network(net, {CUDA.key: Script()}, provider="cuda").pipeline is None
    assert start_network(net, {CUDA.key: Script()}).pipeline is None


def test_tensorrt_runs_only_on_request(net: Path) -> None:
    scripts = {TENSORRT.key: Script(), CUDA.key: Script()}
    assert start_network(net, scripts).provider == "cuda"
    assert scripts[TENSORRT.key].starts == 0
    assert start_network(net, scripts, provider="tensorrt").provider == "tensorrt"


def test_tensorrt_does_not_write_into_the_working_folder(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    script = Script()
    start_network(net, {TENSORRT.key: script}, provider="tensorrt")
    assert Path(script.options["trt_engine_cache_path"]).is_absolute()
    assert "tensorrt" in script.options["trt_engine_cache_path"]


def test_cpu_runs_on_request(net: Path) -> None:
    script = Script()
    assert start_network(net, {CUDA.key: script}, provider="cpu").provider == "cpu"
    assert script.starts == 0


DRIVER, PIP = "; install or update the NVIDIA driver", "; pip install '.[cuda]' in rtmatte's folder"
CUDA_CODE = (
    "/src/core/providers/cuda/cuda_call.cc:129 bool onnxruntime::CudaCall(int, const char*) [with ERRTYPE = cudaError] "
    "CUDA failure 35: CUDA driver version is insufficient ; GPU=0 ; hostname=here; file=/src/cuda.cc ; line=1"
)
CHECK = "; rtmatte doctor checks whether the driver, CUDA and cuDNN fit together"
NO_KERNEL = (
    "Error in execution: Non-zero status code returned while running Mul node. Name:'/memory4/Mul' Status Message: "
    "CUDA error cudaErrorUnknown:unknown error"
)
PRINTED = "Failed to load a.so.9: a.so.9: cannot open it\nand more"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(start_error=CUDA_CODE), "CUDA failure 35: CUDA driver version is insufficient" + DRIVER),
        (Script(unlisted=True, prints=PRINTED), "a.so.9: cannot open it" + PIP),
        (Script(unlisted=True, library_error="libcuda.so.1: cannot open it"), "libcuda.so.1: cannot open it" + DRIVER),
        (Script(start_error="no engine", library_error="libnvinfer.so: not there"), "libnvinfer.so: not there" + PIP),
        (Script(unlisted=True), "ONNX Runtime gave no reason" + PIP),
        (
            Script(start_error="/src/state.cc:7 void plug(int&, const x::Y&) Please install it."),
            "Please install it" + PIP,
        ),
        (Script(start_error="[ONNXRuntimeError] : 1 : FAIL : no : room."), "no : room" + PIP),
        (Script(runs_nothing=True), "no operator ran on it" + CHECK),
        (Script(convolutions_on_cpu=1), "it left 1 of 1 convolutions to the CPU" + CHECK),
        (Script(fails_on=1), "CUDA failure 700: an illegal memory access was encountered" + CHECK),
        (Script(fails_on=1, error=RuntimeError(NO_KERNEL)), "CUDA error cudaErrorUnknown:unknown error" + CHECK),
        (Script(fails_on=3), "CUDA failure 700: an illegal memory access was encountered" + CHECK),
    ],
)
def test_better_provider_that_fails_is_reported_with_reason_and_hint(net: Path, script: Script, reason: str) -> None:
    network = start_network(net, {CUDA.key: script})
    assert network.notices == (f"CUDA is not used: {reason}; running on CPU",)
    assert network.provider == "cpu"
    assert mean_alphas(network, [51]) == [0.21]


def test_profile_that_cannot_be_deleted_hides_no_reason(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows an open file cannot be deleted, and a session that failed to start keeps its profile open."""
    fake = fake_runtime({CUDA.key: Script(start_error="no device")})

    def start_session(path: str, options: Any, providers: Sequence[tuple[str, dict[str, str]]]) -> runtime.OrtSession:  # noqa: ANN401
        if options.enable_profiling:
            Path(options.profile_file_prefix).touch()
        return fake.start_session(path, options, providers)

    def unlink(*_: object, **__: object) -> None:
        raise PermissionError(13, "it is being used by another process")

    monkeypatch.setattr("os.unlink", unlink)
    patched = replace(fake, start_session=start_session)
    model = ModelFile("tiny", net, {})
    network = best_provider.start(model, provider=None, threads=1, runtime=patched, machine=GPU)
    assert network.notices == (f"CUDA is not used: no device{PIP}; running on CPU",)


def test_provider_that_computes_something_else_is_not_used(net: Path, tmp_path: Path) -> None:
    other = tiny.recurrent(tmp_path / "other.onnx", gain=0.5)
    network = start_network(net, {CUDA.key: Script(computes=other)})
    assert network.provider == "cpu"
    assert "its alpha of warm-up frame 1 differs by 0." in network.notices[0]


def test_provider_that_never_gets_a_second_frame_is_not_used(net: Path) -> None:
    network = start_network(net, {CUDA.key: Script(stale_inputs=True)})
    assert network.provider == "cpu"
    assert "its alpha of warm-up frame 2 differs by 0." in network.notices[0]


def test_provider_that_loses_the_recurrent_state_is_not_used_although_alpha_hardly_shows_it(net: Path) -> None:
    network = start_network(net, {CUDA.key: Script(stale_states=True)})
    assert network.provider == "cpu"
    assert "its state m8 after warm-up frame 3 differs by 67 % from the CPU's" in network.notices[0]


def test_provider_that_computes_nan_is_not_used(net: Path, tmp_path: Path) -> None:
    other = tiny.recurrent(tmp_path / "nan.onnx", gain=0, black_is_nan=True)
    network = start_network(net, {CUDA.key: Script(computes=other)})
    assert "CUDA is not used: its output is not finite; " in network.notices[0]


def test_provider_slower_than_the_cpu_is_used_only_on_request(net: Path) -> None:
    network = start_network(net, {CUDA.key: Script(run_s=0.0162)})
    assert network.provider == "cpu"
    [notice] = network.notices
    assert notice == f"CUDA is not used: {SLOW}; --provider cuda uses it anyway; running on CPU"
    assert start_network(net, {CUDA.key: Script(run_s=0.0162)}, provider="cuda").provider == "cuda"


def test_each_of_two_grids_has_its_own_session_on_a_gpu(net: Path) -> None:
    """On one session for both, cuDNN planned every convolution again in every frame: 190 ms on a GPU that needs 6."""
    network = start_network(net, {CUDA.key: Script(plan_s=1.0)}, options={"quality": 4.0})
    assert network.notices == ()
    assert network.provider == "cuda"
    assert mean_alphas(network, [51] * 4) == [0.21, 0.22, 0.23, 0.24]


def test_gpu_too_slow_for_the_gpu_model_runs_the_model(net: Path, gpu_model: ModelFile) -> None:
    gpu = Script(run_s=0.0149)
    assert start_network(net, {CUDA.key: gpu}, gpu_model=gpu_model).name == "broad"
    network = start_network(
        net, {CUDA.key: Script(run_s=0.0149), "broad.onnx": Script(run_s=0.0162)}, gpu_model=gpu_model
    )
    assert (network.name, network.provider) == ("tiny", "cuda")
    assert network.notices == (f"CUDA runs 'tiny' instead of 'broad': {SLOW}; --provider cuda uses it anyway",)


def test_gpu_that_fails_only_with_the_gpu_model_runs_the_model(net: Path, gpu_model: ModelFile) -> None:
    script = Script(fails_on=1, failures=1, error=RuntimeError("CUDA failure 2: no room"))
    network = start_network(net, {CUDA.key: script}, gpu_model=gpu_model)
    assert (network.name, network.provider) == ("tiny", "cuda")
    assert network.notices == ("CUDA runs 'tiny' instead of 'broad': CUDA failure 2: no room",)


def test_invalid_gpu_model_is_reported(net: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_text("no network")
    network = start_network(net, {CUDA.key: Script()}, gpu_model=ModelFile("broad", tmp_path / "broken.onnx", {}))
    assert (network.name, network.provider) == ("tiny", "cuda")
    assert network.notices[0].startswith("CUDA runs 'tiny' instead of 'broad': ")


@pytest.mark.parametrize("profile", ["[{", None])
def test_cpu_runs_when_the_profile_cannot_be_written(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str | None
) -> None:
    """A full disk truncates the profile; a temporary folder may be missing or read-only."""
    if profile is None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    network = start_network(net, {CUDA.key: Script(profile=profile)})
    assert network.provider == "cpu"
    assert "CUDA is not used: cannot write its profile (" in network.notices[0]
    assert "; free some space in " in network.notices[0]


def test_next_best_provider_is_tried(net: Path) -> None:
    scripts = {CUDA.key: Script(start_error="out of memory"), OPENVINO.key: Script()}
    network = start_network(net, scripts, machine=Machine({CUDA.key, OPENVINO.key, CPU.key}, nvidia=True))
    assert network.provider == "openvino"
    assert [notice.rpartition("; ")[2] for notice in network.notices] == ["running on OpenVINO"]


def test_installed_cuda_provider_without_its_libraries_is_reported(net: Path) -> None:
    """Only where ONNX Runtime lists CUDA and no GPU is there."""
    if CUDA.key not in runtime.this_machine().listed or nvidia_gpu():
        pytest.skip("needs onnxruntime-gpu on a machine without an NVIDIA GPU")
    model, real = ModelFile("tiny", net, {}), runtime.installed_runtime()
    network = best_provider.start(model, provider=None, threads=1, runtime=real, machine=GPU)
    [notice] = network.notices
    assert notice.startswith("CUDA is not used: ")
    assert notice.endswith("; running on CPU")
    assert "no reason" not in notice


def test_nvidia_gpu_that_onnxruntime_cannot_use_is_reported(net: Path) -> None:
    network = start_network(net, {}, machine=Machine({CPU.key}, nvidia=True))
    [notice] = network.notices
    assert notice.startswith(
        "the NVIDIA GPU is not used: the installed ONNX Runtime does not include CUDA; pip install onnxruntime-gpu"
    )
    assert notice.endswith("; running on CPU")
    assert start_network(net, {}, machine=Machine({CPU.key}, nvidia=True), provider="cpu").notices == ()


def test_unknown_provider_is_refused_with_the_available_ones(net: Path) -> None:
    with pytest.raises(SpecError, match=r"unknown provider 'gpu'; available here: tensorrt, cuda, cpu$"):
        start_network(net, {}, provider="gpu")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cuda", "no NVIDIA GPU found"),
        ("openvino", "the installed ONNX Runtime does not include OpenVINO; pip install onnxruntime-openvino instead"),
        ("coreml", "it exists only on macOS"),
    ],
)
def test_unavailable_provider_is_refused_with_reason_and_the_available_ones(net: Path, name: str, reason: str) -> None:
    with pytest.raises(SpecError, match=f"provider '{name}' cannot run here: {reason}; available here: cpu"):
        start_network(net, {}, machine=NO_GPU, provider=name)


def test_requested_provider_that_fails_is_an_error(net: Path) -> None:
    with pytest.raises(ModelError, match=r"CUDA is not used: out of memory; pip .*; or leave out --provider cuda"):
        start_network(net, {CUDA.key: Script(start_error="out of memory")}, provider="cuda")


def test_provider_that_fails_on_frame_7_hands_that_frame_to_the_cpu(net: Path) -> None:
    script = Script(fails_on=WARM_UP + 6 + 1)
    network = start_network(net, {CUDA.key: script})
    assert mean_alphas(network, [51] * 9) == [0.21, 0.22, 0.23, 0.24, 0.25, 0.26, 0.21, 0.22, 0.23]
    assert network.provider == "cpu"
    [notice] = network.notices
    assert notice == (
        "CUDA failed while running (CUDA failure 700: an illegal memory access was encountered); "
        "now running on CPU until rtmatte is restarted"
    )
    assert script.runs == WARM_UP + 6 + 1, "it is not tried again"


def test_nan_while_running_hands_that_frame_to_the_cpu(net: Path, tmp_path: Path) -> None:
    other = tiny.recurrent(tmp_path / "nan.onnx", black_is_nan=True)
    network = start_network(net, {CUDA.key: Script(computes=other)})
    assert mean_alphas(network, [51, 0, 51]) == [0.21, 0.01, 0.22]
    assert network.notices == (
        "CUDA failed while running (its output is not finite); now running on CPU until rtmatte is restarted",
    )


def test_no_matte_when_the_cpu_fails_too(net: Path) -> None:
    scripts = {CUDA.key: Script(fails_on=WARM_UP + 2), CPU.key: Script(fails_on=WARM_UP + 1)}
    network = start_network(net, scripts)
    assert mean_alphas(network, [51]) == [0.21]
    with pytest.raises(ModelError, match=r"model 'tiny' failed on the CPU: CUDA failure 700.*; choose another --model"):
        mean_alphas(network, [51, 51, 51])


@pytest.mark.parametrize("error", runtime.ORT_ERRORS)
def test_every_exception_of_onnxruntime_is_caught(net: Path, error: type[Exception]) -> None:
    network = start_network(
        net, {CUDA.key: Script(fails_on=WARM_UP + 1, error=error("[ONNXRuntimeError] : 6 : FAIL : device lost."))}
    )
    assert mean_alphas(network, [51]) == [0.21]
    assert network.notices == (
        "CUDA failed while running (device lost); now running on CPU until rtmatte is restarted",
    )


def test_starting_prints_nothing(net: Path, capfd: pytest.CaptureFixture[str]) -> None:
    start_network(net, {CUDA.key: Script(unlisted=True, prints="Failed to load a.so: no")})
    models.open(tiny.unverified(str(net))).close()
    assert capfd.readouterr() == ("", "")
