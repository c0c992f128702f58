"""When the frames of sources without a sensor are due."""

import math

import pytest
from fakes.devices import Clock
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.errors import SpecError
from realtime_matte.sources._clock import HIGHEST_FPS, LOWEST_FPS, CountedTicks, LiveTicks, Tick, make_ticks


def test_live_ticks_come_at_their_time() -> None:
    clock = Clock()
    ticks = LiveTicks(4, clock=clock, sleep=clock.sleep)
    assert [(tick.index, tick.time, clock.now) for tick in (ticks.next() for _ in range(3))] == [
        (0, 100.0, 100.0),
        (1, 100.25, 100.25),
        (2, 100.5, 100.5),
    ]
    assert ticks.live
    assert ticks.frames is None


def test_ticks_that_were_not_asked_for_are_left_out() -> None:
    clock = Clock()
    ticks = LiveTicks(4, clock=clock, sleep=clock.sleep)
    ticks.next()
    clock.now += 1.1
    assert (ticks.next().index, clock.slept) == (4, [])
    assert (ticks.next().index, clock.now) == (5, 101.25)


@given(st.lists(st.floats(0, 3), max_size=40), st.floats(LOWEST_FPS, HIGHEST_FPS))
def test_live_ticks_never_repeat_go_back_or_come_early(delays: list[float], fps: float) -> None:
    clock = Clock()
    ticks = LiveTicks(fps, clock=clock, sleep=clock.sleep)
    last = -1
    for delay in delays:
        clock.now += delay
        tick = ticks.next()
        assert tick.index > last
        assert clock.now - 2 / fps <= tick.time <= clock.now + 1e-6
        last = tick.index


def test_counted_ticks_do_not_wait_and_end() -> None:
    ticks = CountedTicks(4, 2, clock=Clock())
    assert [ticks.next(), ticks.next(), ticks.next(), ticks.next()] == [
        Tick(0, 100.0),
        Tick(1, 100.25),
        None,
        None,
    ]
    assert (ticks.live, ticks.frames) == (False, 2)


def test_the_rate_is_30_unless_another_is_requested() -> None:
    assert make_ticks(None, None).fps == 30
    assert make_ticks(12.5, 3).fps == 12.5


@pytest.mark.parametrize("fps", [0, 0.5, -30, 1001, math.inf, math.nan])
def test_a_rate_out_of_range_is_refused(fps: float) -> None:
    with pytest.raises(SpecError, match=r"frames a second are out of range; take 1 to 1000, such as 30"):
        make_ticks(fps, None)
