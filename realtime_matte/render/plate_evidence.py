"""What a calibrated plate proves: a region that looks like the plate in nearly all of its cells is no person.

Statues, posters and coats may be taken for people even by a network that sees the plate. The user was out of the
camera's view when the plate was made, so where a whole region of alpha has the colours of the plate, it is the
background. A person differs from it: a jumper may have the colours of the wall, but not a face, hands and hair as well.
A region that touches a person is left alone.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only
from realtime_matte.render.plate_fit import shifted_mask
from realtime_matte.render.plate_trust import SEEN_S

CHECK_S: Final = 0.1
"""Time between two looks for such regions while there is none: shorter than SEEN_S."""

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

MEAN_SQUARE: Final = np.float32(3 * 5**2)
"""Most of that sum on average over a region: more than the noise of a webcam in a room with lamps."""

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
    """Removes such regions, on a grid of ``shape`` (h, w). Buffers are allocated once.

    Attributes:
        any: Whether a calibration has confirmed anything.
        confirmed: (h, w) uint8, not 0 where the plate is known from a calibration.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.confirmed = np.zeros(shape, np.uint8)
        self.any = False
        self._region, self._gone, self._kept = np.zeros((3, *shape), np.uint8)
        self._squares = np.zeros(shape, np.float32)
        self._colour, self._least, self._most = np.zeros((3, 3, *shape), np.float32)
        self._labels = np.zeros(shape, np.int32)
        self._sums = np.zeros((MOST_REGIONS, 4), np.float64)
        self._alpha = np.zeros(shape, np.float32)
        self._until_check_s = 0.0

    def confirm(self, *, confirmed: bool) -> None:
        """All of the plate is from a calibration, or nothing of it."""
        self.any = confirmed
        self.confirmed.fill(255 if confirmed else 0)
        self._until_check_s = 0.0

    def shift(self, shift: tuple[float, float]) -> None:
        """Everything is seen at another place."""
        self.confirmed[:] = shifted_mask(self.confirmed, shift)

    def remove(
        self,
        alpha: Alpha,
        guide: Pixels,
        plate: tuple[Floats, Floats],
        elapsed_s: float,
        *,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Alpha:
        """``alpha`` (h, w) without such regions; overwritten by the next call, or ``alpha`` itself.

        Args:
            alpha: Of the frame.
            guide: (h, w, 3), the frame.
            plate: Its colour (3, h, w), and for how long each cell was seen (h, w): what was forgotten is confirmed no
                more.
            elapsed_s: Seconds since the previous frame.
            shift: Of the frame against the plate, in cells.
        """
        self._until_check_s -= elapsed_s
        if not self.any or self._until_check_s > 0:
            return alpha
        self._until_check_s = CHECK_S
        colour, seconds = plate
        cv2.inRange(seconds, float(SEEN_S), LONG_S, dst=self._region)
        cv2.bitwise_and(self.confirmed, self._region, dst=self.confirmed)
        self._move(colour, shift)
        alpha, guide = read_only(alpha), read_only(guide)
        plate_here = self._colour, self._least, self._most, self.confirmed
        compare_regions(alpha, guide, plate_here, self._region, self._squares)
        count, _ = cv2.connectedComponents(self._region, labels=self._labels, connectivity=8)
        regions = self._labels, self._squares
        if find_background(regions, min(count, MOST_REGIONS), self._sums, self._gone) == 0:
            return alpha
        self._until_check_s = 0.0
        cv2.subtract(self._region, self._gone, dst=self._kept)
        cv2.dilate(self._gone, SOFT, dst=self._gone)
        cv2.subtract(self._gone, self._kept, dst=self._gone)
        self._alpha.fill(0)
        cv2.copyTo(alpha, cv2.inRange(self._gone, 0, 0, dst=self._gone), self._alpha)
        return self._alpha

    def _move(self, colour: Floats, shift: tuple[float, float]) -> None:
        """The plate at the place of the frame, and its extremes nearby."""
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
        size = colour.shape[2], colour.shape[1]
        for channel, here, least, most in zip(colour, self._colour, self._least, self._most, strict=True):
            if max(map(abs, shift)) > LEAST_SHIFT:
                cv2.warpAffine(channel, matrix, size, dst=here, borderMode=cv2.BORDER_REPLICATE)
            else:
                np.copyto(here, channel)
            cv2.erode(here, NEIGHBOURS, dst=least)
            cv2.dilate(here, NEIGHBOURS, dst=most)


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
def find_background(regions: Regions, count: int, sums: Sums, gone: Bytes) -> int:
    """``gone``: 1 in the regions 1 to ``count`` - 1 that have the plate's colours.

    ``regions``: labels, and the square differences. ``sums`` (n, 4): cells, those that are confirmed, of them those
    with the plate's colours, and square differences. Returns how many regions those are.
    """
    labels, squares = regions
    sums[:] = 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            square = squares[y, x]
            if 0 < label < count:
                sums[label, 0] += 1
                if square >= 0:
                    sums[label, 1] += 1
                    sums[label, 2] += square <= SAME
                    sums[label, 3] += square
    found = 0
    for label in range(1, count):
        cells, known, same, square_sum = sums[label]
        is_plate = known >= CONFIRMED_SHARE * cells and same >= SAME_SHARE * known and square_sum <= MEAN_SQUARE * known
        sums[label, 0] = 1 if is_plate else 0
        found += is_plate
    if found > 0:
        for y in range(labels.shape[0]):
            for x in range(labels.shape[1]):
                label = labels[y, x]
                gone[y, x] = np.uint8(1) if 0 < label < count and sums[label, 0] > 0 else np.uint8(0)
    return found
