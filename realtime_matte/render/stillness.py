"""For how long what a network takes for a person has not moved at all, so that it can be none: a statue, a coat."""

from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels

MIN_ALPHA: Final = 0.05
"""Alpha from which on a cell may be of a person."""

REACH: Final = np.ones((7, 7), np.uint8)
"""A person's outline moves beside them too."""

MOVED: Final = 10
"""Change of the green channel, after a blur, that is motion and not noise."""

MOVED_SHARE: Final = 0.002
"""Share of those cells that move while a person breathes, blinks or speaks."""

MIN_MOVED: Final = 2
"""So many cells may change in any case."""


class Stillness:
    """Compares each frame with the first one since the last motion, on a grid of ``shape`` (h, w).

    ``seconds``: for how long nothing has moved where alpha is not nearly 0, or beside it.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.seconds = 0.0
        self._started = False
        self._foreground, self._blurred, self._before, self._moved = np.zeros((4, *shape), np.uint8)

    def update(self, alpha: Alpha, green: Pixels, elapsed_s: float) -> None:
        """Look at a frame: its alpha and its green channel, both (h, w)."""
        cv2.blur(green, (3, 3), dst=self._blurred)
        cv2.inRange(alpha, MIN_ALPHA, 2.0, dst=self._foreground)
        cv2.dilate(self._foreground, REACH, dst=self._foreground)
        cv2.absdiff(self._blurred, self._before, dst=self._moved)
        cv2.threshold(self._moved, MOVED, 1, cv2.THRESH_BINARY, dst=self._moved)
        cv2.bitwise_and(self._moved, self._foreground, dst=self._moved)
        limit = max(MIN_MOVED, MOVED_SHARE * cv2.countNonZero(self._foreground))
        if self._started and cv2.countNonZero(self._moved) <= limit:
            self.seconds += elapsed_s
        else:
            self.seconds, self._started = 0.0, True
            np.copyto(self._before, self._blurred)

    def reset(self) -> None:
        """Begin again with the next frame."""
        self.seconds, self._started = 0.0, False
