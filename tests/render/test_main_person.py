"""Of several people the foremost alone."""

import itertools
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from fakes.devices import Clock
from fakes.scripted import Recorder, ScriptedNetwork, ScriptedSource, Wall, opening

from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha, Frame, Matte
from realtime_matte.interfaces import RecurrentState
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render.main_person import LARGER, PATIENCE_S, MainPerson

SHAPE = 160, 288
EDGE = 4
"""Cells over which alpha goes from 1 to 0."""

NOBODY = np.zeros(SHAPE, np.float32)


def somebody(x: float, y: float, radius: float, *, shape: tuple[int, int] = SHAPE) -> Alpha:
    """A round one with a soft edge."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.clip((radius - np.hypot(columns - x, rows - y)) / EDGE + 0.5, 0, 1).astype(np.float32)


ME = somebody(120, 110, 50)
BEHIND = somebody(240, 60, 25)


class Telling:
    """A network that gives the alphas it is told to; its state counts."""

    name, provider, notices = "telling", "fake", ("a note",)

    def __init__(self, alphas: Sequence[Alpha]) -> None:
        self.states: list[RecurrentState | None] = []
        self.closed = 0
        self._alphas = itertools.chain(alphas, itertools.repeat(alphas[-1]))

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:  # noqa: ARG002 - as networks are asked
        self.states.append(state)
        return Matte(next(self._alphas)), (len(self.states),)

    def close(self) -> None:
        self.closed += 1


def shown(*alphas: Alpha, fps: float = 10) -> list[Alpha]:
    """What is left of each alpha of one shot."""
    network, state, found = MainPerson(Telling(alphas)), None, list[Alpha]()
    for index in range(len(alphas)):
        matte, state = network.process(Frame(np.zeros((4, 8, 3), np.uint8), 100 + index / fps, index), state)
        found.append(matte.alpha.copy())
    return found


def together(*people: Alpha) -> Alpha:
    return np.asarray(np.max(people, axis=0), np.float32)


def test_one_person_stays_to_the_bit() -> None:
    alphas = [somebody(120 + 3 * step, 110, 50) for step in range(10)]
    assert all(np.array_equal(one, other) for one, other in zip(shown(*alphas), alphas, strict=True))


def test_nobody_stays_nobody() -> None:
    assert not any(alpha.any() for alpha in shown(NOBODY, NOBODY))


def test_of_two_the_larger_one_stays_with_all_of_its_soft_edge() -> None:
    for alpha in shown(*[together(ME, BEHIND)] * 5):
        np.testing.assert_array_equal(alpha, ME)


def test_whoever_was_there_first_stays_though_somebody_a_little_larger_comes() -> None:
    other = somebody(230, 80, 50 * LARGER**0.5 - 3)
    assert other.sum() > ME.sum()
    for alpha in shown(ME, ME, *[together(ME, somebody(275, 80, 20)), together(somebody(60, 110, 50), other)] * 30)[2:]:
        assert alpha[:, 200:].max() == 0


def test_somebody_much_larger_takes_over_after_a_while() -> None:
    small, large = somebody(60, 120, 30), somebody(200, 90, 60)
    found = shown(small, *[together(small, large)] * 40)
    many = round(PATIENCE_S * 10)
    np.testing.assert_array_equal(found[many - 1], small)
    np.testing.assert_array_equal(found[-1], large)
    taken = [bool(alpha[90, 200]) for alpha in found]
    assert taken == sorted(taken), "once, and not back again"
    assert abs(taken.index(True) - many) <= 2


def test_when_the_person_leaves_nobody_is_shown_for_a_while() -> None:
    found = shown(*[together(ME, BEHIND)] * 10, *[BEHIND] * 40)
    away = [bool(alpha.any()) for alpha in found[10:]]
    assert away.index(True) == pytest.approx(PATIENCE_S * 10, abs=2)
    np.testing.assert_array_equal(found[-1], BEHIND)


def test_who_comes_back_soon_is_the_person_still() -> None:
    found = shown(*[together(ME, BEHIND)] * 10, *[BEHIND] * 10, together(ME, BEHIND))
    np.testing.assert_array_equal(found[-1], ME)


def test_who_comes_into_an_empty_picture_is_shown_at_once() -> None:
    np.testing.assert_array_equal(shown(ME, *[NOBODY] * 30, BEHIND)[-1], BEHIND)


def test_a_hand_that_comes_from_below_beside_the_person_is_the_person_s() -> None:
    hand = somebody(204, 150, 14)
    both = together(ME, hand)
    assert not both[:, 180].any(), "it does not touch"
    np.testing.assert_array_equal(shown(both, both)[-1], both)


def test_somebody_as_small_who_does_not_come_from_below_is_left_out() -> None:
    np.testing.assert_array_equal(shown(together(ME, somebody(204, 80, 14)))[0], ME)


def test_a_head_over_something_that_is_held_up_is_the_person_s() -> None:
    whole = together(somebody(120, 60, 32), somebody(120, 130, 45))
    parted = whole.copy()
    parted[85:93] = 0
    np.testing.assert_array_equal(shown(*[whole] * 5, *[parted] * 30)[-1], parted)


def test_who_touched_goes_as_soon_as_there_is_a_gap() -> None:
    passing = [together(ME, somebody(150 + 6 * step, 60, 25)) for step in range(16)]
    found = shown(*[ME] * 20, *passing)
    assert found[24][60, 190] > 0.5, "it touches"
    for alpha in found[-6:]:
        np.testing.assert_array_equal(alpha, ME)


def test_a_clock_that_goes_back_changes_nothing() -> None:
    network, state = MainPerson(Telling([ME])), None
    for index, time in enumerate((5000.0, 4999.9, 0.0, 0.1)):
        matte, state = network.process(Frame(np.zeros((4, 8, 3), np.uint8), time, index), state)
        assert np.array_equal(matte.alpha, ME)


def test_no_picture_is_allocated_though_there_are_two() -> None:
    network, state = MainPerson(Telling([np.maximum(ME, BEHIND)])), None
    frames = [Frame(np.zeros((4, 8, 3), np.uint8), index / 10, index) for index in range(4)]
    _, state = network.process(frames[0], state)
    tracemalloc.start()
    for frame in frames[1:]:
        _, state = network.process(frame, state)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < ME.size // 4


def test_crumbs_change_nothing() -> None:
    crumbs = together(ME, *(somebody(30 + 9 * place, 10, 2) for place in range(20)))
    np.testing.assert_array_equal(shown(crumbs, crumbs)[-1], crumbs)


def test_a_new_shot_knows_nobody() -> None:
    network = MainPerson(Telling([ME, BEHIND]))
    frame = Frame(np.zeros((4, 8, 3), np.uint8), 0.0, 0)
    network.process(frame, None)
    matte, _ = network.process(frame, None)
    np.testing.assert_array_equal(matte.alpha, BEHIND)


def test_another_grid_begins_anew() -> None:
    other = somebody(60, 40, 20, shape=(80, 144))
    np.testing.assert_array_equal(shown(ME, other)[-1], other)


def test_an_alpha_that_nobody_may_write_into_is_left_alone() -> None:
    both = together(ME, BEHIND)
    both.setflags(write=False)
    np.testing.assert_array_equal(shown(both)[0], ME)


def test_all_else_is_the_network_s() -> None:
    network = Telling([ME])
    foremost = MainPerson(network)
    state = None
    for index in range(3):
        _, state = foremost.process(Frame(np.zeros((4, 8, 3), np.uint8), float(index), index), state)
    assert network.states == [None, (1,), (2,)]
    assert (foremost.name, foremost.provider, tuple(foremost.notices)) == ("telling", "fake", ("a note",))
    foremost.close()
    assert network.closed == 1


@pytest.mark.parametrize("only_me", [False, True])
def test_in_the_line_it_is_asked_for(*, only_me: bool) -> None:
    class Two(ScriptedNetwork):
        def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
            matte, after = super().process(frame, state)
            alpha = np.zeros((64, 96), np.float32)
            alpha[20:60, 10:50] = 1
            alpha[5:20, 75:90] = 1
            return Matte(alpha, matte.foreground), after

    sink = Recorder()
    wall = Wall((255, 255, 255))
    source = opening(ScriptedSource(range(3)))
    with Pipeline.open(
        source, wall, outputs=[sink], model=Two, only_me=only_me, notify=[].append, clock=Clock()
    ) as line:
        line.run()
    assert len(sink.pictures) == 3
    for picture in sink.pictures:
        assert (picture[40, 30] != 255).any()
        assert (picture[12, 82] == 255).all() == only_me


def test_a_failure_stays_a_failure() -> None:
    class Fails(Telling):
        def process(self, _frame: Frame, _state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
            raise ModelError("no matte")

    with pytest.raises(ModelError, match="no matte"):
        MainPerson(Fails([ME])).process(Frame(np.zeros((4, 8, 3), np.uint8), 0.0, 0), None)
