"""Doubt about a matte: signs that it shows background as foreground, measured on the coarse grid."""

from math import exp
from typing import Final

MAX_COVERED: Final = 0.95
"""Mean alpha above which hardly any background is left: a person fills less, even near the camera."""

COVERED_S: Final = 2.0
"""How long a matte may cover that much: a person may come close, or hold a hand in front of the camera."""

MAX_REVEALED: Final = 0.10
"""Share of the image that may suddenly turn from background into foreground without a change of its colours."""

TIME_CONSTANT_S: Final = 2.0
"""Time constant of the usual share: clothes of the background's colour, before a known background, are no failure."""

COVERED: Final = "the matte has covered more than 95 % of the image for 2 s"
REVEALED: Final = "background that was seen before is shown as foreground, on more than 10 % of the image"


class DoubtDetector:
    """Checks the mattes of one shot, in order."""

    def __init__(self) -> None:
        self._time: float | None = None
        self._covered_since: float | None = None
        self._usual = 0.0

    def update(self, *, covered: float, revealed: float, time: float) -> str:
        """Why the matte of a frame may be wrong; empty if nothing indicates that.

        Args:
            covered: Mean alpha.
            revealed: Share of the image that is foreground in the colours of the clean plate.
            time: The frame's time, in seconds.
        """
        elapsed_s = 0.0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        if covered <= MAX_COVERED:
            self._covered_since = None
        elif self._covered_since is None:
            self._covered_since = time
        if revealed > self._usual + MAX_REVEALED:
            return REVEALED
        self._usual += (1 - exp(-elapsed_s / TIME_CONSTANT_S)) * (revealed - self._usual)
        long_covered = self._covered_since is not None and time - self._covered_since >= COVERED_S
        return COVERED if long_covered else ""
