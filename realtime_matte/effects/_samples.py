"""The person's colours on a coarse grid: exact enough for light and tint, and almost free."""

from functools import cached_property
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.look import GRID

OPAQUE: Final = 0.9
FEWEST: Final = 12
"""Cells of the person below which nothing is measured."""

READ: Final = 4
"""Pixels across and down that are read of each cell, if it has so many."""

GAMMA: Final = 2.2
LINEAR: Final = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
"""Linear light of each pixel value."""

LUMINANCE: Final = np.array([0.0722, 0.7152, 0.2126], np.float32)
"""Share of blue, green and red (BT.709)."""

Light: TypeAlias = NDArray[np.float32]
"""Linear, from 0 to 1."""

Points: TypeAlias = NDArray[np.uint8]
"""(n, 3), BGR."""


def linear_table(light: NDArray[np.floating]) -> Points:
    """The look-up table that gives each pixel value the linear light ``light`` (256, ...), from 0 to 1."""
    return np.asarray(np.rint(255 * np.clip(light, 0, 1) ** (1 / GAMMA)), np.uint8)


class FrameSamples:
    """The samples of a frame, see ``look.Samples``. Its arrays must not change while it is used.

    Args:
        time: Of the frame.
        pixels: Its colours, of any size.
        alpha: Its alpha, of any size.
        background: What will be behind the person, of any size.
    """

    def __init__(self, time: float, pixels: Pixels, alpha: Alpha, background: Pixels | None) -> None:
        self.time = time
        self.has_background = background is not None
        self._pixels, self._alpha, self._background = pixels, alpha, background

    @cached_property
    def colors(self) -> Pixels:
        """(36, 64, 3)."""
        return _means(self._pixels)

    @cached_property
    def alpha(self) -> Alpha:
        """(36, 64)."""
        return np.asarray(cv2.resize(self._alpha, GRID, interpolation=cv2.INTER_AREA), np.float32)

    @cached_property
    def background(self) -> Pixels:
        """(36, 64, 3)."""
        assert self._background is not None  # noqa: S101 - has_background
        return _means(self._background)


def _means(image: Pixels) -> Pixels:
    """(36, 64, 3), means over the cells; of large images not every pixel is read."""
    step = max(1, min(image.shape[1] // GRID[0], image.shape[0] // GRID[1]) // READ)
    read = np.ascontiguousarray(image[::step, ::step])
    return np.asarray(cv2.resize(read, GRID, interpolation=cv2.INTER_AREA), np.uint8)
