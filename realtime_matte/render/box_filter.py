"""The mean over a window around each cell, only in the cells where it is read.

As ``cv2.blur``, whose cost is that of the whole grid. The numbers of one cell are adjacent, (h, w, numbers), so that
one loop along memory averages all numbers of a run of cells.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.jit import kernel, read_only, vector_loop

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.uint64]

UNIT = np.float32(1)

Runs: TypeAlias = tuple[NDArray[np.int64], Indices]
"""(count, ends) of the runs of marked cells in each of h rows: ``count`` (h); ``ends`` (h, w + 2): of each run, the
first cell and the one after its last."""


class BoxFilter:
    """Averages grids of ``shape`` (h, w, numbers) over windows of 2 ``radius`` + 1 cells; ``radius`` is at least 1."""

    def __init__(self, shape: tuple[int, int, int], radius: int) -> None:
        self._radius = radius
        self._sums = np.zeros((shape[1] + 2 * radius) * shape[2], np.float32)
        self._means = np.zeros(shape, np.float32)

    def average(self, values: Floats, runs: Runs) -> Floats:
        """The means of ``values`` in the ``runs`` (elsewhere undefined); overwritten by the next call."""
        average(read_only(values), runs, self._radius, self._sums, self._means)
        return self._means


def make_runs(shape: tuple[int, int]) -> Runs:
    """No runs, of grids of ``shape`` (h, w)."""
    return np.zeros(shape[0], np.int64), np.zeros((shape[0], shape[1] + 2), np.uint64)


@kernel
def find_runs(marked: Bytes, runs: Runs) -> None:
    """The runs of cells that are ``marked`` (h, w): 0 or another number, which is the same everywhere."""
    counts, ends = runs
    for y in range(marked.shape[0]):
        number, inside = 0, np.uint8(0)
        for x in range(marked.shape[1]):
            if marked[y, x] != inside:
                inside = marked[y, x]
                ends[y, number] = x
                number += 1
        ends[y, number] = marked.shape[1]
        counts[y] = (number + 1) // 2


@kernel
def average(values: Floats, runs: Runs, radius: int, sums: Floats, means: Floats) -> None:
    """The means over the windows of the cells in the ``runs``; ``sums``: of columns, with ``radius`` more a side.

    Borders are reflected, without the outermost cell, as ``cv2.blur`` does.
    """
    counts, ends = runs
    height, width, numbers = values.shape
    share = np.float32(1 / (2 * radius + 1) ** 2)
    rows, out = values.reshape(height, width * numbers), means.reshape(height, width * numbers)
    for y in range(height):
        for run in range(counts[y]):
            first, end = np.int64(ends[y, 2 * run]), np.int64(ends[y, 2 * run + 1])
            left, right = max(first - radius, 0) * numbers, min(end + radius, width) * numbers
            at = sums[left + radius * numbers : right + radius * numbers]
            above, below = rows[_reflected(y - 1, height), left:right], rows[_reflected(y + 1, height), left:right]
            _sum(above, rows[y, left:right], below, UNIT, at)
            for step in range(2, radius + 1):
                above = rows[_reflected(y - step, height), left:right]
                _add(above, rows[_reflected(y + step, height), left:right], UNIT, at)
            if first < radius or end + radius > width:
                _reflect_ends(sums, radius, numbers, width)
            result, middle, length = out[y, first * numbers : end * numbers], first + radius, (end - first) * numbers
            before, after = (middle - 1) * numbers, (middle + 1) * numbers
            here = sums[middle * numbers : middle * numbers + length]
            _sum(sums[before : before + length], here, sums[after : after + length], share, result)
            for step in range(2, radius + 1):
                before, after = (middle - step) * numbers, (middle + step) * numbers
                _add(sums[before : before + length], sums[after : after + length], share, result)


@vector_loop
def _sum(first: Floats, second: Floats, third: Floats, scale: np.float32, out: Floats) -> None:
    for i in range(out.shape[0]):
        out[i] = (first[i] + second[i] + third[i]) * scale


@vector_loop
def _add(first: Floats, second: Floats, scale: np.float32, out: Floats) -> None:
    for i in range(out.shape[0]):
        out[i] += (first[i] + second[i]) * scale


@kernel
def _reflected(place: int, length: int) -> int:
    place = abs(place)
    return max(min(place, 2 * length - 2 - place), 0)


@kernel
def _reflect_ends(sums: Floats, radius: int, numbers: int, width: int) -> None:
    """Fill the ``radius`` cells before the first and after the last."""
    for outside in range(1, radius + 1):
        before, after = radius - outside, radius + width - 1 + outside
        inside_left = radius + min(outside, width - 1)
        inside_right = radius + width - 1 - min(outside, width - 1)
        for c in range(numbers):
            sums[before * numbers + c] = sums[inside_left * numbers + c]
            sums[after * numbers + c] = sums[inside_right * numbers + c]
