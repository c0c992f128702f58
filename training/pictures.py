"""What is done to whole pictures: laid into a frame, laid over one another."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.faults import Picture


def over(colours: Picture, alpha: Picture, picture: Picture) -> Picture:
    """The compositing equation in 8 bits."""
    weight = alpha.astype(np.float32) * (1 / 255)
    return cv2.blendLinear(colours, picture, weight, 1 - weight)


def warp(picture: Picture, matrix: NDArray[np.float64], size: tuple[int, int], border: int) -> Picture:
    """The picture as it lies in a frame of ``size`` (width, height)."""
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
