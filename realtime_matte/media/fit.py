"""Scaling of images of any size to the output's size: cover, contain, stretch, tile."""

from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Fit

SAME_SHAPE: Final = 1.01
"""Up to this ratio of a side, an image has the output's shape: sizes of one shape are rounded to even numbers."""


def fit_image(pixels: Pixels, size: Size, fit: Fit) -> Pixels:
    """An image (h, w, 3) on a canvas of ``size``.

    ``cover`` crops the sides, ``contain`` leaves black bars, ``stretch`` changes the aspect ratio, ``tile``
    repeats the image unscaled from the upper left corner.
    """
    return {"cover": _cover, "contain": _contain, "stretch": resize, "tile": _tile}[fit](pixels, size)


def scaled_size(inner: Size, size: Size, fit: Fit) -> Size:
    """The size that ``fit_image`` scales an image of size ``inner`` to, before it crops or adds bars."""
    if fit in {"stretch", "tile"}:
        return size if fit == "stretch" else inner
    scales = size[0] / inner[0], size[1] / inner[1]
    scale = max(scales) if fit == "cover" else min(scales)
    return max(round(inner[0] * scale), 1), max(round(inner[1] * scale), 1)


def whole_size(own: Size, size: Size) -> Size:
    """The size in which a source delivers whole images of size ``own``, for an output of ``size``.

    It covers the output, and is never enlarged; ``size`` itself where hardly anything would be cropped.
    """
    covering = scaled_size(own, size, "cover")
    if all(side <= asked * SAME_SHAPE for side, asked in zip(covering, size, strict=True)):
        return size
    return covering if covering[0] <= own[0] else own


def crop(pixels: Pixels, size: Size) -> Pixels:
    """The largest centred part with the aspect ratio of ``size``: a view."""
    height, width = pixels.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    part_width = min(width, max(1, round(size[0] / scale)))
    part_height = min(height, max(1, round(size[1] / scale)))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    return pixels[top : top + part_height, left : left + part_width]


def resize(pixels: Pixels, size: Size) -> Pixels:
    """Stretched to ``size``: averaged if it shrinks, cubic if it grows."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return np.ascontiguousarray(pixels)
    shrinks = size[0] < pixels.shape[1] or size[1] < pixels.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=interpolation), np.uint8)


def _cover(pixels: Pixels, size: Size) -> Pixels:
    return resize(crop(pixels, size), size)


def _contain(pixels: Pixels, size: Size) -> Pixels:
    inner = scaled_size((pixels.shape[1], pixels.shape[0]), size, "contain")
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = resize(pixels, inner)
    return canvas


def _tile(pixels: Pixels, size: Size) -> Pixels:
    repetitions = -(-size[1] // pixels.shape[0]), -(-size[0] // pixels.shape[1]), 1
    return np.ascontiguousarray(np.tile(pixels, repetitions)[: size[1], : size[0]])
