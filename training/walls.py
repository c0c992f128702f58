"""Walls and curtains behind people: plain ones, and striped or printed cloth, before which hair and fingers are.

Rooms of photographs seldom have the colours of the person before them, or stripes as fine as fingers.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Picture
from training.motion import similarity
from training.pictures import warp
from training.prints import pattern

SIZE = (320, 240)
"""Width and height of a wall's image."""


def wall(random: Generator, rooms: Sequence[Picture]) -> Picture:
    """An image (H, W, 3) of a plain wall, more often light than not, or of cloth in folds."""
    return _plain(random) if random.random() < 0.6 else _cloth(random, rooms)


def colour_of(picture: Picture, alpha: Picture | None = None) -> NDArray[np.float32]:
    """Mean colour (3) BGR of an image, of what is behind the person where ``alpha`` (H, W) is given."""
    behind = None if alpha is None else (alpha < 16).astype(np.uint8)
    if behind is not None and not behind.any():
        behind = None
    return np.array(cv2.mean(picture, behind)[:3], np.float32)


def _plain(random: Generator) -> Picture:
    width, height = SIZE
    colour = (
        random.uniform(170, 250) + random.uniform(-12, 12, 3) if random.random() < 0.6 else random.uniform(0, 255, 3)
    )
    across = random.uniform(-0.25, 0.25) * np.linspace(-1, 1, width)
    down = random.uniform(-0.25, 0.25) * np.linspace(-1, 1, height)
    light = 1 + across[None] + down[:, None]
    return np.clip(light[..., None] * colour, 0, 255).astype(np.uint8)


def _cloth(random: Generator, rooms: Sequence[Picture]) -> Picture:
    """A print as clothes have, level or upright, in soft folds."""
    scale = np.exp(random.uniform(np.log(0.3), np.log(3)))
    turn = random.choice([0, np.pi / 2]) + random.normal(0, 0.05)
    laid = similarity(scale, scale, turn, source=np.zeros(2), target=random.uniform(0, SIZE[0], 2))
    cloth = warp(pattern(random, rooms), laid, SIZE, cv2.BORDER_WRAP)
    folds = np.sin(np.arange(SIZE[0]) / random.uniform(4, 40) + random.uniform(0, 6))
    shade = 0.75 + 0.25 * random.random() * folds
    return np.clip(cloth * shade[:, None], 0, 255).astype(np.uint8)
