"""From the coarse grid's models to the frame: alpha and clean colours of every pixel, in one pass.

Pixels between sure cells of one kind are copied; only those at edges are computed, from the models around them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.guided import EDGE, FOREGROUND, MODEL, Bytes, Floats
from realtime_matte.render.kernels import kernel

Indices = NDArray[np.uint32]


class Axis(NamedTuple):
    """Where pixels lie on a grid: the cell before each, the weight of the next one; the first pixel of each cell."""

    cell: Indices
    weight: Floats
    start: Indices


def axis(length: int, cells: int) -> Axis:
    """The axis of ``length`` pixels over ``cells`` cells, both covering the same width."""
    place = (np.arange(length) + 0.5) * cells / length - 0.5
    first = np.clip(np.floor(place), 0, max(cells - 2, 0)).astype(np.uint32)
    weight = np.clip(place - first, 0, 1).astype(np.float32)
    start = np.searchsorted(first, np.arange(cells + 1)).astype(np.uint32)
    return Axis(first, weight, start)


@kernel
def enlarge(
    pixels: Pixels,
    cells: Bytes,
    model: Floats,
    columns: Axis,
    rows: Axis,
    line: Floats,
    kinds: Bytes,
    stretch: tuple[np.float32, np.float32],
    alpha: Alpha,
    foreground: Pixels,
) -> None:
    """Write ``alpha`` (H, W) and ``foreground`` (H, W, 3) of ``pixels`` (H, W, 3).

    ``line`` (MODEL, w + 1) and ``kinds`` (w + 1) are scratch. ``stretch`` is (gain, offset) of alpha. The foreground is
    black where alpha is 0: no pixel of the room is left in it.
    """
    height, width = alpha.shape
    count = cells.shape[1]
    for y in range(height):
        _between_rows(cells, model, rows.cell[y], rows.weight[y], line, kinds)
        shades, clean = pixels[y].reshape(width * 3), foreground[y].reshape(width * 3)
        first = 0
        while first < count:
            kind = _kind(kinds, first)
            last = first + 1
            while last < count and _kind(kinds, last) == kind:
                last += 1
            start, end = columns.start[first], columns.start[last]
            if kind != EDGE:
                alpha[y, start:end] = kind
                shown = np.uint8(255 if kind == FOREGROUND else 0)
                for i in range(3 * start, 3 * end):
                    clean[i] = shades[i] & shown
            else:
                _edge_alpha(shades, start, end, line, columns, stretch, alpha[y])
                _edge_colours(shades, start, end, line, columns, alpha[y], clean)
            first = last


@kernel
def _kind(kinds: Bytes, cell: int) -> int:
    return int(kinds[cell]) if kinds[cell] == kinds[cell + 1] else EDGE


@kernel
def _between_rows(cells: Bytes, model: Floats, row: int, weight: np.float32, line: Floats, kinds: Bytes) -> None:
    below = min(row + 1, cells.shape[0] - 1)
    width = cells.shape[1]
    for x in range(width):
        kinds[x] = cells[row, x] if cells[row, x] == cells[below, x] else EDGE
    kinds[width] = kinds[width - 1]
    for c in range(MODEL):
        for x in range(width):
            line[c, x] = model[c, row, x] + weight * (model[c, below, x] - model[c, row, x])
        line[c, width] = line[c, width - 1]


@kernel
def _edge_alpha(
    shades: Bytes,
    start: int,
    end: int,
    line: Floats,
    columns: Axis,
    stretch: tuple[np.float32, np.float32],
    alpha: Floats,
) -> None:
    for x in range(start, end):
        left, t = columns.cell[x], columns.weight[x]
        right = left + np.uint32(1)
        a = line[3, left] + t * (line[3, right] - line[3, left])
        a += np.float32(shades[3 * x]) * (line[0, left] + t * (line[0, right] - line[0, left]))
        a += np.float32(shades[3 * x + 1]) * (line[1, left] + t * (line[1, right] - line[1, left]))
        a += np.float32(shades[3 * x + 2]) * (line[2, left] + t * (line[2, right] - line[2, left]))
        alpha[x] = min(max(a * stretch[0] + stretch[1], np.float32(0)), np.float32(1))


@kernel
def _edge_colours(
    shades: Bytes, start: int, end: int, line: Floats, columns: Axis, alpha: Floats, clean: Bytes
) -> None:
    for x in range(start, end):
        a = alpha[x]
        if a <= 0 or a >= 1:
            for c in range(3):
                clean[3 * x + c] = shades[3 * x + c] if a >= 1 else 0
            continue
        left, t = columns.cell[x], columns.weight[x]
        right = left + np.uint32(1)
        for c in range(3):
            person = line[4 + c, left] + t * (line[4 + c, right] - line[4 + c, left])
            room = line[7 + c, left] + t * (line[7 + c, right] - line[7 + c, left])
            person += a * (np.float32(shades[3 * x + c]) - a * person - (1 - a) * room)
            clean[3 * x + c] = np.uint8(min(max(person, np.float32(0)), np.float32(255)))
