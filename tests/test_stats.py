import tracemalloc

import pytest

from realtime_matte.stats import STAGES, Spread, Stats


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turn(stats: Stats, clock: Clock, *, matte_s: float = 0.004, send_s: float = 0.002) -> None:
    taken = clock.now
    stats.begin()
    clock.now += matte_s
    stats.lap("matte")
    clock.now += send_s
    stats.lap("send")
    stats.composite_sent(taken)


def test_each_stage_gets_its_own_time() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    turn(stats, clock)
    stages = stats.report().stages
    assert list(stages) == list(STAGES)
    assert stages["matte"].p50 == pytest.approx(0.004)
    assert stages["send"].p50 == pytest.approx(0.002)
    assert stages["wait"] == Spread(0.0, 0.0, 0.0)


def test_a_stage_entered_twice_in_a_turn_adds_up() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    stats.begin()
    for _ in range(2):
        clock.now += 0.003
        stats.lap("background")
    stats.composite_sent(clock.now)
    assert stats.report().stages["background"].p50 == pytest.approx(0.006)


def test_fps_is_pictures_over_the_time_between_first_and_last() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    for _ in range(11):
        clock.now += 0.014
        turn(stats, clock)
    assert stats.report().fps == pytest.approx(50.0)


def test_figures_start_anew_when_asked_to_and_counts_go_on() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    turn(stats, clock, matte_s=9.0)
    stats.restart()
    turn(stats, clock)
    report = stats.report()
    assert report.composites == 2
    assert report.stages["matte"].p99 == pytest.approx(0.004)


def test_no_figures_before_the_first_picture() -> None:
    report = Stats(clock=Clock()).report()
    assert (report.composites, report.standby_cards, report.fps) == (0, 0, 0.0)
    assert (report.age, report.work, report.stages) == (None, None, {})


def test_one_picture_has_an_age_and_no_fps() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    turn(stats, clock)
    report = stats.report()
    assert report.fps == 0.0
    assert report.age is not None
    assert report.age.p50 == pytest.approx(0.006)


def test_a_rare_slow_picture_shows_in_p95_alone() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    for place in range(100):
        turn(stats, clock, matte_s=0.104 if place % 10 == 0 else 0.004)
    age = stats.report().age
    assert age is not None
    assert age.p50 == pytest.approx(0.006)
    assert age.p95 == pytest.approx(0.106)


def test_only_the_last_pictures_count() -> None:
    clock = Clock()
    stats = Stats(clock=clock, window=8)
    for matte_s in [0.5] * 20 + [0.004] * 8:
        turn(stats, clock, matte_s=matte_s)
    report = stats.report()
    assert report.composites == 28
    assert report.stages["matte"].p95 == pytest.approx(0.004)


def test_a_break_filled_with_cards_is_no_slow_picture() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    turn(stats, clock)
    clock.now += 60
    stats.begin()
    stats.card_sent()
    for _ in range(2):
        clock.now += 0.014
        turn(stats, clock)
    report = stats.report()
    assert (report.composites, report.standby_cards) == (3, 1)
    assert report.fps == pytest.approx(50.0)


def test_time_of_a_turn_that_ended_in_a_card_is_forgotten() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    stats.begin()
    clock.now += 9
    stats.lap("matte")
    stats.card_sent()
    turn(stats, clock)
    assert stats.report().stages["matte"].p95 == pytest.approx(0.004)


def test_counting_allocates_nothing_that_stays() -> None:
    clock = Clock()
    stats = Stats(clock=clock, window=16)
    for _ in range(100):
        turn(stats, clock)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(1000):
        turn(stats, clock)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1024  # a few live floats; a record kept for each turn would be tens of kB


def test_work_is_all_stages_of_a_picture_but_the_wait_for_it() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    stats.begin()
    for stage in STAGES:
        clock.now += 1 if stage == "wait" else 0.001
        stats.lap(stage)
    stats.composite_sent(clock.now)
    work = stats.report().work
    assert work is not None
    assert work.p95 == pytest.approx(0.001 * (len(STAGES) - 1))


def test_an_unknown_stage_is_our_own_mistake() -> None:
    with pytest.raises(KeyError):
        Stats(clock=Clock()).lap("lunch")
