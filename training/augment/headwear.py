"""Hats, caps, hoods and scarves, which few people of the training images wear: pieces of images in a head's shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.head import Head
from training.augment.image_ops import Matrix, compose, composite, fill_polygon, random_crop, warp
from training.pack import Image

Outline: TypeAlias = NDArray[np.float64]
"""(N, 2) points in pixels of the still."""

CLOTH = 96
"""Rows and columns of the cloth."""


@dataclass(frozen=True, slots=True)
class Headwear:
    """``outlines`` are filled with ``cloth``, which ``matrix`` maps into the still; ``holes`` show the face."""

    cloth: Image
    matrix: Matrix
    outlines: list[Outline]
    holes: list[Outline]

    def draw(self, image: Image, alpha: Image, matrix: Matrix) -> tuple[Image, Image]:
        """Colours and alpha of the person with it; ``matrix`` maps the still into the frame."""
        mask = np.zeros_like(alpha)
        for outlines, value in ((self.outlines, 255), (self.holes, 0)):
            for outline in outlines:
                fill_polygon(mask, outline @ matrix[:, :2].T + matrix[:, 2], value)
        size = alpha.shape[1], alpha.shape[0]
        cloth = warp(self.cloth, compose(matrix, self.matrix), size, cv2.BORDER_REFLECT_101)
        return composite(cloth, mask, image), cv2.max(alpha, mask)


def random_headwear(random: Generator, head: Head, images: Sequence[Image]) -> Headwear:
    """Random headwear: half of it on top of the head, half around the face."""
    half_width = head.width / 2 * random.uniform(1.0, 1.25)
    scale = 2.2 * max(half_width, head.height / 2) / CLOTH
    matrix = np.array([[scale, 0, head.centre - scale * CLOTH / 2], [0, scale, head.top - 0.2 * head.height]])
    hooded = random.random() < 0.5
    outlines, holes = _hood(random, head, half_width) if hooded else (_cap(random, head, half_width), [])
    return Headwear(_random_cloth(random, images), matrix, outlines, holes)


def _cap(random: Generator, head: Head, half_width: float) -> list[Outline]:
    """A dome above the brow, half of them with a brim."""
    brow = head.top + random.uniform(0.2, 0.4) * head.height
    centre, height = (head.centre, brow), (brow - head.top) * random.uniform(1.05, 1.6)
    upper, lower = _ellipse(centre, half_width, height)[12:], _ellipse(centre, half_width, head.height / 10)[:12]
    outlines = [np.vstack([upper, lower])]
    if random.random() < 0.5:
        x = head.centre + random.uniform(-0.5, 0.5) * half_width
        brim = half_width * random.uniform(0.9, 1.7), head.height * random.uniform(0.04, 0.12)
        outlines.append(_ellipse((x, brow), *brim))
    return outlines


def _hood(random: Generator, head: Head, half_width: float) -> tuple[list[Outline], list[Outline]]:
    """Cloth around the face, down to the shoulders, and the hole for the face."""
    x, y, bottom = head.centre, head.top + 0.5 * head.height, head.neck + 0.5 * head.height
    around = _ellipse((x, y), half_width, head.height * random.uniform(0.52, 0.62))
    spread = half_width * random.uniform(1.0, 1.8)
    drape = np.array([[x - half_width, y], [x + half_width, y], [x + spread, bottom], [x - spread, bottom]])
    radii = half_width * random.uniform(0.55, 0.8), head.height * random.uniform(0.36, 0.46)
    return [around, drape], [_ellipse((x, y + 0.06 * head.height), *radii)]


def _ellipse(centre: tuple[float, float], radius_x: float, radius_y: float) -> Outline:
    """24 points, the lower half first."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.array(centre) + np.column_stack([radius_x * np.cos(angle), radius_y * np.sin(angle)])


def _random_cloth(random: Generator, images: Sequence[Image]) -> Image:
    """A piece of an image, or its centre's colour; darker at the sides, where less light falls."""
    cloth = random_crop(random, images, CLOTH)
    if random.random() < 0.5:
        cloth = np.full_like(cloth, cloth[CLOTH // 2, CLOTH // 2])
    distance = np.abs(np.linspace(-1.1, 1.1, CLOTH) + random.uniform(-0.3, 0.3))
    return np.clip(cloth * (1 - 0.45 * distance[:, None] ** 2), 0, 255).astype(np.uint8)
