"""A line of text on pixels, by OpenCV alone: its version 5 brings a typeface, older ones strokes.

Which scripts that typeface has differs between its builds: 5.0 had Greek and Chinese, 5.1 has not.
"""

import unicodedata
from typing import Final, Protocol, TypeAlias

import cv2
import numpy as np

from realtime_matte.frame import Pixels

SMALLEST_PX: Final = 5  # letters below this cannot be read and are left out
TRIAL_PX: Final = 100
WEIGHT: Final = 350  # of the variable typeface: 400 is regular
FAR: Final = (1 << 20, 1 << 12)  # a page on which no line ends
STROKES_PX: Final = 30  # of the old letters at scale 1, with what hangs below the line

WHOLE: Final = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"})  # no accents

Color: TypeAlias = tuple[int, int, int]


class Typeface(Protocol):
    """A way to write."""

    def width(self, text: str, px: int) -> int:
        """Of the text with letters of so many pixels."""

    def write(self, pixels: Pixels, text: str, px: int, at: tuple[int, int], color: Color) -> None:
        """Put it there: left end, base line."""


def write(pixels: Pixels, text: str, *, base: int, px: float, widest: float, color: Color) -> None:
    """Centre the text on a base line, its letters ``px`` high or less, so that it is no wider than ``widest``."""
    text = text.encode("utf-8", "replace").decode()  # OpenCV crashes with bytes that were no text
    typeface: Typeface = Scripts() if hasattr(cv2, "FontFace") else Strokes()
    trial = max(1, typeface.width(text, TRIAL_PX))
    letters = int(min(px, widest * TRIAL_PX / trial))
    if text and letters >= SMALLEST_PX:
        left = (pixels.shape[1] - typeface.width(text, letters)) // 2
        typeface.write(pixels, text, letters, (left, base), color)


def unwritten(text: str) -> str:
    """Its letters that come out as question marks here, each once."""
    mark = _letter("?")
    letters = dict.fromkeys(letter for letter in text if letter.isprintable() and letter not in "? ")
    return "".join(letter for letter in letters if np.array_equal(_letter(letter), mark))


def _letter(letter: str) -> Pixels:
    pixels = np.zeros((2 * TRIAL_PX, 2 * TRIAL_PX, 3), np.uint8)
    write(pixels, letter, base=TRIAL_PX, px=TRIAL_PX // 2, widest=TRIAL_PX, color=(255, 255, 255))
    return pixels


class Scripts:
    """OpenCV 5's own typeface: Latin, Cyrillic, Hebrew and, in some builds, more."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")

    def width(self, text: str, px: int) -> int:
        """Of the text with letters of so many pixels."""
        return int(cv2.getTextSize(FAR, text, (0, 0), self._face, px, WEIGHT)[2])

    def write(self, pixels: Pixels, text: str, px: int, at: tuple[int, int], color: Color) -> None:
        """Put it there."""
        cv2.putText(pixels, text, at, color, self._face, px, WEIGHT)


class Strokes:
    """The letters of every OpenCV, plain ASCII: accents fall off, other scripts become question marks."""

    def width(self, text: str, px: int) -> int:
        """Of the text with letters of so many pixels."""
        scale, thickness = _stroke(px)
        return int(cv2.getTextSize(plain(text), cv2.FONT_HERSHEY_DUPLEX, scale, thickness)[0][0])

    def write(self, pixels: Pixels, text: str, px: int, at: tuple[int, int], color: Color) -> None:
        """Put it there."""
        scale, thickness = _stroke(px)
        cv2.putText(pixels, plain(text), at, cv2.FONT_HERSHEY_DUPLEX, scale, color, thickness, cv2.LINE_AA)


def plain(text: str) -> str:
    """The text in ASCII, as near as it gets."""
    apart = unicodedata.normalize("NFKD", text.translate(WHOLE))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).encode("ascii", "replace").decode()


def _stroke(px: int) -> tuple[float, int]:
    return px / STROKES_PX, max(1, round(px / 24))
