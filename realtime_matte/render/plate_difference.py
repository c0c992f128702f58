"""What differs from a whole clean plate, where the network is unsure over an area: it is foreground.

A network loses parts of people, such as a sleeve in a colour of the wall: alpha is somewhere between 0 and 1 over an
area. An outline, soft as it may be, is some cells wide and left alone. Where the plate is known, the frame itself
decides in such areas: with a difference d from the plate in its best shade, alpha is at least d^2 / (d^2 + n^2), n the
noise. The plate may be wrong there, if an object was moved; then the visible background beside it mismatches as well.
"""

from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels, PlateImage
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_model import SAMPLE_STEP
from realtime_matte.render.jit import kernel, read_only

UNSURE: Final = (0.03, 0.97)
"""The network is unsure from the first alpha to the second."""

AREA: Final = np.ones((9, 9), np.uint8)
"""Cells; what is narrower is an outline, soft from hair or motion. With 5 x 5, outlines that move became hard."""

AROUND: Final = np.ones((3, 3), np.uint8)
"""Cells next to the area that count for its own."""

SQUARE: Final = np.float32(3 * 7**2)
"""Sum over the channels of the squared difference at which alpha is at least 1/2."""

SHADES: Final = (np.float32(0.88), np.float32(1.05))
"""The background may be so much darker or lighter than the plate: the shadow of a person, the light of a screen."""

MISMATCHES: Final = np.float32(4)
"""With one in so many cells of the visible background beside it that mismatch, the plate says nothing."""

MIN_VISIBLE: Final = np.float32(0.05)
"""Share of visible background in the neighbourhood, at least, of which mismatches are a share."""

ZERO, UNIT, NINTH = np.float32(0), np.float32(1), np.float32(1 / 9)


class PlateDifference:
    """Adds such parts to alphas of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._inner, self._area, self._wide = np.zeros((3, *shape), np.uint8)
        self._weights = np.zeros(shape, np.float32)

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
        find_weights(read_only(guide), known, self._wide, means, self._weights)
        apply_weights(self._weights, self._area, alpha)


@kernel
def find_weights(guide: Bytes, plate: tuple[Bytes, Bytes], where: Bytes, means: Floats, weights: Floats) -> None:
    """``weights`` (h, w): the least alpha of each cell by its own difference, 0 where ``where`` is 0."""
    colours, validity = plate
    for y in range(where.shape[0]):
        for x in range(where.shape[1]):
            weights[y, x] = ZERO
            if where[y, x] == 0:
                continue
            mean = means[y // SAMPLE_STEP, x // SAMPLE_STEP]
            shade = _shade(guide[y, x], colours[y, x])
            square = ZERO
            for c in range(3):
                difference = np.float32(guide[y, x, c]) - shade * np.float32(colours[y, x, c])
                square += difference * difference
            matching = UNIT - MISMATCHES * mean[8] / max(mean[7], MIN_VISIBLE)
            trusted = max(matching, ZERO) * np.float32(validity[y, x]) * np.float32(1 / 255)
            weights[y, x] = trusted * square / (square + SQUARE)


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
def apply_weights(weights: Floats, area: Bytes, alpha: Floats) -> None:
    """``alpha`` is at least the mean of the ``weights`` of 3 x 3 cells in the ``area``; all (h, w)."""
    height, width = alpha.shape
    for y in range(height):
        for x in range(width):
            if area[y, x] == 0:
                continue
            total = ZERO
            for row in range(y - 1, y + 2):
                for column in range(x - 1, x + 2):
                    total += weights[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
            alpha[y, x] = max(alpha[y, x], total * NINTH)
