"""When the frames of a source without a sensor are due."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime_matte.errors import SpecError

DEFAULT_FPS = 30.0
LOWEST_FPS, HIGHEST_FPS = 1.0, 1000.0


@dataclass(frozen=True, slots=True)
class Tick:
    """The index of a frame, from 0, and its time, s."""

    index: int
    time: float


class Ticks(Protocol):
    """One tick for each frame."""

    @property
    def fps(self) -> float:
        """Ticks a second."""

    @property
    def live(self) -> bool:
        """True when they come in real time."""

    @property
    def frames(self) -> int | None:
        """How many there are in all; None: without end."""

    def next(self) -> Tick | None:
        """The next tick, after waiting for it if ``live``; None at the end."""


class LiveTicks:
    """Ticks in real time from the first one on, without end; those that no call came for are left out."""

    live = True
    frames = None

    def __init__(
        self,
        fps: float,
        *,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.fps = fps
        self._clock = clock
        self._sleep = sleep
        self._start: float | None = None
        self._index = 0

    def next(self) -> Tick:
        """The tick that is due, or else the next one."""
        now = self._clock()
        if self._start is None:
            self._start = now
        index = max(self._index, math.floor((now - self._start) * self.fps))
        due = self._start + index / self.fps
        if due > now:
            self._sleep(due - now)
        self._index = index + 1
        return Tick(index, due)


class CountedTicks:
    """A number of ticks, as fast as they are asked for; their times start now and are ``1 / fps`` apart."""

    live = False

    def __init__(self, fps: float, frames: int, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.fps = fps
        self.frames = frames
        self._start = clock()
        self._index = 0

    def next(self) -> Tick | None:
        """The next tick."""
        if self._index == self.frames:
            return None
        self._index += 1
        return Tick(self._index - 1, self._start + (self._index - 1) / self.fps)


def make_ticks(fps: float | None, frames: int | None) -> Ticks:
    """``frames`` ticks, or live ones without end. Raises SpecError for a rate out of range."""
    rate = checked_fps(fps)
    return LiveTicks(rate) if frames is None else CountedTicks(rate, frames)


def checked_fps(fps: float | None) -> float:
    """The rate, the default for None. Raises SpecError where it is out of range."""
    if fps is None:
        return DEFAULT_FPS
    if not LOWEST_FPS <= fps <= HIGHEST_FPS:
        raise SpecError(
            f"{fps:g} frames a second are out of range", hint=f"take {LOWEST_FPS:g} to {HIGHEST_FPS:g}, such as 30"
        )
    return fps
