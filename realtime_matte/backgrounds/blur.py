"""The frame's own background, blurred: ``blur``, or ``blur:0.03`` for a Gaussian of 3 % of the frame's height.

``blur?lens`` blurs as a lens does: discs, and bright lights.

Only background pixels are averaged: a pixel with any foreground in it has weight 0, so that no colour of the person is
smeared around them. The sums are taken on a small grid, which is as smooth as the blur and costs little.
"""

from typing import Final

import cv2
import numpy as np

from realtime_matte.backgrounds._lens_blur import FAINT, MAX_BACKGROUND, LensBlur, halve
from realtime_matte.config.specs import SpecOption, parse, positive, switch
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size, half_size, mask_background
from realtime_matte.interfaces import Fit

STRENGTH: Final = 0.05
"""Chosen by eye on interiors: furniture, posters and faces cannot be recognised any more."""

MIN_STRENGTH: Final = 0.01
MAX_STRENGTH: Final = 0.5

LEGIBLE: Final = {False: (0.015, 0.03), True: (0.015, 0.04)}
"""Without and with ``lens``: strengths from which letters of 40 and of 80 pixels on a wall cannot be read any more, on
frames of 720 rows, by eye. The edge of a disc is sharper than that of a Gaussian."""

MIN_SIGMA_CELLS: Final = 1.3
"""From this sigma on, in cells, cubic upscaling shows no cells."""

MAX_CELL: Final = 16
"""Width of a cell, in pixels."""

MIN_CELLS: Final = 4
"""Smallest number of cells, in width and in height."""

OPTIONS: Final = {"lens": SpecOption(switch, "blur as a lens does: discs, and lights stay bright", default=False)}


def open(rest: str, /, *, size: Size, fit: Fit) -> "Blur | LensBlur":  # noqa: ARG001 - it has the frame's own aspect ratio
    """A blur whose Gaussian has a sigma of ``rest`` times the height."""
    rest, options = parse(rest, OPTIONS, plugin="blur")
    try:
        strength = positive(rest) if rest else STRENGTH
    except ValueError as error:
        raise SpecError(f"the blur's strength {rest!r} is not {error}", hint="write blur, or blur:0.05") from error
    if not MIN_STRENGTH <= strength <= MAX_STRENGTH:
        raise SpecError(
            f"the blur's strength {rest!r} is not between {MIN_STRENGTH} and {MAX_STRENGTH}", hint="write blur:0.05"
        )
    kind = LensBlur if options["lens"] else Blur
    return kind(size, strength, notices=weak_notices(strength, lens=options["lens"]))


def weak_notices(strength: float, *, lens: bool) -> tuple[str, ...]:
    """What can still be read behind the person; empty if nothing can."""
    small, large = LEGIBLE[lens]
    if strength >= large:
        return ()
    what = "small letters, of a twentieth of the height," if strength < small else "large letters"
    return (f"the blur {strength:g} is so weak that {what} can still be read behind you; {large:g} hides them",)


class Blur:
    """Weights each background pixel 1 and each foreground pixel 0; blurs the weighted colours and the weights.

    ``follows_camera``: its images are of the same place as the frame's.
    """

    follows_camera = True

    def __init__(self, size: Size, strength: float, *, notices: tuple[str, ...] = ()) -> None:
        self.notices = notices
        width, height = size
        cell = _cell_size(strength * height, size)
        rows, columns = -(-height // cell), -(-width // cell)
        self._sigma = strength * height / cell
        self._size = half_size(size)
        padded = rows * cell // 2, columns * cell // 2  # whole cells, which is fast; the padding is never background
        self._mask = np.zeros(padded, np.uint8)
        self._half, self._masked = np.zeros((2, *padded, 3), np.uint8)
        self._cells = np.empty((rows, columns, 3), np.uint8), np.empty((rows, columns), np.uint8)
        self._colors = np.empty((rows, columns, 3), np.float32)
        self._weights = np.empty((rows, columns, 1), np.float32)
        self._blurred = np.empty((height, width, 3), np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The background of this frame, blurred."""
        self._sum(frame.pixels, matte)
        self._add_mean_color(frame.pixels)
        np.divide(self._colors, self._weights, out=self._colors)
        cells = cv2.convertScaleAbs(self._colors, dst=self._cells[0], alpha=255)
        cv2.resize(cells, frame.size, dst=self._blurred, interpolation=cv2.INTER_CUBIC)
        return self._blurred

    def close(self) -> None:
        """Nothing is open."""

    def _sum(self, pixels: Pixels, matte: RefinedMatte) -> None:
        """Sum the background in each cell, and blur the sums. A pixel of half size counts if all are background."""
        width, height = self._size
        mask_background(matte, MAX_BACKGROUND, self._mask)
        halve(pixels, self._half[:height, :width])
        self._masked.fill(0)
        cv2.copyTo(self._half, self._mask, self._masked)
        images = (self._masked, self._mask), self._cells, (self._colors, self._weights[..., 0])
        for half, cells, sums in zip(*images, strict=True):
            cv2.resize(half, cells.shape[1::-1], dst=cells, interpolation=cv2.INTER_AREA)
            np.copyto(sums, cells)
            cv2.GaussianBlur(sums, (0, 0), self._sigma, dst=sums, borderType=cv2.BORDER_REPLICATE)

    def _add_mean_color(self, pixels: Pixels) -> None:
        """Add a little of the background's mean colour, so that cells deep inside the foreground have a colour too."""
        weight = self._weights.mean()
        mean = self._colors.mean(axis=(0, 1)) / weight * 255 if weight > 0 else np.array(cv2.mean(pixels)[:3])
        self._colors += (mean * FAINT / 255).astype(np.float32)
        self._weights += np.float32(FAINT)


def _cell_size(sigma: float, size: Size) -> int:
    """Width of a cell in pixels: a power of two from 2 on, and small enough for MIN_CELLS across and down."""
    cell = 2
    while cell < MAX_CELL and sigma >= 2 * cell * MIN_SIGMA_CELLS and min(size) >= 2 * cell * MIN_CELLS:
        cell *= 2
    return cell
