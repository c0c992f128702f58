"""Fewer frames than a camera gives."""

import numpy as np
import pytest
from fakes.scripted import SIZE, ScriptedSource

from realtime_matte.capture.rate_limiter import RateLimiter, rate_limited
from realtime_matte.frame import Frame, Pixels


class Steady(ScriptedSource):
    """A camera that gives so many frames a second for ever; a pause of a minute before each of ``pauses``."""

    def __init__(self, fps: float, *, live: bool = True, pauses: tuple[int, ...] = ()) -> None:
        super().__init__([], live=live)
        self.fps = fps
        self._now, self._count, self._pauses = 7.0, 0, pauses

    def read(self, pixels: Pixels) -> Frame | None:
        self._now += 60 if self._count in self._pauses else 1 / self.fps
        self._count += 1
        return Frame(pixels, self._now, self._count - 1)


def times(source: RateLimiter, count: int) -> np.ndarray:
    pixels = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    frames = [source.read(pixels) for _ in range(count)]
    assert [frame.index for frame in frames if frame] == list(range(count)), "a frame that is not taken is no drop"
    return np.array([frame.time for frame in frames if frame])


@pytest.mark.parametrize(("given", "wished"), [(30, 15), (30, 20), (30, 25), (30, 7), (60, 24), (29.97, 15)])
def test_so_many_are_taken_as_evenly_as_they_come(given: float, wished: float) -> None:
    gaps = np.diff(times(RateLimiter(Steady(given), wished), 200))
    assert gaps.mean() == pytest.approx(1 / wished, rel=0.01)
    assert np.abs(gaps - 1 / wished).max() < 1 / given


def test_after_a_pause_none_are_taken_to_catch_up() -> None:
    gaps = np.diff(times(RateLimiter(Steady(30, pauses=(40,)), 10), 40))
    assert gaps.max() > 59
    assert gaps.min() == pytest.approx(0.1, abs=0.001)


def test_the_rate_is_told_and_granted() -> None:
    source = rate_limited(lambda: Steady(30), 15)()
    assert source.fps == 15
    assert "of its 30 frames a second 15 are taken" in source.notices
    source.close()


@pytest.mark.parametrize("fps", [None, 28.0, 30.0, 60.0])
def test_what_gives_no_more_than_wished_is_left_alone(fps: float | None) -> None:
    assert isinstance(rate_limited(lambda: Steady(30), fps)(), Steady)


def test_of_a_file_every_frame_is_taken() -> None:
    assert isinstance(rate_limited(lambda: Steady(30, live=False), 10)(), Steady)
