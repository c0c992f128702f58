"""A canvas for drawn backgrounds: positions relative to the height, colours as 0xRRGGBB, out of focus.

It has a fixed height, so that a scene looks the same at every output size; it is resized at the end.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size

HEIGHT: Final = 360
MAX_WIDTH: Final = 4 * HEIGHT
MAX_PIXELS: Final = 3840 * 2160
"""Larger images are enlarged from this: the floats of 8000x8000 take 4 GB, and minutes where memory is short."""

GLOW_EXTENT: Final = 3.5
"""Radius of a glow in standard deviations: farther out it is invisible."""

NOISE: Final = 1.2
"""Amplitude in levels: with it, gradients show no bands."""

Position: TypeAlias = tuple[float, float]
"""(x, y) in heights: x from the centre, so that shapes keep their proportions, y from the top."""

Floats: TypeAlias = NDArray[np.floating[Any]]


class Canvas:
    """An image being drawn, for an output of ``size``."""

    def __init__(self, size: Size) -> None:
        self._size = size
        width = min(max(round(HEIGHT * size[0] / size[1]), 1), MAX_WIDTH)
        self._pixels = np.zeros((HEIGHT, width, 3), np.float32)
        self._x: Floats = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / HEIGHT
        self._y: Floats = (np.arange(HEIGHT, dtype=np.float32) + 0.5) / HEIGHT

    def gradient(self, stops: Sequence[tuple[float, int]]) -> None:
        """Fill the canvas from top to bottom; each stop is a height and its colour."""
        heights = [height for height, _ in stops]
        colors = np.array([bgr(color) for _, color in stops])
        for channel in range(3):
            self._pixels[..., channel] = np.interp(self._y, heights, colors[:, channel])[:, None]

    def glow(self, center: Position, sigma: Position, color: int, strength: float) -> None:
        """Blend a colour with a Gaussian weight of standard deviations ``sigma``, ``strength`` at its centre."""
        area, x, y = self._around(center, (GLOW_EXTENT * sigma[0], GLOW_EXTENT * sigma[1]))
        down, across = (np.exp(-((distance * GLOW_EXTENT) ** 2) / 2) for distance in (y, x))
        self._blend(area, strength * np.outer(down, across), color)

    def ellipse(self, center: Position, radii: Position, color: int, strength: float) -> None:
        """Blend an ellipse."""
        area, x, y = self._around(center, radii)
        self._blend(area, strength * (np.hypot(x[None], y[:, None]) < 1), color)

    def box(self, upper_left: Position, lower_right: Position, color: int) -> None:
        """Fill a rectangle."""
        center = (upper_left[0] + lower_right[0]) / 2, (upper_left[1] + lower_right[1]) / 2
        area, x, y = self._around(center, (lower_right[0] - center[0], lower_right[1] - center[1]))
        self._blend(area, np.ones((y.size, x.size)), color)

    def blur(self, sigma: float) -> None:
        """Blur all that was drawn so far; ``sigma`` in heights."""
        cv2.GaussianBlur(self._pixels, (0, 0), sigma * HEIGHT, dst=self._pixels, borderType=cv2.BORDER_REPLICATE)

    def finish(self) -> Pixels:
        """The image at the output's size."""
        size = _within(self._size, MAX_PIXELS)
        full = cv2.resize(self._pixels, size, interpolation=cv2.INTER_CUBIC)
        noise = np.random.default_rng(1).uniform(-NOISE, NOISE, (*full.shape[:2], 1)).astype(np.float32)
        image = np.asarray(np.clip(full + noise + 0.5, 0, 255), np.uint8)
        if size == self._size:
            return image
        return np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _around(self, center: Position, reach: Position) -> tuple[tuple[slice, slice], Floats, Floats]:
        """The rows and columns within ``reach`` of a position, and their distances from it in units of the reach."""
        columns = slice(*np.searchsorted(self._x, (center[0] - reach[0], center[0] + reach[0])))
        rows = slice(*np.searchsorted(self._y, (center[1] - reach[1], center[1] + reach[1])))
        return (rows, columns), (self._x[columns] - center[0]) / reach[0], (self._y[rows] - center[1]) / reach[1]

    def _blend(self, area: tuple[slice, slice], weight: Floats, color: int) -> None:
        pixels = self._pixels[area]
        pixels += (bgr(color) - pixels) * weight[..., None].astype(np.float32)


def _within(size: Size, most: int) -> Size:
    """A size of the same shape with at most ``most`` pixels."""
    scale = min(1, (most / (size[0] * size[1])) ** 0.5)
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def bgr(color: int) -> NDArray[np.float32]:
    """0xRRGGBB as blue, green, red."""
    return np.array([color & 0xFF, color >> 8 & 0xFF, color >> 16], np.float32)
