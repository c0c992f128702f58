"""The standby card: a calm drawn picture with a line of text, or a picture of the user's own."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.media.image import fill, read
from realtime_matte.paths import named
from realtime_matte.pipeline.text import write

TEXT: Final = "Back in a moment"

EDGE: Final = (24, 19, 15)  # BGR, chosen by eye: dark, so that the card does not light up a dim room
MIDDLE: Final = (62, 50, 41)
DISC: Final = (84, 69, 58)
FIGURE: Final = (122, 104, 90)
INK: Final = (224, 216, 208)

FIGURE_Y: Final = 0.42  # of the height, its middle
TEXT_Y: Final = 0.71  # of the height, its base line
WIDEST: Final = 0.84  # of the width, a line of text
LETTERS: Final = 0.065  # of the height, or of the width of a portrait
COARSE: Final = 90  # height the light is painted at before it is made full-size
GRAIN_PX: Final = 64


def draw(size: Size, *, text: str = TEXT, image: str | Path | None = None) -> Pixels:
    """The card at ``size``, with ``text`` in one line, smaller if it is long; or ``image`` over all of it, no text.

    Raises:
        MissingFile, BadFile: of the image.
    """
    if image is not None:
        return fill(read(named(str(image))), size, "cover")
    pixels = _light(size)
    _put_figure(pixels)
    line = " ".join(text.split())
    letters = LETTERS * min(size[1], 0.8 * size[0])
    write(pixels, line, base=int(TEXT_Y * size[1]), px=letters, widest=WIDEST * size[0], color=INK)
    return pixels


def _light(size: Size) -> Pixels:
    """Dark, and a little lighter around the figure."""
    y, x = np.ogrid[:COARSE, : 2 * COARSE]
    distance = np.hypot((x + 0.5) / x.size - 0.5, (y + 0.5) / COARSE - FIGURE_Y)
    share = np.exp(-((distance / 0.36) ** 2))[..., None]
    light = cv2.resize(EDGE + (np.array(MIDDLE) - EDGE) * share, size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).random((GRAIN_PX, GRAIN_PX, 1))  # rounds up or down by chance: no bands
    times = -(-size[1] // GRAIN_PX), -(-size[0] // GRAIN_PX), 1
    return np.asarray(light + np.tile(grain, times)[: size[1], : size[0]], np.uint8)


def _put_figure(pixels: Pixels) -> None:
    """Nobody in particular: head and shoulders in a disc."""
    height, width = pixels.shape[:2]
    radius = int(0.15 * min(height, width))
    top, left = int(FIGURE_Y * height) - radius, width // 2 - radius
    part = pixels[top : top + 2 * radius, left : left + 2 * radius]
    y, x = (np.mgrid[: 2 * radius, : 2 * radius] + 0.5) / max(radius, 1) - 1
    disc, head, body = (
        np.clip((reach - np.hypot(x, y - down)) * radius + 0.5, 0, 1)[..., None]
        for reach, down in ((1, 0), (0.34, -0.20), (0.64, 0.90))
    )
    inside = DISC + (np.array(FIGURE) - DISC) * np.maximum(head, body)
    part[:] = part + (inside - part) * disc
