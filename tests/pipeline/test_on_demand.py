"""On demand: the camera is on only while a program reads an output."""

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from fakes.devices import Clock
from fakes.pipelines import scripted_camera
from fakes.privacy import assert_private, is_card
from fakes.scripted import Recorder, ScriptedCapture, ScriptedNetwork, ScriptedSource, SolidBackground, opener
from rich.console import Console

from realtime_matte.cli.console import PlainLines, progress_line
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame
from realtime_matte.pipeline import builder, standby
from realtime_matte.pipeline.on_demand import CHECK_EVERY_S, LINGER_S, OFF, ON, OnDemand
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import draw_card


class ScriptedReaders:
    """Readers of an output: there are some while ``present``. A wait advances the clock."""

    notices: Sequence[str] = ("counted by hand",)

    def __init__(self, clock: Clock) -> None:
        self.present = False
        self.timeouts: list[float] = []
        self.closed = 0
        self._clock = clock

    def wait_for_reader(self, timeout_s: float) -> bool:
        self.timeouts.append(timeout_s)
        if not self.present:
            self._clock.sleep(timeout_s)
        return self.present

    def close(self) -> None:
        self.closed += 1


class Switch:
    """A camera that only knows whether it is on."""

    def __init__(self) -> None:
        self.on = True
        self.changes = 0

    def pause(self, _owner: object) -> None:
        self.on = False
        self.changes += 1

    def resume(self, _owner: object) -> None:
        self.on = True
        self.changes += 1


def on_demand(*readers: ScriptedReaders, clock: Clock) -> tuple[OnDemand, Switch, list[str]]:
    switch, reported = Switch(), list[str]()
    demand = OnDemand(switch, notify=reported.append, clock=clock)
    demand.enable(readers)
    return demand, switch, reported


def test_the_camera_is_off_at_first() -> None:
    clock = Clock()
    demand, switch, _ = on_demand(ScriptedReaders(clock), clock=clock)
    assert demand.off
    assert not switch.on


def test_without_readers_it_waits_for_the_whole_timeout() -> None:
    clock = Clock()
    readers = ScriptedReaders(clock)
    demand, switch, reported = on_demand(readers, clock=clock)
    assert [demand.update(0.5) for _ in range(4)] == [True] * 4
    assert clock.slept == [0.5] * 4
    assert (switch.on, reported) == (False, [])


def test_several_outputs_share_the_timeout() -> None:
    clock = Clock()
    one, other = ScriptedReaders(clock), ScriptedReaders(clock)
    demand, _, _ = on_demand(one, other, clock=clock)
    assert demand.update(0.5)
    assert clock.slept == [0.25, 0.25]
    other.present = True
    assert not demand.update(0.5)


def test_a_reader_turns_the_camera_on() -> None:
    clock = Clock()
    readers = ScriptedReaders(clock)
    demand, switch, reported = on_demand(readers, clock=clock)
    readers.present = True
    assert not demand.update(0.5)
    assert clock.slept == []
    assert (switch.on, reported) == (True, [ON])


def test_a_preview_that_is_watched_counts_as_a_reader() -> None:
    clock = Clock()
    demand, switch, _ = on_demand(ScriptedReaders(clock), clock=clock)
    demand.set_watched(watched=True)
    assert not demand.update(0.5)
    assert (switch.on, clock.slept) == (True, [])
    for _ in range(100):
        clock.sleep(LINGER_S)
        assert not demand.update(0.5)
    demand.set_watched(watched=False)
    left = clock()
    while not demand.update(0.5):
        clock.sleep(0.1)
    assert LINGER_S - CHECK_EVERY_S <= clock() - left <= LINGER_S + CHECK_EVERY_S + 0.2
    assert not switch.on


def test_readers_are_checked_rarely_and_without_waiting_while_the_camera_is_on() -> None:
    clock = Clock()
    readers = ScriptedReaders(clock)
    demand, _, _ = on_demand(readers, clock=clock)
    readers.present = True
    demand.update(0.5)
    readers.timeouts.clear()
    for _ in range(300):
        clock.sleep(CHECK_EVERY_S / 10)
        assert not demand.update(0.5)
    assert 25 <= len(readers.timeouts) <= 30
    assert set(readers.timeouts) == {0}


def test_the_camera_stays_on_for_a_while_after_the_last_reader() -> None:
    clock = Clock()
    readers = ScriptedReaders(clock)
    demand, switch, reported = on_demand(readers, clock=clock)
    readers.present = True
    demand.update(0.5)
    readers.present = False
    left = clock()
    while not demand.update(0.5):
        clock.sleep(0.1)
    assert LINGER_S <= clock() - left <= LINGER_S + CHECK_EVERY_S + 0.2
    assert (switch.on, reported) == (False, [ON, OFF])


def test_a_reader_that_returns_in_time_finds_the_camera_on() -> None:
    clock = Clock()
    readers = ScriptedReaders(clock)
    demand, switch, reported = on_demand(readers, clock=clock)
    for _ in range(5):
        readers.present = True
        clock.sleep(CHECK_EVERY_S)
        assert not demand.update(0.5)
        readers.present = False
        clock.sleep(LINGER_S - CHECK_EVERY_S)
        assert not demand.update(0.5)
    assert (switch.changes, reported) == (2, [ON])


class RecorderWithReaders(Recorder):
    """A sink that knows whether a program reads it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(live=True)
        self.readers = ScriptedReaders(clock)

    def open_readers(self) -> ScriptedReaders:
        return self.readers


class Camera(ScriptedCapture):
    """A capture that has no frame at the first take after it was resumed."""

    def __init__(self, frames: int) -> None:
        super().__init__(range(frames))
        self.taken_while_off = 0

    def resume(self, owner: object) -> None:
        super().resume(owner)
        if self.state.phase != "lost":
            self.state = replace(self.state, phase="starting")

    def take(self, timeout_s: float) -> Frame | None:
        self.taken_while_off += not self.on
        if self.state.phase in {"starting", "lost"} and not self.timeouts:
            self.timeouts.append(timeout_s)
            return None
        return super().take(timeout_s)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def open_pipeline(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, capture: Camera, *sinks: Recorder, reported: list[str]
) -> Pipeline:
    return Pipeline.open(
        scripted_camera(monkeypatch, capture),
        SolidBackground(),
        outputs=sinks,
        model=ScriptedNetwork,
        on_demand=True,
        notify=reported.append,
        clock=clock,
    )


def test_without_readers_no_frame_is_taken_and_the_card_is_repeated(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    capture, sink, reported = Camera(5), RecorderWithReaders(clock), list[str]()
    with open_pipeline(monkeypatch, clock, capture, sink, reported=reported) as pipeline:
        assert pipeline.camera_off_reason == OFF
        assert all(pipeline.step() for _ in range(20))
        assert not capture.on
        assert capture.taken_while_off == 0
        assert len(sink.images) == 21
        assert np.diff(sink.times).max() <= 0.5
        assert pipeline.stats.standby_cards == 0
        assert "counted by hand" in pipeline.notices
    assert all(np.array_equal(image, draw_card((96, 64), text=standby.STARTING)) for image in sink.images[:-1])
    assert sink.readers.closed == 1
    assert reported == []


def test_a_new_reader_gets_the_card_until_there_is_a_matte(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    capture, sink, reported = Camera(3), RecorderWithReaders(clock), list[str]()
    with open_pipeline(monkeypatch, clock, capture, sink, reported=reported) as pipeline:
        sink.readers.present = True
        pipeline.run()
    assert assert_private(sink) == [None, None, None, 0, 1, 2, None]
    card = draw_card((96, 64), text=standby.STARTING)
    assert all(np.array_equal(image, card) for image in sink.images[:3]), "it is starting, not lost"
    assert reported == [ON]


def test_a_new_reader_gets_the_card_before_the_camera_is_waited_for_and_soon_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    capture, sink = Camera(3), RecorderWithReaders(clock)
    with open_pipeline(monkeypatch, clock, capture, sink, reported=[]) as pipeline:
        pipeline.step()
        sent = len(sink.images)
        sink.readers.present = True
        pipeline.step()
        assert (len(sink.images), capture.timeouts) == (sent + 1, [])
        pipeline.step()
        assert capture.timeouts == [standby.STANDBY_EVERY_S], "its first card may be lost while it connects"


def test_a_camera_that_cannot_be_resumed_shows_the_camera_away_card(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    capture, sink = Camera(3), RecorderWithReaders(clock)
    with open_pipeline(monkeypatch, clock, capture, sink, reported=[]) as pipeline:
        sink.readers.present = True
        capture.state = replace(
            capture.state, phase="lost", reason="camera lost: camera 0 is used by zoom (process 9); trying again"
        )
        pipeline.step()
        pipeline.step()
    assert np.array_equal(sink.images[2], draw_card((96, 64), text=standby.CAMERA_NOT_AVAILABLE))


def test_the_card_is_sent_and_the_camera_is_off_after_the_last_reader(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    capture, sink, reported = Camera(1000), RecorderWithReaders(clock), list[str]()
    with open_pipeline(monkeypatch, clock, capture, sink, reported=reported) as pipeline:
        sink.readers.present = True
        pipeline.step()
        pipeline.step()
        sink.readers.present = False
        while not pipeline.camera_off_reason:
            clock.sleep(0.1)
            pipeline.step()
        assert is_card(sink.images[-1]), "before any wait"
        assert not capture.on
        sent = len(sink.images)
        pipeline.step()
        assert is_card(sink.images[sent])
        assert not is_card(sink.images[sent - 2])
    assert reported == [ON, OFF]


def test_the_live_line_says_that_the_camera_is_off_and_a_log_is_not_filled(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    text, time = io.StringIO(), Clock()
    shown = PlainLines(Console(file=text), verbose=False, clock=time)
    with open_pipeline(monkeypatch, clock, Camera(5), RecorderWithReaders(clock), reported=[]) as pipeline:
        for _ in range(20):
            pipeline.step()
            time.sleep(5)
            shown.update(pipeline)
        assert progress_line(pipeline, verbose=True) == OFF
    assert text.getvalue() == ""


def test_commands_are_run_while_the_camera_is_off(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with open_pipeline(monkeypatch, clock, Camera(5), RecorderWithReaders(clock), reported=[]) as pipeline:
        pipeline.step()
        pipeline.request("quit")
        assert not pipeline.step()


def test_on_standby_readers_are_ignored_and_the_camera_stays_off(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    capture, sink, reported = Camera(1000), RecorderWithReaders(clock), list[str]()
    with open_pipeline(monkeypatch, clock, capture, sink, reported=reported) as pipeline:
        pipeline.request("standby")
        sink.readers.present = True
        for _ in range(5):
            pipeline.step()
        assert sink.readers.timeouts == []
        assert np.array_equal(sink.images[-1], draw_card((96, 64), text=standby.STANDBY))
        assert reported == [standby.STANDBY_ON]
        pipeline.request("standby")
        pipeline.step()
        assert reported == [standby.STANDBY_ON, standby.STANDBY_OFF, ON]
    assert_private(sink)


def test_a_recording_gets_no_card_while_the_camera_is_off(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    capture, sink, recording = Camera(2), RecorderWithReaders(clock), Recorder()
    with open_pipeline(monkeypatch, clock, capture, sink, recording, reported=[]) as pipeline:
        for _ in range(5):
            pipeline.step()
        assert recording.images == []


def test_on_demand_without_an_output_that_knows_its_readers_is_an_error(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    sink = Recorder(live=True)
    with pytest.raises(
        SpecError, match=r"on demand needs an output that knows whether a program reads it, .*leave out"
    ):
        open_pipeline(monkeypatch, clock, Camera(5), sink, reported=[])
    assert sink.closed == 1


@pytest.mark.parametrize("real_time", [False, True])
def test_on_demand_with_a_file_is_an_error(clock: Clock, *, real_time: bool) -> None:
    sink = RecorderWithReaders(clock) if real_time else Recorder()
    with pytest.raises(SpecError, match="on demand needs a camera, and this source is a file; leave out --on-demand"):
        Pipeline.open(
            opener(ScriptedSource(range(3))), SolidBackground(), outputs=[sink], model=ScriptedNetwork, on_demand=True
        )


def test_on_demand_with_a_live_clip_is_an_error(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    class Clip(ScriptedSource):
        def __init__(self) -> None:
            super().__init__(range(3), live=True)
            self.frames = 3

    monkeypatch.setattr(builder, "open_capture", lambda *_, **__: Camera(3))
    with pytest.raises(SpecError, match="on demand needs a camera, and this source is a file"):
        Pipeline.open(
            opener(Clip()),
            SolidBackground(),
            outputs=[RecorderWithReaders(clock)],
            model=ScriptedNetwork,
            on_demand=True,
        )


def test_readers_are_closed_when_a_later_part_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    class Fails(RecorderWithReaders):
        def open_readers(self) -> ScriptedReaders:
            raise SpecError("its readers cannot be found")

    first = RecorderWithReaders(clock)
    with ExitStack(), pytest.raises(SpecError, match="its readers cannot be found"):
        open_pipeline(monkeypatch, clock, Camera(5), first, Fails(clock), reported=[])
    assert first.readers.closed == 1
