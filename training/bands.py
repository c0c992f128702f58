"""Bands across people: stripes, belts, straps, blocks of colour, badges. Alpha stays what it was.

Without them a network takes the first level line across a body for the edge of a desk, and drops the body below it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Picture
from training.head import Head
from training.motion import Matrix

LONG = 20.0
"""Length of a band that crosses everything, in widths of a head."""

WIDTHS = (0.02, 0.2)
"""Of bands, in widths of a head."""

BLOCKS = (0.2, 1.5)
"""Widths of blocks of colour, in widths of a head."""


@dataclass(frozen=True, slots=True)
class Bands:
    """``corners`` (N, 4, 2) in the still's pixels, ``colours`` (N, 3) BGR; ``folded``: they show the folds beneath."""

    corners: NDArray[np.float64]
    colours: NDArray[np.uint8]
    folded: bool

    def put_on(self, colours: Picture, matrix: Matrix) -> Picture:
        """Colours (H, W, 3) of the person in the frame, whose still lies there by ``matrix``, and the bands on them."""
        paint, shape = colours.copy(), np.zeros(colours.shape[:2], np.uint8)
        there = np.rint((self.corners @ matrix[:, :2].T + matrix[:, 2]) * 16).clip(-(2**20), 2**20).astype(np.int32)
        for corners, colour in zip(there, self.colours, strict=True):
            cv2.fillPoly(paint, [corners], colour.tolist(), cv2.LINE_AA, shift=4)
            cv2.fillPoly(shape, [corners], 255, cv2.LINE_AA, shift=4)
        if not self.folded or not shape.any():
            return paint
        grey = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)
        light = grey.astype(np.float32) * (1 / max(cv2.mean(grey, shape)[0], 16))
        shaded = np.clip(paint * light[..., None], 0, 255).astype(np.uint8)
        weight = shape.astype(np.float32) * (1 / 255)
        return cv2.blendLinear(shaded, colours, weight, 1 - weight)


def bands(random: Generator, head: Head, bottom: float) -> Bands:
    """One to four bands between a ``head`` and the row ``bottom`` of its still; half of them whitish, most level."""
    count = int(random.integers(1, 5))
    turn = random.normal(0, 0.06) if random.random() < 0.75 else random.uniform(-np.pi / 2, np.pi / 2)
    alike = random.random() < 0.5
    width, colour = _width(random), _colour(random)
    corners, colours = [], []
    for middle in _middles(random, head, bottom, count):
        if not alike:
            width, colour = _width(random), _colour(random)
            turn = turn + random.normal(0, 0.1)
        length = LONG if random.random() < 0.75 else np.exp(random.uniform(np.log(0.3), np.log(2.5)))
        corners.append(_rectangle(middle, length * head.width, width * head.width, turn))
        colours.append(colour)
    return Bands(np.stack(corners), np.stack(colours), random.random() < 0.5)


def reference_head(alpha: Picture) -> Head | None:
    """About where a head would be, for people of whom no whole head is seen; None where there is hardly anybody."""
    left, top, width, height = cv2.boundingRect((alpha > 127).astype(np.uint8))
    if min(width, height) < 24:
        return None
    across = min(0.4 * width, 0.5 * height)
    return Head(left + width / 2, top, top + min(1.3 * across, 0.6 * height), across)


def _middles(random: Generator, head: Head, bottom: float, count: int) -> list[NDArray[np.float64]]:
    """Middle of each band; one set in ten begins at the top of the head instead of the neck."""
    first = head.top if random.random() < 0.1 else head.neck
    last = max(min(bottom, head.neck + 3 * (head.neck - head.top)), first + 1)
    return [np.array([head.middle + random.normal(0, 0.7) * head.width, y]) for y in random.uniform(first, last, count)]


def _rectangle(middle: NDArray[np.float64], length: float, width: float, turn: float) -> NDArray[np.float64]:
    along = np.array([np.cos(turn), np.sin(turn)]) * length / 2
    across = np.array([-np.sin(turn), np.cos(turn)]) * width / 2
    return np.stack(
        [middle - along - across, middle + along - across, middle + along + across, middle - along + across]
    )


def _width(random: Generator) -> float:
    low, high = WIDTHS if random.random() < 0.85 else BLOCKS
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _colour(random: Generator) -> NDArray[np.uint8]:
    """Whitish every other time, else any."""
    if random.random() < 0.5:
        return np.clip(random.uniform(185, 255) + random.uniform(-8, 8, 3), 0, 255).astype(np.uint8)
    return random.integers(0, 256, 3).astype(np.uint8)
