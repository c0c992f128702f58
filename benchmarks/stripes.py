"""People with bands drawn across them: how much of the body below a band a network keeps.

A horizontal line across a body looks like the edge of a desk. Bands are drawn on the person alone, so the true alpha
is that of the still.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from clips import Clip, file_clip, webcam_view_clip
from data_pack import GESTURES, PEOPLE2, rows, trusted
from metrics import SOLID, Alpha, Pixels

SEED: Final = 20262
PEOPLE: Final = 80
"""Half of them portraits, half gestures."""

BAND_HEIGHTS: Final = (1 / 60, 1 / 12)
"""In heights of the frame: 6 to 30 px of 360."""
BAND_TOPS: Final = {1: ((0.55, 0.8),), 2: ((0.5, 0.65), (0.7, 0.8))}
"""Ranges of the upper edges of one band and of two, in heights of the frame."""
COLOURS: Final = {"light": (242, 245, 245), "dark": (30, 26, 24)}
"""BGR."""

LOWEST: Final = 0.88
"""Height of the frame below which no band lies."""
MIN_BODY: Final = 0.15
"""Least share of the pixels below LOWEST that the body covers, for a person to be in the set."""

BandRows: TypeAlias = tuple[int, int]
"""First row of a band, and the first row below it."""


def load(data: Path, *, people: int = PEOPLE) -> list[Clip]:
    """Every person without bands, with one and with two, light and dark; ``kind`` says which.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
    """
    chosen = [clip for stills in (_portraits(data), gestures(data)) for clip in islice(_tall(stills), people // 2)]
    kinds = [(0, "none"), *((count, colour) for count in BAND_TOPS for colour in COLOURS)]
    return [
        _with_bands(clip, count, colour, np.random.default_rng([SEED, number, count]))
        for number, clip in enumerate(chosen)
        for count, colour in kinds
    ]


def gestures(data: Path) -> Iterator[Clip]:
    """Stills of raised and crossed arms, hands near the camera, held objects; truth by six public networks."""
    for row in rows(data, PEOPLE2, split=GESTURES):
        yield file_clip(data / row["image"], data / row["alpha"])


def _portraits(data: Path) -> Iterator[Clip]:
    for row in trusted(data, np.random.default_rng(SEED)):
        yield webcam_view_clip(data / row["image"], data / row["alpha"])


def _tall(clips: Iterator[Clip]) -> Iterator[Clip]:
    """Those whose body covers enough of the frame's lower end."""
    for clip in clips:
        (alpha,) = clip.alphas
        if (alpha[int(LOWEST * len(alpha)) :] > SOLID).mean() >= MIN_BODY:
            yield clip


def _with_bands(clip: Clip, count: int, colour: str, random: np.random.Generator) -> Clip:
    """The still with ``count`` bands; without bands, the body is scored below the row where one would end."""
    (frame,), (alpha,) = clip.frames, clip.alphas
    band_rows = _random_rows(random, count or 1, len(alpha))
    drawn = draw_bands(frame, alpha, band_rows, COLOURS[colour]) if count else frame
    return replace(
        clip,
        name=f"{clip.name}_{count}_{colour}",
        read_frames=lambda: [drawn],
        kind=f"{count} {colour}" if count else "no band",
        body_from=band_rows[-1][1] + 2,  # two rows for the band's soft edge
    )


def _random_rows(random: np.random.Generator, count: int, height: int) -> list[BandRows]:
    tops = [round(random.uniform(*interval) * height) for interval in BAND_TOPS[count]]
    return [(top, top + round(np.exp(random.uniform(*np.log(BAND_HEIGHTS))) * height)) for top in tops]


def draw_bands(frame: Pixels, alpha: Alpha, band_rows: Sequence[BandRows], colour: tuple[int, int, int]) -> Pixels:
    """The frame with horizontal bands on the person alone, their edges slightly soft."""
    bands = np.zeros(alpha.shape, np.float32)
    for first, end in band_rows:
        bands[first:end] = 1
    weight = cv2.GaussianBlur(bands * alpha, (0, 0), 0.7)
    return cv2.blendLinear(np.full_like(frame, colour), frame, weight, 1 - weight).astype(np.uint8)
