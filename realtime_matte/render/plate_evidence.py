"""What a calibrated plate proves: a region that looks like the plate in nearly all of its cells is no person.

Statues, posters and coats may be taken for people even by a network that sees the plate. The user was out of the
camera's view when the plate was made, so where a whole region of alpha has the colours of the plate, it is the
background. A person differs from it: a jumper may have the colours of the wall, but not a face, hands and hair as well.
A region that touches a person is left alone.

Cells are compared on a grid of about the size of a base grid, whatever the size of the alphas: on a fine grid each cell
averages fewer of the camera's pixels, so the noise alone would make cells differ.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final, Self, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only
from realtime_matte.render.plate_fit import shifted, shifted_mask
from realtime_matte.render.plate_trust import SEEN_S
from realtime_matte.render.weak_regions import without_blocks

CHECK_S: Final = 0.1
"""Time between two looks for such regions while there is none: shorter than SEEN_S."""

MOST_CELLS: Final = 288 * 160
"""Cells that are compared, about, at most: finer grids are averaged over 2 x 2 cells, or more."""

DOUBT_S: Final = 2.0
"""A cell that the plate has forgotten, as foreground had its colours, proves nothing after so long: it may be of
somebody who sat still while it was calibrated, and is back at the same place. People who pass a statue are faster."""

LEAST_SHIFT: Final = 0.1
"""Cells: a smaller shift is none."""

LONG_S: Final = 1e9
"""Longer than anything is seen."""

MIN_ALPHA: Final = np.float32(0.25)
"""Alpha from which on a cell belongs to a region. Softer bridges do not join a person and a statue beside them."""

SOFT: Final = np.ones((5, 5), np.uint8)
"""Where alpha around a region that is removed is soft."""

SAME: Final = np.float32(3 * 10**2)
"""Sum over the channels of the squared difference up to which a cell has the colours of the plate."""

UNKNOWN: Final = np.float32(-1)
"""In the place of a square difference, where the plate is not confirmed."""

CONFIRMED_SHARE: Final = np.float32(0.8)
"""Share of a region's cells that must be confirmed: where a camera shakes, some at sharp edges are learned again."""

SAME_SHARE: Final = np.float32(0.97)
"""Share of a region's confirmed cells that must have them. A person who breathes moves more than the rest of them."""

STILL_SAME_SHARE: Final = np.float32(0.92)
"""The same for a region that was removed at the last look: a camera that shakes changes some cells at sharp edges, and
what is shown again is no longer learned, so it would stay."""

MEAN_SQUARE: Final = np.float32(3 * 5**2)
"""Most of that sum on average over a region: more than the noise of a webcam in a room with lamps."""

ALL: Final = 255
NEIGHBOURS: Final = np.ones((3, 3), np.uint8)
TOLERANCE: Final = np.float32(0.35)
"""So far from the plate's value toward the extremes of this window counts as the same: the camera's place is known to a
third of a cell. The whole way would let a person pass before a fine pattern."""

MOST_REGIONS: Final = 256
"""Further regions are left as they are."""

Sums: TypeAlias = NDArray[np.float64]
Plate: TypeAlias = tuple[Floats, Floats, Floats, Bytes]
Regions: TypeAlias = tuple[NDArray[np.int32], Floats]


class PlateEvidence:
    """Removes such regions from alphas of ``shape`` (h, w). Buffers are allocated once.

    Attributes:
        any: Whether a calibration has confirmed anything.
        confirmed: uint8, on the grid of the comparison: not 0 where the plate is known from a calibration.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        height, width = shape
        side = max(1, ceil(sqrt(height * width / MOST_CELLS) - 0.1))
        self._scale = 1 / side
        cells = -(-height // side), -(-width // side)
        self.confirmed = np.zeros(cells, np.uint8)
        self.any = False
        self._doubtful_s = np.zeros(cells, np.float32)  # for how long the plate has forgotten a cell
        self._shrunk = Seen.zeros(cells)
        self._region, self._gone, self._before, self._kept, self._lost = np.zeros((5, *cells), np.uint8)
        self._squares, self._none = np.zeros((2, *cells), np.float32)
        self._colour, self._least, self._most = np.zeros((3, 3, *cells), np.float32)
        self._labels = np.zeros(cells, np.int32)
        self._sums = np.zeros((MOST_REGIONS, 5), np.float64)
        self._left, self._alpha = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
        self._since_check_s, self._wait_s = 0.0, 0.0

    def confirm(self, *, confirmed: bool) -> None:
        """All of the plate is from a calibration, or nothing of it."""
        self.any = confirmed
        self.confirmed.fill(255 if confirmed else 0)
        self._doubtful_s.fill(0)
        self._before.fill(0)
        self._wait_s = 0.0

    def shift(self, shift: tuple[float, float]) -> None:
        """Everything is seen at another place, by (x, y) in cells of the alphas."""
        shift = shift[0] * self._scale, shift[1] * self._scale
        self.confirmed[:] = shifted_mask(self.confirmed, shift)
        self._doubtful_s[:] = shifted(self._doubtful_s, shift)

    def remove(
        self,
        alpha: Alpha,
        guide: Pixels,
        plate: tuple[Floats, Floats, Bytes],
        elapsed_s: float,
        *,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Alpha:
        """``alpha`` (h, w) without such regions; overwritten by the next call, or ``alpha`` itself.

        Args:
            alpha: Of the frame.
            guide: (h, w, 3), the frame.
            plate: Its colour (3, h, w), for how many seconds each cell was seen as background (h, w), and where it has
                taken over the colour of another background (h, w), which becomes 0.
            elapsed_s: Seconds since the previous frame.
            shift: Of the frame against the plate, in cells.
        """
        self._since_check_s += elapsed_s
        if not self.any or self._since_check_s < self._wait_s:
            return alpha
        seen = self._shrink(Seen(alpha, guide, *plate))
        self._doubt(seen, self._since_check_s)
        plate[2].fill(0)
        self._move(seen.colour, shift)
        self._since_check_s, self._wait_s = 0.0, CHECK_S
        plate_here = self._colour, self._least, self._most, self.confirmed
        compare_regions(read_only(seen.alpha), read_only(seen.guide), plate_here, self._region, self._squares)
        count, _ = cv2.connectedComponents(self._region, labels=self._labels, connectivity=8)
        regions = self._labels, self._squares
        found = find_background(regions, min(count, MOST_REGIONS), self._before, self._sums, self._gone)
        np.copyto(self._before, self._gone)
        if found == 0:
            return alpha
        self._wait_s = 0.0
        cv2.subtract(self._region, self._gone, dst=self._kept)
        return without_blocks(alpha, self._gone, self._kept, SOFT, (self._left, self._alpha))

    def _shrink(self, seen: "Seen") -> "Seen":
        """On the grid of the comparison."""
        size = self.confirmed.shape[::-1]
        if seen.alpha.shape == self.confirmed.shape:
            return seen
        for values, shrunk in zip(seen.planes, self._shrunk.planes, strict=True):
            cv2.resize(values, size, dst=shrunk, interpolation=cv2.INTER_AREA)
        return self._shrunk

    def _doubt(self, seen: "Seen", elapsed_s: float) -> None:
        """Forget cells that show another background now, and those that have been doubtful for DOUBT_S."""
        cv2.inRange(seen.adopted, 1, ALL, dst=self._lost)
        cv2.subtract(self.confirmed, self._lost, dst=self.confirmed)
        np.add(self._doubtful_s, np.float32(elapsed_s), out=self._doubtful_s)
        cv2.copyTo(self._none, cv2.inRange(seen.seconds, float(SEEN_S), LONG_S, dst=self._lost), self._doubtful_s)
        cv2.inRange(self._doubtful_s, DOUBT_S, LONG_S, dst=self._lost)
        cv2.subtract(self.confirmed, self._lost, dst=self.confirmed)

    def _move(self, colour: Floats, shift: tuple[float, float]) -> None:
        """The plate at the place of the frame, and its extremes nearby."""
        shift = shift[0] * self._scale, shift[1] * self._scale
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
        size = self.confirmed.shape[::-1]
        for channel, here, least, most in zip(colour, self._colour, self._least, self._most, strict=True):
            if max(map(abs, shift)) > LEAST_SHIFT:
                cv2.warpAffine(channel, matrix, size, dst=here, borderMode=cv2.BORDER_REPLICATE)
            else:
                np.copyto(here, channel)
            cv2.erode(here, NEIGHBOURS, dst=least)
            cv2.dilate(here, NEIGHBOURS, dst=most)


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame and the plate on one grid (h, w).

    Attributes:
        alpha: (h, w), of the frame.
        guide: (h, w, 3), the frame.
        colour: (3, h, w), the plate.
        seconds: (h, w), for how long each cell was seen as background.
        adopted: (h, w) uint8, not 0 where the plate has taken over the colour of another background.
    """

    alpha: Alpha
    guide: Pixels
    colour: Floats
    seconds: Floats
    adopted: Bytes

    @classmethod
    def zeros(cls, shape: tuple[int, int]) -> Self:
        """Buffers."""
        alpha, seconds = np.zeros((2, *shape), np.float32)
        guide, adopted = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)
        return cls(alpha, guide, np.zeros((3, *shape), np.float32), seconds, adopted)

    @property
    def planes(self) -> tuple[Floats | Pixels, ...]:
        """Each (h, w), or (h, w, 3)."""
        return self.alpha, self.guide, *self.colour, self.seconds, self.adopted


@kernel
def compare_regions(alpha: Floats, guide: Bytes, plate: Plate, region: Bytes, squares: Floats) -> None:
    """``region``: 1 from MIN_ALPHA on; ``squares`` there: the difference, or UNKNOWN.

    ``plate``: its colour, its least and greatest values nearby, and where it is confirmed.
    """
    colour, least, most, confirmed = plate
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            inside = alpha[y, x] >= MIN_ALPHA
            region[y, x] = np.uint8(1) if inside else np.uint8(0)
            if not inside:
                continue
            square = np.float32(0)
            for c in range(3):
                value = np.float32(guide[y, x, c])
                here = colour[c, y, x]
                below = here - TOLERANCE * (here - least[c, y, x]) - value
                above = value - here - TOLERANCE * (most[c, y, x] - here)
                outside = max(below, above, np.float32(0))
                square += outside * outside
            squares[y, x] = square if confirmed[y, x] != 0 else UNKNOWN


@kernel
def find_background(regions: Regions, count: int, before: Bytes, sums: Sums, gone: Bytes) -> int:
    """Judge the regions 1 to ``count`` - 1. Returns how many have the plate's colours.

    Args:
        regions: Labels, and the square differences.
        count: One more than the regions.
        before: 1 in the regions that were removed at the last look.
        sums: (n, 5), scratch: cells, those that are confirmed, of them those with the plate's colours, square
            differences, and cells that were removed at the last look.
        gone: 1 in the regions that have the plate's colours; a result.
    """
    labels, squares = regions
    sums[:] = 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            square = squares[y, x]
            if 0 < label < count:
                sums[label, 0] += 1
                sums[label, 4] += before[y, x]
                if square >= 0:
                    sums[label, 1] += 1
                    sums[label, 2] += square <= SAME
                    sums[label, 3] += square
    found = 0
    for label in range(1, count):
        cells, known, same, square_sum, removed = sums[label]
        share = STILL_SAME_SHARE if 2 * removed >= cells else SAME_SHARE
        is_plate = known >= CONFIRMED_SHARE * cells and same >= share * known and square_sum <= MEAN_SQUARE * known
        sums[label, 0] = 1 if is_plate else 0
        found += is_plate
    if found > 0:
        for y in range(labels.shape[0]):
            for x in range(labels.shape[1]):
                label = labels[y, x]
                gone[y, x] = np.uint8(1) if 0 < label < count and sums[label, 0] > 0 else np.uint8(0)
    else:
        gone[:] = 0
    return found
