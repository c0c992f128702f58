"""Downscaling as a part of the graph of the whole frame, with OpenCV's numbers.

Each step of ``preprocess.resize_steps`` is a mean of 2 x 2 pixels, or one weighted sum of a few samples across and one
down. ONNX's ``Resize`` is not used here: OpenCV rounds in between, and behind a transposition ONNX Runtime resizes with
channels last, which its providers cannot do by every interpolation.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Size
from realtime_matte.models.onnx_tensors import Tensor
from realtime_matte.models.preprocess import resize_steps

CUBIC: Final = -0.75
"""Coefficient of OpenCV's cubic interpolation."""

FIXED_POINT: Final = 2048
"""OpenCV's bilinear weights of 8-bit images are multiples of 1 over this. (Its cubic ones too before version 5.)"""

COLUMNS, ROWS = 3, 2
"""Axes of (1, 3, h, w)."""


class Downscaling:
    """Downscales the frame (1, 3, H, W), 0 .. 255, as ``preprocess.Downscaler``; what two grids share is computed once.

    Values are whole numbers after each step.
    """

    def __init__(self, frame: Tensor, size: Size) -> None:
        self._frame, self._size = frame, size
        self._done: dict[tuple[Size, int], Tensor] = {}

    def to(self, size: Size) -> Tensor:
        """The frame at ``size``, (1, 3, h, w)."""
        result = self._frame
        for (before, _), (after, interpolation) in pairwise([(self._size, 0), *resize_steps(self._size, size)]):
            if after == before:
                continue
            if (after, interpolation) not in self._done:
                self._done[after, interpolation] = _step(result, before, after, interpolation)
            result = self._done[after, interpolation]
        return result


def _step(image: Tensor, size: Size, to: Size, interpolation: int) -> Tensor:
    across, down = size[0] // to[0], size[1] // to[1]
    if all(old in {new, 2 * new} for old, new in zip(size, to, strict=True)):
        return _rounded(image.apply("AveragePool", kernel_shape=(down, across), strides=(down, across)))
    columns, rows = (_taps(old, new, interpolation) for old, new in zip(size, to, strict=True))
    if interpolation == cv2.INTER_LINEAR:
        return _linear(image, columns, rows)
    return _rounded(rows.sum(columns.sum(image, COLUMNS), ROWS)).clip(0.0, 255.0)


def _rounded(image: Tensor) -> Tensor:
    return (image + 0.5).apply("Floor")


@dataclass(frozen=True, slots=True)
class _Taps:
    """The samples that are summed for each pixel of a new side: which, and their weights, both (samples, length)."""

    indices: NDArray[np.int64]
    weights: NDArray[np.float32]

    def sum(self, image: Tensor, axis: int) -> Tensor:
        """The weighted sums along an axis."""
        parts = self.parts(image, axis)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def parts(self, image: Tensor, axis: int) -> list[Tensor]:
        """Each sample times its weight."""
        shape = (1, 1, 1, -1) if axis == COLUMNS else (1, 1, -1, 1)
        pairs = zip(self.indices, self.weights, strict=True)
        return [image.gathered(indices, axis) * weights.reshape(shape) for indices, weights in pairs]


def _linear(image: Tensor, columns: _Taps, rows: _Taps) -> Tensor:
    """In OpenCV's fixed point: sums of rows lose four bits, products of columns sixteen, and are rounded at the end."""
    across = (columns.sum(image, COLUMNS) * (FIXED_POINT / 16)).apply("Floor")
    first, second = (part.apply("Floor") for part in rows.parts(across * (FIXED_POINT / 65536), ROWS))
    return ((first + second + 2) / 4).apply("Floor")


def _taps(length: int, new_length: int, interpolation: int) -> _Taps:
    scale = length / new_length
    if interpolation == cv2.INTER_AREA:
        indices, weights = _area(scale, new_length)
    else:
        place = (np.arange(new_length) + 0.5) * scale - 0.5
        first = np.floor(place)
        share = place - first
        samples, weights = _cubic(share) if interpolation == cv2.INTER_CUBIC else _bilinear(share)
        indices = first + samples[:, None]
    return _Taps(np.clip(indices, 0, length - 1).astype(np.int64), weights.astype(np.float32))


def _bilinear(share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.arange(2.0), np.round(np.stack([1 - share, share]) * FIXED_POINT) / FIXED_POINT


def _cubic(share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keys 1981, with OpenCV's coefficient."""
    a, x, y = CUBIC, share + 1, 1 - share
    before = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    at = ((a + 2) * share - (a + 3)) * share**2 + 1
    after = ((a + 2) * y - (a + 3)) * y**2 + 1
    return np.arange(-1.0, 3), np.stack([before, at, after, 1 - before - at - after])


def _area(scale: float, new_length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of each pixel that is within the area of a new one."""
    start = np.arange(new_length) * scale
    indices = np.floor(start) + np.arange(int(np.ceil(scale)) + 1)[:, None]
    overlap = np.minimum(indices + 1, start + scale) - np.maximum(indices, start)
    return indices, np.clip(overlap, 0, None) / scale
