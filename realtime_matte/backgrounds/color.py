"""One colour: ``color:teal``, ``color:#0a6``, ``color:#00aa66``, or just the name or the ``#``."""

import re

import numpy as np

from realtime_matte.backgrounds.image import StillBackground
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit

RGB = {
    "aqua": 0x00FFFF,
    "beige": 0xF5F5DC,
    "black": 0x000000,
    "blue": 0x0000FF,
    "brown": 0xA52A2A,
    "cyan": 0x00FFFF,
    "fuchsia": 0xFF00FF,
    "gold": 0xFFD700,
    "gray": 0x808080,
    "green": 0x00FF00,  # as in chroma keying; CSS calls it lime
    "grey": 0x808080,
    "indigo": 0x4B0082,
    "lime": 0x00FF00,
    "magenta": 0xFF00FF,
    "maroon": 0x800000,
    "navy": 0x000080,
    "olive": 0x808000,
    "orange": 0xFFA500,
    "pink": 0xFFC0CB,
    "purple": 0x800080,
    "red": 0xFF0000,
    "silver": 0xC0C0C0,
    "teal": 0x008080,
    "white": 0xFFFFFF,
    "yellow": 0xFFFF00,
}

SHORT, LONG = re.compile(r"#[0-9a-f]{3}"), re.compile(r"#[0-9a-f]{6}")


def claims(spec: str) -> bool:
    """True for a colour's name, and for anything that starts with ``#``."""
    return spec.lower() in RGB or spec.startswith("#")


def open(rest: str, /, *, size: Size, fit: Fit) -> StillBackground:  # noqa: ARG001 - a colour fits any size
    """A background of one colour."""
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    pixels[:] = bgr(rest)
    return StillBackground(pixels)


def bgr(text: str) -> tuple[int, int, int]:
    """Blue, green, red of a name, ``#rgb`` or ``#rrggbb``.

    Raises:
        SpecError: No such name or code.
    """
    word = text.lower()
    if SHORT.fullmatch(word):
        word = "#" + "".join(2 * digit for digit in word[1:])
    if LONG.fullmatch(word):
        value = int(word[1:], 16)
    elif word in RGB:
        value = RGB[word]
    else:
        raise SpecError(
            f"no colour called {text!r}", hint=f"there are: {', '.join(RGB)}, and codes such as #0a6 or #00aa66"
        )
    return value & 0xFF, value >> 8 & 0xFF, value >> 16
