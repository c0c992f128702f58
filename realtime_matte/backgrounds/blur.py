"""The room itself, blurred: ``blur``, or ``blur:0.03`` for a blur of 3 % of the picture's height.

Only the room is averaged: a pixel with any of the person in it counts for nothing, so no colour of the person is
smeared around them. The sums are taken on a small grid, which is as smooth as the blur and costs little.
"""

from typing import Final

import cv2
import numpy as np

from realtime_matte.config.specs import positive
from realtime_matte.errors import SpecError
from realtime_matte.frame import Alpha, Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit

STRENGTH: Final = 0.05  # chosen by eye on interiors: furniture, posters and faces cannot be told any more
WEAKEST: Final = 0.01
STRONGEST: Final = 0.5
ROOM: Final = 0.1  # alpha below it is room; above zero, for a matte is never quite clean
FINEST: Final = 1.3  # least sigma in cells: cubic upscaling shows no cells from here on
COARSEST: Final = 16  # most pixels a cell may be wide
FEWEST: Final = 4  # least cells across and down
FAINT: Final = 0.25  # of 255: where there is less room than this around, its mean colour takes over


def open(rest: str, /, *, size: Size, fit: Fit) -> "Blur":  # noqa: ARG001 - it has the frame's own shape
    """A blur by ``rest`` of the height: that is its Gaussian's sigma."""
    try:
        strength = positive(rest) if rest else STRENGTH
    except ValueError as error:
        raise SpecError(f"the blur's strength {rest!r} is not {error}", hint="write blur, or blur:0.05") from error
    if not WEAKEST <= strength <= STRONGEST:
        raise SpecError(f"the blur's strength {rest!r} is not within {WEAKEST} and {STRONGEST}", hint="write blur:0.05")
    return Blur(size, strength)


class Blur:
    """Weighs each pixel of the room 1 and each of the person 0, and blurs both the weighted colours and the weights."""

    def __init__(self, size: Size, strength: float) -> None:
        width, height = size
        step = _step(strength * height, size)
        rows, columns = -(-height // step), -(-width // step)
        self._sigma = strength * height / step
        whole = (
            rows * step,
            columns * step,
        )  # cells divide it evenly, which is quick; its rim is nobody's, so never room
        self._mask = np.zeros(whole, np.uint8)
        self._masked = np.empty((*whole, 3), np.uint8)
        half = whole[0] // min(step, 2), whole[1] // min(step, 2)
        self._halves = np.empty((*half, 3), np.uint8), np.empty(half, np.uint8)
        self._cells = np.empty((rows, columns, 3), np.uint8), np.empty((rows, columns), np.uint8)
        self._colors = np.empty((rows, columns, 3), np.float32)
        self._weights = np.empty((rows, columns, 1), np.float32)
        self._picture = np.empty((height, width, 3), np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The room in this very frame, without the person."""
        self._gather(frame.pixels, matte.alpha)
        self._fill_in(frame.pixels)
        np.divide(self._colors, self._weights, out=self._colors)
        cells = cv2.convertScaleAbs(self._colors, dst=self._cells[0], alpha=255)
        cv2.resize(cells, frame.size, dst=self._picture, interpolation=cv2.INTER_CUBIC)
        return self._picture

    def close(self) -> None:
        """Nothing to let go of."""

    def _gather(self, pixels: Pixels, alpha: Alpha) -> None:
        """Sum up the room, cell by cell, and blur the sums."""
        height, width = alpha.shape
        room = self._mask[:height, :width]
        np.less(alpha, ROOM, out=room.view(np.bool_))
        np.negative(room, out=room)  # 1 becomes 255
        self._masked.fill(0)
        cv2.copyTo(pixels, room, self._masked[:height, :width])
        for full, half, cells, sums in zip(
            (self._masked, self._mask), self._halves, self._cells, (self._colors, self._weights[..., 0]), strict=True
        ):
            cv2.resize(
                full, half.shape[1::-1], dst=half, interpolation=cv2.INTER_AREA
            )  # halving is quick, so is the rest
            cv2.resize(half, cells.shape[1::-1], dst=cells, interpolation=cv2.INTER_AREA)
            np.copyto(sums, cells)
            cv2.GaussianBlur(sums, (0, 0), self._sigma, dst=sums, borderType=cv2.BORDER_REPLICATE)

    def _fill_in(self, pixels: Pixels) -> None:
        """A trace of the room's mean colour, so that what lies far behind the person has a colour too."""
        room = self._weights.mean()
        mean = self._colors.mean(axis=(0, 1)) / room * 255 if room > 0 else np.array(cv2.mean(pixels)[:3])
        self._colors += (mean * FAINT / 255).astype(np.float32)
        self._weights += np.float32(FAINT)


def _step(sigma: float, size: Size) -> int:
    """Width of a cell: a power of two, and small enough that a few of them fit across the picture."""
    step = 1
    while step < COARSEST and sigma >= 2 * step * FINEST and min(size) >= 2 * step * FEWEST:
        step *= 2
    return step
