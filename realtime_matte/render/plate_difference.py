"""What differs from a whole clean plate, where the network is unsure over an area: it is foreground.

A network loses parts of people, such as a sleeve in a colour of the wall: alpha is somewhere between 0 and 1 over an
area. An outline, soft as it may be, is some cells wide and left alone. Where the plate is known, the frame itself
decides in such areas: a cell differs from the plate by d^2 / (d^2 + n^2), d its difference from the plate in its best
shade and n the noise, and the mean of that nearby becomes the least alpha. The plate may be wrong there, if an object
was moved; then the visible background beside it mismatches as well.
"""

from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels, PlateImage
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only

UNSURE: Final = (0.03, 0.97)
"""The network is unsure from the first alpha to the second."""

AREA: Final = np.ones((9, 9), np.uint8)
"""Cells; what is narrower is an outline, soft from hair or motion. With 5 x 5, outlines that move became hard."""

AROUND: Final = np.ones((3, 3), np.uint8)
"""Cells next to the area that count for its own."""

SQUARE: Final = np.float32(3 * 7**2)
"""Sum over the channels of the squared difference at which a cell differs by 1/2."""

WINDOW: Final = (9, 9)
"""Cells over which that is averaged: a plain sleeve before grass differs here and there."""

LEAST, MOST = np.float32(0.2), np.float32(0.6)
"""Mean from which on alpha rises, and at which it is 1."""

SHADES: Final = (np.float32(0.88), np.float32(1.05))
"""The background may be so much darker or lighter than the plate: the shadow of a person, the light of a screen."""

SAMPLE_STEP: Final = 2
"""Cells for one mean, as in ``edge_model.py``: a kernel reads numbers of its own file only."""

MISMATCHES: Final = np.float32(4)
"""With one in so many cells of the visible background beside it that mismatch, the plate says nothing."""

MIN_VISIBLE: Final = np.float32(0.05)
"""Share of visible background in the neighbourhood, at least, of which mismatches are a share."""

ZERO, UNIT = np.float32(0), np.float32(1)


class PlateDifference:
    """Adds such parts to alphas of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._inner, self._area, self._wide = np.zeros((3, *shape), np.uint8)
        self._differences, self._counted, self._sums, self._counts = np.zeros((4, *shape), np.float32)

    def add(self, alpha: Alpha, guide: Pixels, plate: PlateImage, foreground: Bytes, means: Floats) -> None:
        """Change ``alpha`` (h, w) if there is a person.

        Args:
            alpha: Of the network, with its edges corrected.
            guide: (h, w, 3), the frame.
            plate: In the light of the frame.
            foreground: (h, w), not 0 where alpha is 1 for certain; without a person there is no part of one.
            means: As ``edge_model.find_correction``.
        """
        cv2.inRange(alpha, *UNSURE, dst=self._area)
        cv2.erode(self._area, AREA, dst=self._inner)
        if cv2.countNonZero(self._inner) == 0 or cv2.countNonZero(foreground) == 0:
            return
        cv2.dilate(self._inner, AREA, dst=self._area)
        cv2.dilate(self._area, AROUND, dst=self._wide)
        known = read_only(plate.colours), read_only(plate.validity)
        found = self._differences, self._counted
        find_differences(read_only(guide), known, self._wide, means, found)
        for values, sums in ((self._differences, self._sums), (self._counted, self._counts)):
            cv2.boxFilter(values, -1, WINDOW, dst=sums, normalize=False)
        apply_differences(self._sums, self._counts, self._area, alpha)


@kernel
def find_differences(
    guide: Bytes, plate: tuple[Bytes, Bytes], where: Bytes, means: Floats, found: tuple[Floats, Floats]
) -> None:
    """``found`` (differences, counted), (h, w): by how much a cell differs, 0 to 1, and 1; both 0 if not ``where``."""
    (colours, validity), (differences, counted) = plate, found
    for y in range(where.shape[0]):
        for x in range(where.shape[1]):
            differences[y, x], counted[y, x] = ZERO, ZERO
            if where[y, x] == 0:
                continue
            counted[y, x] = UNIT
            mean = means[y // SAMPLE_STEP, x // SAMPLE_STEP]
            shade = _shade(guide[y, x], colours[y, x])
            square = ZERO
            for c in range(3):
                difference = np.float32(guide[y, x, c]) - shade * np.float32(colours[y, x, c])
                square += difference * difference
            matching = UNIT - MISMATCHES * mean[8] / max(mean[7], MIN_VISIBLE)
            trusted = max(matching, ZERO) * np.float32(validity[y, x]) * np.float32(1 / 255)
            differences[y, x] = trusted * square / (square + SQUARE)


@kernel
def _shade(colour: Bytes, plate: Bytes) -> np.float32:
    """By which factor the plate's colour is nearest to the frame's, between SHADES."""
    product, square = ZERO, UNIT
    for c in range(3):
        behind = np.float32(plate[c])
        product += np.float32(colour[c]) * behind
        square += behind * behind
    return min(max(product / square, SHADES[0]), SHADES[1])


@kernel
def apply_differences(sums: Floats, counts: Floats, area: Bytes, alpha: Floats) -> None:
    """``alpha`` rises with the mean difference in the ``area``, smoothly; all (h, w)."""
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            if area[y, x] != 0:
                share = (sums[y, x] / max(counts[y, x], UNIT) - LEAST) / (MOST - LEAST)
                share = min(max(share, ZERO), UNIT)
                alpha[y, x] = max(alpha[y, x], share * share * (3 - 2 * share))
