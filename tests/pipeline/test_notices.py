"""Notices of a running pipeline: a camera that shows nothing."""

from types import SimpleNamespace

import numpy as np
import pytest
from fakes.scripted import SIZE

from realtime_matte.capture.state import CaptureState
from realtime_matte.frame import Frame
from realtime_matte.pipeline.notices import BLACK, DARK_S, DarkFrames, Notices

FPS = 30


def reports(*brightness: float, fps: float = FPS) -> list[int]:
    """The indices of the frames at which dark frames are reported."""
    dark = DarkFrames()
    frames = (np.full((SIZE[1], SIZE[0], 3), value, np.uint8) for value in brightness)
    return [index for index, pixels in enumerate(frames) if dark.update(Frame(pixels, 100 + index / fps, index))]


@pytest.mark.parametrize("value", [0, 1, 5])
def test_two_seconds_of_black_are_reported_once(value: int) -> None:
    assert reports(*[value] * 1000) == [DARK_S * FPS]


@pytest.mark.parametrize("fps", [5, 15, 60])
def test_the_time_counts_not_the_number_of_frames(fps: int) -> None:
    assert reports(*[0] * 300, fps=fps) == [DARK_S * fps]


def test_a_camera_that_starts_black_is_not_reported() -> None:
    assert reports(*[0] * 50, *[80] * 300) == []


def test_a_scene_with_any_light_is_not_black() -> None:
    assert reports(*[7] * 300) == []
    assert reports(*[0] * 59, 90, *[0] * 59, 90, *[0] * 59) == []


def test_a_lid_that_is_closed_again_is_not_reported_again() -> None:
    assert len(reports(*[0] * 100, *[90] * 100, *[0] * 100)) == 1


def test_a_small_bright_area_is_seen() -> None:
    pixels = np.zeros((720, 1280, 3), np.uint8)
    pixels[200:360, 500:800] = 200  # a face in a dark room, by the light of the screen
    dark = DarkFrames()
    assert not any(dark.update(Frame(pixels, float(index), index)) for index in range(10))


@pytest.mark.parametrize(("camera", "expected"), [(object(), [BLACK]), (None, [])])
def test_only_a_camera_is_watched(camera: object, expected: list[str]) -> None:
    """A clip may be black for a while."""
    state = CaptureState(size=SIZE, fps=FPS, notices=())
    nothing = SimpleNamespace(notices=(), failures=())
    parts = SimpleNamespace(
        camera=camera,
        capture=SimpleNamespace(state=state),
        renderer=nothing,
        backgrounds=nothing,
        outputs=nothing,
        effects=nothing,
        notices=(),
    )
    reported: list[str] = []
    notices = Notices(parts, notify=reported.append)  # type: ignore[arg-type]
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for index in range(100):
        notices.update(state, Frame(pixels, index / FPS, index) if index % 2 else None)
    assert reported == expected
