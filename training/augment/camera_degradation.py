"""Faults of webcams: exposure, white balance, saturation, noise, blur, motion, low resolution, sharpening, JPEG.

One draw serves a whole shot; only noise is new in each frame. All in 8 bits and by tables: one loader process has to
keep up with the training.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.pack import Image


@dataclass(frozen=True, slots=True)
class ColourGrade:
    """A change of colours: one table (256, 1, 3) for each channel, and a factor of the saturation."""

    table: NDArray[np.uint8]
    saturation: float

    def __call__(self, image: Image) -> Image:
        image = cv2.LUT(image, self.table)
        if abs(self.saturation - 1) > 0.05:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            image = cv2.addWeighted(image, self.saturation, grey, 1 - self.saturation, 0)
        return image


def random_grade(random: Generator, *, strength: float) -> ColourGrade:
    """A random exposure, contrast, gamma, white balance and saturation; ``strength`` 1 is that of a bad webcam.

    One in ten has the balance of a coloured lamp.
    """
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    spread = 0.35 if random.random() < 0.1 else 0.12
    balance = np.exp(random.normal(0, spread * strength, 3)).astype(np.float32)
    exposure = np.exp(random.normal(-0.1, 0.3) * strength)
    gamma = np.exp(random.normal(0, 0.25) * strength)
    pivot = random.uniform(0.3, 0.7)
    contrast = np.exp(random.normal(0, 0.2) * strength)
    lift = max(0.0, random.normal(0, 0.04)) * strength
    curve = (levels**gamma * exposure * balance - pivot) * contrast + pivot + lift
    saturation = 0.0 if random.random() < 0.08 * strength else float(np.exp(random.normal(0, 0.25) * strength))
    return ColourGrade(_lookup_table(curve), min(saturation, 1.8))


def low_light_grade(random: Generator) -> ColourGrade:
    """A room with little light: dark, low contrast, raised blacks, weak colours, a slight tint as of a screen."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    balance = np.exp(random.normal(0, 0.08, 3)).astype(np.float32)
    curve = levels ** random.uniform(0.8, 1.4) * random.uniform(0.15, 0.6) * balance + random.uniform(0, 0.2)
    return ColourGrade(_lookup_table(curve), random.uniform(0.2, 1.0))


def _lookup_table(curve: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The table for cv2.LUT of a curve (256, 3) in [0, 1]."""
    return np.ascontiguousarray((np.clip(curve, 0, 1) * 255 + 0.5).astype(np.uint8)[:, None, :])


def side_light(random: Generator, width: int, height: int) -> NDArray[np.float32]:
    """Light from one side, slightly coloured: factors (height, width, 3) of the colours."""
    angle, strength = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.8)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.cos(angle)
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.sin(angle)
    colour = np.exp(random.normal(0, 0.1, 3))
    return ((1 + strength * (x[None] + y[:, None]))[..., None] * colour).clip(0.1, 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class CameraDegradation:
    """The faults of one camera, for every frame of a shot.

    ``noise``: standard deviation, of 255. ``noise_grain``: pixels of one noise sample. ``scale``: of the resolution,
    up to 1. ``blur``: sigma in pixels. ``path``: weights of the places, in pixels, that a point passes during the
    exposure; None is no motion. ``sharpen``: weight of the unsharp mask. ``jpeg_quality``: 0 is no JPEG.
    """

    grade: ColourGrade
    noise: float
    noise_grain: int
    scale: float
    blur: float
    path: NDArray[np.float32] | None
    sharpen: float
    jpeg_quality: int

    def expose(self, image: Image) -> Image:
        """Colours or alpha, mean over the exposure."""
        return image if self.path is None else cv2.filter2D(image, -1, self.path)

    def __call__(self, image: Image, random: Generator) -> Image:
        height, width = image.shape[:2]
        if self.scale < 1:
            small = cv2.resize(image, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_AREA)
            image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        if self.blur:
            image = cv2.GaussianBlur(image, (0, 0), self.blur)
        image = self.grade(self.expose(image))
        if self.noise:
            image = add_noise(image, self.noise, self.noise_grain, random)
        if self.sharpen:
            soft = cv2.GaussianBlur(image, (0, 0), 1.2)
            image = cv2.addWeighted(image, 1 + self.sharpen, soft, -self.sharpen, 0)
        if self.jpeg_quality:
            encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])[1]
            image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        return image


def motion_path(random: Generator) -> NDArray[np.float32]:
    """Weights (N, N) of a straight motion of 2 to 7 pixels; most are about level, as people move and lenses smear."""
    length, angle = random.uniform(2, 7), random.normal(0, 0.4)
    steps = np.linspace(-length / 2, length / 2, 32)
    half = int(np.ceil(length / 2))
    path = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    places = np.rint(np.stack([steps * np.sin(angle), steps * np.cos(angle)])).astype(int) + half
    np.add.at(path, tuple(places), 1 / len(steps))
    return path


def random_degradation(random: Generator) -> CameraDegradation:
    """A random camera; one in eight records in low light."""

    def sometimes(share: float, low: float, high: float) -> float:
        return random.uniform(low, high) if random.random() < share else 0.0

    low_light = random.random() < 1 / 8
    noise = random.uniform(2, 14) if low_light else sometimes(0.6, 1, 14) * random.random()
    return CameraDegradation(
        grade=low_light_grade(random) if low_light else random_grade(random, strength=random.choice([0.3, 1.0])),
        noise=noise,
        noise_grain=int(random.integers(1, 4)),
        scale=sometimes(0.2, 0.4, 0.9) or 1.0,
        blur=sometimes(0.2, 0.4, 1.6),
        path=motion_path(random) if random.random() < 0.1 else None,
        sharpen=sometimes(0.15, 0.2, 1.2),
        jpeg_quality=int(sometimes(0.25, 30, 90)),
    )


@cache
def _noise_table() -> NDArray[np.float32]:
    """Normal noise, drawn once: a window at a random place is as good as new noise and costs nothing."""
    return np.random.default_rng(7).standard_normal((1024, 1024, 3), dtype=np.float32)


def add_noise(image: Image, sigma: float, grain: int, random: Generator) -> Image:
    """The image (H, W, 3) with normal noise of a standard deviation of ``sigma``, in samples of ``grain`` pixels."""
    table = _noise_table()
    height, width = image.shape[:2]
    rows, columns = -(-height // grain), -(-width // grain)
    top, left = random.integers(0, table.shape[0] - rows), random.integers(0, table.shape[1] - columns)
    noise = table[top : top + rows, left : left + columns]
    if grain > 1:
        noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.add(image, noise * sigma, dtype=cv2.CV_8U)
