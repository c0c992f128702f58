from collections.abc import Sequence

import numpy as np

from realtime_matte.capture.playback import LONGEST_PAUSE_S, Direct, Paced
from realtime_matte.frame import Frame, Pixels

SIZE = (4, 2)


class Clip:
    """A finite source whose frames lie at the given times."""

    size = SIZE
    fps = 10.0
    live = False
    notices: Sequence[str] = ("a clip",)

    def __init__(self, times: list[float]) -> None:
        self.frames = len(times)
        self.closed = 0
        self._times = times
        self._next = 0

    def read(self, pixels: Pixels) -> Frame | None:
        if self._next == len(self._times):
            return None
        pixels[:] = self._next
        self._next += 1
        return Frame(pixels, self._times[self._next - 1], self._next - 1)

    def close(self) -> None:
        self.closed += 1


class Clock:
    """Time that goes on only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_a_finite_source_gives_every_frame_and_then_ends() -> None:
    feed = Direct(Clip([5.0, 5.1, 5.2]))
    taken = [feed.take(0.5) for _ in range(3)]
    assert [frame.index for frame in taken if frame] == [0, 1, 2]
    assert not feed.ended
    assert feed.take(0.5) is None
    assert feed.ended
    assert (feed.size, feed.fps, feed.notices, feed.dropped, feed.status) == (SIZE, 10.0, ("a clip",), 0, None)


def test_closing_closes_the_source() -> None:
    clips = [Clip([]), Clip([])]
    Direct(clips[0]).close()
    Paced(clips[1]).close()
    assert [clip.closed for clip in clips] == [1, 1]


def paced(times: list[float], clock: Clock) -> Paced:
    return Paced(Clip(times), clock=clock, wait=clock.wait)


def read(source: Paced) -> Frame | None:
    return source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8))


def test_frames_come_at_their_own_distance_from_the_first() -> None:
    clock = Clock()
    source = paced([5.0, 5.1, 5.4], clock)
    times = [frame.time for frame in [read(source), read(source), read(source)] if frame]
    assert np.allclose(times, [1000.0, 1000.1, 1000.4])
    assert read(source) is None


def test_a_late_frame_is_given_at_once_and_the_next_is_on_time_again() -> None:
    clock = Clock()
    source = paced([0.0, 0.1, 0.2, 0.3], clock)
    read(source)
    clock.now += 0.25
    assert [read(source) is not None, read(source) is not None] == [True, True]
    assert clock.waits == []
    read(source)
    assert np.allclose(clock.waits, [0.05])


def test_a_long_still_in_a_clip_never_looks_like_a_stalled_camera() -> None:
    clock = Clock()
    source = paced([0.0, 60.0], clock)
    read(source)
    read(source)
    assert clock.waits == [LONGEST_PAUSE_S]


def test_close_ends_a_wait() -> None:
    source = Paced(Clip([0.0, 3600.0]))
    read(source)
    source.close()
    assert source._closed.is_set()
    assert read(source) is not None
