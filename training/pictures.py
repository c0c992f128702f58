"""What is done to whole pictures: laid into a frame, laid over one another, cut to pieces."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Picture


def over(colours: Picture, alpha: Picture, picture: Picture) -> Picture:
    """The compositing equation in 8 bits."""
    weight = alpha.astype(np.float32) * (1 / 255)
    return cv2.blendLinear(colours, picture, weight, 1 - weight)


def warp(picture: Picture, matrix: NDArray[np.float64], size: tuple[int, int], border: int) -> Picture:
    """The picture as it lies in a frame of ``size`` (width, height)."""
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)


def piece(random: Generator, pictures: Sequence[Picture], side: int) -> Picture:
    """A square of any of the pictures, (side, side, 3), small or large in it."""
    picture = pictures[random.integers(len(pictures))]
    whole = int(min(picture.shape[:2]) * random.uniform(0.15, 0.8))
    top, left = (random.integers(0, length - whole + 1) for length in picture.shape[:2])
    cut = picture[top : top + whole, left : left + whole]
    return cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)
