"""What webcams do to colours: exposure, white balance, noise, blur, JPEG.

One draw serves a whole shot; noise is new in each frame. All in 8 bits and by tables, since one loader process has to
keep up with the training.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

NOISE = np.random.default_rng(7).standard_normal((1024, 1024, 3), dtype=np.float32)
"""Drawn once: a window at a random place is as good as new noise and costs nothing."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A colour change: one 256-entry table a channel, and how far saturation is turned."""

    table: NDArray[np.uint8]
    saturation: float

    def __call__(self, picture: Picture) -> Picture:
        picture = cv2.LUT(picture, self.table)
        if abs(self.saturation - 1) > 0.05:
            grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            picture = cv2.addWeighted(picture, self.saturation, grey, 1 - self.saturation, 0)
        return picture


def grade(random: Generator, *, strength: float) -> Grade:
    """A random exposure, contrast, gamma, white balance and saturation; ``strength`` 1 is what bad webcams do."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    balance = np.exp(random.normal(0, 0.12 * strength, 3)).astype(np.float32)
    exposure = np.exp(random.normal(-0.1, 0.3) * strength)
    gamma = np.exp(random.normal(0, 0.25) * strength)
    pivot = random.uniform(0.3, 0.7)
    contrast = np.exp(random.normal(0, 0.2) * strength)
    lift = max(0.0, random.normal(0, 0.04)) * strength
    curve = (levels**gamma * exposure * balance - pivot) * contrast + pivot + lift
    saturation = 0.0 if random.random() < 0.08 * strength else float(np.exp(random.normal(0, 0.25) * strength))
    return Grade(_table(curve), min(saturation, 1.8))


def dusk(random: Generator) -> Grade:
    """A room hardly lit: dark, flat, its blacks grey with noise, its colours fading, a little of a screen's tint."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    balance = np.exp(random.normal(0, 0.08, 3)).astype(np.float32)
    curve = levels ** random.uniform(0.8, 1.4) * random.uniform(0.15, 0.6) * balance + random.uniform(0, 0.2)
    return Grade(_table(curve), random.uniform(0.2, 1.0))


def _table(curve: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A table for LUT of a curve (256, 3) over 0 .. 1."""
    return np.ascontiguousarray((np.clip(curve, 0, 1) * 255 + 0.5).astype(np.uint8)[:, None, :])


def lamp(random: Generator, width: int, height: int) -> NDArray[np.float32]:
    """Light from one side, a little coloured: what (height, width, 3) colours are to be multiplied with."""
    turn, strength = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.8)
    across = np.linspace(-1, 1, width, dtype=np.float32) * np.cos(turn)
    down = np.linspace(-1, 1, height, dtype=np.float32) * np.sin(turn)
    colour = np.exp(random.normal(0, 0.1, 3))
    return ((1 + strength * (across[None] + down[:, None]))[..., None] * colour).clip(0.1, 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Faults:
    """One camera's faults, for every frame of a shot."""

    grade: Grade
    noise: float
    noise_grain: int
    shrink: float
    blur: float
    sharpen: float
    quality: int

    def __call__(self, picture: Picture, random: Generator) -> Picture:
        height, width = picture.shape[:2]
        if self.shrink < 1:
            small = cv2.resize(picture, None, fx=self.shrink, fy=self.shrink, interpolation=cv2.INTER_AREA)
            picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        if self.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), self.blur)
        picture = self.grade(picture)
        if self.noise:
            picture = _noisy(picture, self.noise, self.noise_grain, random)
        if self.sharpen:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
            picture = cv2.addWeighted(picture, 1 + self.sharpen, soft, -self.sharpen, 0)
        if self.quality:
            coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
            picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        return picture


def faults(random: Generator) -> Faults:
    """A random camera."""

    def sometimes(share: float, low: float, high: float) -> float:
        return random.uniform(low, high) if random.random() < share else 0.0

    in_the_dark = random.random() < 1 / 8
    noise = random.uniform(2, 14) if in_the_dark else sometimes(0.6, 1, 14) * random.random()
    return Faults(
        grade=dusk(random) if in_the_dark else grade(random, strength=random.choice([0.3, 1.0])),
        noise=noise,
        noise_grain=int(random.integers(1, 4)),
        shrink=sometimes(0.2, 0.4, 0.9) or 1.0,
        blur=sometimes(0.15, 0.4, 1.2),
        sharpen=sometimes(0.15, 0.2, 1.2),
        quality=int(sometimes(0.25, 30, 90)),
    )


def _noisy(picture: Picture, sigma: float, grain: int, random: Generator) -> Picture:
    height, width = picture.shape[:2]
    rows, columns = -(-height // grain), -(-width // grain)
    top, left = random.integers(0, NOISE.shape[0] - rows), random.integers(0, NOISE.shape[1] - columns)
    noise = NOISE[top : top + rows, left : left + columns]
    if grain > 1:
        noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.add(picture, noise * sigma, dtype=cv2.CV_8U)
