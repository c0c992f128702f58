"""``demo``: a camera that is always there; ``demo?frames=300``: so many of its frames, as fast as possible.

A photograph of a person who sways and leans as people do in calls, seen by a middling webcam: a bit dark, a bit soft,
noisy. Each picture depends on its number, the rate and the size alone, so it is the same on every run.
"""

import math

import cv2
import numpy as np

from realtime_matte import portrait
from realtime_matte.config.specs import count, parse
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import image as images
from realtime_matte.sources import _clock as _pace
from realtime_matte.sources._clock import Ticks

OPTIONS = {"frames": count}
DEFAULT_SIZE = (1280, 720)

FACE_SHOWN = 0.5, 0.42
"""Where a person before a webcam has the face, as parts of the width and height."""

ZOOM = 1.08
"""Of the largest part of the photograph that fills the picture: leaves room to move."""

SWAY, NOD, LEAN = 0.023, 0.009, 0.03
"""How far the view moves across and down, in picture sizes, and how much it grows and shrinks. Chosen by eye."""

DIM = 0.84
SOFT = 0.6
"""Blur of the photograph, in its pixels."""

NOISE = 3.0
"""Of 255: deviation of a webcam's sensor in a room lit by lamps, chosen by eye."""

NOISE_TILE = 832, 1472
"""(height, width) of noise that is made; larger pictures repeat it."""
SHIFTS = 64
FLOOR = 14
"""Added to the noise, and taken off the photograph, so that one saturated sum of bytes puts them together."""


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Demo":
    """Prepare the photograph for ``size``."""
    name, given = parse(rest, OPTIONS)
    if name:
        raise SpecError(f"the demo takes no name, and was given {name!r}", hint="use demo, or demo?frames=300")
    return Demo(size or DEFAULT_SIZE, _pace.ticks(fps, given.get("frames")))


class Demo:
    """The moving photograph."""

    def __init__(self, size: Size, ticks: Ticks) -> None:
        self.size = size
        self.fps = ticks.fps
        self.live = ticks.live
        self.frames = ticks.frames
        self.notices = ("the demo camera: a photograph that moves",)
        self._ticks = ticks
        self._photo, self._middle = _photo(size)
        self._noise = _noise(size)

    def read(self, pixels: Pixels) -> Frame | None:
        """The next picture."""
        tick = self._ticks.next()
        if tick is None:
            return None
        self._move(tick.index / self.fps, pixels)
        cv2.add(pixels, self._grain(tick.index), dst=pixels)
        return Frame(pixels, tick.time, tick.index)

    def close(self) -> None:
        """There is nothing open."""

    def _move(self, seconds: float, pixels: Pixels) -> None:
        """Draw the view of that moment."""
        scale = 1 + LEAN * math.sin(seconds * 0.55)
        across = SWAY * (0.7 * math.sin(seconds * 0.9) + 0.3 * math.sin(seconds * 2.3 + 1))
        down = NOD * math.sin(seconds * 1.3 + 0.5)
        x, y = (
            middle + (move - scale / 2) * length
            for middle, move, length in zip(self._middle, (across, down), self.size, strict=True)
        )
        view = np.array([[scale, 0, x], [0, scale, y]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(self._photo, view, self.size, dst=pixels, flags=how, borderMode=cv2.BORDER_REFLECT_101)

    def _grain(self, index: int) -> Pixels:
        width, height = self.size
        place = index * 2654435761 >> 7  # Knuth's multiplicative hash: neighbours in time are far apart
        left, top = place % SHIFTS, place // SHIFTS % SHIFTS
        return self._noise[top : top + height, left : left + width]


def _photo(size: Size) -> tuple[Pixels, list[float]]:
    """The photograph as the webcam sees it, and the middle of the view in it."""
    photo = cv2.GaussianBlur(portrait.sample_portrait(), (0, 0), SOFT)
    scale = ZOOM * max(size[0] / photo.shape[1], size[1] / photo.shape[0])
    shown = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    graded = np.clip(photo * DIM - FLOOR, 0, 255).astype(np.uint8)
    middle = []
    for face, place, length, view, move in zip(portrait.FACE, FACE_SHOWN, shown, size, (SWAY, NOD), strict=True):
        margin = view * ((1 + LEAN) / 2 + move)  # the view never leaves the photograph
        middle.append(min(max(face * length - (place - 0.5) * view, margin), length - margin))
    return images.resize(graded, shown), middle


def _noise(size: Size) -> Pixels:
    """Noise around FLOOR: fine in brightness, blotchy in colour, with room for SHIFTS on the right and below."""
    random = np.random.default_rng(20)
    brightness = random.standard_normal(NOISE_TILE, np.float32)
    blotches = random.standard_normal((NOISE_TILE[0] // 4, NOISE_TILE[1] // 4, 3), np.float32)
    color = cv2.resize(blotches, NOISE_TILE[::-1], interpolation=cv2.INTER_LINEAR)
    tile = np.clip(FLOOR + NOISE * (brightness[..., None] + 0.5 * color), 0, 255).astype(np.uint8)
    height, width = size[1] + SHIFTS, size[0] + SHIFTS
    times = -(-height // NOISE_TILE[0]), -(-width // NOISE_TILE[1]), 1
    return np.ascontiguousarray(np.tile(tile, times)[:height, :width])
