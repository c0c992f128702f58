"""Governor: finds by the time of each stage why the pipeline is too slow, and uses a lighter model if that helps.

When there is time again, and at most once in CHANGE_EVERY_S, it goes back to the heavier one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

WINDOW_S: Final = 4.0
"""Length of a window, after which it decides."""

MIN_FRAMES: Final = 30
"""A window with fewer frames says nothing: the camera was off for a part of it."""

MAX_DROPPED: Final = 0.2
"""Share of dropped frames in a window above which the pipeline is too slow: viewers see jerks."""

SLOW_WINDOWS: Final = 3
"""Slow windows in a row before it acts: a short load, or a change of the model, does not mean a slow machine."""

CALM_WINDOWS: Final = 4
"""Windows in a row in which the heavier model would have fitted, before it is used again."""

ROOM: Final = 0.7
"""The heavier model fits if all stages together would take at most this share of the time between two frames."""

CHANGE_EVERY_S: Final = 30.0
"""Least time between two changes."""

RELAPSE_S: Final = 120.0
"""If the heavier model is too slow again within this time, the next try comes after twice the time."""

LONGEST_WAIT_S: Final = 1800.0

MATTE: Final = "matte"
LIGHTEST: Final = "small?quality=low"

HINTS: Final[Mapping[str, str]] = {
    "fit": "request a smaller size from the camera: --size",
    "refine": "use a smaller --size",
    "background": "use a smaller clip, or a still image",
    "composite": "use a smaller --size, or fewer effects",
    "send": "use fewer outputs, or a smaller --size",
}
"""What the user can do about a slow stage. ``matte``: see ``set_models``."""

Switch = Callable[[str, Callable[[bool], None]], None]
"""Opens a model and uses it; then calls the function, with False if it could not be opened."""


class RunningModel(Protocol):
    """The network that runs now."""

    @property
    def network(self) -> str:
        """Its name."""

    @property
    def model(self) -> str:
        """Its name and the provider that runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What was measured in one window.

    Attributes:
        shown: Frames that were shown.
        dropped: Frames that were not.
        stages: Median seconds of each stage but the waiting for the camera.
        period_s: Time between two frames of the camera.
    """

    shown: int
    dropped: int
    stages: Mapping[str, float]
    period_s: float

    @property
    def frames(self) -> int:
        """All frames of the camera."""
        return self.shown + self.dropped

    @property
    def work_s(self) -> float:
        """Time of all stages."""
        return sum(self.stages.values())

    @property
    def is_slow(self) -> bool:
        """Whether viewers see jerks, or the camera is not kept up with."""
        return self.dropped > MAX_DROPPED * self.frames or self.work_s > self.period_s

    @property
    def slowest(self) -> str:
        """The stage to act on: the network's if half of its time is enough, else the one that takes most."""
        matte_s = self.stages.get(MATTE, 0.0)
        if self.work_s > self.period_s >= self.work_s - matte_s / 2:
            return MATTE
        return max(self.stages, key=lambda stage: self.stages[stage], default=MATTE)


class Governor:
    """Uses lighter and heavier models of a list. The pipeline's thread only.

    Args:
        running: The network that runs.
        notify: Gets each change, and each slow stage that no other model helps against, once.
    """

    def __init__(self, running: RunningModel, *, notify: Callable[[str], None]) -> None:
        self._running = running
        self._notify = notify
        self._reported: set[str] = set()
        self.set_models((), lambda _spec, done: done(False))  # noqa: FBT003 -- its only argument

    def set_models(self, models: Sequence[str], switch: Switch) -> None:
        """Set the models, heaviest first, of which the first one runs now; empty if the user chose one."""
        self._models = list(models)
        self._switch = switch
        self._level = 0
        self._heavier: list[int] = []  # levels that were left, to return to
        self._pending = False
        self._slow = self._calm = 0
        self._changed_at, self._rose_at = float("-inf"), float("-inf")
        self._wait_s = CHANGE_EVERY_S
        self._before_s: float | None = None  # time of the network before it became lighter, until the ratio is known
        self._ratio = 2.0  # of the heavier model's time to the present one's
        self._counts: tuple[int, int] | None = None
        self._window_end = float("-inf")
        self._saving = False
        self._unsaved_level = 0

    def set_saving(self, now: float, *, saving: bool) -> None:
        """Use the lightest model while ``saving``, or no longer. Called with each step; acts on a change only."""
        if saving == self._saving or self._pending or not self._models:
            return
        self._saving = saving
        level = len(self._models) - 1 if saving else self._unsaved_level
        if saving:
            self._unsaved_level = self._level
        if level != self._level and self._models[level] != self._running.network:
            self._start_change(now)
            self._change(level, "to save power (--power-saver off keeps the other)" if saving else "on full power")

    def update(
        self,
        now: float,
        *,
        shown: int,
        dropped: int,
        fps: float,
        stages: Callable[[], Mapping[str, float]],
    ) -> None:
        """Decide at the end of a window. Called with each step.

        Args:
            now: Seconds.
            shown: Composites of the whole run.
            dropped: Dropped frames of the whole run.
            fps: The camera's rate.
            stages: Returns the median time of each stage of the last frames; called at the end of a window.
        """
        if now < self._window_end:
            return
        counts, self._counts, self._window_end = self._counts, (shown, dropped), now + WINDOW_S
        if counts is None or self._pending or fps <= 0:
            return
        new_shown, new_dropped = shown - counts[0], dropped - counts[1]
        if new_shown + new_dropped < MIN_FRAMES or new_shown <= 0:
            return
        times = {stage: seconds for stage, seconds in stages().items() if stage != "wait"}
        self._decide(now, Window(shown=new_shown, dropped=new_dropped, stages=times, period_s=1 / fps))

    def _decide(self, now: float, window: Window) -> None:
        self._measure_ratio(window)
        self._slow = self._slow + 1 if window.is_slow else 0
        self._calm = self._calm + 1 if self._heavier and self._would_fit(window) else 0
        if self._slow >= SLOW_WINDOWS:
            self._act_on(now, window)
        elif self._calm >= CALM_WINDOWS and not self._saving and now >= self._changed_at + self._wait_s:
            self._rose_at = now
            self._start_change(now)
            self._change(self._heavier[-1], "as there is time for it again")

    def _act_on(self, now: float, window: Window) -> None:
        found = (
            f"{window.shown} of the last {window.frames} frames were shown, "
            f"{1e3 * window.work_s:.0f} ms a frame of {1e3 * window.period_s:.0f} ms with {self._running.model}"
        )
        lighter = self._lighter_level()
        if window.slowest != MATTE or lighter is None:
            self._report(window, found)
            return
        if now < self._changed_at + CHANGE_EVERY_S:
            return
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S) if now < self._rose_at + RELAPSE_S else CHANGE_EVERY_S
        self._start_change(now)
        self._before_s = window.stages.get(MATTE)
        self._change(lighter, f"as the pipeline is too slow for this camera: {found}")

    def _report(self, window: Window, found: str) -> None:
        """Say once for each stage what the user can do."""
        stage = window.slowest
        if stage in self._reported:
            return
        self._reported.add(stage)
        if stage == MATTE:
            is_lightest = self._models or self._running.network == LIGHTEST
            hint = "use a smaller --size" if is_lightest else f"use --model {LIGHTEST} or a smaller --size"
        else:
            hint = f"the stage {stage} takes {1e3 * window.stages[stage]:.0f} ms: {HINTS.get(stage, 'use less of it')}"
        self._notify(f"too slow for this camera: {found}; {hint}, or see with rtmatte bench what takes the time")

    def _lighter_level(self) -> int | None:
        """The next lighter model that is not the running one by another name; None if there is none."""
        levels = range(self._level + 1, len(self._models))
        return next((level for level in levels if self._models[level] != self._running.network), None)

    def _would_fit(self, window: Window) -> bool:
        matte_s = window.stages.get(MATTE, 0.0)
        heavier_s = window.work_s + (self._ratio - 1) * matte_s
        return heavier_s <= ROOM * window.period_s and window.dropped <= MAX_DROPPED / 4 * window.frames

    def _measure_ratio(self, window: Window) -> None:
        """Compare the networks under about the same load: in the last window before the change and the first after."""
        matte_s = window.stages.get(MATTE, 0.0)
        if self._before_s is not None and matte_s > 0:
            self._ratio = max(1.0, self._before_s / matte_s)
            self._before_s = None

    def _start_change(self, now: float) -> None:
        self._changed_at = now
        self._slow = self._calm = 0

    def _change(self, level: int, reason: str) -> None:
        before = self._level, list(self._heavier)

        def done(used: bool) -> None:  # noqa: FBT001 -- a callback
            self._pending = False
            self._counts, self._window_end = None, float("-inf")
            if not used:
                self._level, self._heavier = before

        if level > self._level:
            self._heavier.append(self._level)
        else:
            self._heavier = [other for other in self._heavier if other < level]
        self._level, self._pending = level, True
        self._notify(f"switching to the model {self._models[level]}, {reason}")
        self._switch(self._models[level], done)
