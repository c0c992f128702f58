"""A band is all pixels between two rows of cells. Each is split into runs: all room, all person, or edge."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.axis import Indices
from realtime_matte.render.guided_filter import EDGE, Bytes
from realtime_matte.render.jit import kernel

Bands: TypeAlias = tuple[Bytes, NDArray[np.int64], Indices, Bytes]
"""The bands under each of h rows of w cells: (between, runs, first, kind).

``between`` (h, w): what is between each cell and those to its right and below. ``runs`` (h): how many a band has.
``first`` (h, w + 1): the first pixel of each run, then the frame's width. ``kind`` (h, w): what each run is.
"""


def bands_of(shape: tuple[int, int]) -> Bands:
    """For grids of ``shape`` (h, w)."""
    height, width = shape
    return (
        np.zeros(shape, np.uint8),
        np.zeros(height, np.int64),
        np.zeros((height, width + 1), np.uint64),
        np.zeros(shape, np.uint8),
    )


@kernel
def split(cells: Bytes, start: Indices, bands: Bands) -> None:
    """Split every band by what the ``cells`` (h, w) are; ``start`` (w + 1): their first pixels."""
    between, runs, first, kind = bands
    end = cells.shape[1]
    for row in range(cells.shape[0]):
        _look(cells, row, between[row])
        count = 0
        for x in range(end):
            if count == 0 or between[row, x] != kind[row, count - 1]:
                first[row, count], kind[row, count] = start[x], between[row, x]
                count += 1
        first[row, count], runs[row] = start[end], count


@kernel
def _look(cells: Bytes, row: int, between: Bytes) -> None:
    """Sure where all four cells are, and of the same kind: what is between them mixes their models."""
    below, end = min(row + 1, cells.shape[0] - 1), cells.shape[1] - 1
    for x in range(end + 1):
        kind, right = cells[row, x], min(x + 1, end)
        same = kind == cells[row, right] and kind == cells[below, x] and kind == cells[below, right]
        between[x] = kind if same else np.uint8(EDGE)
