"""The frame's pixels between the cells of the coarse grid: bands of rows, split into runs of one kind.

A band is the pixels between two rows of cells; it is split into runs: all background, all foreground, or edge.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_cells import Runs
from realtime_matte.render.jit import kernel, vector_loop

BACKGROUND, FOREGROUND, EDGE = 0, 1, 2
"""Kinds of cells and runs: alpha is 0 or 1 there for certain, or has to be computed."""

ONE, ALL_ALIKE = np.uint64(1), np.uint64(0x0101_0101_0101_0101)
"""The second: a word of eight bytes that are 1."""

ZERO, HALF, UNIT, FULL = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)

Indices: TypeAlias = NDArray[np.uint64]
"""Unsigned, because Numba checks an index that may be negative at every access, which prevents vectorisation."""

Axis: TypeAlias = tuple[Indices, Floats]
"""(start, weight): each cell's first pixel, then the length; for each pixel, the weight of the cell after its own."""

Bands: TypeAlias = tuple[Bytes, NDArray[np.int64], Indices, Bytes]
"""The bands under each of h rows of w cells: (between, runs, first, kind).

``between`` (h, W): the kind of the pixels between each cell and those to its right and below; W: w, rounded up to whole
words. ``runs`` (h): how many. ``first`` (h, w + 1): the first cell of each run, then w: its pixels begin where those
of the cell do. ``kind`` (h, w): of each run.
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
        np.zeros((height, -(-width // 8) * 8), np.uint8),
        np.zeros(height, np.int64),
        np.zeros((height, width + 1), np.uint64),
        np.zeros(shape, np.uint8),
    )


@kernel
def classify(linear: Floats, near: Bytes, runs: Runs, mean: Floats, cells: Bytes) -> None:
    """The kind of each of ``cells`` (h, w), by the least and the most alpha that its model gives for any colour.

    ``runs``: of the cells that are ``near`` an edge; the others are what their ``mean`` alpha is.
    """
    counts, ends = runs
    for y in range(cells.shape[0]):
        _classify_far(mean[y], cells[y])
        for run in range(counts[y]):
            _classify_near(linear[y], near[y], ends[y, 2 * run], ends[y, 2 * run + 1], cells[y])


@vector_loop
def _classify_far(mean: Floats, cells: Bytes) -> None:
    for x in range(np.uint64(cells.shape[0])):
        cells[x] = np.uint8(FOREGROUND) if mean[x] > HALF else np.uint8(BACKGROUND)


@vector_loop
def _classify_near(linear: Floats, near: Bytes, first: int, end: int, cells: Bytes) -> None:
    for x in range(first, end):
        b, g, r, constant = FULL * linear[0, x], FULL * linear[1, x], FULL * linear[2, x], linear[3, x]
        least = constant + min(b, ZERO) + min(g, ZERO) + min(r, ZERO)
        most = constant + max(b, ZERO) + max(g, ZERO) + max(r, ZERO)
        above_0 = np.uint8(EDGE) if most > ZERO else np.uint8(BACKGROUND)
        kind = np.uint8(FOREGROUND) if (least >= UNIT) & (most > ZERO) else above_0
        cells[x] = kind if near[x] != 0 else cells[x]


def split(cells: Bytes, bands: Bands) -> None:
    """Split every band into runs by the kinds of ``cells`` (h, w)."""
    between, runs, first, kind = bands
    split_bands(cells, between, between.view(np.uint64), runs, first, kind)


@kernel
def split_bands(
    cells: Bytes, between: Bytes, words: Indices, runs: NDArray[np.int64], first: Indices, kind: Bytes
) -> None:
    """As ``split``. ``words`` (h, W / 8): the memory of ``between``, of which eight cells are compared at once."""
    width = cells.shape[1]
    for row in range(cells.shape[0]):
        below = min(row + 1, cells.shape[0] - 1)
        _classify_between(cells[row], cells[below], between[row])
        for x in range(width - 1, between.shape[1]):
            between[row, x] = cells[row, width - 1] if cells[row, width - 1] == cells[below, width - 1] else EDGE
        count, last = 0, np.uint8(255)
        for word in range(words.shape[1]):
            if words[row, word] == np.uint64(last) * ALL_ALIKE:
                continue
            for x in range(8 * word, min(8 * word + 8, width)):
                if between[row, x] != last:
                    last = between[row, x]
                    first[row, count], kind[row, count] = x, last
                    count += 1
        first[row, count], runs[row] = width, count


@vector_loop
def _classify_between(cells: Bytes, below: Bytes, between: Bytes) -> None:
    """Edge unless all four cells around are of one kind: the pixels between them mix the models of all four."""
    for x in range(np.uint64(cells.shape[0] - 1)):
        kind = cells[x]
        same = (kind == cells[x + ONE]) & (kind == below[x]) & (kind == below[x + ONE])
        between[x] = kind if same else np.uint8(EDGE)
