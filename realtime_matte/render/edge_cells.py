"""The cells of the coarse grid whose alpha is not certain: those near an edge, and in each row their span."""

from math import prod
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha
from realtime_matte.render.jit import kernel, read_only, vector_loop

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.uint64]

Runs: TypeAlias = tuple[NDArray[np.int64], Indices]
"""(count, ends) of the runs of marked cells in each of h rows: ``count`` (h); ``ends`` (h, 2 runs): of each run, the
first cell and the one after its last, rounded outwards to LANES cells."""

HALO: Final = 16
"""Cells left and right of a row in scratch: what a window needs of them, and so many that rows stay aligned."""

LANES: Final = 16
"""What vector instructions do at once."""

REACH: Final = 3
"""Models are read beside each pixel, and the models of a window are averaged: so far from an uneven window."""

INSIDE, ONE, TWO = np.uint64(HALO), np.uint64(1), np.uint64(2)
SHARE, UNIT = np.float32(1 / 25), np.float32(1)


def aligned_floats(*shape: int) -> Floats:
    """Zeros that begin at a cache line: otherwise each vector of 64 bytes would be read from two."""
    size = prod(shape)
    memory = np.zeros(size + LANES, np.float32)
    start = -(memory.ctypes.data // memory.itemsize) % LANES
    return memory[start : start + size].reshape(shape)


class EdgeCells:
    """Finds the cells near edges of alphas of ``shape`` (h, w). Buffers are allocated once.

    Attributes:
        mean: (h, w), of alpha over the window of 5 x 5 cells.
        uneven: (h, W), not 0 where that is further than ``flat`` from 0 and from 1; W: w or more.
        near: (h, W), not 0 up to REACH cells from such a cell.
        near_runs: Of the cells that are near.
        wide_runs: Of the cells of which the windows around those depend.
    """

    def __init__(self, shape: tuple[int, int], *, flat: float) -> None:
        height, width = shape
        padded = -(-width // LANES) * LANES
        self._flat = np.float32(flat)
        self.mean = np.zeros(shape, np.float32)
        self.uneven, self.near, self._wide = np.zeros((3, height, padded), np.uint8)
        self.near_runs, self.wide_runs = _no_runs(height, padded), _no_runs(height, padded)
        self._sums, self._marks = np.zeros(width + 2 * HALO, np.float32), np.zeros(padded + 2 * HALO, np.uint8)

    def find(self, alpha: Alpha) -> None:
        """Find them for ``alpha`` (h, w)."""
        average_alpha(read_only(alpha), self._flat, self._sums, self.mean, self.uneven)
        find_near(self.uneven, alpha.shape[1], self._marks, self.near, self._wide)
        find_runs(self.near.view(np.uint64), alpha.shape[1], self.near_runs)
        find_runs(self._wide.view(np.uint64), alpha.shape[1], self.wide_runs)


def _no_runs(height: int, width: int) -> Runs:
    return np.zeros(height, np.int64), np.zeros((height, width // LANES + 2), np.uint64)


@kernel
def average_alpha(alpha: Floats, flat: np.float32, sums: Floats, mean: Floats, uneven: Bytes) -> None:
    """Means over windows of 5 x 5 cells, borders reflected without the outermost cell; and where they are uneven."""
    height, width = alpha.shape
    for y in range(height):
        _sum_rows(
            alpha[_reflected(y - 2, height)],
            alpha[_reflected(y - 1, height)],
            alpha[y],
            alpha[_reflected(y + 1, height)],
            alpha[_reflected(y + 2, height)],
            sums,
        )
        for outside in range(1, 3):
            sums[HALO - outside] = sums[HALO + min(outside, width - 1)]
            sums[HALO + width - 1 + outside] = sums[HALO + width - 1 - min(outside, width - 1)]
        _mean_of_columns(sums, flat, mean[y], uneven[y])


@vector_loop
def _sum_rows(above2: Floats, above: Floats, here: Floats, below: Floats, below2: Floats, out: Floats) -> None:
    for x in range(np.uint64(here.shape[0])):
        out[x + INSIDE] = (above2[x] + above[x]) + (below[x] + below2[x]) + here[x]


@vector_loop
def _mean_of_columns(sums: Floats, flat: np.float32, mean: Floats, uneven: Bytes) -> None:
    for x in range(np.uint64(mean.shape[0])):
        at = x + INSIDE
        value = ((sums[at - TWO] + sums[at - ONE]) + (sums[at + ONE] + sums[at + TWO]) + sums[at]) * SHARE
        mean[x] = value
        uneven[x] = np.uint8(255) if (value >= flat) & (value <= UNIT - flat) else np.uint8(0)


@kernel
def _reflected(place: int, length: int) -> int:
    place = abs(place)
    return max(min(place, 2 * length - 2 - place), 0)


@kernel
def find_near(uneven: Bytes, width: int, marks: Bytes, near: Bytes, wide: Bytes) -> None:
    """Mark the cells up to REACH from an uneven one, and those up to 2 cells further."""
    last = uneven.shape[0] - 1
    for y in range(uneven.shape[0]):
        _mark_rows(uneven[max(y - 3, 0)], uneven[max(y - 2, 0)], uneven[max(y - 1, 0)], uneven[y], marks)
        _add_rows(uneven[min(y + 1, last)], uneven[min(y + 2, last)], uneven[min(y + 3, last)], marks)
        _widen_by_three(marks, width, near[y])
    for y in range(uneven.shape[0]):
        _mark_rows(near[max(y - 2, 0)], near[max(y - 1, 0)], near[y], near[min(y + 1, last)], marks)
        _add_rows(near[min(y + 2, last)], near[y], near[y], marks)
        _widen_by_two(marks, width, wide[y])


@vector_loop
def _mark_rows(first: Bytes, second: Bytes, third: Bytes, fourth: Bytes, marks: Bytes) -> None:
    for x in range(np.uint64(first.shape[0])):
        marks[x + INSIDE] = first[x] | second[x] | third[x] | fourth[x]


@vector_loop
def _add_rows(first: Bytes, second: Bytes, third: Bytes, marks: Bytes) -> None:
    for x in range(np.uint64(first.shape[0])):
        marks[x + INSIDE] |= first[x] | second[x] | third[x]


@vector_loop
def _widen_by_three(marks: Bytes, width: int, near: Bytes) -> None:
    for x in range(np.uint64(width)):
        at = x + INSIDE
        left = marks[at - TWO - ONE] | marks[at - TWO] | marks[at - ONE]
        near[x] = left | marks[at] | marks[at + ONE] | marks[at + TWO] | marks[at + TWO + ONE]


@vector_loop
def _widen_by_two(marks: Bytes, width: int, wide: Bytes) -> None:
    for x in range(np.uint64(width)):
        at = x + INSIDE
        wide[x] = marks[at - TWO] | marks[at - ONE] | marks[at] | marks[at + ONE] | marks[at + TWO]


@kernel
def find_runs(marked: Indices, width: int, runs: Runs) -> None:
    """The runs of cells that are ``marked`` (h, W / 8), eight bytes in each number; of the first ``width`` cells."""
    counts, ends = runs
    for y in range(marked.shape[0]):
        number, inside = 0, False
        for block in range(marked.shape[1] // 2):
            if ((marked[y, 2 * block] | marked[y, 2 * block + 1]) != 0) != inside:
                inside = not inside
                ends[y, number] = block * LANES
                number += 1
        if inside:
            ends[y, number] = width
        elif number and ends[y, number - 1] > width:
            ends[y, number - 1] = width
        counts[y] = (number + 1) // 2
