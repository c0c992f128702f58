from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.models import GPU, NO_GPU, Script, mean_alphas, start_network

from realtime_matte import models
from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha
from realtime_matte.models import onnx_file
from realtime_matte.models.catalog import weights_folder
from realtime_matte.models.family import identify
from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.providers import CPU, CUDA, Machine
from realtime_matte.models.runtime import installed_runtime
from realtime_matte.models.session import start_cpu_session
from realtime_matte.models.verify import QUANTIZED_KEY, WarmUp, check_equal, check_person, warm_up

FASTER_S, SLOWER_S = 0.006, 0.011


def opened(
    folder: Path, quantized: Script, *, gain: float = 1.0, machine: Machine = NO_GPU, provider: str | None = None
) -> OnnxNetwork:
    """A network beside its quantized model; each run of the network itself takes 0.01 s."""
    tiny.recurrent(folder / "int8.onnx", gain=gain)
    path = tiny.recurrent(folder / "net.onnx", metadata=tiny.recurrent_metadata() | {QUANTIZED_KEY: "int8.onnx"})
    scripts = {"int8.onnx": quantized, CUDA.key: Script(), CPU.key: Script()}
    return start_network(path, scripts, machine=machine, provider=provider)


@pytest.mark.parametrize("provider", [None, "cpu"])
def test_faster_quantized_model_runs(tmp_path: Path, provider: str | None) -> None:
    quantized = Script(run_s=FASTER_S)
    network = opened(tmp_path, quantized, provider=provider)
    assert mean_alphas(network, [51, 51]) == [0.21, 0.22]
    assert (quantized.runs, network.provider, network.notices) == (3 + 2, "cpu", ())


def test_slower_quantized_model_does_not_run_and_is_not_reported(tmp_path: Path) -> None:
    quantized = Script(run_s=SLOWER_S)
    network = opened(tmp_path, quantized)
    assert mean_alphas(network, [51, 51]) == [0.21, 0.22]
    assert (quantized.runs, network.notices) == (3, ())


def test_quantized_model_is_not_started_where_a_gpu_runs(tmp_path: Path) -> None:
    quantized = Script(run_s=FASTER_S)
    network = opened(tmp_path, quantized, machine=GPU)
    assert (quantized.starts, network.provider) == (0, "cuda")


@pytest.mark.parametrize(
    ("gain", "script", "reason"),
    [
        (0.5, Script(run_s=FASTER_S), "its alpha of warm-up frame 1 differs by 0."),
        (1.0, Script(start_error="no kernel for it"), "no kernel for it"),
        (1.0, Script(run_s=FASTER_S, fails_on=2, error=RuntimeError("overflow")), "overflow"),
    ],
)
def test_quantized_model_that_fails_verification_is_reported_and_not_used(
    tmp_path: Path, gain: float, script: Script, reason: str
) -> None:
    network = opened(tmp_path, script, gain=gain)
    [notice] = network.notices
    assert notice.startswith(f"CPU (int8) is not used: {reason}")
    assert notice.endswith("; running on CPU")
    assert mean_alphas(network, [51]) == [0.21]


def test_quantized_model_that_fails_later_hands_that_frame_to_the_network(tmp_path: Path) -> None:
    network = opened(tmp_path, Script(run_s=FASTER_S, fails_on=3 + 2, error=RuntimeError("overflow")))
    assert mean_alphas(network, [51, 51, 51]) == [0.21, 0.21, 0.22]
    assert network.notices == (
        "CPU (int8) failed while running (overflow); now running on CPU until rtmatte is restarted",
    )


def test_missing_quantized_model_is_not_reported(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", metadata=tiny.recurrent_metadata() | {QUANTIZED_KEY: "int8.onnx"})
    assert start_network(path, {}, machine=NO_GPU).notices == ()


def test_quantized_model_is_never_looked_for_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    tiny.recurrent(tmp_path / "int8.onnx")
    metadata = tiny.recurrent_metadata() | {QUANTIZED_KEY: "../int8.onnx"}
    path = tiny.recurrent(tmp_path / "here" / "net.onnx", metadata=metadata)
    script = Script(run_s=FASTER_S)
    start_network(path, {"int8.onnx": script}, machine=NO_GPU)
    assert script.starts == 0


def shipped(name: str) -> WarmUp:
    graph = onnx_file.read(weights_folder() / name)
    session = start_cpu_session(graph.path, installed_runtime(), threads=1)
    return warm_up(session, identify(graph, {}))


def test_warm_up_shows_the_shipped_network_a_person() -> None:
    result = shipped("small.onnx")
    assert all(0.2 < alpha.mean() < 0.6 for alpha in result.alphas)
    assert all(np.abs(state).mean() > 0.01 for state in result.states.values())


def test_shipped_quantized_model_is_verified() -> None:
    check_equal(shipped("small-int8.onnx"), shipped("small.onnx"))


def maps(*boxes: tuple[slice, slice]) -> list[Alpha]:
    """Alphas of the warm-up's three frames, on a grid of 9x16, with 1 in one box each."""
    alphas = [np.zeros((9, 16), np.float32) for _ in boxes]
    for alpha, box in zip(alphas, boxes, strict=True):
        alpha[box] = 1
    return alphas


ON_THE_FACE = (slice(1, 9), slice(7, 11)), (slice(1, 9), slice(6, 10)), (slice(0, 9), slice(3, 7))
ALL = slice(None), slice(None)


def test_a_network_that_finds_the_person_is_accepted() -> None:
    check_person("net", maps(*ON_THE_FACE))


@pytest.mark.parametrize(
    "alphas",
    [
        maps(ALL, ALL, ALL),
        [np.zeros((9, 16), np.float32)] * 3,
        [np.full((9, 16), 0.5, np.float32)] * 3,
        [1 - alpha for alpha in maps(*ON_THE_FACE)],
        maps(ON_THE_FACE[0], ON_THE_FACE[0], ON_THE_FACE[0]),
        maps(ON_THE_FACE[0], ON_THE_FACE[1], ALL),
        [0.6 * alpha for alpha in maps(*ON_THE_FACE)],
        [alpha * np.nan for alpha in maps(*ON_THE_FACE)],
        [alpha[:, ::-1] for alpha in maps(*ON_THE_FACE)],
        [alpha[::-1] * (np.arange(9)[:, None] > 5) for alpha in maps(*ON_THE_FACE)],
    ],
    ids=["all", "none", "half", "inverted", "a fixed place", "all at the end", "faint", "nan", "mirrored", "low"],
)
def test_a_network_that_does_not_find_the_person_is_refused(alphas: list[Alpha]) -> None:
    message = r"model 'net' does not find the person of the sample portrait: alpha is .* on the face and .* of frame \d"
    with pytest.raises(ModelError, match=message):
        check_person("net", alphas)


def test_a_file_is_verified_by_the_portrait_unless_the_spec_says_otherwise(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "brightness.onnx")
    with pytest.raises(ModelError, match=r"brightness\.onnx' does not find the person.*\?unverified runs it anyway"):
        models.open(str(path), provider="cpu")
    for option in ("unverified", "unverified=yes", "size=64x32&unverified"):
        models.open(f"{path}?{option}", provider="cpu").close()
    with pytest.raises(ModelError, match="does not find the person"):
        models.open(f"{path}?unverified=no", provider="cpu")


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_copy_of_a_shipped_network_finds_the_person(name: str) -> None:
    models.open(str(weights_folder() / f"{name}.onnx"), provider="cpu").close()
