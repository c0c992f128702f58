"""Fewer frames than a camera delivers."""

import numpy as np
import pytest
from fakes.scripted import SIZE, ScriptedSource

from realtime_matte.capture.rate_limiter import RateLimiter, rate_limited
from realtime_matte.frame import Frame, Pixels

PIXELS = np.empty((SIZE[1], SIZE[0], 3), np.uint8)


class EndlessSource(ScriptedSource):
    """A camera that delivers ``fps`` frames a second without end; a gap of a minute before each of ``gaps``."""

    def __init__(self, fps: float, *, live: bool = True, gaps: tuple[int, ...] = ()) -> None:
        super().__init__([], live=live)
        self.fps = fps
        self._now, self._count, self._gaps = 7.0, 0, gaps

    def read(self, pixels: Pixels) -> Frame | None:
        self._now += 60 if self._count in self._gaps else 1 / self.fps
        self._count += 1
        return Frame(pixels, self._now, self._count - 1)


class TimedSource(ScriptedSource):
    """A camera of 10 frames a second whose frames come at the given times."""

    fps = 10.0

    def __init__(self, times: list[float]) -> None:
        super().__init__([], live=True)
        self._times = times

    def read(self, pixels: Pixels) -> Frame | None:
        return Frame(pixels, self._times.pop(0), 0) if self._times else None


def read_times(source: RateLimiter, count: int) -> np.ndarray:
    frames = [source.read(PIXELS) for _ in range(count)]
    assert [frame.index for frame in frames if frame] == list(range(count)), "a frame above the rate is no drop"
    return np.array([frame.time for frame in frames if frame])


def kept(times: list[float], fps: float) -> list[float]:
    """The times of all frames that are kept."""
    source = RateLimiter(TimedSource(times), fps)
    return [frame.time for frame in iter(lambda: source.read(PIXELS), None)]


@pytest.mark.parametrize(("actual", "requested"), [(30, 15), (30, 20), (30, 25), (30, 7), (60, 24), (29.97, 15)])
def test_kept_frames_are_as_even_as_the_camera_allows(actual: float, requested: float) -> None:
    gaps = np.diff(read_times(RateLimiter(EndlessSource(actual), requested), 200))
    assert gaps.mean() == pytest.approx(1 / requested, rel=0.01)
    assert np.abs(gaps - 1 / requested).max() < 1 / actual


def test_a_frame_is_kept_from_half_a_camera_period_before_it_is_due() -> None:
    """4 of 10 frames a second: due every 0.25 s, and half a period of the camera is 0.05 s."""
    early, nearest = [0.199, 0.449, 0.699], [0.0, 0.201, 0.451, 0.701]
    assert kept(sorted(early + nearest), 4) == nearest


def test_a_late_frame_does_not_shift_the_schedule() -> None:
    """Due at 0.25, kept 0.24 late at 0.49; the next is due at 0.5, so from 0.45 on, and the one after that at 0.75."""
    assert kept([0.0, 0.49, 0.5, 0.699, 0.701], 4) == [0.0, 0.49, 0.5, 0.701]


def test_a_gap_of_more_than_a_period_restarts_the_schedule() -> None:
    """Due at 0.25, and 0.501 is more than 0.25 later: the next is due at 0.751, so from 0.701 on."""
    assert kept([0.0, 0.501, 0.6, 0.7, 0.702, 0.95, 0.952], 4) == [0.0, 0.501, 0.702, 0.952]


def test_no_frames_are_kept_to_catch_up_after_a_gap() -> None:
    gaps = np.diff(read_times(RateLimiter(EndlessSource(30, gaps=(40,)), 10), 40))
    assert gaps.max() > 59
    assert gaps.min() == pytest.approx(0.1, abs=0.001)


def test_the_limited_rate_is_reported() -> None:
    source = rate_limited(lambda: EndlessSource(30), 15)()
    assert source.fps == 15
    assert "15 of the camera's 30 frames a second are used" in source.notices
    source.close()


@pytest.mark.parametrize("fps", [None, 27.3, 28.0, 30.0, 60.0])
def test_a_source_near_the_requested_rate_is_not_limited(fps: float | None) -> None:
    assert isinstance(rate_limited(lambda: EndlessSource(30), fps)(), EndlessSource)


def test_a_source_above_the_tolerance_is_limited() -> None:
    assert isinstance(rate_limited(lambda: EndlessSource(30), 27.2)(), RateLimiter)


def test_every_frame_of_a_file_is_kept() -> None:
    assert isinstance(rate_limited(lambda: EndlessSource(30, live=False), 10)(), EndlessSource)
