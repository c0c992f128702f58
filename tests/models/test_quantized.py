from pathlib import Path

import pytest
from fakes import networks as tiny
from fakes.models import Script
from test_providers import GPU, NO_GPU, alphas, start

from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.providers import CPU, CUDA, Machine
from realtime_matte.models.quantized import TWIN

QUICK, SLOW = 0.006, 0.011


def opened(
    folder: Path, twin: Script, *, gain: float = 1.0, machine: Machine = NO_GPU, provider: str | None = None
) -> OnnxNetwork:
    """A network beside its twin; each run of the network itself takes 0.01 s."""
    tiny.recurrent(folder / "twin.onnx", gain=gain)
    net = tiny.recurrent(folder / "net.onnx", told=tiny.metadata() | {TWIN: "twin.onnx"})
    return start(net, {"twin.onnx": twin, CUDA.key: Script(), CPU.key: Script()}, machine=machine, provider=provider)


@pytest.mark.parametrize("provider", [None, "cpu"])
def test_a_quicker_twin_runs(tmp_path: Path, provider: str | None) -> None:
    twin = Script(takes_s=QUICK)
    network = opened(tmp_path, twin, provider=provider)
    assert alphas(network, [51, 51]) == [0.21, 0.22]
    assert (twin.runs, network.provider, network.notices) == (3 + 2, "cpu", ())


def test_a_slower_twin_does_not_run_and_nothing_is_told(tmp_path: Path) -> None:
    twin = Script(takes_s=SLOW)
    network = opened(tmp_path, twin)
    assert alphas(network, [51, 51]) == [0.21, 0.22]
    assert (twin.runs, network.notices) == (3, ())


def test_a_twin_is_not_started_where_a_gpu_runs(tmp_path: Path) -> None:
    twin = Script(takes_s=QUICK)
    network = opened(tmp_path, twin, machine=GPU)
    assert (twin.starts, network.provider) == (0, "cuda")


@pytest.mark.parametrize(
    ("gain", "script", "seen"),
    [
        (0.5, Script(takes_s=QUICK), "its alpha of warm-up frame 1 is off by 0."),
        (1.0, Script(refuses="no kernel for it"), "no kernel for it"),
        (1.0, Script(takes_s=QUICK, fails_on=2, error=RuntimeError("overflow")), "overflow"),
    ],
)
def test_a_twin_that_fails_its_proof_is_told_and_not_used(
    tmp_path: Path, gain: float, script: Script, seen: str
) -> None:
    network = opened(tmp_path, script, gain=gain)
    [note] = network.notices
    assert note.startswith(f"CPU in 8 bits is not used: {seen}")
    assert note.endswith("; running on CPU")
    assert alphas(network, [51]) == [0.21]


def test_a_twin_that_fails_later_hands_that_frame_to_the_network(tmp_path: Path) -> None:
    network = opened(tmp_path, Script(takes_s=QUICK, fails_on=3 + 2, error=RuntimeError("overflow")))
    assert alphas(network, [51, 51, 51]) == [0.21, 0.21, 0.22]
    assert network.notices == (
        "CPU in 8 bits failed while running (overflow); running on CPU since, until rtmatte is started again",
    )


def test_a_twin_that_is_not_there_is_not_missed(tmp_path: Path) -> None:
    net = tiny.recurrent(tmp_path / "net.onnx", told=tiny.metadata() | {TWIN: "twin.onnx"})
    assert start(net, {}, machine=NO_GPU).notices == ()


def test_a_twin_is_never_sought_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    tiny.recurrent(tmp_path / "twin.onnx")
    net = tiny.recurrent(tmp_path / "here" / "net.onnx", told=tiny.metadata() | {TWIN: "../twin.onnx"})
    script = Script(takes_s=QUICK)
    start(net, {"twin.onnx": script}, machine=NO_GPU)
    assert script.starts == 0
