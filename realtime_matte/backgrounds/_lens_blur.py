"""Blur as by a lens: each background pixel becomes a disc, and lights stay bright.

Pixels are averaged in linear light, in which those near white count for more than they show: a sensor clips lights,
whose true brightness is not known. A flat area keeps its colour. As in ``blur``, only background pixels are averaged.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import pi
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.backgrounds import _disc
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size, half_size, mask_background

Floats: TypeAlias = NDArray[np.float32]

MAX_BACKGROUND: Final = 0.1
"""Alpha below which a pixel is background: above zero, because a matte is never quite clean."""

FAINT: Final = 0.25
"""Weight of the background, of 255: where it is smaller, the background's mean colour dominates."""

GAMMA: Final = 2.2
HIGHLIGHT: Final = 3.0
HIGHLIGHT_POWER: Final = 12
"""White counts HIGHLIGHT times more than its own light, 90 % white a fifth of that, middle grey nothing; by eye."""

LEVELS: Final = 4096
"""Steps of the way back to 8 bits, in the square root of light: less than one level of 8 bits each."""

MAX_PRODUCTS: Final = 4e6
"""Most products of a cell and a disc's cell: 0.5 ms on a 3 GHz core. The cells are as small as this allows."""

MAX_CELL: Final = 64
FULL_LIGHT: Final = 65535


class LensBlur:
    """The frame's own background behind a disc whose spread is that of a Gaussian of ``strength`` times the height.

    ``follows_camera``: its images are of the same place as the frame's.
    """

    follows_camera = True

    def __init__(self, size: Size, strength: float, *, notices: tuple[str, ...] = ()) -> None:
        self.notices = notices
        width, height = size
        radius = 2 * strength * height  # a disc of radius r has the variance r^2 / 4 along each axis
        cell = _cell_size(radius, size)
        half = half_size(size)[::-1]
        self._mask, self._covered = np.empty((2, *half), np.uint8)
        self._half = np.empty((*half, 3), np.uint8)
        self._black = np.zeros_like(self._half)
        shapes = _halvings(half, cell)
        cells = shapes[-1]
        self._disc = _disc.open(radius / cell, cells)
        self._lights = [np.empty((*shape, 3), np.uint16) for shape in shapes]
        self._masks = [np.empty(shape, np.uint8) for shape in shapes[1:]]
        self._weights, self._blurred_weights = np.empty((2, *cells), np.float32)
        self._colors, self._blurred_colors = np.empty((2, *cells, 3), np.float32)
        self._index = np.empty((*cells, 3), np.uint16)
        self._cells = np.empty((*cells, 3), np.uint8)
        self._blurred = np.empty((height, width, 3), np.uint8)
        self._to_light, self._from_light = _tables()

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The background of this frame, blurred."""
        self._average(frame.pixels, matte)
        self._disc.average(self._colors, self._weights, (self._blurred_colors, self._blurred_weights))
        self._add_mean_color(frame.pixels)
        np.divide(self._blurred_colors, self._blurred_weights[..., None], out=self._blurred_colors)
        self._to_pixels()
        cv2.resize(self._cells, frame.size, dst=self._blurred, interpolation=cv2.INTER_CUBIC)
        return self._blurred

    def close(self) -> None:
        """Nothing is open."""

    def _average(self, pixels: Pixels, matte: RefinedMatte) -> None:
        """The background's light and its share of each cell. A pixel of half size counts if all of it is background."""
        mask_background(matte, MAX_BACKGROUND, self._mask)
        halve(pixels, self._half)
        cv2.bitwise_not(self._mask, dst=self._covered)
        cv2.copyTo(self._black, self._covered, self._half)
        cv2.LUT(self._half, self._to_light, dst=self._lights[0])
        np.multiply(_shrink(self._lights), np.float32(1 / FULL_LIGHT), out=self._colors)
        np.multiply(_shrink([self._mask, *self._masks]), np.float32(1 / 255), out=self._weights)

    def _add_mean_color(self, pixels: Pixels) -> None:
        """Add a little of the background's mean colour, so that cells deep inside the foreground have a colour too."""
        weight = cv2.mean(self._blurred_weights)[0]
        if weight > 0:
            mean = np.array(cv2.mean(self._blurred_colors)) / weight
        else:
            mean = self._to_light[np.array(cv2.mean(pixels)).astype(np.uint8)] / FULL_LIGHT
        faint = tuple((mean * (FAINT / 255)).tolist())
        cv2.add(self._blurred_colors, faint, dst=self._blurred_colors)  # type: ignore[call-overload]  # stubs have no scalars
        self._blurred_weights += np.float32(FAINT / 255)

    def _to_pixels(self) -> None:
        """From light to 8 bits, by a table over its square root."""
        light = self._blurred_colors
        np.maximum(light, 0, out=light)
        cv2.sqrt(light, dst=light)
        steps = (LEVELS - 1.0,) * 4
        cv2.multiply(light, steps, dst=self._index, dtype=cv2.CV_16U)  # type: ignore[call-overload]  # as above
        np.take(self._from_light, self._index, out=self._cells, mode="clip")


def halve(pixels: Pixels, out: Pixels) -> None:
    """Means of 2 x 2 pixels into ``out``, of ``half_size``."""
    height, width = out.shape[:2]
    cv2.resize(pixels[: 2 * height, : 2 * width], (width, height), dst=out, interpolation=cv2.INTER_AREA)


def _tables() -> tuple[NDArray[np.uint16], Pixels]:
    """The light of each 8-bit value, to FULL_LIGHT, and the 8-bit value of each of LEVELS square roots of light."""
    values = np.arange(256) / 255
    light = (values**GAMMA + HIGHLIGHT * values**HIGHLIGHT_POWER) / (1 + HIGHLIGHT)
    steps = (np.arange(LEVELS) / (LEVELS - 1)) ** 2
    return np.rint(light * FULL_LIGHT).astype(np.uint16), np.rint(np.interp(steps, light, np.arange(256))).astype(
        np.uint8
    )


def _halvings(half: tuple[int, int], cell: int) -> list[tuple[int, int]]:
    """Shapes from half size to cells, each half of the one before."""
    shapes = [half]
    while cell > 2:  # noqa: PLR2004 - half size
        shapes.append((-(-shapes[-1][0] // 2), -(-shapes[-1][1] // 2)))
        cell //= 2
    return shapes


def _shrink(images: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Average the first image into each of the others in turn; returns the last. OpenCV has a fast path for halving."""
    for larger, smaller in pairwise(images):
        cv2.resize(larger, smaller.shape[1::-1], dst=smaller, interpolation=cv2.INTER_AREA)
    return images[-1]


def _cell_size(radius: float, size: Size) -> int:
    """Width of a cell in pixels: the smallest power of two with at most MAX_PRODUCTS."""
    cell = 2
    while cell < MAX_CELL and pi * (radius / cell) ** 2 * size[0] * size[1] / cell**2 > MAX_PRODUCTS:
        cell *= 2
    return cell
