"""Governor: measures whether the pipeline is as fast as its camera, and picks a lighter model if it is not."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

WINDOW: Final = 128
"""Number of frames in a window: about four seconds of a camera."""

MAX_DROPPED: Final = 0.2
"""Share of dropped frames in a window above which the pipeline is too slow: viewers see jerks."""

SLOW_WINDOWS: Final = 3
"""Slow windows in a row before it acts: a short load, or a change of the model, does not mean a slow machine."""


class RunningModel(Protocol):
    """The network that runs now."""

    @property
    def network(self) -> str:
        """Its name."""

    @property
    def model(self) -> str:
        """Its name and the provider that runs it."""


class Governor:
    """Reports that frames arrive faster than they are shown, and requests a lighter network while there is one."""

    def __init__(self, running: RunningModel, *, notify: Callable[[str], None]) -> None:
        self._running = running
        self._notify = notify
        self._slow_windows = 0
        self._window_start: tuple[int, int] | None = None
        self._lighter: list[str] = []
        self._switch: Callable[[str], None]
        self._hint = ""

    def set_models(self, lighter: Sequence[str], switch: Callable[[str], None]) -> None:
        """Set the specs of lighter networks, heaviest first, possibly none, and the function that switches to one."""
        self._lighter = list(lighter)
        self._switch = switch
        self._hint = "a smaller --size" if lighter else "--model small?quality=low or a smaller --size"

    def update(self, *, shown: int, dropped: int) -> None:
        """Evaluate the run so far. Called after each frame with the counts of the whole run."""
        if self._window_start is None:
            self._window_start = shown, dropped
        new_shown, new_dropped = shown - self._window_start[0], dropped - self._window_start[1]
        frames = new_shown + new_dropped
        if frames < WINDOW or self._slow_windows == SLOW_WINDOWS:
            return
        self._window_start = shown, dropped
        self._slow_windows = self._slow_windows + 1 if new_dropped > MAX_DROPPED * frames else 0
        if self._slow_windows == SLOW_WINDOWS:
            self._act(f"{new_shown} of the last {frames} frames were shown, with {self._running.model}")

    def _act(self, found: str) -> None:
        """Switch to the next lighter network and start a new window; without one, report what the user can do."""
        lighter = next((spec for spec in self._lighter if spec != self._running.network), None)
        if lighter is None:
            hint = f"use {self._hint}, or see with rtmatte bench what takes the time"
            self._notify(f"too slow for this camera: {found}; {hint}")
            return
        self._lighter = self._lighter[self._lighter.index(lighter) + 1 :]
        self._slow_windows, self._window_start = 0, None
        self._notify(f"too slow for this camera: {found}; switching to the model {lighter}")
        self._switch(lighter)
