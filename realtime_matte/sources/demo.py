"""``demo``: a camera that is always there; ``demo?frames=300``: that many of its frames, as fast as possible.

A photograph of a person who sways and leans as people do in calls, as an average webcam shows it: a bit dark, a bit
soft, noisy. Each frame depends only on its index, the rate and the size, so it is the same on every run.
"""

import math

import cv2
import numpy as np

from realtime_matte import portrait
from realtime_matte.config.specs import SpecOption, count, parse
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import fit
from realtime_matte.sources._clock import Ticks, make_ticks

OPTIONS = {"frames": SpecOption(count, "end after this many frames, delivered as fast as possible", default=None)}
DEFAULT_SIZE = (1280, 720)

FACE_POSITION = 0.5, 0.42
"""Where a person in front of a webcam has the face, as parts of the width and height."""

ZOOM = 1.08
"""Relative to the largest part of the photograph that covers the frame: leaves room to move."""

SWAY, NOD, LEAN = 0.023, 0.009, 0.03
"""How far the view moves across and down, in frame sizes, and how much it grows and shrinks. Chosen by eye."""

BRIGHTNESS = 0.84
BLUR_SIGMA_PX = 0.6
"""Blur of the photograph, in its own pixels."""

NOISE = 3.0
"""Standard deviation, of 255, of a webcam's sensor noise in a room with lamps. Chosen by eye."""

NOISE_TILE = 832, 1472
"""(height, width) of the noise that is generated; larger frames repeat it."""
SHIFTS = 64
OFFSET = 14
"""Added to the noise and subtracted from the photograph, so that one saturated addition of bytes combines them."""


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Demo":
    """Prepare the photograph for ``size``."""
    name, given = parse(rest, OPTIONS, plugin="demo")
    if name:
        raise SpecError(f"the demo takes no name, not {name!r}", hint="use demo, or demo?frames=300")
    return Demo(size or DEFAULT_SIZE, make_ticks(fps, given["frames"]))


class Demo:
    """The moving photograph as a source."""

    def __init__(self, size: Size, ticks: Ticks) -> None:
        self.size = size
        self.fps = ticks.fps
        self.live = ticks.live
        self.frames = ticks.frames
        self.notices = ("the demo camera: a photograph that moves",)
        self._ticks = ticks
        self._photo, self._center = _photo(size)
        self._noise = _noise(size)

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame."""
        tick = self._ticks.next()
        if tick is None:
            return None
        self._draw_view(tick.index / self.fps, pixels)
        cv2.add(pixels, self._grain(tick.index), dst=pixels)
        return Frame(pixels, tick.time, tick.index)

    def close(self) -> None:
        """Nothing is open."""

    def _draw_view(self, time: float, pixels: Pixels) -> None:
        """Write the view at that time, s, into ``pixels``."""
        scale = 1 + LEAN * math.sin(time * 0.55)
        across = SWAY * (0.7 * math.sin(time * 0.9) + 0.3 * math.sin(time * 2.3 + 1))
        down = NOD * math.sin(time * 1.3 + 0.5)
        x, y = (
            center + (move - scale / 2) * length
            for center, move, length in zip(self._center, (across, down), self.size, strict=True)
        )
        view = np.array([[scale, 0, x], [0, scale, y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(self._photo, view, self.size, dst=pixels, flags=flags, borderMode=cv2.BORDER_REFLECT_101)

    def _grain(self, index: int) -> Pixels:
        width, height = self.size
        position = index * 2654435761 >> 7  # Knuth's multiplicative hash: neighbours in time are far apart
        left, top = position % SHIFTS, position // SHIFTS % SHIFTS
        return self._noise[top : top + height, left : left + width]


def _photo(size: Size) -> tuple[Pixels, list[float]]:
    """The photograph as the webcam shows it, and the centre of the view in it, px."""
    photo = cv2.GaussianBlur(portrait.sample_portrait(), (0, 0), BLUR_SIGMA_PX)
    scale = ZOOM * max(size[0] / photo.shape[1], size[1] / photo.shape[0])
    scaled = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    darkened = np.clip(photo * BRIGHTNESS - OFFSET, 0, 255).astype(np.uint8)
    center = []
    for face, position, length, view, move in zip(portrait.FACE, FACE_POSITION, scaled, size, (SWAY, NOD), strict=True):
        margin = view * ((1 + LEAN) / 2 + move)  # the view never leaves the photograph
        center.append(min(max(face * length - (position - 0.5) * view, margin), length - margin))
    return fit.resize(darkened, scaled), center


def _noise(size: Size) -> Pixels:
    """Noise around OFFSET, fine in brightness and coarse in colour; SHIFTS px wider and higher than the frame."""
    random = np.random.default_rng(20)
    brightness = random.standard_normal(NOISE_TILE, np.float32)
    coarse = random.standard_normal((NOISE_TILE[0] // 4, NOISE_TILE[1] // 4, 3), np.float32)
    color = cv2.resize(coarse, NOISE_TILE[::-1], interpolation=cv2.INTER_LINEAR)
    tile = np.clip(OFFSET + NOISE * (brightness[..., None] + 0.5 * color), 0, 255).astype(np.uint8)
    height, width = size[1] + SHIFTS, size[0] + SHIFTS
    repeats = -(-height // NOISE_TILE[0]), -(-width // NOISE_TILE[1]), 1
    return np.ascontiguousarray(np.tile(tile, repeats)[:height, :width])
