"""One line of text in any script as an image with alpha: Pillow, which shapes and reorders it where it has Raqm.

The first font that has every letter is used; where none has, the one that has the most. A list of common fonts is tried
everywhere, then what ``fc-match`` of fontconfig finds on Linux. Pillow's own font is the last resort.
"""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_matte.errors import MissingFile
from realtime_matte.frame import Pixels

FONTS: Final = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "segoeui.ttf", "Helvetica.ttc"),
    *("NotoSansCJK-Regular.ttc", "msyh.ttc", "YuGothM.ttc", "malgun.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc"),
    *("Arial Unicode.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansArabic-Regular.ttf", "Nirmala.ttf"),
)
"""Names of common fonts on Linux, Windows and macOS, which Pillow looks for in the system's folders."""

TRIAL_PX: Final = 24
NO_LETTER: Final = "\U0010fffe"
"""A code that is no letter, so that a font draws its sign for a missing one."""

COLOR: Final = (255, 255, 255)
PLATE_COLOR: Final = (20, 20, 20)
PLATE_ALPHA: Final = 0.62
"""White on this plate has a contrast above 4.5, the least that WCAG 2 asks for, over any background: 5.3 over white."""

PADDING: Final = 0.45
"""Of the plate around the text, in letter heights."""

FONTCONFIG_TIMEOUT_S: Final = 5.0

Font = ImageFont.FreeTypeFont


def find_font(text: str, name: str | None) -> tuple[Font, str]:
    """The font for a text, and the letters that it lacks.

    Raises:
        MissingFile: there is no font ``name``.
    """
    letters = [letter for letter in dict.fromkeys(text) if letter.isprintable() and not letter.isspace()]
    if name:
        try:
            font = ImageFont.truetype(str(Path(name).expanduser()), TRIAL_PX)
        except (OSError, ValueError) as error:
            raise MissingFile(f"cannot open the font {name!r}: {error}", hint="name a .ttf or .otf file") from error
        return font, missing(font, letters)
    best: tuple[Font, str] | None = None
    for font in _fonts(letters):
        lacks = missing(font, letters)
        if best is None or len(lacks) < len(best[1]):
            best = font, lacks
        if not lacks:
            break
    assert best  # noqa: S101 - Pillow brings the last one
    return best


def missing(font: Font, letters: Iterable[str]) -> str:
    """The letters that a font draws as its sign for a missing letter, or as nothing."""
    none = _pixels(font, NO_LETTER)
    drawn = {letter: _pixels(font, letter) for letter in letters}
    return "".join(letter for letter, pixels in drawn.items() if pixels == none or not pixels[1].strip(b"\0"))


def draw_line(text: str, font: Font, *, height_px: int, plate: bool) -> Pixels:
    """The text, letters ``height_px`` high, white on a dark plate or with a dark outline: (h, w, 4) BGRA."""
    font = font.font_variant(size=max(height_px, 1))
    outline = 0 if plate else max(1, height_px // 12)
    left, top, right, bottom = font.getbbox(text or " ", stroke_width=outline)
    ascent, descent = font.getmetrics()
    padding = round(PADDING * height_px) if plate else outline
    top, bottom = min(top, 0), max(bottom, ascent + descent)
    size = max(1, int(right - left)) + 2 * padding, max(1, int(bottom - top)) + (padding if plate else 2 * outline)
    image = Image.new("RGBA", size, (*PLATE_COLOR, 0))
    draw = ImageDraw.Draw(image)
    if plate:
        alpha = round(255 * PLATE_ALPHA)
        draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius=padding, fill=(*PLATE_COLOR, alpha))
    text_layer = Image.new("RGBA", size, (*COLOR, 0) if plate else (*PLATE_COLOR, 0))
    at = padding - left, (padding // 2 if plate else outline) - top
    ImageDraw.Draw(text_layer).text(
        at, text, font=font, fill=(*COLOR, 255), stroke_width=outline, stroke_fill=(*PLATE_COLOR, 255)
    )
    image.alpha_composite(text_layer)
    return np.ascontiguousarray(np.asarray(image)[..., [2, 1, 0, 3]])


def _fonts(letters: list[str]) -> Iterator[Font]:
    for name in FONTS:
        if font := _open(name):
            yield font
    if (path := _fontconfig(letters)) and (font := _open(path)):
        yield font
    default = ImageFont.load_default(TRIAL_PX)
    if isinstance(default, ImageFont.FreeTypeFont):
        yield default


def _open(name: str) -> Font | None:
    try:
        return ImageFont.truetype(name, TRIAL_PX)
    except (OSError, ValueError):
        return None


def _fontconfig(letters: list[str]) -> str:
    """The file of a font with these letters, as fontconfig finds it; empty where there is none."""
    program = shutil.which("fc-match")
    if not program or not letters:
        return ""
    codes = " ".join(f"{ord(letter):x}" for letter in letters[:50])
    try:
        found = subprocess.run(  # noqa: S603 - numbers only
            [program, "-f", "%{file}", f":charset={codes}"],
            capture_output=True,
            timeout=FONTCONFIG_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.decode("utf-8", "replace")


def _pixels(font: Font, letter: str) -> tuple[tuple[int, ...], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)
