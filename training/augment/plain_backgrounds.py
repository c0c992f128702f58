"""Plain walls, and striped or patterned curtains, as backgrounds.

Photographed rooms seldom have the colours of the person in front of them, or stripes as fine as fingers and hair.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.patterns import folded_cloth
from training.pack import Image

SIZE = (320, 240)
"""Width and height of such a background."""


def random_plain_background(random: Generator, images: Sequence[Image]) -> Image:
    """A plain wall (60 %) or a cloth in folds, of SIZE; the cloth's pattern may be cut from ``images``."""
    if random.random() < 0.6:
        return _wall(random)
    return folded_cloth(random, images, SIZE, tilt=0.05, min_fold_px=4, depth=0.25)


def mean_colour(image: Image, alpha: Image | None = None) -> NDArray[np.float32]:
    """Mean colour (3) BGR of an image; with ``alpha`` (H, W), of the background alone, if there is any."""
    background = None if alpha is None else (alpha < 16).astype(np.uint8)
    if background is not None and not background.any():
        background = None
    return np.array(cv2.mean(image, background)[:3], np.float32)


def _wall(random: Generator) -> Image:
    """One colour, 60 % of them light, with a brightness that changes linearly."""
    width, height = SIZE
    light = random.random() < 0.6
    colour = random.uniform(170, 250) + random.uniform(-12, 12, 3) if light else random.uniform(0, 255, 3)
    x = random.uniform(-0.25, 0.25) * np.linspace(-1, 1, width)
    y = random.uniform(-0.25, 0.25) * np.linspace(-1, 1, height)
    brightness = 1 + x[None] + y[:, None]
    return np.clip(brightness[..., None] * colour, 0, 255).astype(np.uint8)
