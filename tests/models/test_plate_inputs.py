"""A network that sees the clean plate gets it with the frame it belongs to, on every grid; other networks never do."""

from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.models import CPU_RUN_S, Script, start_network
from fakes.networks import cpu, grey

from realtime_matte import models
from realtime_matte.errors import BadFile, ModelError
from realtime_matte.frame import Frame, Matte, Pixels, PlateImage
from realtime_matte.interfaces import PlateNetwork, PlateView, RecurrentState
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.models.providers import CUDA


class Known:
    """A clean plate of one level; validity 255 in the left half, 0 in the right."""

    def __init__(self, level: int, *, known: bool = True) -> None:
        self.level, self.known = level, known
        self.guides: list[Pixels] = []

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        self.guides.append(guide.copy())
        if self.known:
            out.colours.fill(self.level)
            out.validity.fill(0)
            out.validity[:, : guide.shape[1] // 2] = 255
        return self.known


@pytest.fixture
def network(tmp_path: Path) -> str:
    return str(tiny.with_plate(tmp_path / "plate.onnx"))


def halves(matte: Matte) -> tuple[float, float]:
    """Mean alpha of the left and of the right half, without the columns between."""
    middle = matte.alpha.shape[1] // 2
    return round(float(matte.alpha[:, : middle - 4].mean()), 2), round(float(matte.alpha[:, middle + 4 :].mean()), 2)


@pytest.mark.parametrize("options", ["", "?quality=high"])
def test_alpha_comes_from_the_difference_where_the_plate_is_valid(network: str, options: str) -> None:
    opened = cpu(network + options)
    assert isinstance(opened, PlateNetwork)
    assert opened.sees_plate
    plate = Known(60)
    matte, state = opened.process(grey(124, (128, 72)), None, plate)
    assert halves(matte) == (0.5, 0)
    assert plate.guides[0].mean() == 124, "the plate is fitted to the frame that is processed"
    matte, state = opened.process(grey(124, (128, 72)), state, Known(124))
    assert halves(matte) == (0, 0)
    matte, state = opened.process(grey(124, (128, 72)), state, Known(0))
    assert halves(matte)[0] > 0.9


def test_a_plate_is_never_used_for_the_next_frame(network: str) -> None:
    opened = cpu(network)
    assert isinstance(opened, PlateNetwork)
    for nothing in (None, Known(0, known=False)):
        matte, state = opened.process(grey(124, (128, 72)), None, Known(0))
        assert halves(matte)[0] > 0.9
        matte, _ = opened.process(grey(124, (128, 72)), state, nothing)
        assert halves(matte) == (0, 0)


def test_other_networks_are_never_given_a_plate(ours: str) -> None:
    plate = Known(0)
    for network in (cpu(ours), CheckedNetwork(cpu(ours))):
        assert isinstance(network, PlateNetwork)
        assert not network.sees_plate
        network.process(grey(124, (128, 72)), None, plate)
    assert plate.guides == []


class OfTheCaller:
    """A network from before there were plates."""

    name, provider, notices = "mine", "cpu", ()

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        return Matte(np.zeros((frame.size[1] // 2, frame.size[0] // 2), np.float32)), state or ()

    def close(self) -> None: ...


def test_a_network_of_the_caller_is_called_without_a_plate() -> None:
    checked = CheckedNetwork(OfTheCaller())
    assert not checked.sees_plate
    checked.process(grey(0, (128, 72)), None, Known(0))


class Failing(Known):
    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        raise ZeroDivisionError(guide.shape, out)


def test_a_fault_of_the_plate_is_not_hidden(network: str) -> None:
    opened = cpu(network)
    assert isinstance(opened, PlateNetwork)
    with pytest.raises(ZeroDivisionError):
        opened.process(grey(124, (128, 72)), None, Failing(0))


@pytest.mark.parametrize("names", ['["plate"]', "[]", "plate", '["plate", "gone"]'])
def test_metadata_about_a_plate_that_does_not_fit_the_graph_is_reported(tmp_path: Path, names: str) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", metadata=tiny.recurrent_metadata(plate=names))
    with pytest.raises(BadFile, match=r"net\.onnx has (invalid metadata|no gone, plate in its graph)"):
        cpu(str(path))


def test_a_provider_that_loses_the_plate_is_not_used(tmp_path: Path) -> None:
    """Its alpha without a plate is right."""
    right = tiny.with_plate(tmp_path / "right.onnx", brightness=0.5)
    wrong = tiny.with_plate(tmp_path / "wrong.onnx", brightness=0.5, difference=0.0)
    network = start_network(right, {CUDA.key: Script(computes=wrong)}, provider=None)
    assert network.provider == "cpu"
    assert any("its alpha with a clean plate differs by" in notice for notice in network.notices)
    with pytest.raises(ModelError, match="its alpha with a clean plate differs by"):
        start_network(right, {CUDA.key: Script(computes=wrong)}, provider="cuda")
    assert start_network(right, {CUDA.key: Script(run_s=CPU_RUN_S / 2)}).provider == "cuda"


def test_a_provider_gets_the_plate_of_each_frame(tmp_path: Path) -> None:
    """One that copies a bound input once is found by its frames already."""
    network = start_network(tiny.with_plate(tmp_path / "right.onnx"), {CUDA.key: Script()})
    assert network.provider == "cuda"
    assert isinstance(network, PlateNetwork)
    means = []
    for level in (124, 60, 0):
        plate: PlateView = Known(level)
        means.append(halves(network.process(grey(124, (128, 72)), None, plate)[0])[0])
    assert means == [0, 0.5, pytest.approx(0.97, abs=0.02)]


def test_the_first_run_in_a_process_of_its_own_has_the_inputs_of_the_plate(tmp_path: Path) -> None:
    models.open(f"{tiny.with_plate(tmp_path / 'plate.onnx')}?unverified&quality=high", provider="cpu").close()
