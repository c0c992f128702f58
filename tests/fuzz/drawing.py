"""Images of flat colours, BGR, that tests can tell apart by one pixel of each area; and the eight orientations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Color = tuple[int, int, int]

SIZE = 96, 64
RED, GREEN, BLUE, WHITE = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)
BLACK, GREY, MAGENTA = (0, 0, 0), (128, 128, 128), (255, 0, 255)

GREY_STEP = 8
"""Frame number n of ``greys`` has the level n times this."""

QUARTERS = {(0.2, 0.2): RED, (0.8, 0.2): GREEN, (0.2, 0.8): BLUE, (0.8, 0.8): WHITE}
"""Colours of ``quarters`` by position, (x, y) from 0 to 1."""

THIRDS_OVER_BLACK = {(0.15, 0.5): GREEN, (0.5, 0.5): GREY, (0.85, 0.5): BLACK}
"""Colours of ``thirds`` by position, over black."""


def flat(color: Sequence[int], size: tuple[int, int] = SIZE) -> Image:
    """One colour, BGR or BGRA."""
    return np.full((size[1], size[0], len(color)), color, np.uint8)


def quarters(size: tuple[int, int] = SIZE) -> Image:
    """Red and green above blue and white: no two orientations look the same."""
    image = flat(WHITE, size)
    x, y = size[0] // 2, size[1] // 2
    image[:y, :x], image[:y, x:], image[y:, :x] = RED, GREEN, BLUE
    return image


def thirds(size: tuple[int, int] = SIZE) -> Image:
    """BGRA: opaque green, half transparent white, and magenta at alpha 0, which must never be seen."""
    image = flat((*MAGENTA, 0), size)
    third = size[0] // 3
    image[:, :third], image[:, third : 2 * third] = (*GREEN, 255), (*WHITE, 128)
    return image


def greys(count: int) -> list[Image]:
    """Frames that can be counted."""
    return [flat((GREY_STEP * number,) * 3) for number in range(count)]


def noise(size: tuple[int, int] = (320, 240), seed: int = 1) -> Image:
    """Does not compress: half of its file is half of the image."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def encoded(image: Image, suffix: str) -> bytes:
    """A file by OpenCV."""
    return cv2.imencode(suffix, image)[1].tobytes()


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored image is turned before it is shown.

    Attributes:
        matrix: (a, b, c, d) of ISO 14496-12: the stored point (p, q) is shown at (a p + c q, b p + d q).
        exif: The value of EXIF's tag 0x0112.
        heif: Quarter turns to the left (irot), and imir's axis: 0 swaps top and bottom, 1 left and right.
        stored: The image to store, from the one to be shown.
    """

    matrix: tuple[int, int, int, int]
    exif: int
    heif: tuple[int, int | None]
    stored: Callable[[Image], Image]


ORIENTATIONS = {
    "as-stored": Orientation((1, 0, 0, 1), 1, (0, None), lambda image: image),
    "mirrored": Orientation((-1, 0, 0, 1), 2, (0, 1), lambda image: image[:, ::-1]),
    "turned-180": Orientation((-1, 0, 0, -1), 3, (2, None), lambda image: image[::-1, ::-1]),
    "upside-down": Orientation((1, 0, 0, -1), 4, (0, 0), lambda image: image[::-1]),
    "transposed": Orientation((0, 1, 1, 0), 5, (1, 0), lambda image: image.swapaxes(0, 1)),
    "turned-90": Orientation((0, 1, -1, 0), 6, (3, None), np.rot90),
    "transversed": Orientation((0, -1, -1, 0), 7, (1, 1), lambda image: image[::-1, ::-1].swapaxes(0, 1)),
    "turned-270": Orientation((0, -1, 1, 0), 8, (1, None), lambda image: np.rot90(image, -1)),
}


def stored(shown: Image, name: str) -> Image:
    """What to store so that ``shown`` is seen in the orientation of that name."""
    return np.ascontiguousarray(ORIENTATIONS[name].stored(shown))
