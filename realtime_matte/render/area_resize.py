"""Downscaling by up to 2 in each direction: each pixel becomes the mean over the area that it covers.

The same as OpenCV's INTER_AREA, within a level, in a ninth of its time (1080p to 720p: 0.9 ms instead of 8.5). At such
a scale an output pixel covers parts of at most three pixels in each direction. So rows are mixed three at a time, and
in the mixed row every pixel with its two neighbours, both as plain loops along memory; of the second result only the
pixels in the middle of an output pixel are kept.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size
from realtime_matte.render.jit import is_ready, kernel, read_only

Bytes: TypeAlias = NDArray[np.uint8]
Indices: TypeAlias = NDArray[np.uint64]

Rows: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint16]]
"""(middle, weights) of H rows: the row in the middle of each; of 256, the weights of the rows before and after it,
(2, H)."""

Columns: TypeAlias = tuple[np.uint64, Indices, Bytes, Bytes, np.uint64, bool]
"""(left, middle, before, after, channels, pairs): the part's first byte in a row; from there, the first byte of the
pixel in the middle of each of W pixels; for each byte of the part's row, the weights of the pixels before and after it,
of 256; bytes of a pixel; whether two pixels are made of three bytes, as of 1080p for 720p."""

Scratch: TypeAlias = tuple[Bytes, Bytes]
"""(mixed, means): a row after each pass, (3w + 12) and (3w + 1), or less of a plane."""

FULL, HALF, EIGHT = np.uint16(256), np.uint16(128), np.uint16(8)
ONE, TWO, THREE, SIX = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(6)


class AreaResizer:
    """Downscales a part of images to a size that is at least half of the part's; may mirror it at no cost.

    Args:
        size: Of the part.
        to: Of the result.
        corner: (x, y) of the part's upper left pixel in the images.
        mirror: Swap left and right.
        channels: Bytes of a pixel: 3, or 1 of a plane.
    """

    def __init__(
        self, size: Size, to: Size, *, corner: tuple[int, int] = (0, 0), mirror: bool = False, channels: int = 3
    ) -> None:
        (width, height), (new_width, new_height) = size, to
        rows, row_weights = _axis(height, new_height)
        self._rows: Rows = rows + corner[1], row_weights
        middle, weights = _axis(width, new_width)
        spread = np.zeros((2, width, channels), np.uint8)
        spread[:, middle] = weights[..., None]
        before, after = spread.reshape(2, channels * width)
        order = middle[::-1] if mirror else middle
        places, left = (channels * order).astype(np.uint64), np.uint64(channels * corner[0])
        pairs = channels == 1 and 2 * width == 3 * new_width and new_width % 2 == 0 and not mirror
        self._columns: Columns = left, places, before, after, np.uint64(channels), pairs
        self._scratch: Scratch = np.zeros(3 * width + 12, np.uint8), np.zeros(3 * width + 1, np.uint8)

    def __call__(self, pixels: Pixels, out: Pixels) -> None:
        """Downscale the part of ``pixels``, (H, W, 3) or (H, W), into ``out``."""
        values, results = pixels.reshape(pixels.shape[0], -1), out.reshape(out.shape[0], -1)
        resize(read_only(values), self._rows, self._columns, self._scratch, results)


def ready() -> bool:
    """Whether the kernel is compiled, so that a frame need not wait for it."""
    return is_ready(resize)


def _axis(length: int, new_length: int) -> Rows:
    scale = length / new_length
    start = np.arange(new_length) * scale
    middle = np.minimum((start + scale / 2).astype(np.int64), length - 1)
    before = np.clip(middle - start, 0, None)
    after = np.clip(start + scale - middle - 1, 0, None)
    return middle, np.round(np.stack([before, after]) / scale * 256).astype(np.uint16)


@kernel
def resize(values: Bytes, rows: Rows, columns: Columns, scratch: Scratch, out: Bytes) -> None:
    """A part of images to ``out``; both are rows of bytes."""
    middle, weights = rows
    left, places, before, after, channels, pairs = columns
    mixed, means = scratch
    last, right = values.shape[0] - 1, left + np.uint64(before.shape[0])
    for y in range(out.shape[0]):
        row, first, third = middle[y], weights[0, y], weights[1, y]
        above, at = values[max(row - 1, 0), left:right], values[row, left:right]
        below = values[min(row + 1, last), left:right]
        if first == 0:
            _mix_two_rows(at, below, third, mixed)
        elif third == 0:
            _mix_two_rows(at, above, first, mixed)
        else:
            _mix_rows(above, at, below, (first, third), mixed)
        _mix_columns(mixed, before, after, channels, means)
        if pairs:
            _pick_pairs(means, out[y])
        elif channels == ONE:
            _pick_bytes(means, places, out[y])
        else:
            _pick(means, places, out[y])


@kernel
def _mix_two_rows(at: Bytes, other: Bytes, share: np.uint16, mixed: Bytes) -> None:
    """``mixed`` starts after six bytes, so that every pixel has one before it."""
    rest = np.uint16(FULL - share)
    for i in range(at.shape[0]):
        total = np.uint16(at[i]) * rest + np.uint16(other[i]) * share
        mixed[i + SIX] = np.uint8((total + HALF) >> EIGHT)


@kernel
def _mix_rows(above: Bytes, at: Bytes, below: Bytes, shares: tuple[np.uint16, np.uint16], mixed: Bytes) -> None:
    """``mixed`` as of two rows; ``shares``: of the rows above and below."""
    first, third = shares
    rest = np.uint16(FULL - first - third)
    for i in range(at.shape[0]):
        total = np.uint16(above[i]) * first + np.uint16(at[i]) * rest + np.uint16(below[i]) * third
        mixed[i + SIX] = np.uint8((total + HALF) >> EIGHT)


@kernel
def _mix_columns(mixed: Bytes, before: Bytes, after: Bytes, channels: np.uint64, means: Bytes) -> None:
    for i in range(np.uint64(before.shape[0])):
        first, third, at = np.uint16(before[i]), np.uint16(after[i]), i + SIX
        total = np.uint16(mixed[at - channels]) * first + np.uint16(mixed[at]) * (FULL - first - third)
        means[i] = np.uint8((total + np.uint16(mixed[at + channels]) * third + HALF) >> EIGHT)


@kernel
def _pick_bytes(means: Bytes, middle: Indices, out: Bytes) -> None:
    for x in range(np.uint64(middle.shape[0])):
        out[x] = means[middle[x]]


@kernel
def _pick_pairs(means: Bytes, out: Bytes) -> None:
    """The first and the last of each three bytes."""
    for pair in range(np.uint64(out.shape[0] // 2)):
        out[TWO * pair], out[TWO * pair + ONE] = means[THREE * pair], means[THREE * pair + TWO]


@kernel
def _pick(means: Bytes, middle: Indices, out: Bytes) -> None:
    """Copy a pixel with the byte after it, which the next pixel overwrites: four bytes are one access of memory."""
    last = np.uint64(middle.shape[0] - 1)
    for x in range(last):
        at, to = middle[x], THREE * x
        blue, green, red, more = means[at], means[at + ONE], means[at + TWO], means[at + THREE]
        out[to], out[to + ONE], out[to + TWO], out[to + THREE] = blue, green, red, more
    at, to = middle[last], THREE * last
    out[to], out[to + ONE], out[to + TWO] = means[at], means[at + ONE], means[at + TWO]
