"""The frame's pixels between the cells of the coarse grid: bands of rows, split into runs of one kind.

A band is the pixels between two rows of cells; it is split into runs: all background, all foreground, or edge.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel

BACKGROUND, FOREGROUND, EDGE = 0, 1, 2
"""Kinds of cells and runs: alpha is 0 or 1 there for certain, or has to be computed."""

ONE = np.uint64(1)
HALF = np.float32(0.5)

Indices: TypeAlias = NDArray[np.uint64]
"""Unsigned, because Numba checks an index that may be negative at every access, which prevents vectorisation."""

Axis: TypeAlias = tuple[Indices, Floats]
"""(start, weight): each cell's first pixel, then the length; for each pixel, the weight of the cell after its own."""

Bands: TypeAlias = tuple[Bytes, NDArray[np.int64], Indices, Bytes]
"""The bands under each of h rows of w cells: (between, runs, first, kind).

``between`` (h, w): the kind of the pixels between each cell and those to its right and below. ``runs`` (h): how many.
``first`` (h, w + 1): the first pixel of each run, then the frame's width. ``kind`` (h, w): of each run.
"""


def make_axis(length: int, cells: int) -> Axis:
    """The axis of ``length`` pixels over ``cells`` cells that cover the same width."""
    place = (np.arange(length) + 0.5) * cells / length - 0.5
    cell = np.clip(np.floor(place), 0, max(cells - 2, 0))
    weight = np.clip(place - cell, 0, 1).astype(np.float32)
    return np.searchsorted(cell, np.arange(cells + 1)).astype(np.uint64), weight


def make_bands(shape: tuple[int, int]) -> Bands:
    """Empty bands for grids of ``shape`` (h, w)."""
    height, width = shape
    return (
        np.zeros(shape, np.uint8),
        np.zeros(height, np.int64),
        np.zeros((height, width + 1), np.uint64),
        np.zeros(shape, np.uint8),
    )


@kernel
def classify(linear: Floats, near: Bytes, mean: Floats, cells: Bytes) -> None:
    """The kind of each of ``cells`` (h, w), by the least and the most alpha that its model gives for any colour."""
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            if not near[y, x]:
                cells[y, x] = FOREGROUND if mean[y, x] > HALF else BACKGROUND
                continue
            least = most = linear[y, x, 3]
            for c in range(3):
                full = linear[y, x, c] * np.float32(255)
                least += min(full, np.float32(0))
                most += max(full, np.float32(0))
            certain = BACKGROUND if most <= 0 else FOREGROUND
            cells[y, x] = certain if most <= 0 or least >= 1 else EDGE


@kernel
def split(cells: Bytes, start: Indices, bands: Bands) -> None:
    """Split every band into runs by the kinds of ``cells`` (h, w); ``start`` (w + 1): their first pixels."""
    between, runs, first, kind = bands
    end = cells.shape[1]
    for row in range(cells.shape[0]):
        _classify_between(cells[row], cells[min(row + 1, cells.shape[0] - 1)], between[row])
        count, last = 0, -1
        for x in range(end):
            if between[row, x] != last:
                last = between[row, x]
                first[row, count], kind[row, count] = start[x], last
                count += 1
        first[row, count], runs[row] = start[end], count


@kernel
def _classify_between(cells: Bytes, below: Bytes, between: Bytes) -> None:
    """Edge unless all four cells around are of one kind: the pixels between them mix the models of all four."""
    last = np.uint64(cells.shape[0] - 1)
    for x in range(last):
        kind = cells[x]
        same = (kind == cells[x + ONE]) & (kind == below[x]) & (kind == below[x + ONE])
        between[x] = kind if same else np.uint8(EDGE)
    between[last] = cells[last] if cells[last] == below[last] else np.uint8(EDGE)
