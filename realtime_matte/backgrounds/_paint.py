"""A brush for drawn backgrounds: places in parts of the picture, colours as 0xRRGGBB, soft as out of focus.

The canvas has a fixed height, so that a scene looks the same at every size; it is made full-size at the end.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size

HEIGHT: Final = 360
WIDEST: Final = 4 * HEIGHT
FADED: Final = 3.5  # Gaussian widths after which nothing is left to see
GRAIN: Final = 1.2  # levels of noise: gradients show no bands

Place: TypeAlias = tuple[float, float]
"""(x, y): x in heights from the middle, so that shapes keep their form; y in heights from the top."""

Floats: TypeAlias = NDArray[np.floating[Any]]


class Canvas:
    """A picture being painted."""

    def __init__(self, size: Size) -> None:
        self._size = size
        width = min(max(round(HEIGHT * size[0] / size[1]), 1), WIDEST)
        self._pixels = np.zeros((HEIGHT, width, 3), np.float32)
        self._x: Floats = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / HEIGHT
        self._y: Floats = (np.arange(HEIGHT, dtype=np.float32) + 0.5) / HEIGHT

    def gradient(self, stops: Sequence[tuple[float, int]]) -> None:
        """Fill it all from top to bottom, through colours at heights."""
        heights = [height for height, _ in stops]
        colors = np.array([bgr(color) for _, color in stops])
        for channel in range(3):
            self._pixels[..., channel] = np.interp(self._y, heights, colors[:, channel])[:, None]

    def glow(self, at: Place, reach: Place, color: int, strength: float) -> None:
        """Blend towards a colour, fading out like a Gaussian of these two widths."""
        part, x, y = self._around(at, (FADED * reach[0], FADED * reach[1]))
        down, across = (np.exp(-((way * FADED) ** 2) / 2) for way in (y, x))
        self._blend(part, strength * np.outer(down, across), color)

    def disc(self, at: Place, reach: Place, color: int, strength: float) -> None:
        """An ellipse."""
        part, x, y = self._around(at, reach)
        self._blend(part, strength * (np.hypot(x[None], y[:, None]) < 1), color)

    def box(self, at: Place, to: Place, color: int) -> None:
        """A rectangle from its upper left to its lower right corner."""
        middle = (at[0] + to[0]) / 2, (at[1] + to[1]) / 2
        part, x, y = self._around(middle, (to[0] - middle[0], to[1] - middle[1]))
        self._blend(part, np.ones((y.size, x.size)), color)

    def soften(self, sigma: float) -> None:
        """Put all that was painted so far out of focus; ``sigma`` in heights."""
        cv2.GaussianBlur(self._pixels, (0, 0), sigma * HEIGHT, dst=self._pixels, borderType=cv2.BORDER_REPLICATE)

    def finish(self) -> Pixels:
        """The full-size picture."""
        full = cv2.resize(self._pixels, self._size, interpolation=cv2.INTER_CUBIC)
        grain = np.random.default_rng(1).uniform(-GRAIN, GRAIN, (*full.shape[:2], 1)).astype(np.float32)
        return np.asarray(np.clip(full + grain + 0.5, 0, 255), np.uint8)

    def _around(self, at: Place, reach: Place) -> tuple[tuple[slice, slice], Floats, Floats]:
        """The rows and columns within reach of a place, and how far they are from it in parts of the reach."""
        columns = slice(*np.searchsorted(self._x, (at[0] - reach[0], at[0] + reach[0])))
        rows = slice(*np.searchsorted(self._y, (at[1] - reach[1], at[1] + reach[1])))
        return (rows, columns), (self._x[columns] - at[0]) / reach[0], (self._y[rows] - at[1]) / reach[1]

    def _blend(self, part: tuple[slice, slice], share: Floats, color: int) -> None:
        pixels = self._pixels[part]
        pixels += (bgr(color) - pixels) * share[..., None].astype(np.float32)


def bgr(color: int) -> NDArray[np.float32]:
    """0xRRGGBB as blue, green, red."""
    return np.array([color & 0xFF, color >> 8 & 0xFF, color >> 16], np.float32)
