from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from fakes.scripted import wait_until

from realtime_matte.capture.playback import LONGEST_WAIT_S, Playback, RealTimeSource
from realtime_matte.capture.state import CaptureState
from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, Pixels

SIZE = (4, 2)


class Clip:
    """A finite source whose frames have the given times."""

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


class WaitClock:
    """Time that advances only in ``wait``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_playback_gives_every_frame_and_then_ends() -> None:
    playback = Playback(Clip([5.0, 5.1, 5.2]))
    taken = [playback.take(0.5) for _ in range(3)]
    assert [frame.index for frame in taken if frame] == [0, 1, 2]
    assert playback.state == CaptureState(size=SIZE, fps=10.0, notices=("a clip",), phase="running", dropped=0)
    assert playback.take(0.5) is None
    assert playback.state.phase == "ended"


def test_closing_closes_the_source() -> None:
    clips = [Clip([]), Clip([])]
    Playback(clips[0]).close()
    RealTimeSource(clips[1]).close()
    assert [clip.closed for clip in clips] == [1, 1]


def real_time(times: list[float], clock: WaitClock) -> RealTimeSource:
    return RealTimeSource(Clip(times), clock=clock, wait=clock.wait)


def read(source: RealTimeSource) -> Frame | None:
    return source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8))


def test_frames_keep_their_distance_from_the_first() -> None:
    clock = WaitClock()
    source = real_time([5.0, 5.1, 5.4], clock)
    times = [frame.time for frame in [read(source), read(source), read(source)] if frame]
    assert np.allclose(times, [1000.0, 1000.1, 1000.4])
    assert read(source) is None


def test_a_late_frame_comes_at_once_and_the_next_is_on_time() -> None:
    clock = WaitClock()
    source = real_time([0.0, 0.1, 0.2, 0.3], clock)
    read(source)
    clock.now += 0.25
    assert [read(source) is not None, read(source) is not None] == [True, True]
    assert clock.waits == []
    read(source)
    assert np.allclose(clock.waits, [0.05])


def test_a_clip_that_stands_still_never_looks_like_a_stalled_camera() -> None:
    clock = WaitClock()
    source = real_time([0.0, 60.0], clock)
    read(source)
    read(source)
    assert clock.waits == [LONGEST_WAIT_S]


def test_close_ends_a_wait() -> None:
    source = RealTimeSource(Clip([0.0, 3600.0]))
    read(source)
    source.close()
    assert source._closed.is_set()
    assert read(source) is not None


class Wrong(Clip):
    """A source that returns something other than a frame."""

    def __init__(self, returned: Any) -> None:  # noqa: ANN401 - whatever a plug-in may return
        super().__init__([0.0])
        self._returned = returned

    def read(self, pixels: Pixels) -> Any:  # noqa: ANN401, ARG002
        return self._returned


WRONG_FRAMES = [
    Frame(np.zeros((2, 4), np.uint8), 0.0, 0),
    Frame(np.zeros((2, 4, 4), np.uint8), 0.0, 0),
    Frame(np.zeros((2, 4, 3), np.float32), 0.0, 0),
    Frame(np.zeros((0, 4, 3), np.uint8), 0.0, 0),
    np.zeros((2, 4, 3), np.uint8),
    "frame",
]


@pytest.mark.parametrize("returned", WRONG_FRAMES)
def test_what_is_not_a_frame_is_an_error_of_the_source(returned: object) -> None:
    with pytest.raises(SourceError, match="source"):
        Playback(Wrong(returned)).take(0)


@pytest.mark.parametrize("returned", WRONG_FRAMES)
def test_what_is_not_a_frame_counts_as_a_loss_of_a_live_source(returned: object) -> None:
    with closing(CaptureWorker(lambda: Wrong(returned), retry_s=(0.001,))) as worker:
        wait_until(lambda: worker.state.phase == "lost")
        assert "source" in worker.state.reason
