"""``--only-me``: of several people the main person alone."""

import itertools
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from fakes.devices import Clock
from fakes.scripted import Recorder, ScriptedNetwork, ScriptedSource, SolidBackground, opener

from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha, Frame, Matte
from realtime_matte.interfaces import RecurrentState
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render.main_person import TAKEOVER_S, MainPerson

SHAPE = 160, 288
EDGE = 4
"""Cells over which alpha goes from 1 to 0."""

NO_PERSON = np.zeros(SHAPE, np.float32)


def disc(x: float, y: float, radius: float, *, shape: tuple[int, int] = SHAPE) -> Alpha:
    """A round person with a soft edge."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.clip((radius - np.hypot(columns - x, rows - y)) / EDGE + 0.5, 0, 1).astype(np.float32)


ME = disc(120, 110, 50)
BEHIND = disc(240, 60, 25)


class ScriptedAlphas:
    """A network that gives these alphas, then the last one again; its state counts the frames."""

    name, provider, notices = "scripted", "fake", ("a notice",)

    def __init__(self, alphas: Sequence[Alpha]) -> None:
        self.states: list[RecurrentState | None] = []
        self.closed = 0
        self._alphas = itertools.chain(alphas, itertools.repeat(alphas[-1]))

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:  # noqa: ARG002 - as in the protocol
        self.states.append(state)
        return Matte(next(self._alphas)), (len(self.states),)

    def close(self) -> None:
        self.closed += 1


def isolated(*alphas: Alpha, fps: float = 10) -> list[Alpha]:
    """What the main person's alpha is for each alpha of one shot."""
    network, state, results = MainPerson(ScriptedAlphas(alphas)), None, list[Alpha]()
    for index in range(len(alphas)):
        matte, state = network.process(Frame(np.zeros((4, 8, 3), np.uint8), 100 + index / fps, index), state)
        results.append(matte.alpha.copy())
    return results


def union(*people: Alpha) -> Alpha:
    return np.asarray(np.max(people, axis=0), np.float32)


def test_one_person_is_not_changed() -> None:
    alphas = [disc(120 + 3 * step, 110, 50) for step in range(10)]
    assert all(np.array_equal(one, other) for one, other in zip(isolated(*alphas), alphas, strict=True))


def test_no_person_gives_alpha_0() -> None:
    assert not any(alpha.any() for alpha in isolated(NO_PERSON, NO_PERSON))


def test_of_two_people_the_larger_one_is_kept_with_the_whole_soft_edge() -> None:
    for alpha in isolated(*[union(ME, BEHIND)] * 5):
        np.testing.assert_array_equal(alpha, ME)


def test_who_was_there_first_stays_the_main_person_when_a_little_larger_person_comes() -> None:
    other = disc(230, 80, 50 * 1.5**0.5 - 3)
    assert other.sum() > ME.sum()
    for alpha in isolated(ME, ME, *[union(ME, disc(275, 80, 20)), union(disc(60, 110, 50), other)] * 30)[2:]:
        assert alpha[:, 200:].max() == 0


@pytest.mark.parametrize(("ratio", "takes_over"), [(1.35, False), (1.65, True)])
def test_a_person_takes_over_from_one_and_a_half_times_the_area_on(ratio: float, *, takes_over: bool) -> None:
    first, other = disc(60, 110, 40), disc(210, 90, 40 * ratio**0.5)
    last = isolated(*[first] * 5, *[union(first, other)] * 100)[-1]
    np.testing.assert_array_equal(last, other if takes_over else first)


def test_a_much_larger_person_takes_over_after_a_while() -> None:
    small, large = disc(60, 120, 30), disc(200, 90, 60)
    results = isolated(small, *[union(small, large)] * 40)
    takeover = round(TAKEOVER_S * 10)
    np.testing.assert_array_equal(results[takeover - 1], small)
    np.testing.assert_array_equal(results[-1], large)
    taken_over = [bool(alpha[90, 200]) for alpha in results]
    assert taken_over == sorted(taken_over), "once, and not back again"
    assert abs(taken_over.index(True) - takeover) <= 2


def test_when_the_main_person_leaves_no_person_is_shown_for_a_while() -> None:
    results = isolated(*[union(ME, BEHIND)] * 10, *[BEHIND] * 40)
    shown = [bool(alpha.any()) for alpha in results[10:]]
    assert shown.index(True) == pytest.approx(TAKEOVER_S * 10, abs=2)
    np.testing.assert_array_equal(results[-1], BEHIND)


def test_who_comes_back_soon_is_still_the_main_person() -> None:
    results = isolated(*[union(ME, BEHIND)] * 10, *[BEHIND] * 10, union(ME, BEHIND))
    np.testing.assert_array_equal(results[-1], ME)


def test_who_enters_an_empty_frame_is_shown_at_once() -> None:
    np.testing.assert_array_equal(isolated(ME, *[NO_PERSON] * 30, BEHIND)[-1], BEHIND)


def test_a_hand_that_reaches_the_lower_edge_is_a_part_of_the_person() -> None:
    hand = disc(204, 150, 14)
    both = union(ME, hand)
    assert not both[:, 180].any(), "they do not touch"
    np.testing.assert_array_equal(isolated(both, both)[-1], both)


def test_a_region_as_small_that_does_not_reach_the_lower_edge_is_left_out() -> None:
    np.testing.assert_array_equal(isolated(union(ME, disc(204, 80, 14)))[0], ME)


def test_a_head_above_something_held_up_is_a_part_of_the_person() -> None:
    joined = union(disc(120, 60, 32), disc(120, 130, 45))
    parted = joined.copy()
    parted[85:93] = 0
    np.testing.assert_array_equal(isolated(*[joined] * 5, *[parted] * 30)[-1], parted)


def test_a_person_who_touched_is_left_out_as_soon_as_there_is_a_gap() -> None:
    passing = [union(ME, disc(150 + 6 * step, 60, 25)) for step in range(16)]
    results = isolated(*[ME] * 20, *passing)
    assert results[24][60, 190] > 0.5, "they touch"
    for alpha in results[-6:]:
        np.testing.assert_array_equal(alpha, ME)


def test_times_that_go_back_change_nothing() -> None:
    network, state = MainPerson(ScriptedAlphas([ME])), None
    for index, time in enumerate((5000.0, 4999.9, 0.0, 0.1)):
        matte, state = network.process(Frame(np.zeros((4, 8, 3), np.uint8), time, index), state)
        assert np.array_equal(matte.alpha, ME)


def test_no_array_is_allocated_for_two_people() -> None:
    network, state = MainPerson(ScriptedAlphas([np.maximum(ME, BEHIND)])), None
    frames = [Frame(np.zeros((4, 8, 3), np.uint8), index / 10, index) for index in range(4)]
    _, state = network.process(frames[0], state)
    tracemalloc.start()
    for frame in frames[1:]:
        _, state = network.process(frame, state)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < ME.size // 4


def test_a_large_coat_of_which_the_network_is_unsure_is_not_the_main_person() -> None:
    coat = np.float32(0.6) * disc(230, 80, 55)
    alpha = union(disc(60, 110, 40), coat)
    left = isolated(alpha, alpha)[-1]
    np.testing.assert_array_equal(left[:, :110], alpha[:, :110])


def test_tiny_regions_change_nothing() -> None:
    tiny = union(ME, *(disc(30 + 9 * place, 10, 2) for place in range(20)))
    np.testing.assert_array_equal(isolated(tiny, tiny)[-1], tiny)


def test_a_new_shot_starts_without_a_main_person() -> None:
    network = MainPerson(ScriptedAlphas([ME, BEHIND]))
    frame = Frame(np.zeros((4, 8, 3), np.uint8), 0.0, 0)
    network.process(frame, None)
    matte, _ = network.process(frame, None)
    np.testing.assert_array_equal(matte.alpha, BEHIND)


def test_another_grid_starts_again() -> None:
    other = disc(60, 40, 20, shape=(80, 144))
    np.testing.assert_array_equal(isolated(ME, other)[-1], other)


def test_a_read_only_alpha_is_not_written() -> None:
    both = union(ME, BEHIND)
    both.setflags(write=False)
    np.testing.assert_array_equal(isolated(both)[0], ME)


def test_everything_else_is_that_of_the_network() -> None:
    network = ScriptedAlphas([ME])
    main_person = MainPerson(network)
    state = None
    for index in range(3):
        _, state = main_person.process(Frame(np.zeros((4, 8, 3), np.uint8), float(index), index), state)
    assert network.states == [None, (1,), (2,)]
    assert (main_person.name, main_person.provider, tuple(main_person.notices)) == ("scripted", "fake", ("a notice",))
    main_person.close()
    assert network.closed == 1


@pytest.mark.parametrize("only_me", [False, True])
def test_the_pipeline_isolates_only_if_requested(*, only_me: bool) -> None:
    class TwoPeople(ScriptedNetwork):
        def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
            matte, after = super().process(frame, state)
            alpha = np.zeros((64, 96), np.float32)
            alpha[20:60, 10:50] = 1
            alpha[5:20, 75:90] = 1
            return Matte(alpha, matte.foreground), after

    sink = Recorder()
    background = SolidBackground((255, 255, 255))
    source = opener(ScriptedSource(range(3)))
    with Pipeline.open(
        source, background, outputs=[sink], model=TwoPeople, only_me=only_me, notify=[].append, clock=Clock()
    ) as pipeline:
        pipeline.run()
    assert len(sink.images) == 3
    for composite in sink.images:
        assert (composite[40, 30] != 255).any()
        assert (composite[12, 82] == 255).all() == only_me


def test_a_failure_of_the_network_is_raised() -> None:
    class FailingNetwork(ScriptedAlphas):
        def process(self, _frame: Frame, _state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
            raise ModelError("no matte")

    with pytest.raises(ModelError, match="no matte"):
        MainPerson(FailingNetwork([ME])).process(Frame(np.zeros((4, 8, 3), np.uint8), 0.0, 0), None)
