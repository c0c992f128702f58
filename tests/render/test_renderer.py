"""The renderer: a composite shows the frame's person over the background, by the matte of that very frame."""

from typing import Any

import numpy as np
import pytest

from realtime_matte.errors import ModelError, SpecError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import RecurrentState
from realtime_matte.render.renderer import CpuRenderer

ROOM, PERSON, BEACH = (255, 0, 255), (30, 60, 90), (10, 200, 20)


class LeftHalf:
    """A network that finds the person in the left half, records its states, and fails while ``broken``."""

    name, provider, notices = "left half", "CPU", ("a notice",)

    def __init__(self) -> None:
        self.states: list[RecurrentState | None] = []
        self.broken = False

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        if self.broken:
            raise ModelError("the network failed")
        self.states.append(state)
        alpha = np.zeros((18, 32), np.float32)
        alpha[:, :16] = 1
        return Matte(alpha), (frame.index,)

    def close(self) -> None: ...


class BeachBackground:
    def __init__(self) -> None:
        self.pixels = np.full((90, 160, 3), BEACH, np.uint8)
        self.mattes: list[Matte] = []

    def image(self, frame: Frame, matte: Matte) -> Pixels:
        assert matte.alpha.shape == frame.pixels.shape[:2]
        self.mattes.append(matte)
        return self.pixels

    def close(self) -> None: ...


def frame(index: int) -> Frame:
    pixels = np.full((90, 160, 3), ROOM, np.uint8)
    pixels[:, :80] = PERSON
    return Frame(pixels, index / 30, index)


def test_the_person_is_kept_and_the_room_is_not() -> None:
    composite = CpuRenderer(LeftHalf(), size=(160, 90), background=BeachBackground()).render(frame(0))
    assert (composite[:, :60] == PERSON).all()
    assert (composite[:, 100:] == BEACH).all()
    assert not (composite == ROOM).all(axis=2).any()


def test_without_a_background_alpha_is_kept_and_the_room_is_not() -> None:
    composite = CpuRenderer(LeftHalf(), size=(160, 90), background=None).render(frame(0))
    assert composite.shape == (90, 160, 4)
    assert (composite[:, :60] == (*PERSON, 255)).all()
    assert (composite[:, 100:] == 0).all()


def test_the_state_is_passed_on_until_a_reset() -> None:
    network = LeftHalf()
    renderer = CpuRenderer(network, size=(160, 90), background=BeachBackground())
    for index in range(3):
        renderer.render(frame(index))
    renderer.reset()
    renderer.render(frame(3))
    assert network.states == [None, (0,), (1,), None]


def test_no_matte_no_composite() -> None:
    network = LeftHalf()
    renderer = CpuRenderer(network, size=(160, 90), background=BeachBackground())
    network.broken = True
    with pytest.raises(ModelError, match="the network failed"):
        renderer.render(frame(0))


def test_the_background_can_be_changed_between_frames() -> None:
    renderer = CpuRenderer(LeftHalf(), size=(160, 90), background=BeachBackground())
    renderer.render(frame(0))
    night = BeachBackground()
    night.pixels[:] = 7
    renderer.background = night
    assert (renderer.render(frame(1))[:, 100:] == 7).all()


def test_every_stage_is_timed_in_order() -> None:
    laps: list[str] = []
    CpuRenderer(LeftHalf(), size=(160, 90), background=BeachBackground(), lap=laps.append).render(frame(0))
    assert laps == ["matte", "refine", "background", "composite"]


def test_notices_are_those_of_the_network() -> None:
    assert CpuRenderer(LeftHalf(), size=(160, 90), background=None).notices == ("a notice",)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((90, 160), np.uint8), r"must be \(90, 160, 3\) uint8, not \(90, 160\) uint8"),
        (np.zeros((45, 160, 3), np.uint8), r"not \(45, 160, 3\) uint8"),
        (np.zeros((90, 160, 4), np.uint8), r"not \(90, 160, 4\) uint8"),
        (np.zeros((90, 160, 3), np.float32), r"not \(90, 160, 3\) float32"),
        (np.zeros((90, 320, 3), np.uint8)[:, ::2], "is not C-contiguous"),
        (None, "not NoneType"),
        ([], "not list"),
    ],
)
def test_an_image_that_a_background_may_not_return_is_refused(image: Any, reason: str) -> None:  # noqa: ANN401
    background = BeachBackground()
    renderer = CpuRenderer(LeftHalf(), size=(160, 90), background=background)
    background.pixels = image
    with pytest.raises(SpecError, match=reason):
        renderer.render(frame(0))
