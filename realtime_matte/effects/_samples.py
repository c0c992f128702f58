"""Statistics of the person's colours, on a grid of points: exact enough for light and tint, and almost free."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.interfaces import Area

GRID: Final = (64, 36)
"""Points across and down."""

OPAQUE: Final = 0.9
FEWEST: Final = 12
"""Points of the person below which nothing is measured."""

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


class SampleGrid:
    """Reads images of ``size`` at the points of the grid."""

    def __init__(self, size: Size) -> None:
        columns, rows = (
            ((np.arange(count) + 0.5) * length / count).astype(np.intp)
            for count, length in zip(GRID, size, strict=True)
        )
        self._at = np.ix_(rows, columns)
        self._size = size

    def colors(self, image: Pixels) -> Pixels:
        """(h, w, 3) colours at the points."""
        found: Pixels = image[self._at]
        return found

    def alpha(self, alpha: Alpha) -> Alpha:
        """(h, w) alpha at the points."""
        found: Alpha = alpha[self._at]
        return found

    def person_cells(self, alpha: Alpha) -> Area | None:
        """The cells with the person, and one around them, from ``alpha`` at the points; None if there is no person."""
        found = alpha > 0
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        if not len(rows):
            return None
        return _around(rows, GRID[1]), _around(columns, GRID[0])

    def pixels_of(self, cells: Area) -> Area:
        """The part of the image that these cells cover."""
        rows, columns = cells
        width, height = self._size
        return (
            slice(rows.start * height // GRID[1], rows.stop * height // GRID[1]),
            slice(columns.start * width // GRID[0], columns.stop * width // GRID[0]),
        )

    def person_area(self, alpha: Alpha) -> Area | None:
        """The part of the image with the person, from ``alpha`` at the points; None if there is no person."""
        cells = self.person_cells(alpha)
        return None if cells is None else self.pixels_of(cells)


def _around(cells: NDArray[np.intp], count: int) -> slice:
    return slice(max(0, int(cells[0]) - 1), min(count, int(cells[-1]) + 2))
