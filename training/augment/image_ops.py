"""Operations on whole images and on 2x3 affine matrices."""

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.pack import Image

Matrix: TypeAlias = NDArray[np.float64]
"""A 2x3 affine map of (x, y) in pixels; in ``similarity`` also a point (2,)."""


def composite(foreground: Image, alpha: Image, background: Image) -> Image:
    """Composite in 8 bits, alpha F + (1 - alpha) B; colours (H, W, 3), alpha (H, W)."""
    weight = alpha.astype(np.float32) * (1 / 255)
    return cv2.blendLinear(foreground, background, weight, 1 - weight)


def warp(image: Image, matrix: Matrix, size: tuple[int, int], border: int) -> Image:
    """The image mapped by ``matrix`` into a frame of ``size`` (width, height); ``border`` is an OpenCV border mode."""
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)


def random_crop(random: Generator, images: Sequence[Image], side: int) -> Image:
    """A random square of one of the images, resized to (side, side, 3)."""
    image = images[random.integers(len(images))]
    length = int(min(image.shape[:2]) * random.uniform(0.15, 0.8))
    top, left = (random.integers(0, extent - length + 1) for extent in image.shape[:2])
    crop = image[top : top + length, left : left + length]
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)


def similarity(scale_x: float, scale_y: float, angle: float, *, source: Matrix, target: Matrix) -> Matrix:
    """The map that scales, rotates by ``angle`` radians, and takes the point ``source`` to the point ``target``."""
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.diag([scale_x, scale_y])
    return np.hstack([linear, (target - linear @ source)[:, None]])


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """The map that applies ``inner``, then ``outer``."""
    return np.hstack([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])


def fill_polygon(mask: Image, corners: NDArray[np.float64], value: int | tuple[int, ...]) -> None:
    """Fill a polygon of (N, 2) points in place, antialiased, at sixteenths of a pixel."""
    points = np.rint(corners * 16).clip(-(2**20), 2**20).astype(np.int32)  # OpenCV's fixed point overflows beyond
    cv2.fillPoly(mask, [points], value, cv2.LINE_AA, shift=4)
