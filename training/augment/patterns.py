"""Patterns of cloth: stripes, checks, dots, pieces of images. Most people of the training images wear plain clothes."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.head import Head
from training.augment.image_ops import Matrix, compose, random_crop, similarity, warp
from training.pack import Image

TILE = 96
"""Rows and columns of the tile that repeats."""

PERIODS = (4, 6, 8, 12, 16, 24, 32, 48, 96)
"""Of stripes, in pixels of the tile; divisors of TILE, so that it repeats without a seam."""


@dataclass(frozen=True, slots=True)
class ClothPattern:
    """A ``tile`` (TILE, TILE, 3) that repeats; ``matrix`` maps it into the still."""

    tile: Image
    matrix: Matrix

    def draw(self, size: tuple[int, int], matrix: Matrix) -> Image:
        """The pattern over a whole frame of ``size`` (width, height), into which ``matrix`` maps the still."""
        return warp(self.tile, compose(matrix, self.matrix), size, cv2.BORDER_WRAP)


def random_cloth_pattern(random: Generator, head: Head, images: Sequence[Image]) -> ClothPattern:
    """A random pattern, from fine to as large as the head; a quarter of them are cut from ``images``."""
    tile = random_tile(random, images)
    scale = head.width / TILE * np.exp(random.uniform(np.log(0.15), np.log(1.2)))
    angle = random.choice([0, np.pi / 2, np.pi / 4]) + random.uniform(-0.2, 0.2)
    centre, chest = np.full(2, TILE / 2), np.array([head.centre, head.neck])
    return ClothPattern(tile, similarity(scale, scale, angle, source=centre, target=chest))


def folded_cloth(
    random: Generator, images: Sequence[Image], size: tuple[int, int], *, tilt: float, min_fold_px: float, depth: float
) -> Image:
    """A cloth with a random pattern and soft vertical folds: a flag, a curtain, a coat.

    Args:
        random: Generator.
        images: Images that the pattern may be cut from.
        size: (width, height) of the result.
        tilt: Standard deviation of the pattern's angle from level or upright, in radians.
        min_fold_px: Least width of a fold, in pixels of a sine's radian.
        depth: Largest change of brightness by the folds.
    """
    scale = np.exp(random.uniform(np.log(0.3), np.log(3)))
    angle = random.choice([0, np.pi / 2]) + random.normal(0, tilt)
    matrix = similarity(scale, scale, angle, source=np.zeros(2), target=random.uniform(0, size[0], 2))
    cloth = warp(random_tile(random, images), matrix, size, cv2.BORDER_WRAP)
    folds = np.sin(np.arange(size[0]) / random.uniform(min_fold_px, 40) + random.uniform(0, 6))
    shade = 1 - depth + depth * random.random() * folds
    return np.clip(cloth * shade[:, None], 0, 255).astype(np.uint8)


def random_tile(random: Generator, images: Sequence[Image]) -> Image:
    """A random tile (TILE, TILE, 3)."""
    if random.random() < 0.75:
        return (_stripes, _checks, _dots)[random.integers(3)](random)
    return random_crop(random, images, TILE)


def _stripes(random: Generator) -> Image:
    """Two colours in turn, at times with a thin third."""
    mask = _stripe_mask(random)[None, :, None]
    tile = mask * _random_colour(random) + (1 - mask) * _random_colour(random)
    if random.random() < 0.3:
        thin = _stripe_mask(random, share=0.2)[None, :, None]
        tile = thin * _random_colour(random) + (1 - thin) * tile
    return np.repeat(tile, TILE, axis=0).astype(np.uint8)


def _checks(random: Generator) -> Image:
    """The mean of vertical and horizontal stripes, as in woven cloth."""
    masks = [_stripe_mask(random)[:, None] for _ in range(2)]
    vertical, horizontal = (mask * _random_colour(random) + (1 - mask) * _random_colour(random) for mask in masks)
    return ((vertical[None] + horizontal[:, None]) / 2).astype(np.uint8)


def _dots(random: Generator) -> Image:
    """Dots of one size or many, in one to three colours: spots, blossoms, sequins."""
    tile = np.empty((TILE, TILE, 3), np.uint8)
    tile[:] = _random_colour(random)
    colours = [_random_colour(random).tolist() for _ in range(random.integers(1, 4))]
    largest = random.integers(2, 14)
    for _ in range(int(random.uniform(0.1, 0.6) * TILE**2 / largest**2)):
        x, y = random.integers(0, TILE, 2).tolist()
        radius = int(random.integers(1, largest + 1)) if random.random() < 0.5 else int(largest)
        cv2.circle(tile, (x, y), radius, colours[random.integers(len(colours))], -1, cv2.LINE_AA)
    return tile


def _stripe_mask(random: Generator, share: float | None = None) -> NDArray[np.float64]:
    """(TILE,) of zeros and ones in turn; ``share`` of each period are ones, by default a random share."""
    period = PERIODS[random.integers(len(PERIODS))]
    ones = max(1, round(period * (share or random.uniform(0.2, 0.8))))
    return (np.arange(TILE) % period < ones).astype(np.float64)


def _random_colour(random: Generator) -> NDArray[np.float64]:
    """Any colour (3), half of them nearly grey."""
    spread = 25 if random.random() < 0.5 else 200
    return np.clip(random.uniform(0, 255) + random.uniform(-spread, spread, 3), 0, 255)
