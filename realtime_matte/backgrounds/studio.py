"""A softly lit room, drawn by the program; the default background (``studio``)."""

from typing import Final

from realtime_matte.backgrounds._drawing import Canvas
from realtime_matte.backgrounds.image import StillBackground
from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Fit

SHELVES: Final = (0.17, 0.40, 0.63)  # y of each shelf
BOOKS: Final = (  # shelf, x, width, height, colour
    (0, 0.52, 0.034, 0.15, 0x8C4A3C), (0, 0.556, 0.028, 0.13, 0xC9A227), (0, 0.586, 0.040, 0.16, 0x2F4858),
    (0, 0.70, 0.05, 0.10, 0xD8CBB5), (1, 0.66, 0.036, 0.15, 0x55695A), (1, 0.70, 0.030, 0.17, 0xB7A48B),
    (1, 0.733, 0.042, 0.14, 0x7A3B2E), (1, 0.78, 0.030, 0.16, 0x31485A), (2, 0.52, 0.09, 0.05, 0xC8B89C),
    (2, 0.53, 0.07, 0.10, 0x6B7F78), (2, 0.70, 0.034, 0.15, 0xA8703A), (2, 0.737, 0.036, 0.17, 0x41525C),
)  # fmt: skip
LEAVES: Final = (  # x, y, half width, half height, colour
    (-0.88, 0.66, 0.070, 0.050, 0x3F5A40), (-0.66, 0.68, 0.070, 0.045, 0x4A6748), (-0.80, 0.56, 0.032, 0.15, 0x4F7050),
    (-0.72, 0.60, 0.030, 0.16, 0x5D8058), (-0.86, 0.55, 0.026, 0.10, 0x587A55), (-0.64, 0.57, 0.028, 0.09, 0x6B8E62),
    (-0.76, 0.74, 0.060, 0.08, 0x3F5A40), (-0.755, 0.47, 0.020, 0.10, 0x6B8E62),
)  # fmt: skip


def open(rest: str, /, *, size: Size, fit: Fit) -> StillBackground:  # noqa: ARG001 - drawn at the size
    """The room, drawn at ``size``."""
    if rest:
        raise SpecError(f"the background 'studio' takes no argument, not {rest!r}", hint="write studio")
    return StillBackground(draw(size))


def draw(size: Size) -> Pixels:
    """The pixels of the room, (H, W, 3); it looks the same at every size."""
    canvas = Canvas(size)
    canvas.gradient([(0, 0xCFC4B6), (0.55, 0xBFB1A0), (0.80, 0xA89680), (0.82, 0x8A725A), (1, 0x6E5843)])
    _draw_furniture(canvas)
    canvas.blur(0.012)
    _draw_light(canvas)
    return canvas.finish()


def _draw_furniture(canvas: Canvas) -> None:
    canvas.box((0.46, 0), (0.86, 0.82), 0x6A5340)
    for y in SHELVES:
        canvas.box((0.48, y + 0.012 - 0.215), (0.84, y), 0x8A7159)
    for shelf, x, width, height, color in BOOKS:
        canvas.box((x, SHELVES[shelf] - height), (x + width, SHELVES[shelf]), color)
    canvas.box((-0.84, 0.80), (-0.66, 0.97), 0xD9CFC2)
    for x, y, half_width, half_height, color in LEAVES:
        canvas.ellipse((x, y), (half_width, half_height), color, 0.95)


def _draw_light(canvas: Canvas) -> None:
    canvas.glow((-0.75, 0.12), (0.42, 0.38), 0xFFF6E6, 0.80)
    canvas.glow((0.60, 0.30), (0.10, 0.10), 0xFFD9A0, 0.75)
    canvas.glow((0.60, 0.30), (0.30, 0.26), 0xFFC98A, 0.30)
    canvas.glow((0.1, 1.15), (1.1, 0.30), 0x2A2320, 0.45)
