"""One line of text drawn by OpenCV: version 5 brings a typeface, older ones have the Hershey stroke fonts.

The scripts in OpenCV 5's typeface differ between its builds: 5.0 had Greek and Chinese, 5.1 has not.
"""

import unicodedata
from typing import Final, Protocol, TypeAlias

import cv2
import numpy as np

from realtime_matte.frame import Pixels

MIN_HEIGHT_PX: Final = 5  # smaller letters cannot be read and are left out
TRIAL_PX: Final = 100  # letter height at which widths are measured
WEIGHT: Final = 350  # of the variable typeface: 400 is regular
PAGE: Final = (1 << 20, 1 << 12)  # a page so large that no line wraps
HERSHEY_PX: Final = 30  # height of Hershey letters at scale 1, descenders included

NO_DECOMPOSITION: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}  # not a letter plus an accent in Unicode
)

Color: TypeAlias = tuple[int, int, int]


class Font(Protocol):
    """A way to draw text."""

    def width(self, text: str, px: int) -> int:
        """Width in pixels of the text with letters ``px`` high."""

    def draw(self, pixels: Pixels, text: str, px: int, at: tuple[int, int], color: Color) -> None:
        """Draw the text; ``at`` is the left end of its base line."""


def draw(pixels: Pixels, text: str, *, base: int, height_px: float, max_width: float, color: Color) -> None:
    """Draw the text centred on a base line, letters ``height_px`` high or less, so that ``max_width`` is kept."""
    text = text.encode("utf-8", "replace").decode()  # OpenCV crashes on lone surrogates
    font: Font = TypefaceFont() if hasattr(cv2, "FontFace") else HersheyFont()
    trial_width = max(1, font.width(text, TRIAL_PX))
    px = int(min(height_px, max_width * TRIAL_PX / trial_width))
    if text and px >= MIN_HEIGHT_PX:
        left = (pixels.shape[1] - font.width(text, px)) // 2
        font.draw(pixels, text, px, (left, base), color)


def missing_letters(text: str) -> str:
    """The letters of the text that are drawn as question marks, each once."""
    mark = _letter("?")
    letters = dict.fromkeys(letter for letter in text if letter.isprintable() and letter not in "? ")
    return "".join(letter for letter in letters if np.array_equal(_letter(letter), mark))


def _letter(letter: str) -> Pixels:
    pixels = np.zeros((2 * TRIAL_PX, 2 * TRIAL_PX, 3), np.uint8)
    draw(pixels, letter, base=TRIAL_PX, height_px=TRIAL_PX // 2, max_width=TRIAL_PX, color=(255, 255, 255))
    return pixels


class TypefaceFont:
    """OpenCV 5's own typeface: Latin, Cyrillic, Hebrew and, in some builds, more."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")

    def width(self, text: str, px: int) -> int:
        """Width in pixels of the text with letters ``px`` high."""
        return int(cv2.getTextSize(PAGE, text, (0, 0), self._face, px, WEIGHT)[2])

    def draw(self, pixels: Pixels, text: str, px: int, at: tuple[int, int], color: Color) -> None:
        """Draw the text; ``at`` is the left end of its base line."""
        cv2.putText(pixels, text, at, color, self._face, px, WEIGHT)


class HersheyFont:
    """The stroke font of every OpenCV, ASCII only: accents are removed, other scripts become question marks."""

    def width(self, text: str, px: int) -> int:
        """Width in pixels of the text with letters ``px`` high."""
        scale, thickness = _stroke(px)
        return int(cv2.getTextSize(to_ascii(text), cv2.FONT_HERSHEY_DUPLEX, scale, thickness)[0][0])

    def draw(self, pixels: Pixels, text: str, px: int, at: tuple[int, int], color: Color) -> None:
        """Draw the text; ``at`` is the left end of its base line."""
        scale, thickness = _stroke(px)
        cv2.putText(pixels, to_ascii(text), at, cv2.FONT_HERSHEY_DUPLEX, scale, color, thickness, cv2.LINE_AA)


def to_ascii(text: str) -> str:
    """The text in ASCII, without accents; ``?`` for letters that have no ASCII form."""
    decomposed = unicodedata.normalize("NFKD", text.translate(NO_DECOMPOSITION))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).encode("ascii", "replace").decode()


def _stroke(px: int) -> tuple[float, int]:
    return px / HERSHEY_PX, max(1, round(px / 24))
