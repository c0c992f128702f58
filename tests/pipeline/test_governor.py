"""The governor decides by the time of the stages: what is slow is acted on, and there is a way back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import pytest

from realtime_matte.pipeline.governor import (
    CALM_WINDOWS,
    CHANGE_EVERY_S,
    RELAPSE_S,
    SLOW_WINDOWS,
    WINDOW_S,
    Governor,
    Window,
)

FPS = 30.0
AUTO = "auto", "small", "small?quality=low"

OTHERS: Mapping[str, float] = {"wait": 9.0, "fit": 0.001, "refine": 0.002, "background": 0.0, "composite": 0.001}
"""Seconds of the other stages; the waiting for the camera does not count."""


@dataclass
class Machine:
    """A machine whose stages take what the test says, with a clock that the test advances.

    Attributes:
        matte_s: Seconds of each network.
        stages: Seconds of the other stages.
    """

    matte_s: dict[str, float]
    stages: dict[str, float] = field(default_factory=lambda: dict(OTHERS))
    network: str = "small"
    notices: list[str] = field(default_factory=list)
    changes: list[tuple[float, str]] = field(default_factory=list)
    can_open: bool = True
    now: float = 1000.0
    shown: int = 7
    dropped: int = 1000

    def __post_init__(self) -> None:
        self.governor = Governor(self, notify=self.notices.append)
        self.pending: Callable[[], None] | None = None

    @property
    def model(self) -> str:
        return f"{self.network} on cpu"

    def switch(self, spec: str, done: Callable[[bool], None]) -> None:
        self.changes.append((self.now, spec))
        self.pending = partial(self.finish, spec, done)

    def finish(self, spec: str, done: Callable[[bool], None]) -> None:
        if self.can_open:
            self.network = "small" if spec == "auto" else spec
        done(self.can_open)

    def measured(self) -> Mapping[str, float]:
        return {**self.stages, "matte": self.matte_s[self.network]}

    def run(self, seconds: float) -> None:
        """Run in steps of one frame, and open a model in the step after it was requested."""
        end = self.now + seconds
        owed = 0.0
        while self.now < end:
            work_s = sum(self.measured().values()) - self.stages["wait"]
            spent_s = max(work_s, 1 / FPS)
            self.now += spent_s
            self.shown += 1
            owed += spent_s * FPS - 1
            self.dropped += int(owed)
            owed -= int(owed)
            if self.pending:
                pending, self.pending = self.pending, None
                pending()
            self.governor.update(self.now, shown=self.shown, dropped=self.dropped, fps=FPS, stages=self.measured)

    def run_saving(self, *, saving: bool, seconds: float = 1.0) -> None:
        self.governor.set_saving(self.now, saving=saving)
        self.run(seconds)


def machine(small: float, low: float = 0.001, models: Sequence[str] = AUTO) -> Machine:
    made = Machine({"small": small, "small?quality=low": low})
    made.governor.set_models(models, made.switch)
    return made


LONG_S = 40 * WINDOW_S


def test_a_network_that_is_too_slow_is_replaced_by_a_lighter_one() -> None:
    slow = machine(0.050)
    slow.run((SLOW_WINDOWS + 2) * WINDOW_S)
    assert [spec for _, spec in slow.changes] == ["small?quality=low"], "'small' is what runs already"
    assert "switching to the model small?quality=low, as the pipeline is too slow for this camera: " in slow.notices[0]
    assert "ms a frame of 33 ms with small on cpu" in slow.notices[0]


def test_a_pipeline_that_keeps_up_is_left_alone() -> None:
    for small in (0.001, 0.020, 0.028):
        steady = machine(small)
        steady.run(LONG_S)
        assert (steady.changes, steady.notices) == ([], [])


def test_a_short_load_changes_nothing() -> None:
    loaded = machine(0.010)
    for _ in range(9):
        loaded.matte_s["small"] = 0.060
        loaded.run((SLOW_WINDOWS - 2) * WINDOW_S)
        loaded.matte_s["small"] = 0.010
        loaded.run(2 * WINDOW_S)
    assert loaded.changes == []


def test_a_heavy_background_does_not_blame_the_network() -> None:
    heavy = machine(0.010)
    heavy.stages["background"] = 0.045
    heavy.run(LONG_S)
    assert heavy.changes == []
    [notice] = heavy.notices
    assert "; the stage background takes 45 ms: use a smaller clip, or a still image" in notice


@pytest.mark.parametrize("stage", ["fit", "refine", "composite", "send"])
def test_each_slow_stage_is_reported_once_with_what_to_do(stage: str) -> None:
    heavy = machine(0.005)
    heavy.stages[stage] = 0.080
    heavy.run(LONG_S)
    assert heavy.changes == []
    [notice] = heavy.notices
    assert f"the stage {stage} takes 80 ms: " in notice


def test_the_network_is_lighter_if_half_of_its_time_is_enough_though_another_stage_takes_more() -> None:
    window = Window(shown=100, dropped=0, stages={"matte": 0.012, "background": 0.026}, period_s=1 / FPS)
    assert (window.is_slow, window.slowest) == (True, "matte")
    window = Window(shown=100, dropped=0, stages={"matte": 0.012, "background": 0.032}, period_s=1 / FPS)
    assert window.slowest == "background"


def test_frames_that_are_dropped_by_a_busy_machine_count_too() -> None:
    assert Window(shown=70, dropped=30, stages={"matte": 0.01}, period_s=1 / FPS).is_slow
    assert not Window(shown=90, dropped=10, stages={"matte": 0.01}, period_s=1 / FPS).is_slow


def test_when_there_is_time_again_the_heavier_network_comes_back() -> None:
    loaded = machine(0.050, low=0.025)
    loaded.run(LONG_S)
    assert loaded.network == "small?quality=low"
    loaded.matte_s.update({"small": 0.012, "small?quality=low": 0.006})  # the other program has ended
    loaded.run(LONG_S)
    assert loaded.network == "small"
    assert "switching to the model auto, as there is time for it again" in loaded.notices
    changes = [now for now, _ in loaded.changes]
    assert changes[1] - changes[0] >= CHANGE_EVERY_S


def test_the_heavier_network_stays_away_while_it_would_be_too_slow() -> None:
    slow = machine(0.040, low=0.012)
    slow.run(50 * WINDOW_S)
    assert [spec for _, spec in slow.changes] == ["small?quality=low"], "12 ms times the measured ratio is too much"


def test_it_does_not_swing_back_and_forth() -> None:
    """A load that comes whenever the heavier network is used: each try comes after twice the time."""
    swinging = machine(0.050, low=0.004)
    swinging.run(4 * WINDOW_S)
    for _ in range(400):
        heavy = swinging.network == "small"
        swinging.matte_s.update({"small": 0.050 if heavy else 0.008, "small?quality=low": 0.004})
        swinging.governor._ratio = 2.0
        swinging.run(WINDOW_S)
    times = [now for now, _ in swinging.changes]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= CHANGE_EVERY_S
    ups = gaps[::2]
    assert len(ups) >= 3
    assert all(later > 1.8 * earlier for earlier, later in pairwise(ups[1:]))
    assert RELAPSE_S >= SLOW_WINDOWS * WINDOW_S
    assert CALM_WINDOWS * WINDOW_S < CHANGE_EVERY_S


def test_at_most_one_change_in_thirty_seconds() -> None:
    slow = machine(0.090)
    slow.matte_s.update({"large": 0.200, "small?quality=low": 0.080})
    slow.network = "large"
    slow.run(100.0)
    assert [spec for _, spec in slow.changes] == ["small", "small?quality=low"]
    assert slow.changes[1][0] - slow.changes[0][0] >= CHANGE_EVERY_S
    slow.run(LONG_S)
    assert "; use a smaller --size, or see with rtmatte bench" in slow.notices[-1]
    assert len(slow.notices) == 3


def test_a_model_that_cannot_be_opened_leaves_the_old_one_and_is_tried_again_later() -> None:
    slow = machine(0.050)
    slow.can_open = False
    slow.run((SLOW_WINDOWS + 2) * WINDOW_S)
    slow.can_open = True
    slow.run(LONG_S)
    assert [spec for _, spec in slow.changes] == ["small?quality=low"] * 2
    assert slow.changes[1][0] - slow.changes[0][0] >= CHANGE_EVERY_S
    assert slow.network == "small?quality=low"


def test_a_model_that_the_user_chose_is_kept() -> None:
    chosen = machine(0.050, models=())
    chosen.run(LONG_S)
    assert chosen.changes == []
    [notice] = chosen.notices
    assert "; use --model small?quality=low or a smaller --size, or see with rtmatte bench" in notice


def test_a_pause_of_the_camera_is_no_slow_window() -> None:
    paused = machine(0.010)
    for _ in range(20):
        paused.now += WINDOW_S
        paused.shown += 1
        paused.dropped += 20
        paused.governor.update(paused.now, shown=paused.shown, dropped=paused.dropped, fps=FPS, stages=paused.measured)
    assert (paused.changes, paused.notices) == ([], [])


# power


def test_the_lightest_model_is_used_while_saving_power_and_the_old_one_after_it() -> None:
    saving = machine(0.010, low=0.004)
    saving.run_saving(saving=True)
    assert saving.network == "small?quality=low"
    saving.run_saving(saving=True, seconds=LONG_S)
    assert len(saving.changes) == 1, "it does not go up for lack of load"
    saving.run_saving(saving=False)
    assert [spec for _, spec in saving.changes] == ["small?quality=low", "auto"]
    assert saving.notices == [
        "switching to the model small?quality=low, to save power (--power-saver off keeps the other)",
        "switching to the model auto, on full power",
    ]


def test_saving_power_keeps_a_model_that_the_user_chose() -> None:
    chosen = machine(0.010, models=())
    chosen.run_saving(saving=True, seconds=LONG_S)
    assert (chosen.changes, chosen.notices) == ([], [])


def test_a_model_chosen_while_saving_power_is_made_lighter_as_well() -> None:
    saving = machine(0.010)
    saving.run_saving(saving=True)
    saving.network = "small"
    saving.governor.set_models(AUTO, saving.switch)
    saving.run_saving(saving=True)
    assert saving.network == "small?quality=low"
