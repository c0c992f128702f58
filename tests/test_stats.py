import tracemalloc

import pytest

from realtime_matte.stats import STAGES, Spread, Stats


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def iterate(stats: Stats, clock: Clock, *, matte_s: float = 0.004, send_s: float = 0.002) -> None:
    taken = clock.now
    stats.begin()
    clock.now += matte_s
    stats.lap("matte")
    clock.now += send_s
    stats.lap("send")
    stats.composite_sent(taken)


def test_each_stage_has_its_own_time() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    iterate(stats, clock)
    stages = stats.report().stages
    assert list(stages) == list(STAGES)
    assert stages["matte"].p50 == pytest.approx(0.004)
    assert stages["send"].p50 == pytest.approx(0.002)
    assert stages["wait"] == Spread(0.0, 0.0, 0.0)


def test_times_of_a_stage_add_up_in_one_iteration() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    stats.begin()
    for _ in range(2):
        clock.now += 0.003
        stats.lap("background")
    stats.composite_sent(clock.now)
    assert stats.report().stages["background"].p50 == pytest.approx(0.006)


def test_fps_is_composites_over_the_time_from_first_to_last() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    for _ in range(11):
        clock.now += 0.014
        iterate(stats, clock)
    assert stats.report().fps == pytest.approx(50.0)


def test_restart_resets_figures_but_not_counts() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    iterate(stats, clock, matte_s=9.0)
    stats.restart()
    iterate(stats, clock)
    report = stats.report()
    assert report.composites == 2
    assert report.stages["matte"].p99 == pytest.approx(0.004)


def test_no_figures_before_the_first_composite() -> None:
    report = Stats(clock=Clock()).report()
    assert (report.composites, report.standby_cards, report.fps) == (0, 0, 0.0)
    assert (report.age, report.work, report.stages) == (None, None, {})


def test_one_composite_has_an_age_but_no_fps() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    iterate(stats, clock)
    report = stats.report()
    assert report.fps == 0.0
    assert report.age is not None
    assert report.age.p50 == pytest.approx(0.006)


def test_a_rare_slow_frame_shows_in_p95_only() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    for index in range(100):
        iterate(stats, clock, matte_s=0.104 if index % 10 == 0 else 0.004)
    age = stats.report().age
    assert age is not None
    assert age.p50 == pytest.approx(0.006)
    assert age.p95 == pytest.approx(0.106)


def test_only_the_last_composites_count() -> None:
    clock = Clock()
    stats = Stats(clock=clock, window=8)
    for matte_s in [0.5] * 20 + [0.004] * 8:
        iterate(stats, clock, matte_s=matte_s)
    report = stats.report()
    assert report.composites == 28
    assert report.stages["matte"].p95 == pytest.approx(0.004)


def test_a_pause_with_standby_cards_is_not_a_slow_frame() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    iterate(stats, clock)
    clock.now += 60
    stats.begin()
    stats.card_sent()
    for _ in range(2):
        clock.now += 0.014
        iterate(stats, clock)
    report = stats.report()
    assert (report.composites, report.standby_cards) == (3, 1)
    assert report.fps == pytest.approx(50.0)


def test_times_of_an_iteration_with_a_standby_card_are_discarded() -> None:
    clock = Clock()
    stats = Stats(clock=clock)
    stats.begin()
    clock.now += 9
    stats.lap("matte")
    stats.card_sent()
    iterate(stats, clock)
    assert stats.report().stages["matte"].p95 == pytest.approx(0.004)


def test_recording_keeps_no_allocation() -> None:
    clock = Clock()
    stats = Stats(clock=clock, window=16)
    for _ in range(100):
        iterate(stats, clock)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(1000):
        iterate(stats, clock)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1024  # a few floats; a record of each iteration would be tens of kB


def test_work_is_all_stages_but_wait() -> None:
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


def test_an_unknown_stage_raises_key_error() -> None:
    with pytest.raises(KeyError):
        Stats(clock=Clock()).lap("lunch")


def test_medians_are_those_of_the_report() -> None:
    now = iter(float(number**2) for number in range(1000))
    stats = Stats(clock=lambda: next(now))
    assert stats.medians() == {}
    for _ in range(5):
        stats.begin()
        for stage in ("wait", "matte", "send"):
            stats.lap(stage)
        stats.composite_sent(0.0)
    assert stats.medians() == {stage: spread.p50 for stage, spread in stats.report().stages.items()}
