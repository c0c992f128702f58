"""The capture worker: a live source read by a thread."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from fakes.devices import Clock, SourceOpener, Step, StepSource
from fakes.scripted import wait_until
from fakes.threads import started_since
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.capture.worker import HANGS, RETRY_S, CaptureWorker
from realtime_matte.errors import BadFile, SourceError, SourceLost
from realtime_matte.frame import Frame, Pixels, Size

LONG_S = 30.0
"""Longer than any wait of a test that passes."""

NO_WAIT = (0.0,)
LOST = SourceLost("camera 0 was unplugged")


class Gate:
    """Where the capture thread stops: ``reached`` waits for that, ``open`` lets it continue."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self) -> None:
        self._reached.set()
        assert self._opened.wait(LONG_S)

    def reached(self) -> None:
        assert self._reached.wait(LONG_S)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "capture":
            thread.join(LONG_S)
    assert [thread.name for thread in threading.enumerate() if thread.name == "capture"] == []


def value(frame: Frame | None) -> int:
    assert frame is not None
    assert (frame.pixels == frame.pixels[0, 0, 0]).all()
    return int(frame.pixels[0, 0, 0])


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_frame_is_dropped_when_each_is_taken_in_time() -> None:
    gates = [Gate() for _ in range(5)]
    steps = [step for number, gate in enumerate(gates) for step in (number, gate)]
    with closing(CaptureWorker(lambda: StepSource(*steps))) as capture:
        for number, gate in enumerate(gates):
            frame = capture.take(LONG_S)
            assert (value(frame), frame and frame.index, frame and frame.time) == (number, number, number)
            gate.reached()
            gate.open()
        assert capture.take(LONG_S) is None
        assert capture.state.phase == "ended"
        assert capture.state.dropped == 0
        assert capture.state.reason == ""


def test_newest_frame_wins() -> None:
    gate = Gate()
    with closing(CaptureWorker(lambda: StepSource(1, 2, 3, gate))) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert (value(frame), frame and frame.index) == (3, 2)
        gate.open()


def test_dropped_frames_count_from_the_first_one_taken() -> None:
    started, gate = Gate(), Gate()
    with closing(CaptureWorker(lambda: StepSource(*range(100), started, 100, 101, 102, gate))) as capture:
        started.reached()
        assert value(capture.take(LONG_S)) == 99
        assert capture.state.dropped == 0, "nothing was shown yet"
        started.open()
        gate.reached()
        assert value(capture.take(LONG_S)) == 102
        assert capture.state.dropped == 2
        gate.open()


def test_the_last_frame_is_taken_before_the_end() -> None:
    with closing(CaptureWorker(lambda: StepSource(1))) as capture:
        capture._thread.join(LONG_S)
        assert capture.state.phase != "ended"
        assert value(capture.take(LONG_S)) == 1
        assert capture.take(LONG_S) is None
        assert capture.state.phase == "ended"


def test_a_taken_frame_is_not_overwritten_before_the_next_take() -> None:
    first, last = Gate(), Gate()
    with closing(CaptureWorker(lambda: StepSource(1, first, *range(2, 50), last))) as capture:
        frame = capture.take(LONG_S)
        first.open()
        last.reached()
        assert value(frame) == 1
        assert value(capture.take(LONG_S)) == 49
        last.open()


def test_three_buffers_are_reused() -> None:
    gates = [Gate() for _ in range(20)]
    source = StepSource(*[step for number, gate in enumerate(gates) for step in (0, 100, number, gate)])
    with closing(CaptureWorker(lambda: source)) as capture:
        for number, gate in enumerate(gates):
            gate.reached()
            assert value(capture.take(LONG_S)) == number
            gate.open()
    assert len({buffer.ctypes.data for buffer in source.buffers}) == 3


def test_a_frame_in_the_sources_own_array_is_copied() -> None:
    gate = Gate()
    own = np.full((6, 8, 3), 9, np.uint8)

    class Still(StepSource):
        def read(self, pixels: Pixels) -> Frame | None:
            frame = super().read(pixels)
            return frame and Frame(own, frame.time, frame.index)

    with closing(CaptureWorker(lambda: Still(1, gate))) as capture:
        frame = capture.take(LONG_S)
        own[:] = 0
        assert value(frame) == 9
        gate.open()


# Loss


def test_opening_errors_reach_the_caller() -> None:
    with pytest.raises(SourceError, match="no camera at /dev/video0"):
        CaptureWorker(SourceOpener(SourceError("no camera at /dev/video0")))


def test_a_lost_camera_is_opened_again() -> None:
    gate, first = Gate(), StepSource(1, LOST)
    with closing(CaptureWorker(SourceOpener(first, StepSource(2, gate)), retry_s=NO_WAIT)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 2
        assert capture.state.reason == ""
        assert first.closed == 1
        gate.open()


def test_indices_continue_after_a_loss() -> None:
    gate = Gate()
    with closing(
        CaptureWorker(SourceOpener(StepSource(1, 1, 1, LOST), StepSource(2, gate)), retry_s=NO_WAIT)
    ) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert frame is not None
        assert frame.index == 3
        gate.open()


def test_a_shot_starts_whenever_the_camera_is_opened() -> None:
    gate, last = Gate(), Gate()
    source = StepSource(1, 1, 1, gate, LOST)
    with closing(CaptureWorker(SourceOpener(source, StepSource(2, last)), retry_s=NO_WAIT)) as capture:
        gate.reached()
        assert capture.state.shot_start == 0
        gate.open()
        last.reached()
        frame = capture.take(LONG_S)
        assert frame is not None
        assert (capture.state.shot_start, frame.index) == (3, 3)
        last.open()


def test_a_lost_camera_has_a_reason_and_no_frame() -> None:
    away, back = Gate(), Gate()

    def late() -> StepSource:
        away()
        return StepSource(2, back)

    with closing(CaptureWorker(SourceOpener(StepSource(1, LOST), late), retry_s=NO_WAIT)) as capture:
        away.reached()
        assert value(capture.take(LONG_S)) == 1
        assert capture.take(0) is None
        assert capture.state.reason == "camera lost: camera 0 was unplugged; trying again"
        assert capture.state.phase != "ended"
        away.open()
        assert value(capture.take(LONG_S)) == 2
        assert capture.state.reason == ""
        back.open()


def test_a_loss_ends_the_wait_for_a_frame_at_once() -> None:
    gate = Gate()
    source = StepSource(1, gate, LOST)
    with closing(CaptureWorker(SourceOpener(source), retry_s=(LONG_S,), stall_s=LONG_S)) as capture:
        assert value(capture.take(LONG_S)) == 1
        gate.open()
        assert capture.take(LONG_S) is None
        assert capture.state.reason


def test_opening_is_retried_and_the_newest_reason_is_reported() -> None:
    away, gate = Gate(), Gate()

    def refused() -> StepSource:
        away()
        raise SourceError("camera 0 is used by zoom")

    openings = SourceOpener(StepSource(LOST), SourceError("no camera"), refused, refused, StepSource(5, gate))
    with closing(CaptureWorker(openings, retry_s=NO_WAIT)) as capture:
        away.reached()
        assert capture.state.reason == "camera lost: no camera; trying again"
        away.open()
        gate.reached()
        assert value(capture.take(LONG_S)) == 5
        gate.open()


def test_retry_waits_grow_and_restart_after_a_frame() -> None:
    gate = Gate()
    with closing(CaptureWorker(SourceOpener(StepSource(LOST), StepSource(1, gate)), retry_s=NO_WAIT)) as capture:
        gate.reached()
        capture._retry_s = RETRY_S
        assert [capture._next_retry_s() for _ in range(6)] == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
        gate.open()


def test_frames_of_another_size_are_fitted_and_reported() -> None:
    gate = Gate()
    openings = SourceOpener(StepSource(1, LOST, notices=("mode",)), StepSource(2, gate, size=(20, 7)))
    with closing(CaptureWorker(openings, retry_s=NO_WAIT)) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert value(frame) == 2
        assert frame is not None
        assert frame.size == capture.state.size == (8, 6)
        assert capture.state.notices == ("mode", "the camera came back with 20x7; its frames are fitted to 8x6")
        gate.open()


def test_a_source_that_must_not_run_ahead_starts_with_the_first_take() -> None:
    gate, clock = Gate(), Clock()
    source = StepSource(1, gate)
    with closing(CaptureWorker(lambda: source, ahead=False, clock=clock)) as capture:
        clock.now += 60  # a network was opened in this time
        assert source.buffers == []
        assert value(capture.take(LONG_S)) == 1
        gate.open()


def test_a_source_that_was_never_read_is_closed() -> None:
    source = StepSource(1)
    CaptureWorker(lambda: source, ahead=False).close()
    assert source.closed == 1


def test_another_mode_is_reported_once() -> None:
    gate = Gate()
    others = [StepSource(2, LOST, notices=("at 5, not the 30 asked for",)) for _ in range(3)]
    openings = SourceOpener(StepSource(1, LOST, notices=("at 30",)), *others, StepSource(3, gate, notices=("at 30",)))
    with closing(CaptureWorker(openings, retry_s=NO_WAIT)) as capture:
        gate.reached()
        assert capture.state.notices == ("at 30", "at 5, not the 30 asked for")
        gate.open()


def test_another_size_is_reported_once() -> None:
    gate = Gate()
    others = [StepSource(2, LOST, size=(20, 7)) for _ in range(3)]
    openings = SourceOpener(StepSource(1, LOST), *others, StepSource(3, gate))
    with closing(CaptureWorker(openings, retry_s=NO_WAIT)) as capture:
        gate.reached()
        assert len(capture.state.notices) == 1
        gate.open()


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40)) | st.sampled_from([(1, 1), (3840, 2160), (1080, 1920)])


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES)
def test_frames_keep_the_first_size_for_any_later_one(first: Size, second: Size) -> None:
    gate = Gate()
    openings = SourceOpener(StepSource(LOST, size=first), StepSource(7, gate, size=second))
    with closing(CaptureWorker(openings, retry_s=NO_WAIT)) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert value(frame) == 7
        assert frame is not None
        assert frame.size == first
        assert frame.pixels.flags.c_contiguous
        gate.open()


def test_a_stall_is_reported_and_ends_with_the_next_frame() -> None:
    gate, last = Gate(), Gate()
    with closing(CaptureWorker(lambda: StepSource(1, gate, 2, last), stall_s=0.01)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        assert capture.take(0) is None
        assert capture.take(0) is None
        assert capture.state.reason == "camera stalled: no frame for 0.0 s; waiting for it"
        gate.open()
        last.reached()
        assert value(capture.take(LONG_S)) == 2
        last.open()


def test_a_running_camera_is_waited_for_whatever_the_timeout() -> None:
    gate = Gate()
    with closing(CaptureWorker(lambda: StepSource(gate, 1), stall_s=LONG_S)) as capture:
        threading.Timer(0, gate.open).start()
        assert value(capture.take(0)) == 1


def test_the_stall_time_follows_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.capture.worker.STALL_S", 1.0)
    with closing(CaptureWorker(StepSource)) as fast, closing(CaptureWorker(lambda: StepSource(fps=1))) as slow:
        assert fast._stall_s == pytest.approx(7 / 6)
        assert slow._stall_s == 6


# Errors and the end


def test_an_unexpected_error_reaches_the_caller_with_its_traceback() -> None:
    def bug() -> None:
        raise ZeroDivisionError("a bug")

    source = StepSource(bug)
    with closing(CaptureWorker(lambda: source)) as capture:
        with pytest.raises(ZeroDivisionError, match="a bug") as caught:
            capture.take(LONG_S)
        assert "bug" in [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
        assert capture.state.phase != "ended"
    assert source.closed == 1


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
@pytest.mark.parametrize("where", ["read", "close", "open again"])
def test_what_ends_a_plugins_thread_is_an_error_for_the_caller(ending: type[BaseException], where: str) -> None:
    """The camera would count as stalled for ever, or the run would end without a word."""

    def end() -> NoReturn:
        raise ending("mine")

    class EndsInClose(StepSource):
        def close(self) -> None:
            end()

    source = {"read": StepSource(1, end), "close": EndsInClose(LOST), "open again": StepSource(LOST)}[where]
    with closing(CaptureWorker(SourceOpener(source, end), retry_s=NO_WAIT)) as capture:
        capture._thread.join(LONG_S)
        with pytest.raises(
            SourceError, match=rf"^the source raised {ending.__name__}\('mine'\); a source raises "
        ) as caught:
            capture.take(LONG_S)
        assert isinstance(caught.value.__cause__, ending)


def test_a_broken_file_reaches_the_caller() -> None:
    capture = CaptureWorker(lambda: StepSource(BadFile("clip.mp4 is cut short")))
    with closing(capture), pytest.raises(BadFile, match="cut short"):
        capture.take(LONG_S)


def test_an_unexpected_error_while_reopening_reaches_the_caller() -> None:
    with closing(CaptureWorker(SourceOpener(StepSource(LOST), ZeroDivisionError("a bug")), retry_s=NO_WAIT)) as capture:
        capture._thread.join(LONG_S)
        with pytest.raises(ZeroDivisionError, match="a bug"):
            capture.take(LONG_S)


def test_close_is_idempotent_and_closes_the_source_once() -> None:
    source = StepSource(1, 2, 3)
    capture = CaptureWorker(lambda: source)
    capture.close()
    capture.close()
    assert source.closed == 1
    assert capture.state.phase == "ended"
    assert capture.take(LONG_S) is None


def test_close_ends_the_wait_for_a_lost_camera() -> None:
    capture = CaptureWorker(SourceOpener(StepSource(LOST)), retry_s=(LONG_S,))
    assert capture.take(LONG_S) is None
    capture.close()
    assert not capture._thread.is_alive()


def test_close_does_not_wait_for_a_read_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.capture.worker.CLOSE_TIMEOUT_S", 0.0)
    gate, source = Gate(), StepSource()
    source._steps = iter([gate, 1])
    capture = CaptureWorker(lambda: source)
    gate.reached()
    capture.close()
    assert capture.state.notices == (HANGS,)
    assert source.closed == 0  # not while it is read
    gate.open()
    capture._thread.join(LONG_S)
    assert source.closed == 1


def test_a_camera_that_opens_after_close_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.capture.worker.CLOSE_TIMEOUT_S", 0.0)
    gate, late = Gate(), StepSource(1)

    def opened() -> StepSource:
        gate()
        return late

    capture = CaptureWorker(SourceOpener(StepSource(LOST), opened), retry_s=NO_WAIT)
    gate.reached()
    capture.close()
    gate.open()
    capture._thread.join(LONG_S)
    assert late.closed == 1
    assert late.buffers == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts file handles in /proc")
def test_two_hundred_cycles_leak_nothing(tmp_path: Path) -> None:
    path = tmp_path / "device"
    path.touch()

    class Handle(StepSource):
        def __init__(self) -> None:
            super().__init__(*range(5))
            self.file = path.open("rb")

        def close(self) -> None:
            self.file.close()

    threads, files = threading.enumerate(), open_files()
    for _ in range(200):
        capture = CaptureWorker(Handle)
        capture.take(LONG_S)
        capture.close()
    assert started_since(threads) == []
    assert open_files() <= files, "other tests may have left some that were closed in the meantime"


# Pause


class ObservedSource(StepSource):
    """Sets an event when it is closed."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(*steps)
        self.closing = threading.Event()

    def close(self) -> None:
        super().close()
        self.closing.set()


def opened_while(capture: CaptureWorker, wanted: list[bool], source: StepSource) -> StepSource:
    """The source; appends to ``wanted`` whether it was wanted when it was opened."""
    wanted.append(capture._wanted.is_set())
    return source


def test_a_pause_closes_the_source_until_it_is_resumed() -> None:
    gate, last = Gate(), Gate()
    first, wanted = ObservedSource(1, gate, 2), list[bool]()
    with closing(
        CaptureWorker(SourceOpener(first, lambda: opened_while(capture, wanted, StepSource(3, last))))
    ) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        capture.pause("owner")
        gate.open()
        assert first.closing.wait(LONG_S)
        capture.resume("owner")
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        assert wanted == [True]
        assert capture.state.reason == ""
        last.open()


def test_a_frame_from_before_a_pause_is_never_taken() -> None:
    gate, opening, last = Gate(), Gate(), Gate()
    first = ObservedSource(1, gate, 2)

    def again() -> StepSource:
        opening()
        return StepSource(3, last)

    with closing(CaptureWorker(SourceOpener(first, again))) as capture:
        gate.reached()
        capture.pause("owner")
        gate.open()
        assert first.closing.wait(LONG_S)
        capture.resume("owner")
        opening.reached()
        assert capture.take(0) is None
        opening.open()
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        last.open()


def test_a_resumed_camera_is_starting_until_its_first_frame() -> None:
    gate, opening, last = Gate(), Gate(), Gate()
    first = ObservedSource(1, gate, 2)
    clock = Clock()

    def again() -> StepSource:
        opening()
        return StepSource(3, last)

    with closing(CaptureWorker(SourceOpener(first, again), clock=clock)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        capture.pause("owner")
        gate.open()
        assert first.closing.wait(LONG_S)
        clock.sleep(3600)
        capture.resume("owner")
        opening.reached()
        assert capture.take(0) is None
        assert (capture.state.phase, capture.state.reason) == ("starting", "")
        opening.open()
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        assert capture.state.phase == "running"
        last.open()


def test_a_camera_that_became_busy_during_a_pause_is_reported_and_retried() -> None:
    gate, last = Gate(), Gate()
    first = ObservedSource(1, gate, 2)
    busy = Gate()

    def refused() -> StepSource:
        busy()
        raise SourceError("camera 0 is used by zoom")

    openings = SourceOpener(first, SourceError("camera 0 is used by zoom"), refused, StepSource(3, last))
    with closing(CaptureWorker(openings, retry_s=NO_WAIT)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        capture.pause("owner")
        gate.open()
        assert first.closing.wait(LONG_S)
        capture.resume("owner")
        busy.reached()
        assert capture.state.reason == "camera lost: camera 0 is used by zoom; trying again"
        busy.open()
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        assert capture.state.reason == ""
        last.open()


def test_a_lost_camera_is_not_opened_during_a_pause() -> None:
    gate, last = Gate(), Gate()
    first = ObservedSource(1, gate, LOST)
    wanted: list[bool] = []

    def again() -> StepSource:
        wanted.append(capture._wanted.is_set())
        return StepSource(3, last)

    with closing(CaptureWorker(SourceOpener(first, again), retry_s=NO_WAIT)) as capture:
        gate.reached()
        capture.pause("owner")
        gate.open()
        assert first.closing.wait(LONG_S)
        capture.resume("owner")
        last.reached()
        assert wanted == [True]
        last.open()


def test_close_ends_a_pause() -> None:
    source = ObservedSource(1)
    gate = Gate()
    source._steps = iter([1, gate, 2])
    capture = CaptureWorker(SourceOpener(source))
    gate.reached()
    capture.pause("owner")
    gate.open()
    assert source.closing.wait(LONG_S)
    capture.close()
    assert not capture._thread.is_alive()
    assert source.closed == 1


def test_a_camera_paused_by_two_owners_is_resumed_by_the_second() -> None:
    gate, last = Gate(), Gate()
    first = ObservedSource(1, gate, 2)
    with closing(CaptureWorker(SourceOpener(first, StepSource(3, last)))) as capture:
        gate.reached()
        capture.pause("first owner")
        capture.pause("second owner")
        capture.pause("first owner")
        gate.open()
        assert first.closing.wait(LONG_S)
        capture.resume("first owner")
        assert not capture._wanted.is_set()
        capture.resume("second owner")
        last.reached()
        last.open()


class BriefEvent(threading.Event):
    """Set, and cleared again before a thread that waited for it looks."""

    returns_left = 3

    def wait(self, timeout: float | None = None) -> bool:
        self.returns_left -= 1
        return self.returns_left >= 0 or super().wait(timeout)


def test_a_camera_resumed_too_briefly_is_not_opened() -> None:
    gate, last = Gate(), Gate()
    first, wanted = ObservedSource(1, gate, 2), list[bool]()
    with closing(
        CaptureWorker(SourceOpener(first, lambda: opened_while(capture, wanted, StepSource(3, last))))
    ) as capture:
        gate.reached()
        capture._wanted = event = BriefEvent()
        gate.open()
        wait_until(lambda: event.returns_left < 0)
        capture.resume("owner")
        last.reached()
        last.open()
    assert wanted == [True]


def test_a_pause_ends_the_wait_for_a_frame_at_once() -> None:
    gate = Gate()
    source = ObservedSource(1, gate, 2)
    with closing(CaptureWorker(SourceOpener(source), stall_s=3600)) as capture:
        assert value(capture.take(LONG_S)) == 1
        gate.reached()
        waiting = threading.Thread(target=lambda: [None for _ in iter(lambda: capture.take(3600), None)], daemon=True)
        waiting.start()
        capture.pause("owner")
        gate.open()
        waiting.join(LONG_S)
        assert not waiting.is_alive()
        assert capture.state.phase == "paused"


# Damaged frames


class LossySource(StepSource):
    """A source that leaves out one more frame before each that it gives."""

    damaged = 0

    def read(self, pixels: Pixels) -> Frame | None:
        self.damaged += 1
        if self.damaged == 1:
            self.notices = ("damaged frames are left out",)
        return super().read(pixels)


def test_damaged_frames_are_counted_across_openings_and_reported() -> None:
    seen = threading.Event()
    opener = SourceOpener(LossySource(1, 2, SourceLost("gone")), LossySource(3, seen.wait))
    with closing(CaptureWorker(opener, retry_s=(0.0,))) as worker:
        while (frame := worker.take(5.0)) is None or frame.index < 2:
            pass
        assert worker.state.damaged == 3
        assert "damaged frames are left out" in worker.state.notices
        seen.set()
