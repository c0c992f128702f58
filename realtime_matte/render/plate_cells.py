"""Where a coarse alpha is certainly background, certainly foreground, or may be an edge, for the clean plate.

The same as thresholds, dilations and an erosion of OpenCV's, in one pass over memory: each is a bit of a mark.
"""

from typing import Final

import numpy as np

from realtime_matte.frame import Alpha
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only, vector_loop

MAX_BACKGROUND: Final = np.float32(0.02)
"""Alpha up to which a cell is certainly background."""

MIN_EDGE: Final = np.float32(0.03)
"""Alpha from which a cell may be an edge; up to 1 minus that."""

MIN_FOREGROUND: Final = np.float32(0.95)
"""Alpha from which a cell is certainly foreground."""

HALO: Final = 16
"""Marks left and right of a row: what a window needs of them, and so many that rows stay aligned."""

MARGIN_CELLS: Final = 1
"""A cell is certainly background, or foreground, if its neighbours so far are."""

EDGE_CELLS: Final = 2
"""How far from a cell of soft alpha an edge may be moved."""

ROWS_AROUND: Final = 2
"""Rows of marks above and below."""

PERSON, OPEN, SOFT, NONE, ALL = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(0), np.uint8(255)
"""Bits of a mark: not certainly background; not certainly foreground; may be an edge."""

INSIDE, ONE, TWO = np.uint64(HALO), np.uint64(1), np.uint64(2)


class PlateCells:
    """The cells of coarse alphas of ``shape`` (h, w). Buffers are allocated once.

    Attributes:
        near: (h, w) uint8, 0 where a cell and its neighbours are certainly background.
        foreground: (h, w) uint8, not 0 where a cell and its neighbours are certainly foreground.
        edge: (h, w) uint8, not 0 up to two cells from one that may be an edge: so far it may be moved.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        height, width = shape
        self.near, self.foreground, self.edge = np.zeros((3, *shape), np.uint8)
        self._marks = np.zeros((height + 2 * ROWS_AROUND, -(-width // HALO) * HALO + 2 * HALO), np.uint8)

    def find(self, alpha: Alpha, people: Alpha | None) -> None:
        """Find them for ``alpha`` (h, w), read only.

        ``people``: as ``Matte.people``; beside them nothing is certainly background.
        """
        people = alpha if people is None else read_only(people)
        segment(alpha, people, self._marks, self.near, self.foreground, self.edge)


@kernel
def segment(alpha: Floats, people: Floats, marks: Bytes, near: Bytes, foreground: Bytes, edge: Bytes) -> None:
    """As ``PlateCells.find``. ``marks``: 0 around the (h, w) in its middle."""
    for y in range(alpha.shape[0]):
        _mark(alpha[y], people[y], marks[y + ROWS_AROUND])
    for y in range(alpha.shape[0]):
        _widen(marks[y], marks[y + 1], marks[y + 2], marks[y + 3], marks[y + 4], near[y], foreground[y], edge[y])


@vector_loop
def _mark(alpha: Floats, people: Floats, marks: Bytes) -> None:
    for x in range(np.uint64(alpha.shape[0])):
        value = alpha[x]
        person = PERSON if (value >= MAX_BACKGROUND) | (people[x] >= MAX_BACKGROUND) else NONE
        soft = SOFT if (value >= MIN_EDGE) & (value <= np.float32(1) - MIN_EDGE) else NONE
        marks[x + INSIDE] = person | (NONE if value >= MIN_FOREGROUND else OPEN) | soft


@vector_loop
def _widen(
    above2: Bytes, above: Bytes, here: Bytes, below: Bytes, below2: Bytes, near: Bytes, foreground: Bytes, edge: Bytes
) -> None:
    """Windows of 3 x 3 cells, and of 5 x 5 for edges."""
    for x in range(np.uint64(near.shape[0])):
        at = x + INSIDE
        left, right = at - ONE, at + ONE
        beside = (above[left] | here[left] | below[left]) | (above[right] | here[right] | below[right])
        inner = beside | above[at] | here[at] | below[at]
        left2, right2 = at - TWO, at + TWO
        outer = inner | (above[left2] | here[left2] | below[left2]) | (above[right2] | here[right2] | below[right2])
        outer |= above2[left2] | above2[left] | above2[at] | above2[right] | above2[right2]
        outer |= below2[left2] | below2[left] | below2[at] | below2[right] | below2[right2]
        near[x] = ALL if (inner & PERSON) != NONE else NONE
        foreground[x] = NONE if (inner & OPEN) != NONE else ALL
        edge[x] = ALL if (outer & SOFT) != NONE else NONE
