"""Preprocess a frame into a network's input tensor: size, downscaling, normalisation. Buffers are allocated once."""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.models.family import Preprocessor, Tensor
from realtime_matte.models.options import ChannelOrder, ModelOptions, PerChannel

_CUBIC_BELOW = 1.4
"""Downscaling factor below which bilinear interpolation blurs and above which cubic rings: by the mean gradient of
portraits, compared with INTER_AREA's."""


@dataclass(frozen=True, slots=True)
class InputSize:
    """How the size of a network's input follows from the frame's.

    ``area``: number of pixels, approximately. ``multiple``: both sides are multiples of it. ``fixed``: the size
    for every frame instead. Raises SpecError.
    """

    area: int
    multiple: int
    fixed: Size | None = None

    def __post_init__(self) -> None:
        if self.fixed and any(side % self.multiple for side in self.fixed):
            width, height = self.fixed
            nearest = "x".join(str(_round(side, self.multiple)) for side in self.fixed)
            raise SpecError(f"size {width}x{height} is not a multiple of {self.multiple}", hint=f"try {nearest}")

    def at(self, size: Size) -> Size:
        """The input size for frames of ``size``: of the same aspect ratio, at least one multiple a side."""
        width, height = size
        ideal = sqrt(self.area * width / height), sqrt(self.area * height / width)
        return self.fixed or (_round(ideal[0], self.multiple), _round(ideal[1], self.multiple))


def input_size(base_area: int, multiple: int, options: ModelOptions) -> InputSize:
    """The input size for ``options`` of a network whose base grid has ``base_area`` pixels. Raises SpecError."""
    return InputSize(round(base_area * (options.quality or 1)), multiple, options.size)


def _round(side: float, multiple: int) -> int:
    return max(1, round(side / multiple)) * multiple


class Downscaler:
    """Resizes frames of one size to a network's input size without aliasing; smaller frames are enlarged.

    Halves repeatedly, then interpolates once: as sharp as OpenCV's INTER_AREA within 4 %, in 0.26 ms instead of
    0.66 for 720p and 0.56 instead of 4.1 for 1080p (to 256x144, one thread).

    Args:
        size: Of the frames.
        to: Of the result.
        out: Buffer to write the result into, (h, w, 3) uint8; None makes one.
    """

    def __init__(self, size: Size, to: Size, out: Pixels | None = None) -> None:
        out = np.empty((to[1], to[0], 3), np.uint8) if out is None else out
        self._size = size
        self._steps = _steps(size, out)
        self._planes: PlanesDownscaler | None = None

    def __call__(self, pixels: Pixels) -> Pixels:
        """The resized frame, BGR; overwritten by the next call. ``pixels``: BGR or I420."""
        if pixels.ndim == 2:  # noqa: PLR2004 - planes, without colours of their own
            if self._planes is None:
                self._planes = PlanesDownscaler(self._size, self._steps[-1][0])
            return self._planes(pixels)
        for out, interpolation in self._steps:
            cv2.resize(pixels, out.shape[1::-1], dst=out, interpolation=interpolation)
            pixels = out
        return pixels


class PlanesDownscaler:
    """As ``Downscaler``, from I420 frames, each plane by itself; ``out``: the result, (h, w, 3) uint8 BGR."""

    def __init__(self, size: Size, out: Pixels) -> None:
        self._out = out
        self._yuv = np.empty_like(out)
        self._small = [np.empty(out.shape[:2], np.uint8) for _ in range(3)]
        half = size[0] // 2, size[1] // 2
        luma, *chroma = self._small
        self._steps = [_steps(size, luma), *(_steps(half, small, smooth=True) for small in chroma)]

    def __call__(self, pixels: Pixels) -> Pixels:
        """The resized frame; overwritten by the next call."""
        for plane, steps in zip(i420.planes(pixels), self._steps, strict=True):
            for out, interpolation in steps:
                cv2.resize(plane, out.shape[1::-1], dst=out, interpolation=interpolation)
                plane = out  # noqa: PLW2901 - each step continues with the result of the one before
        cv2.merge(self._small, self._yuv)
        cv2.transform(self._yuv, i420.TO_BGR_WITH_OFFSET, dst=self._out)
        return self._out


def _steps(size: Size, out: Pixels, *, smooth: bool = False) -> list[tuple[Pixels, int]]:
    """The steps from an image of ``size`` to ``out``: buffer and interpolation of each.

    ``smooth``: it has no details that bilinear interpolation loses, as chroma; cubic takes twice the time.
    """
    steps = resize_steps(size, (out.shape[1], out.shape[0]), smooth=smooth)
    halves = [(np.empty((half[1], half[0], *out.shape[2:]), np.uint8), halving) for half, halving in steps[:-1]]
    return [*halves, (out, steps[-1][1])]


def resize_steps(size: Size, to: Size, *, smooth: bool = False) -> list[tuple[Size, int]]:
    """The steps from images of ``size`` to those of ``to``: size and OpenCV's interpolation of each."""
    sizes = _halvings(size, to)
    last = cv2.INTER_LINEAR if smooth else _last_interpolation(sizes[-1], to)
    return [*((half, _halving(of, half)) for of, half in pairwise(sizes)), (to, last)]


def _halvings(size: Size, to: Size) -> list[Size]:
    """``size``, its half, and so on: each side is halved while it is at least twice that of ``to``."""
    sizes = [size]
    while (half := _half(sizes[-1], to)) != sizes[-1]:
        sizes.append(half)
    return sizes


def _half(size: Size, to: Size) -> Size:
    (width, height), (least_width, least_height) = size, to
    return (
        width // 2 if width // 2 >= least_width else width,
        height // 2 if height // 2 >= least_height else height,
    )


def _halving(size: Size, half: Size) -> int:
    """Bilinear is the mean of the pixels, and fast, where a side is halved exactly."""
    exact = all(side in {new, 2 * new} for side, new in zip(size, half, strict=True))
    return cv2.INTER_LINEAR if exact else cv2.INTER_AREA


def _last_interpolation(size: Size, to: Size) -> int:
    factor = max(size[0] / to[0], size[1] / to[1])
    return cv2.INTER_CUBIC if 1 < factor < _CUBIC_BELOW else cv2.INTER_LINEAR


@dataclass(frozen=True, slots=True)
class Normalisation:
    """(value - mean) / std per channel, values 0..255; ``mean`` and ``std`` in the network's channel order."""

    mean: PerChannel
    std: PerChannel
    order: ChannelOrder = "rgb"

    def with_options(self, options: ModelOptions) -> "Normalisation":
        """A copy with the values that ``options`` replace."""
        return Normalisation(options.mean or self.mean, options.std or self.std, options.order or self.order)

    def lookup_tables(self) -> NDArray[np.float32]:
        """(3, 256): the normalised value of each 8-bit value, for each channel of the network."""
        levels = np.arange(256, dtype=np.float32)
        mean, std = (np.asarray(channels, np.float32)[:, None] for channels in (self.mean, self.std))
        return np.ascontiguousarray((levels - mean) / std)


UNIT = Normalisation((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
"""RGB from 0..255 to 0..1."""

SIGNED = Normalisation((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
"""RGB from 0..255 to -1..1."""


def preprocessor(size: Size, tensor: Tensor, normalisation: Normalisation) -> Preprocessor:
    """A Preprocessor that writes frames of ``size`` into a float32 ``tensor``: (1, 3, h, w) or (1, h, w, 3)."""
    if tensor.shape[1] == 3:  # noqa: PLR2004 -- the channels
        return _ToPlanes(size, tensor[0], normalisation)
    return _ToInterleaved(size, tensor[0], normalisation)


class _ToPlanes:
    """Preprocessor for a (3, h, w) tensor."""

    def __init__(self, size: Size, tensor: NDArray[np.float32], normalisation: Normalisation) -> None:
        channels, height, width = tensor.shape
        self._downscale = Downscaler(size, (width, height))
        planes = list(np.empty((channels, height, width), np.uint8))
        self._bgr_planes = planes if normalisation.order == "bgr" else planes[::-1]
        self._channels = list(zip(planes, normalisation.lookup_tables(), tensor, strict=True))

    def __call__(self, pixels: Pixels) -> Pixels:
        small = self._downscale(pixels)
        cv2.split(small, self._bgr_planes)
        for plane, table, out in self._channels:
            cv2.LUT(plane, table, dst=out)
        return small


class _ToInterleaved:
    """Preprocessor for a (h, w, 3) tensor."""

    def __init__(self, size: Size, tensor: NDArray[np.float32], normalisation: Normalisation) -> None:
        self._downscale = Downscaler(size, (tensor.shape[1], tensor.shape[0]))
        self._rgb = np.empty_like(tensor, np.uint8) if normalisation.order == "rgb" else None
        self._table = np.ascontiguousarray(normalisation.lookup_tables().T[None])
        self._tensor = tensor

    def __call__(self, pixels: Pixels) -> Pixels:
        small = self._downscale(pixels)
        if self._rgb is not None:
            cv2.cvtColor(small, cv2.COLOR_BGR2RGB, dst=self._rgb)
        cv2.LUT(small if self._rgb is None else self._rgb, self._table, dst=self._tensor)
        return small
