"""Finds cuts: the frame before shows something else.

A cut changes the whole image at once. So does a lamp that is switched on, but it keeps the outlines of most things.
Compared are small images of the edges' strength (Zabih, Miller and Mai 1995 compare edges too), and the change against
the changes before it: fast motion changes every frame, a cut one frame.
"""

from collections import deque
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels

SIZE: Final = (96, 54)
"""Of the compared images, (width, height): edges of people and rooms remain, noise does not."""

HISTORY: Final = 6
"""Frames whose changes are remembered: a run that starts this many frames before a cut finds the same cuts."""

MIN_CHANGE: Final = 0.45
"""Change from which on two frames may be of different shots: 0 for equal frames, about 1 for unrelated ones."""

MIN_RATIO: Final = 2.0
"""How many times larger it is than the median of the changes before it."""

NOISE: Final = 3.0
"""Contrast in levels that is not made larger: that of a camera's noise."""

PLAIN: Final = 0.1
"""Added to the mean squares, which are about 0.5 for a view with details: two black frames are equal."""


class CutDetector:
    """Looks at each frame of a clip in order."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._changes: deque[float] = deque(maxlen=HISTORY)

    def is_cut(self, pixels: Pixels) -> bool:
        """Whether this frame is the first one of another shot. ``pixels``: (H, W, 3) BGR."""
        now = _normalized(pixels)
        if self._before is None or self._before.shape != now.shape:
            self._before = now
            return False
        change = _change(self._before, now)
        self._before = now
        usual = median(self._changes) if self._changes else change  # motion since the first frame is no cut
        self._changes.append(change)
        return change > MIN_CHANGE and change > MIN_RATIO * usual


def _normalized(pixels: Pixels) -> NDArray[np.float32]:
    """The small grey image with its local brightness removed, and its contrast made 1 in each neighbourhood."""
    grey = cv2.cvtColor(cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY).astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 6)
    contrast = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 6))
    return np.asarray(detail / (contrast + NOISE), np.float32)


def _change(before: NDArray[np.float32], now: NDArray[np.float32]) -> float:
    """Mean square difference over the sum of both mean squares: 0 for the same view, about 1 for unrelated ones."""
    energy = float(np.mean(before * before)) + float(np.mean(now * now))
    return float(np.mean((before - now) ** 2)) / (energy + PLAIN)
