"""The hand-off of one, and a live source behind its thread."""

import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes.devices import Clock, Reopened, ScriptedSource, Step
from fakes.scripted import wait_until
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.capture.keeper import PAUSES_S
from realtime_matte.capture.latest import Latest
from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.errors import BadFile, SourceError, SourceLost
from realtime_matte.frame import Frame, Pixels, Size

LONG_S = 30.0
"""Never waited for in a test that passes."""

AT_ONCE = (0.0,)
LOST = SourceLost("camera 0 was unplugged")


class Gate:
    """Where the capture thread stops: ``reached`` says that it does, ``pass_on`` lets it go on."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def __call__(self) -> None:
        self._reached.set()
        assert self._open.wait(LONG_S)

    def reached(self) -> None:
        assert self._reached.wait(LONG_S)

    def pass_on(self) -> None:
        self._open.set()


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


def open_now() -> tuple[int, int]:
    """Threads and file handles."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


# Latest


def test_newest_item_wins_and_the_unread_one_comes_back() -> None:
    latest = Latest[int]()
    assert latest.put(1) is None
    assert latest.put(2) == 1
    assert latest.take(LONG_S) == 2


def test_an_item_is_taken_once() -> None:
    latest = Latest[int]()
    latest.put(1)
    latest.take(0)
    assert latest.take(0) is None
    assert latest.put(2) is None


def test_a_take_that_waits_gets_what_is_put() -> None:
    latest = Latest[int]()
    thread = threading.Thread(target=latest.put, args=(7,))
    thread.start()
    assert latest.take(LONG_S) == 7
    thread.join()


def test_the_end_is_told_after_the_last_item() -> None:
    latest = Latest[int]()
    latest.put(1)
    latest.end()
    assert not latest.ended
    assert latest.take(LONG_S) == 1
    assert latest.ended
    assert latest.take(LONG_S) is None


def test_a_call_ends_one_wait() -> None:
    latest = Latest[int]()
    latest.call()
    assert latest.take(LONG_S) is None
    latest.put(1)
    assert latest.take(LONG_S) == 1


def test_an_error_ends_every_take() -> None:
    latest = Latest[int]()
    latest.put(1)
    latest.end(ZeroDivisionError("bug"))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="bug"):
            latest.take(LONG_S)


@given(st.lists(st.integers() | st.none(), max_size=30))
def test_what_is_taken_and_what_comes_back_is_all_that_was_put(moves: list[int | None]) -> None:
    latest, got = Latest[int](), []
    for move in moves:
        item = latest.take(0) if move is None else latest.put(move)
        got += [] if item is None else [item]
    rest = latest.take(0)
    assert sorted(got + ([] if rest is None else [rest])) == sorted(m for m in moves if m is not None)


# Frames


def test_every_frame_comes_when_each_is_taken() -> None:
    gates = [Gate() for _ in range(5)]
    steps = [step for number, gate in enumerate(gates) for step in (number, gate)]
    with closing(CaptureWorker(lambda: ScriptedSource(*steps))) as capture:
        for number, gate in enumerate(gates):
            frame = capture.take(LONG_S)
            assert (value(frame), frame and frame.index, frame and frame.time) == (number, number, number)
            gate.reached()
            gate.pass_on()
        assert capture.take(LONG_S) is None
        assert capture.ended
        assert capture.dropped == 0
        assert capture.status is None


def test_newest_frame_wins() -> None:
    gate = Gate()
    with closing(CaptureWorker(lambda: ScriptedSource(1, 2, 3, gate))) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert (value(frame), frame and frame.index) == (3, 2)
        assert capture.dropped == 2
        gate.pass_on()


def test_the_last_frame_comes_before_the_end() -> None:
    with closing(CaptureWorker(lambda: ScriptedSource(1))) as capture:
        capture._thread.join(LONG_S)
        assert not capture.ended
        assert value(capture.take(LONG_S)) == 1
        assert capture.take(LONG_S) is None
        assert capture.ended


def test_a_frame_stays_as_it_is_until_the_next_is_taken() -> None:
    first, last = Gate(), Gate()
    with closing(CaptureWorker(lambda: ScriptedSource(1, first, *range(2, 50), last))) as capture:
        frame = capture.take(LONG_S)
        first.pass_on()
        last.reached()
        assert value(frame) == 1
        assert value(capture.take(LONG_S)) == 49
        last.pass_on()


def test_three_buffers_go_round() -> None:
    gates = [Gate() for _ in range(20)]
    source = ScriptedSource(*[step for number, gate in enumerate(gates) for step in (0, 100, number, gate)])
    with closing(CaptureWorker(lambda: source)) as capture:
        for number, gate in enumerate(gates):
            gate.reached()
            assert value(capture.take(LONG_S)) == number
            gate.pass_on()
    assert len({buffer.ctypes.data for buffer in source.buffers}) == 3


def test_a_picture_of_the_sources_own_is_copied() -> None:
    gate = Gate()
    own = np.full((6, 8, 3), 9, np.uint8)

    class Still(ScriptedSource):
        def read(self, pixels: Pixels) -> Frame | None:
            frame = super().read(pixels)
            return frame and Frame(own, frame.time, frame.index)

    with closing(CaptureWorker(lambda: Still(1, gate))) as capture:
        frame = capture.take(LONG_S)
        own[:] = 0
        assert value(frame) == 9
        gate.pass_on()


# Losses


def test_opening_errors_reach_the_caller() -> None:
    with pytest.raises(SourceError, match="no camera at /dev/video0"):
        CaptureWorker(Reopened(SourceError("no camera at /dev/video0")))


def test_a_lost_camera_is_opened_again() -> None:
    gate, first = Gate(), ScriptedSource(1, LOST)
    with closing(CaptureWorker(Reopened(first, ScriptedSource(2, gate)), pauses_s=AT_ONCE)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 2
        assert capture.status is None
        assert first.closed == 1
        gate.pass_on()


def test_numbers_go_on_after_a_loss() -> None:
    gate = Gate()
    with closing(
        CaptureWorker(Reopened(ScriptedSource(1, 1, 1, LOST), ScriptedSource(2, gate)), pauses_s=AT_ONCE)
    ) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert frame is not None
        assert frame.index == 3
        gate.pass_on()


def test_a_shot_begins_whenever_the_camera_is_opened() -> None:
    gate, last = Gate(), Gate()
    source = ScriptedSource(1, 1, 1, gate, LOST)
    with closing(CaptureWorker(Reopened(source, ScriptedSource(2, last)), pauses_s=AT_ONCE)) as capture:
        gate.reached()
        assert capture.began == 0
        gate.pass_on()
        last.reached()
        frame = capture.take(LONG_S)
        assert frame is not None
        assert (capture.began, frame.index) == (3, 3)
        last.pass_on()


def test_while_it_is_away_there_is_no_frame_but_a_reason() -> None:
    away, back = Gate(), Gate()

    def late() -> ScriptedSource:
        away()
        return ScriptedSource(2, back)

    with closing(CaptureWorker(Reopened(ScriptedSource(1, LOST), late), pauses_s=AT_ONCE)) as capture:
        away.reached()
        assert value(capture.take(LONG_S)) == 1
        assert capture.take(0) is None
        assert capture.status == "camera lost: camera 0 was unplugged; trying again"
        assert not capture.ended
        away.pass_on()
        assert value(capture.take(LONG_S)) == 2
        assert capture.status is None
        back.pass_on()


def test_a_loss_ends_the_wait_for_a_frame_at_once() -> None:
    gate = Gate()
    source = ScriptedSource(1, gate, LOST)
    with closing(CaptureWorker(Reopened(source), pauses_s=(LONG_S,), stall_s=LONG_S)) as capture:
        assert value(capture.take(LONG_S)) == 1
        gate.pass_on()
        assert capture.take(LONG_S) is None
        assert capture.status is not None


def test_it_is_tried_until_it_opens_and_the_newest_reason_is_told() -> None:
    away, gate = Gate(), Gate()

    def refused() -> ScriptedSource:
        away()
        raise SourceError("camera 0 is used by zoom")

    openings = Reopened(ScriptedSource(LOST), SourceError("no camera"), refused, refused, ScriptedSource(5, gate))
    with closing(CaptureWorker(openings, pauses_s=AT_ONCE)) as capture:
        away.reached()
        assert capture.status == "camera lost: no camera; trying again"
        away.pass_on()
        gate.reached()
        assert value(capture.take(LONG_S)) == 5
        gate.pass_on()


def test_pauses_grow_and_start_anew_after_a_frame() -> None:
    gate = Gate()
    with closing(CaptureWorker(Reopened(ScriptedSource(LOST), ScriptedSource(1, gate)), pauses_s=AT_ONCE)) as capture:
        gate.reached()
        capture._keeper.pauses_s = PAUSES_S
        assert [capture._keeper._pause() for _ in range(6)] == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
        gate.pass_on()


def test_another_size_is_fitted_and_told() -> None:
    gate = Gate()
    openings = Reopened(ScriptedSource(1, LOST, notices=("mode",)), ScriptedSource(2, gate, size=(20, 7)))
    with closing(CaptureWorker(openings, pauses_s=AT_ONCE)) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert value(frame) == 2
        assert frame is not None
        assert frame.size == capture.size == (8, 6)
        assert capture.notices == ("mode", "the camera came back with 20x7; its pictures are fitted to 8x6")
        gate.pass_on()


def test_what_must_not_run_ahead_begins_with_the_first_take() -> None:
    gate, clock = Gate(), Clock()
    source = ScriptedSource(1, gate)
    with closing(CaptureWorker(lambda: source, ahead=False, clock=clock)) as capture:
        clock.now += 60  # a network was opened meanwhile
        assert source.buffers == []
        assert value(capture.take(LONG_S)) == 1
        gate.pass_on()


def test_what_never_began_is_closed() -> None:
    source = ScriptedSource(1)
    CaptureWorker(lambda: source, ahead=False).close()
    assert source.closed == 1


def test_another_mode_is_told_once() -> None:
    gate = Gate()
    others = [ScriptedSource(2, LOST, notices=("at 5, not the 30 asked for",)) for _ in range(3)]
    openings = Reopened(
        ScriptedSource(1, LOST, notices=("at 30",)), *others, ScriptedSource(3, gate, notices=("at 30",))
    )
    with closing(CaptureWorker(openings, pauses_s=AT_ONCE)) as capture:
        gate.reached()
        assert capture.notices == ("at 30", "at 5, not the 30 asked for")
        gate.pass_on()


def test_another_size_is_told_once() -> None:
    gate = Gate()
    others = [ScriptedSource(2, LOST, size=(20, 7)) for _ in range(3)]
    openings = Reopened(ScriptedSource(1, LOST), *others, ScriptedSource(3, gate))
    with closing(CaptureWorker(openings, pauses_s=AT_ONCE)) as capture:
        gate.reached()
        assert len(capture.notices) == 1
        gate.pass_on()


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40)) | st.sampled_from([(1, 1), (3840, 2160), (1080, 1920)])


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES)
def test_whatever_size_it_comes_back_with_frames_keep_the_first(first: Size, second: Size) -> None:
    gate = Gate()
    openings = Reopened(ScriptedSource(LOST, size=first), ScriptedSource(7, gate, size=second))
    with closing(CaptureWorker(openings, pauses_s=AT_ONCE)) as capture:
        gate.reached()
        frame = capture.take(LONG_S)
        assert value(frame) == 7
        assert frame is not None
        assert frame.size == first
        assert frame.pixels.flags.c_contiguous
        gate.pass_on()


def test_a_stall_is_told_and_ends_with_the_next_frame() -> None:
    gate, last = Gate(), Gate()
    with closing(CaptureWorker(lambda: ScriptedSource(1, gate, 2, last), stall_s=0.01)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        assert capture.take(0) is None
        assert capture.take(0) is None
        assert capture.status == "camera stalled: no picture for 0.0 s; waiting for it"
        gate.pass_on()
        last.reached()
        assert value(capture.take(LONG_S)) == 2
        last.pass_on()


def test_a_camera_that_is_well_is_waited_for_however_short_the_timeout() -> None:
    gate = Gate()
    with closing(CaptureWorker(lambda: ScriptedSource(gate, 1), stall_s=LONG_S)) as capture:
        threading.Timer(0, gate.pass_on).start()
        assert value(capture.take(0)) == 1


def test_stall_suits_the_rate() -> None:
    with closing(CaptureWorker(ScriptedSource)) as fast, closing(CaptureWorker(lambda: ScriptedSource(fps=1))) as slow:
        assert fast._stall_s == pytest.approx(7 / 6)
        assert slow._stall_s == 6


# Bugs and the end


def test_a_bug_reaches_the_caller_with_its_traceback() -> None:
    def bug() -> None:
        raise ZeroDivisionError("a bug")

    source = ScriptedSource(bug)
    with closing(CaptureWorker(lambda: source)) as capture:
        with pytest.raises(ZeroDivisionError, match="a bug") as caught:
            capture.take(LONG_S)
        assert "bug" in [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
        assert not capture.ended
    assert source.closed == 1


def test_a_file_that_breaks_reaches_the_caller() -> None:
    capture = CaptureWorker(lambda: ScriptedSource(BadFile("clip.mp4 is cut short")))
    with closing(capture), pytest.raises(BadFile, match="cut short"):
        capture.take(LONG_S)


def test_a_bug_in_opening_again_reaches_the_caller() -> None:
    with closing(
        CaptureWorker(Reopened(ScriptedSource(LOST), ZeroDivisionError("a bug")), pauses_s=AT_ONCE)
    ) as capture:
        capture._thread.join(LONG_S)
        with pytest.raises(ZeroDivisionError, match="a bug"):
            capture.take(LONG_S)


def test_close_closes_the_source_once_and_may_be_called_again() -> None:
    source = ScriptedSource(1, 2, 3)
    capture = CaptureWorker(lambda: source)
    capture.close()
    capture.close()
    assert source.closed == 1
    assert capture.ended
    assert capture.take(LONG_S) is None


def test_close_ends_the_wait_for_a_lost_camera() -> None:
    capture = CaptureWorker(Reopened(ScriptedSource(LOST)), pauses_s=(LONG_S,))
    assert capture.take(LONG_S) is None
    capture.close()
    assert not capture._thread.is_alive()


def test_close_does_not_wait_for_a_read_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.capture.worker.PATIENCE_S", 0.0)
    gate, source = Gate(), ScriptedSource()
    source._steps = iter([gate, 1])
    capture = CaptureWorker(lambda: source)
    gate.reached()
    capture.close()
    assert capture.notices == ("the camera hangs; it is let go of as soon as its driver answers",)
    assert source.closed == 0  # not while it is read
    gate.pass_on()
    capture._thread.join(LONG_S)
    assert source.closed == 1


def test_a_camera_that_opens_after_close_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.capture.worker.PATIENCE_S", 0.0)
    gate, late = Gate(), ScriptedSource(1)

    def opened() -> ScriptedSource:
        gate()
        return late

    capture = CaptureWorker(Reopened(ScriptedSource(LOST), opened), pauses_s=AT_ONCE)
    gate.reached()
    capture.close()
    gate.pass_on()
    capture._thread.join(LONG_S)
    assert late.closed == 1
    assert late.buffers == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts file handles in /proc")
def test_two_hundred_cycles_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "device"
    path.touch()

    class Handle(ScriptedSource):
        def __init__(self) -> None:
            super().__init__(*range(5))
            self.file = path.open("rb")

        def close(self) -> None:
            self.file.close()

    before = open_now()
    for _ in range(200):
        capture = CaptureWorker(Handle)
        capture.take(LONG_S)
        capture.close()
    assert open_now() == before


# Rest


class Resting(ScriptedSource):
    """Says when it is closed."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(*steps)
        self.left = threading.Event()

    def close(self) -> None:
        super().close()
        self.left.set()


def noted(capture: CaptureWorker, opened: list[bool], source: ScriptedSource) -> ScriptedSource:
    """The source that is opened now; ``opened``: whether it was wanted then."""
    opened.append(capture._keeper.wanted.is_set())
    return source


def test_at_rest_the_source_is_closed_and_nothing_is_opened_until_it_is_woken() -> None:
    gate, last = Gate(), Gate()
    first, opened = Resting(1, gate, 2), list[bool]()
    with closing(CaptureWorker(Reopened(first, lambda: noted(capture, opened, ScriptedSource(3, last))))) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        capture.rest("us")
        gate.pass_on()
        assert first.left.wait(LONG_S)
        capture.wake("us")
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        assert opened == [True]
        assert capture.status is None
        last.pass_on()


def test_what_waited_unread_when_the_rest_began_is_never_shown() -> None:
    gate, opening, last = Gate(), Gate(), Gate()
    first = Resting(1, gate, 2)

    def again() -> ScriptedSource:
        opening()
        return ScriptedSource(3, last)

    with closing(CaptureWorker(Reopened(first, again))) as capture:
        gate.reached()
        capture.rest("us")
        gate.pass_on()
        assert first.left.wait(LONG_S)
        capture.wake("us")
        opening.reached()
        assert capture.take(0) is None
        opening.pass_on()
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        last.pass_on()


def test_while_it_wakes_there_is_no_frame_and_no_complaint() -> None:
    gate, opening, last = Gate(), Gate(), Gate()
    first = Resting(1, gate, 2)
    clock = Clock()

    def again() -> ScriptedSource:
        opening()
        return ScriptedSource(3, last)

    with closing(CaptureWorker(Reopened(first, again), clock=clock)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        capture.rest("us")
        gate.pass_on()
        assert first.left.wait(LONG_S)
        clock.sleep(3600)
        capture.wake("us")
        opening.reached()
        assert capture.take(0) is None
        assert (capture.dark, capture.status, capture.ended) == (True, None, False)
        opening.pass_on()
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        assert not capture.dark
        last.pass_on()


def test_a_camera_that_another_took_during_the_rest_is_told_and_tried_again() -> None:
    gate, last = Gate(), Gate()
    first = Resting(1, gate, 2)
    busy = Gate()

    def refused() -> ScriptedSource:
        busy()
        raise SourceError("camera 0 is used by zoom")

    openings = Reopened(first, SourceError("camera 0 is used by zoom"), refused, ScriptedSource(3, last))
    with closing(CaptureWorker(openings, pauses_s=AT_ONCE)) as capture:
        gate.reached()
        assert value(capture.take(LONG_S)) == 1
        capture.rest("us")
        gate.pass_on()
        assert first.left.wait(LONG_S)
        capture.wake("us")
        busy.reached()
        assert capture.status == "camera lost: camera 0 is used by zoom; trying again"
        busy.pass_on()
        last.reached()
        assert value(capture.take(LONG_S)) == 3
        assert capture.status is None
        last.pass_on()


def test_a_lost_camera_is_not_looked_for_during_a_rest() -> None:
    gate, last = Gate(), Gate()
    first = Resting(1, gate, LOST)
    wanted: list[bool] = []

    def again() -> ScriptedSource:
        wanted.append(capture._keeper.wanted.is_set())
        return ScriptedSource(3, last)

    with closing(CaptureWorker(Reopened(first, again), pauses_s=AT_ONCE)) as capture:
        gate.reached()
        capture.rest("us")
        gate.pass_on()
        assert first.left.wait(LONG_S)
        capture.wake("us")
        last.reached()
        assert wanted == [True]
        last.pass_on()


def test_close_ends_a_rest() -> None:
    source = Resting(1)
    gate = Gate()
    source._steps = iter([1, gate, 2])
    capture = CaptureWorker(Reopened(source))
    gate.reached()
    capture.rest("us")
    gate.pass_on()
    assert source.left.wait(LONG_S)
    capture.close()
    assert not capture._thread.is_alive()
    assert source.closed == 1


def test_what_rests_for_two_is_woken_by_the_second_alone() -> None:
    gate, last = Gate(), Gate()
    first = Resting(1, gate, 2)
    with closing(CaptureWorker(Reopened(first, ScriptedSource(3, last)))) as capture:
        gate.reached()
        capture.rest("one")
        capture.rest("other")
        capture.rest("one")
        gate.pass_on()
        assert first.left.wait(LONG_S)
        capture.wake("one")
        assert not capture._keeper.wanted.is_set()
        capture.wake("other")
        last.reached()
        last.pass_on()


class Fleeting(threading.Event):
    """Set, and cleared again before those who waited for it look."""

    moments = 3

    def wait(self, timeout: float | None = None) -> bool:
        self.moments -= 1
        return self.moments >= 0 or super().wait(timeout)


def test_what_is_wanted_for_less_than_a_moment_does_not_light_up() -> None:
    gate, last = Gate(), Gate()
    first, opened = Resting(1, gate, 2), list[bool]()
    with closing(CaptureWorker(Reopened(first, lambda: noted(capture, opened, ScriptedSource(3, last))))) as capture:
        gate.reached()
        capture._keeper.wanted = wanted = Fleeting()
        gate.pass_on()
        wait_until(lambda: wanted.moments < 0)
        capture.wake("us")
        last.reached()
        last.pass_on()
    assert opened == [True]


def test_who_waits_for_a_frame_is_told_of_the_rest_at_once() -> None:
    gate = Gate()
    source = Resting(1, gate, 2)
    with closing(CaptureWorker(Reopened(source), stall_s=3600)) as capture:
        assert value(capture.take(LONG_S)) == 1
        gate.reached()
        waiting = threading.Thread(target=lambda: [None for _ in iter(lambda: capture.take(3600), None)], daemon=True)
        waiting.start()
        capture.rest("us")
        gate.pass_on()
        waiting.join(LONG_S)
        assert not waiting.is_alive()
        assert capture.dark
