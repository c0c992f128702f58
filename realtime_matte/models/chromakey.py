"""A keyer for a person before a green or blue screen: ``chromakey``, ``chromakey?color=#00b140&similarity=100``.

Colour difference keying (Vlahos 1964, Smith and Blinn 1996): with the chroma axis x along the screen's colour and y
across it, d = x - k |y| is largest on the screen and at or below zero on colours of other hues. An edge pixel's d is a
mixture of the screen's and the foreground's, both of which are known nearby from a small grid: light may be
uneven. The screen's share is subtracted from a pixel's colour, and so is its reflection on the person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.config.specs import SpecOption, parse
from realtime_matte.errors import NoMatte, SpecError
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.interfaces import RecurrentState

Floats = NDArray[np.float32]

NAME: Final = "chromakey"

MIN_SHARE: Final = 0.15
"""Least share of the frame that has to be screen; with less, nothing is known of what is behind the person."""

GRID_WIDTH: Final = 160
"""Cells across the grid on which the screen's light and the foreground are followed."""

CHROMA: Final = np.array([[0.5, -0.3313, -0.1687], [-0.0813, -0.4187, 0.5]])
"""Cb and Cr of blue, green and red (ITU-R BT.601, full range)."""

SLOPE: Final = 0.7
"""k: below 0.577 yellow and cyan, 60 degrees of hue from green, would count as screen."""

MIN_CHROMA: Final = 24.0
"""Length of the chroma from which a colour has a certain hue, of 127."""

HUES: Final = {"green": (195.0, 260.0), "blue": (325.0, 380.0)}
"""Angles of Cb, Cr in degrees among which a screen is looked for; pure green has 232, blue 351 (-9)."""

HUE_TOLERANCE: Final = 22.0
SCREEN: Final = 0.5
"""A cell is screen if its d is at least this share of the well-lit screen's: one stop less light is allowed for."""

CERTAIN: Final = 0.12
"""A cell is certainly foreground if its d is at most this share of the screen's around it."""

LIGHT_SIGMA: Final = 5.0
FOREGROUND_SIGMA: Final = 2.0
"""In cells: over how far the screen's light, and the foreground beside an edge, are averaged."""

TIME_CONSTANT_S: Final = 0.4
"""Of the screen's light over time, so that noise does not make edges flicker."""

GAIN: Final = 1000.0
"""OBS's sliders go to 1000."""

NO_SCREEN: Final = "there is no green or blue screen on at least {percent:.0f} % of the image"


def _color(text: str) -> tuple[int, int, int] | None:
    if text == "auto":
        return None
    word = text.lower().removeprefix("#")
    if len(word) != 6 or not all(letter in "0123456789abcdef" for letter in word):  # noqa: PLR2004 - rrggbb
        raise ValueError("auto, or a code such as #00b140")
    value = int(word, 16)
    return value & 0xFF, value >> 8 & 0xFF, value >> 16


def _slider(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= GAIN:
        raise ValueError(f"a number from 0 to {GAIN:g}")
    return value


OPTIONS: Final[Mapping[str, SpecOption[Any]]] = {
    "color": SpecOption(_color, "the screen's colour, such as #00b140; auto finds it", default=None),
    "similarity": SpecOption(
        _slider, "how far from the screen's colour a pixel is still screen, of 1000", default=90.0
    ),
    "smoothness": SpecOption(_slider, "how much farther it is until a pixel is all foreground, of 1000", default=780.0),
    "spill": SpecOption(
        _slider, "how much of the screen's reflection is removed from the person, of 1000", default=1000.0
    ),
}


def open(rest: str, *, provider: str | None = None) -> "ChromaKey":
    """A keyer with the options of a spec such as ``?similarity=100``. Raises SpecError."""
    if provider not in {None, "cpu"}:
        raise SpecError(f"the model {NAME} does not run on {provider}", hint="leave out --provider")
    _, options = parse(rest, OPTIONS, plugin=NAME)
    return ChromaKey(**options)


@dataclass(frozen=True, slots=True)
class Screen:
    """What is known of the screen: its hue in degrees, its colours (h, w, 3) on the grid, and when that was seen."""

    hue: float
    colors: Floats
    time: float


class ChromaKey:
    """Keys frames of any size; the matte has the frame's size, and colours without the screen's."""

    name = NAME
    provider = "cpu"
    notices: Sequence[str] = ()

    def __init__(
        self, *, color: tuple[int, int, int] | None, similarity: float, smoothness: float, spill: float
    ) -> None:
        self._hue = None if color is None else _hue_of(np.array(color, np.float32))
        self._table = _alpha_table(similarity / GAIN, smoothness / GAIN)
        self._spill = spill / GAIN
        self._size: Size = 0, 0
        self._buffers: _Buffers

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The matte of this frame, overwritten by the next call.

        Raises:
            NoMatte: the frame has too little screen.
        """
        if frame.size != self._size:
            self._size, self._buffers = frame.size, _Buffers(frame.size)
        before = cast("Screen | None", state[0]) if state else None
        buffers = self._buffers
        small = cv2.resize(frame.pixels, buffers.grid, dst=buffers.small, interpolation=cv2.INTER_AREA)
        screen = self._find(np.asarray(small, np.float32), frame.time, before)
        return self._key(frame.pixels, screen), (screen,)

    def close(self) -> None:
        """Nothing is open."""

    def _find(self, small: Floats, time: float, before: Screen | None) -> Screen:
        """The screen of this frame, of the same hue as before where it still has one. Raises NoMatte."""
        hue = before.hue if before else self._hue
        mask = None if hue is None else _screen_mask(_difference(small, hue))
        if (mask is None or mask.mean() < MIN_SHARE) and self._hue is None and (hue := _find_hue(small)) is not None:
            mask = _screen_mask(_difference(small, hue))
        if hue is None or mask is None or mask.mean() < MIN_SHARE:
            raise NoMatte(NO_SCREEN.format(percent=100 * MIN_SHARE), hint="light the screen, or choose another --model")
        colors = _filled(small, mask, LIGHT_SIGMA)
        if before is None or before.colors.shape != colors.shape or before.hue != hue:
            return Screen(hue, colors, time)
        weight = np.float32(1 - np.exp(-max(time - before.time, 0) / TIME_CONSTANT_S))
        return Screen(hue, before.colors + weight * (colors - before.colors), time)

    def _key(self, pixels: Pixels, screen: Screen) -> Matte:
        buffers = self._buffers
        small = np.asarray(buffers.small, np.float32)
        at_screen = np.maximum(_difference(screen.colors, screen.hue), 1)
        foreground = _foreground_difference(_difference(small, screen.hue), at_screen)
        self._opacity(pixels, screen.hue, at_screen, foreground)
        self._remove_screen(pixels, screen)
        return Matte(buffers.alpha, foreground=buffers.colors)

    def _opacity(self, pixels: Pixels, hue: float, at_screen: Floats, foreground: Floats) -> None:
        """Opacity: (d of the screen - d) / (d of the screen - d of the foreground), in 8 bits, then by the table."""
        buffers = self._buffers
        cv2.cvtColor(pixels, cv2.COLOR_BGR2YCrCb, dst=buffers.colors)
        cv2.extractChannel(buffers.colors, 2, dst=buffers.share)
        cv2.extractChannel(buffers.colors, 1, dst=buffers.opacity)
        left, right = _weights(hue)
        cv2.addWeighted(buffers.share, left[0], buffers.opacity, left[1], left[2], dst=buffers.inverse)
        cv2.addWeighted(buffers.share, right[0], buffers.opacity, right[1], right[2], dst=buffers.opacity)
        cv2.max(buffers.inverse, buffers.opacity, dst=buffers.inverse)  # 128 - d
        size = pixels.shape[1::-1]
        cv2.resize(128 - at_screen, size, dst=buffers.map, interpolation=cv2.INTER_LINEAR)
        cv2.subtract(buffers.inverse, buffers.map, dst=buffers.map, dtype=cv2.CV_32F)
        cv2.resize(255 / (at_screen - foreground), size, dst=buffers.scale, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(buffers.map, buffers.scale, dst=buffers.opacity, dtype=cv2.CV_8U)
        cv2.LUT(buffers.opacity, self._table, dst=buffers.opacity)
        np.multiply(buffers.opacity, np.float32(1 / 255), out=buffers.alpha)
        cv2.resize(255 / at_screen, size, dst=buffers.scale, interpolation=cv2.INTER_LINEAR)

    def _remove_screen(self, pixels: Pixels, screen: Screen) -> None:
        """Straight colours: (pixel - share of the screen) / alpha; the share is 1 - alpha, or a larger reflection."""
        buffers = self._buffers
        np.subtract(np.float32(128), buffers.inverse, out=buffers.map)  # d
        cv2.multiply(buffers.map, buffers.scale, dst=buffers.share, scale=self._spill, dtype=cv2.CV_8U)
        cv2.bitwise_not(buffers.opacity, dst=buffers.inverse)
        cv2.max(buffers.share, buffers.inverse, dst=buffers.share)
        cv2.merge([buffers.share] * 3, dst=buffers.triple)
        colors = np.clip(screen.colors + 0.5, 0, 255).astype(np.uint8)
        cv2.resize(colors, pixels.shape[1::-1], dst=buffers.colors, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(buffers.colors, buffers.triple, dst=buffers.colors, scale=1 / 255)
        cv2.subtract(pixels, buffers.colors, dst=buffers.colors)
        cv2.merge([buffers.opacity] * 3, dst=buffers.triple)
        cv2.divide(buffers.colors, buffers.triple, dst=buffers.colors, scale=255)


class _Buffers:
    """Buffers for frames of one size."""

    def __init__(self, size: Size) -> None:
        width, height = size
        self.grid = min(width, GRID_WIDTH), max(1, min(height, round(height * min(1.0, GRID_WIDTH / width))))
        self.small = np.empty((self.grid[1], self.grid[0], 3), np.uint8)
        self.inverse, self.opacity, self.share = np.empty((3, height, width), np.uint8)
        self.map, self.scale, self.alpha = np.empty((3, height, width), np.float32)
        self.triple, self.colors = np.empty((2, height, width, 3), np.uint8)


def _axes(hue: float) -> NDArray[np.float64]:
    """The chroma axes along and across a hue, as weights of blue, green and red."""
    angle = hue * pi / 180
    return np.asarray(np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]]) @ CHROMA, np.float64)


def _difference(colors: Floats, hue: float) -> Floats:
    """The d of colours (h, w, 3)."""
    along, across = np.moveaxis(colors @ _axes(hue).T.astype(np.float32), -1, 0)
    return np.asarray(along - np.float32(SLOPE) * np.abs(across), np.float32)


def _weights(hue: float) -> Sequence[tuple[float, float, float]]:
    """Weights of Cb and Cr, and a constant, of two sums whose larger one is 128 - d: for OpenCV, in 8 bits."""
    along, across = (cos(hue * pi / 180), sin(hue * pi / 180)), (-sin(hue * pi / 180), cos(hue * pi / 180))
    sides: list[tuple[float, float, float]] = []
    for slope in (-SLOPE, SLOPE):
        blue, red = (-(one + slope * other) for one, other in zip(along, across, strict=True))
        sides.append((blue, red, 128 - 128 * (blue + red)))
    return sides


def _hue_of(color: Floats) -> float:
    blue, red = CHROMA @ color
    if np.hypot(blue, red) < MIN_CHROMA:
        raise SpecError(
            "the screen's colour is too grey to be distinguished from a person", hint="give one such as #00b140"
        )
    return float(np.degrees(np.arctan2(red, blue)) % 360)


def _find_hue(small: Floats) -> float | None:
    """The hue of most of the pixels that are green or blue; None if too few are."""
    blue, red = np.moveaxis(small @ CHROMA.T.astype(np.float32), -1, 0)
    colored = np.hypot(blue, red) >= MIN_CHROMA
    hues = np.degrees(np.arctan2(red[colored], blue[colored])) % 360
    best: tuple[int, float] = 0, 0.0
    for low, high in HUES.values():
        inside = hues[(hues - low) % 360 <= high - low]
        if inside.size > best[0]:
            counts, edges = np.histogram((inside - low) % 360, bins=16, range=(0, high - low))
            peak = low + float(edges[int(counts.argmax())]) + (high - low) / 32
            near = inside[np.abs((inside - peak + 180) % 360 - 180) <= HUE_TOLERANCE / 2]
            center = peak + float(np.median((near - peak + 180) % 360 - 180)) if near.size else peak
            best = inside.size, center % 360
    return best[1] if best[0] >= MIN_SHARE * small.shape[0] * small.shape[1] else None


def _screen_mask(difference: Floats) -> NDArray[np.bool_]:
    """Which cells are screen: by their d, compared with that of the well-lit screen."""
    colored = difference[difference >= MIN_CHROMA / 2]
    if not colored.size:
        return np.zeros(difference.shape, bool)
    return difference >= max(SCREEN * float(np.percentile(colored, 75)), MIN_CHROMA / 2)


def _filled(values: Floats, mask: NDArray[np.bool_], sigma: float) -> Floats:
    """The mean of masked cells around each cell; far from them, of all."""
    weight = mask.astype(np.float32)
    far = np.float32(1e-3)  # weight of the mean of all
    mean = (values * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
    sums = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma) + far * mean.astype(np.float32)
    weights = cv2.GaussianBlur(weight, (0, 0), sigma) + far
    return np.asarray(sums / weights[..., None], np.float32)


def _foreground_difference(difference: Floats, at_screen: Floats) -> Floats:
    """The foreground's d around each cell.

    Inside the person it is that of the colour nearest to the screen's, so that none is transparent; at the edge it is
    the mean of the cells inside.
    """
    certain = (difference <= CERTAIN * at_screen).astype(np.uint8)
    inside = cv2.erode(certain, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    nearest = cv2.dilate(np.where(inside > 0, difference, -at_screen).astype(np.float32), np.ones((3, 3)))
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), FOREGROUND_SIGMA) + np.float32(1e-3)
    mean = cv2.GaussianBlur(np.where(inside > 0, difference, 0).astype(np.float32), (0, 0), FOREGROUND_SIGMA) / weight
    return np.asarray(np.clip(np.where(inside > 0, nearest, mean), -at_screen, CERTAIN * at_screen), np.float32)


def _alpha_table(similarity: float, smoothness: float) -> Pixels:
    """Opacity after it, of each opacity before: 0 up to ``similarity``, 255 from there plus ``smoothness`` on."""
    ramp = (np.arange(256) / 255 - similarity) / max(smoothness, 1e-3)
    return np.rint(255 * np.clip(ramp, 0, 1)).astype(np.uint8)
