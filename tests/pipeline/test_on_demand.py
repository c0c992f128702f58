"""On demand: the camera is on only while somebody looks."""

import io
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import pytest
from fakes.devices import Clock
from fakes.scripted import Recorder, ScriptedFeed, ScriptedNetwork, ScriptedSource, Wall, opening
from rich.console import Console
from test_privacy import assert_private, is_card

from realtime_matte.cli.console import Plain
from realtime_matte.cli.figures import live_line
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame
from realtime_matte.pipeline import card, standby
from realtime_matte.pipeline import parts as assembly
from realtime_matte.pipeline.lifetime import own
from realtime_matte.pipeline.on_demand import LINGER_S, LOOKED_EVERY_S, OFF, ON, OnDemand
from realtime_matte.pipeline.pipeline import Pipeline


class Crowd:
    """Somebody looks, or nobody: as the test says. A wait passes time."""

    notices: Sequence[str] = ("counted by hand",)

    def __init__(self, clock: Clock) -> None:
        self.looks = False
        self.asked: list[float] = []
        self.closed = 0
        self._clock = clock

    def wait_for_reader(self, timeout_s: float) -> bool:
        self.asked.append(timeout_s)
        if not self.looks:
            self._clock.sleep(timeout_s)
        return self.looks

    def close(self) -> None:
        self.closed += 1


class Switch:
    """A camera's."""

    def __init__(self) -> None:
        self.on = True
        self.turns = 0

    def rest(self, _whom: object) -> None:
        self.on = False
        self.turns += 1

    def wake(self, _whom: object) -> None:
        self.on = True
        self.turns += 1


def demanded(*crowds: Crowd, clock: Clock) -> tuple[OnDemand, Switch, list[str]]:
    switch, told = Switch(), list[str]()
    return OnDemand(crowds, switch, notify=told.append, clock=clock), switch, told


def test_it_begins_with_the_camera_off() -> None:
    clock = Clock()
    demand, switch, _ = demanded(Crowd(clock), clock=clock)
    assert demand.asleep
    assert not switch.on


def test_while_nobody_looks_it_waits_as_long_as_it_may() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    demand, switch, told = demanded(crowd, clock=clock)
    assert [demand.sleeps(0.5) for _ in range(4)] == [True] * 4
    assert clock.slept == [0.5] * 4
    assert (switch.on, told) == (False, [])


def test_several_outputs_share_the_wait() -> None:
    clock = Clock()
    one, other = Crowd(clock), Crowd(clock)
    demand, _, _ = demanded(one, other, clock=clock)
    assert demand.sleeps(0.5)
    assert clock.slept == [0.25, 0.25]
    other.looks = True
    assert not demand.sleeps(0.5)


def test_somebody_who_comes_switches_it_on() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    demand, switch, told = demanded(crowd, clock=clock)
    crowd.looks = True
    assert not demand.sleeps(0.5)
    assert clock.slept == []
    assert (switch.on, told) == (True, [ON])


def test_while_it_is_on_it_is_looked_now_and_then_without_waiting() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    demand, _, _ = demanded(crowd, clock=clock)
    crowd.looks = True
    demand.sleeps(0.5)
    crowd.asked.clear()
    for _ in range(300):
        clock.sleep(LOOKED_EVERY_S / 10)
        assert not demand.sleeps(0.5)
    assert 25 <= len(crowd.asked) <= 30
    assert set(crowd.asked) == {0}


def test_it_lingers_before_it_is_switched_off() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    demand, switch, told = demanded(crowd, clock=clock)
    crowd.looks = True
    demand.sleeps(0.5)
    crowd.looks = False
    left = clock()
    while not demand.sleeps(0.5):
        clock.sleep(0.1)
    assert LINGER_S <= clock() - left <= LINGER_S + LOOKED_EVERY_S + 0.2
    assert (switch.on, told) == (False, [ON, OFF])


def test_who_comes_back_in_time_finds_it_still_on() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    demand, switch, told = demanded(crowd, clock=clock)
    for _ in range(5):
        crowd.looks = True
        clock.sleep(LOOKED_EVERY_S)
        assert not demand.sleeps(0.5)
        crowd.looks = False
        clock.sleep(LINGER_S - LOOKED_EVERY_S)
        assert not demand.sleeps(0.5)
    assert (switch.turns, told) == (2, [ON])


# The whole line


class HasReaders(Recorder):
    """An output that tells whether somebody looks."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(live=True)
        self.crowd = Crowd(clock)

    def open_readers(self) -> Crowd:
        return self.crowd


class Camera(ScriptedFeed):
    """A feed that can rest; after it woke there is nothing at the first look."""

    def __init__(self, frames: int) -> None:
        super().__init__(range(frames))
        self.on = True
        self.taken_off = 0

    def rest(self, _whom: object) -> None:
        self.on = False

    def wake(self, _whom: object) -> None:
        self.on = self.dark = True

    def take(self, timeout_s: float) -> Frame | None:
        self.taken_off += not self.on
        if self.dark and not self.waits:
            self.waits.append(timeout_s)
            return None
        self.dark = False
        return super().take(timeout_s)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def line(monkeypatch: pytest.MonkeyPatch, clock: Clock, feed: Camera, *sinks: Recorder, told: list[str]) -> Pipeline:
    monkeypatch.setattr(assembly, "watch", lambda stack, _device, _reopen: own(stack, feed))
    return Pipeline.open(
        opening(ScriptedSource([], live=True)),
        Wall(),
        outputs=sinks,
        model=ScriptedNetwork,
        on_demand=True,
        notify=told.append,
        clock=clock,
    )


def test_nobody_looks_so_nothing_is_taken_and_the_card_is_held(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    feed, sink, told = Camera(5), HasReaders(clock), list[str]()
    with line(monkeypatch, clock, feed, sink, told=told) as pipeline:
        assert pipeline.camera_off_reason == OFF
        assert all(pipeline.step() for _ in range(20))
        assert not feed.on
        assert feed.taken_off == 0
        assert len(sink.pictures) == 21
        assert np.diff(sink.times).max() <= 0.5
        assert pipeline.stats.standby_cards == 0
        assert "counted by hand" in pipeline.notices
    assert all(np.array_equal(one, card.draw((96, 64), text=standby.STARTING)) for one in sink.pictures[:-1])
    assert sink.crowd.closed == 1
    assert told == []


def test_who_comes_sees_the_card_until_there_is_a_matte(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    feed, sink, told = Camera(3), HasReaders(clock), list[str]()
    with line(monkeypatch, clock, feed, sink, told=told) as pipeline:
        sink.crowd.looks = True
        pipeline.run()
    assert assert_private(sink) == [None, None, 0, 1, 2, None]
    assert np.array_equal(sink.pictures[1], card.draw((96, 64), text=standby.STARTING)), "it is not away, it comes"
    assert told == [ON]


def test_a_camera_that_cannot_be_woken_is_away(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    feed, sink = Camera(3), HasReaders(clock)
    with line(monkeypatch, clock, feed, sink, told=[]) as pipeline:
        sink.crowd.looks = True
        feed.status = "camera lost: camera 0 is used by zoom (process 9); trying again"
        pipeline.step()
    assert np.array_equal(sink.pictures[1], card.draw((96, 64), text=standby.CAMERA_AWAY))


def test_when_the_last_one_left_the_card_comes_and_the_camera_goes(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    feed, sink, told = Camera(1000), HasReaders(clock), list[str]()
    with line(monkeypatch, clock, feed, sink, told=told) as pipeline:
        sink.crowd.looks = True
        pipeline.step()
        pipeline.step()
        sink.crowd.looks = False
        while not pipeline.camera_off_reason:
            clock.sleep(0.1)
            pipeline.step()
        assert is_card(sink.pictures[-1]), "before any wait"
        assert not feed.on
        sent = len(sink.pictures)
        pipeline.step()
        assert is_card(sink.pictures[sent])
        assert not is_card(sink.pictures[sent - 2])
    assert told == [ON, OFF]


def test_while_it_sleeps_the_screen_says_so_and_a_log_is_not_filled(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    text, time = io.StringIO(), Clock()
    shown = Plain(Console(file=text), verbose=False, clock=time)
    with line(monkeypatch, clock, Camera(5), HasReaders(clock), told=[]) as pipeline:
        for _ in range(20):
            pipeline.step()
            time.sleep(5)
            shown.update(pipeline)
        assert live_line(pipeline, verbose=True) == "nobody watches: the camera is off"
    assert text.getvalue() == ""


def test_a_command_is_obeyed_while_it_sleeps(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with line(monkeypatch, clock, Camera(5), HasReaders(clock), told=[]) as pipeline:
        pipeline.step()
        pipeline.request("quit")
        assert not pipeline.step()


def test_on_standby_nobody_is_looked_for_and_the_camera_stays_off(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    feed, sink, told = Camera(1000), HasReaders(clock), list[str]()
    with line(monkeypatch, clock, feed, sink, told=told) as pipeline:
        pipeline.request("standby")
        sink.crowd.looks = True
        for _ in range(5):
            pipeline.step()
        assert sink.crowd.asked == []
        assert np.array_equal(sink.pictures[-1], card.draw((96, 64), text=standby.STANDBY))
        assert told == [standby.RESTING]
        pipeline.request("standby")
        pipeline.step()
        assert told == [standby.RESTING, standby.OVER, ON]
    assert_private(sink)


def test_a_recording_beside_it_holds_no_cards_of_the_sleep(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    feed, sink, recording = Camera(2), HasReaders(clock), Recorder()
    with line(monkeypatch, clock, feed, sink, recording, told=[]) as pipeline:
        for _ in range(5):
            pipeline.step()
        assert recording.pictures == []


def test_where_no_output_tells_who_looks_it_is_refused(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    sink = Recorder(live=True)
    with pytest.raises(SpecError, match=r"on demand needs an output that tells whether somebody watches, .*leave out"):
        line(monkeypatch, clock, Camera(5), sink, told=[])
    assert sink.closed == 1


@pytest.mark.parametrize("paced", [False, True])
def test_a_file_is_refused(clock: Clock, *, paced: bool) -> None:
    sink = HasReaders(clock) if paced else Recorder()
    with pytest.raises(SpecError, match="on demand is for a camera, and this source is a file; leave out --on-demand"):
        Pipeline.open(opening(ScriptedSource(range(3))), Wall(), outputs=[sink], model=ScriptedNetwork, on_demand=True)


def test_a_live_clip_is_refused_for_it_would_begin_anew(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    class Clip(ScriptedSource):
        def __init__(self) -> None:
            super().__init__(range(3), live=True)
            self.frames = 3

    monkeypatch.setattr(assembly, "watch", lambda stack, _device, _reopen: own(stack, Camera(3)))
    with pytest.raises(SpecError, match="on demand is for a camera, and this source is a file"):
        Pipeline.open(opening(Clip()), Wall(), outputs=[HasReaders(clock)], model=ScriptedNetwork, on_demand=True)


def test_readers_are_closed_when_a_later_part_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    class Fails(HasReaders):
        def open_readers(self) -> Crowd:
            raise SpecError("it cannot be looked at")

    first = HasReaders(clock)
    with ExitStack(), pytest.raises(SpecError, match="cannot be looked at"):
        line(monkeypatch, clock, Camera(5), first, Fails(clock), told=[])
    assert first.crowd.closed == 1
