"""A value that follows its target slowly, and rests while the target only wavers."""

from math import exp
from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

INTERVAL_S: Final = 0.1
"""Between two measurements."""

LONGEST_S: Final = 0.5
"""A longer gap between frames counts as this."""


class Steady:
    """Values that are measured ten times a second and approach the target with the time constant ``seconds``.

    They rest while no value is farther than ``dead_zone`` from its target; once moving, they go on until ``dead_zone``
    / 5. The first target of a shot is taken at once.
    """

    def __init__(self, count: int, *, seconds: float, dead_zone: float) -> None:
        self.values: Values = np.zeros(count)
        self._target: Values = np.zeros(count)
        self._seconds = seconds
        self._dead_zone = dead_zone
        self.reset()

    def reset(self) -> None:
        """The next target is taken at once."""
        self._time: float | None = None
        self._measured: float | None = None
        self._moves = False

    def is_due(self, time: float) -> bool:
        """Whether a target is to be measured for the frame of this time."""
        return self._measured is None or not 0 <= time - self._measured < INTERVAL_S

    def aim(self, target: Values, time: float) -> None:
        """Set the measured target."""
        if self._measured is None:
            self.values = np.array(target, np.float64)
        self._target, self._measured = target, time

    def advance(self, time: float) -> bool:
        """Move on to the frame of this time. Returns whether a value has changed."""
        elapsed = 0.0 if self._time is None else min(max(0.0, time - self._time), LONGEST_S)
        first, self._time = self._time is None, time
        distance = float(np.abs(self._target - self.values).max())
        self._moves = distance > (self._dead_zone / 5 if self._moves else self._dead_zone)
        if self._moves and self._measured is not None:
            self.values = self.values + (self._target - self.values) * (1 - exp(-elapsed / self._seconds))
        return first or self._moves
