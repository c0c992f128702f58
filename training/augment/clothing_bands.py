"""Bands across people: stripes, belts, straps, blocks of colour, badges. Alpha is unchanged.

Without them a network takes the first horizontal line across a body for the edge of a desk, and loses the body below.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.head import Head
from training.augment.image_ops import Matrix, composite, fill_polygon
from training.pack import Image

FULL_LENGTH = 20.0
"""Length of a band that crosses the whole person, in head widths."""

WIDTHS = (0.02, 0.3)
"""Range of most bands' widths, in head widths."""

BLOCK_WIDTHS = (0.3, 1.5)
"""Range of the widths of blocks of colour, in head widths."""


@dataclass(frozen=True, slots=True)
class Bands:
    """``corners`` (N, 4, 2) in pixels of the still, ``colours`` (N, 3) BGR; ``shaded``: the folds below are visible."""

    corners: NDArray[np.float64]
    colours: NDArray[np.uint8]
    shaded: bool

    def draw(self, image: Image, matrix: Matrix) -> Image:
        """Colours (H, W, 3) with the bands; ``matrix`` maps the still into the frame."""
        painted, mask = image.copy(), np.zeros(image.shape[:2], np.uint8)
        mapped = self.corners @ matrix[:, :2].T + matrix[:, 2]
        for corners, colour in zip(mapped, self.colours, strict=True):
            fill_polygon(painted, corners, colour.tolist())
            fill_polygon(mask, corners, 255)
        if not self.shaded or not mask.any():
            return painted
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        light = grey.astype(np.float32) * (1 / max(cv2.mean(grey, mask)[0], 16))
        shaded = np.clip(painted * light[..., None], 0, 255).astype(np.uint8)
        return composite(shaded, mask, image)


def random_bands(random: Generator, head: Head, bottom: float) -> Bands:
    """One to four bands between ``head`` and the row ``bottom`` of its still; half whitish, three quarters level."""
    count = int(random.integers(1, 5))
    angle = random.normal(0, 0.06) if random.random() < 0.75 else random.uniform(-np.pi / 2, np.pi / 2)
    alike = random.random() < 0.5
    width, colour = _random_width(random), _random_colour(random)
    corners, colours = [], []
    for centre in _random_centres(random, head, bottom, count):
        if not alike:
            width, colour = _random_width(random), _random_colour(random)
            angle = angle + random.normal(0, 0.1)
        length = FULL_LENGTH if random.random() < 0.75 else np.exp(random.uniform(np.log(0.3), np.log(2.5)))
        corners.append(_rectangle(centre, length * head.width, width * head.width, angle))
        colours.append(colour)
    return Bands(np.stack(corners), np.stack(colours), random.random() < 0.5)


def _random_centres(random: Generator, head: Head, bottom: float, count: int) -> list[NDArray[np.float64]]:
    """Centre of each band; one set in ten begins at the top of the head instead of the neck."""
    first = head.top if random.random() < 0.1 else head.neck
    last = max(min(bottom, head.neck + 3 * head.height), first + 1)
    return [np.array([head.centre + random.normal(0, 0.7) * head.width, y]) for y in random.uniform(first, last, count)]


def _rectangle(centre: NDArray[np.float64], length: float, width: float, angle: float) -> NDArray[np.float64]:
    along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * width / 2
    return np.stack(
        [centre - along - across, centre + along - across, centre + along + across, centre - along + across]
    )


def _random_width(random: Generator) -> float:
    low, high = WIDTHS if random.random() < 0.85 else BLOCK_WIDTHS
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _random_colour(random: Generator) -> NDArray[np.uint8]:
    """Whitish in half of the cases, otherwise any colour."""
    if random.random() < 0.5:
        return np.clip(random.uniform(185, 255) + random.uniform(-8, 8, 3), 0, 255).astype(np.uint8)
    return random.integers(0, 256, 3).astype(np.uint8)
