"""From local linear models on the coarse grid to the frame's pixels: composited directly, or as alpha and foreground.

A band is the pixels between two rows of cells; it is split into runs: all background, all foreground, or edge. Runs of
the first two kinds are copied from the frame or the background; only edge runs compute an alpha, colours without the
old background, and a blend, each as a plain loop along memory. A row of cells is interpolated across once, for the band
above it and the band below it.
"""

from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Pixels, Size
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.guided_filter import LocalLinearModels
from realtime_matte.render.jit import kernel, read_only

BACKGROUND, FOREGROUND, EDGE = 0, 1, 2
"""Kinds of cells and runs: alpha is 0 or 1 there for certain, or has to be computed."""

ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
ZERO, HALF, UNIT, FULL = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)

Indices: TypeAlias = NDArray[np.uint64]
"""Unsigned, because Numba checks an index that may be negative at every access, which prevents vectorisation."""

Axis: TypeAlias = tuple[Indices, Floats]
"""(start, weight): each cell's first pixel, then the length; for each pixel, the weight of the cell after its own."""

Bands: TypeAlias = tuple[Bytes, NDArray[np.int64], Indices, Bytes]
"""The bands under each of h rows of w cells: (between, runs, first, kind).

``between`` (h, w): the kind of the pixels between each cell and those to its right and below. ``runs`` (h): how many.
``first`` (h, w + 1): the first pixel of each run, then the frame's width. ``kind`` (h, w): of each run.
"""

PlacedModels: TypeAlias = tuple[Floats, Floats, Bands, Axis, Axis]
"""(linear, colours, bands, columns, rows): local linear models, and where their grid lies on the frame."""

Scratch: TypeAlias = tuple[Floats, Floats, Floats, Floats, Floats]
"""(constant, gains, foreground, background, alpha): the models of two rows of cells, interpolated to W pixel columns.

``constant`` (2, W), ``gains``, ``foreground`` and ``background`` (2, 3W): of the rows of even and of odd number, three
channels a pixel. ``alpha`` (3W): of one row of pixels, each value three times.
"""


class Upsampler:
    """Upsamples models on grids of ``shape`` (h, w) to frames of ``size``. Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int], size: Size) -> None:
        self._cells = np.zeros(shape, np.uint8)
        self._bands = make_bands(shape)
        self._columns, self._rows = make_axis(size[0], shape[1]), make_axis(size[1], shape[0])
        gains, foreground, background = np.zeros((3, 2, 3 * size[0]), np.float32)
        constant, alpha = np.zeros((2, size[0]), np.float32), np.zeros(3 * size[0], np.float32)
        self._scratch: Scratch = constant, gains, foreground, background, alpha
        self._size = size
        self._full_size = FullSizeBuffers(size)

    def free_full_size(self) -> None:
        """Free the buffers of alpha and foreground until they are read again."""
        self._full_size = FullSizeBuffers(self._size)

    def upsample(self, frame: Frame, models: LocalLinearModels) -> "UpsampledMatte":
        """The matte that ``models`` give for ``frame``; overwritten by the next call."""
        linear, colours, near, mean = models
        classify(linear, near, mean, self._cells)
        split(self._cells, self._columns[0], self._bands)
        placed = linear, colours, self._bands, self._columns, self._rows
        return UpsampledMatte(frame, placed, cells=self._cells, scratch=self._scratch, full_size=self._full_size)


class FullSizeBuffers:
    """Buffers for one frame's alpha and foreground, of ``size``: allocated on first use, as few callers read them."""

    def __init__(self, size: Size) -> None:
        self._shape = size[1], size[0]

    @cached_property
    def alpha(self) -> Alpha:
        """(H, W)."""
        return np.zeros(self._shape, np.float32)

    @cached_property
    def foreground(self) -> Pixels:
        """(H, W, 3)."""
        return np.zeros((*self._shape, 3), np.uint8)


class UpsampledMatte:
    """The matte of one frame at its size. Computed when it is read, overwritten by the next frame's.

    Alpha, foreground and ``over`` need a BGR frame; of an I420 frame, ``models`` and ``cells`` are composited directly.

    Attributes:
        models: The models, and where they lie on the frame.
        cells: (h, w), the kind of each.
    """

    def __init__(
        self, frame: Frame, models: PlacedModels, *, cells: Bytes, scratch: Scratch, full_size: FullSizeBuffers
    ) -> None:
        self._pixels = read_only(frame.pixels)
        self.models = models
        self.cells = cells
        self._scratch = scratch
        self._full_size = full_size
        self._has_alpha = False
        self._has_foreground = False

    @property
    def alpha(self) -> Alpha:
        """(H, W) float32 in [0, 1]."""
        if not self._has_alpha:
            upsample_alpha(self._pixels, self.models, self._scratch, self._full_size.alpha)
            self._has_alpha = True
        return self._full_size.alpha

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3) uint8 BGR, straight, without the old background; black where alpha is 0."""
        if not self._has_foreground:
            upsample_foreground(self._pixels, self.models, self._scratch, self._full_size.foreground)
            self._has_foreground = True
        return self._full_size.foreground

    def of(self, frame: Frame) -> "UpsampledMatte":
        """The same matte, of the same frame in BGR."""
        return UpsampledMatte(frame, self.models, cells=self.cells, scratch=self._scratch, full_size=self._full_size)

    def over(self, background: Pixels, out: Pixels) -> None:
        """Composite the foreground over ``background`` into ``out``, both (H, W, 3): exact where alpha is 0 or 1."""
        upsample_composite(self._pixels, self.models, self._scratch, read_only(background), out)


def make_axis(length: int, cells: int) -> Axis:
    """The axis of ``length`` pixels over ``cells`` cells that cover the same width."""
    place = (np.arange(length) + 0.5) * cells / length - 0.5
    cell = np.clip(np.floor(place), 0, max(cells - 2, 0))
    weight = np.clip(place - cell, 0, 1).astype(np.float32)
    return np.searchsorted(cell, np.arange(cells + 1)).astype(np.uint64), weight


def make_bands(shape: tuple[int, int]) -> Bands:
    """Empty bands for grids of ``shape`` (h, w)."""
    height, width = shape
    return (
        np.zeros(shape, np.uint8),
        np.zeros(height, np.int64),
        np.zeros((height, width + 1), np.uint64),
        np.zeros(shape, np.uint8),
    )


@kernel
def classify(linear: Floats, near: Bytes, mean: Floats, cells: Bytes) -> None:
    """The kind of each of ``cells`` (h, w), by the least and the most alpha that its model gives for any colour."""
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            if not near[y, x]:
                cells[y, x] = FOREGROUND if mean[y, x] > HALF else BACKGROUND
                continue
            least = most = linear[y, x, 3]
            for c in range(3):
                full = linear[y, x, c] * np.float32(255)
                least += min(full, np.float32(0))
                most += max(full, np.float32(0))
            certain = BACKGROUND if most <= 0 else FOREGROUND
            cells[y, x] = certain if most <= 0 or least >= 1 else EDGE


@kernel
def split(cells: Bytes, start: Indices, bands: Bands) -> None:
    """Split every band into runs by the kinds of ``cells`` (h, w); ``start`` (w + 1): their first pixels."""
    between, runs, first, kind = bands
    end = cells.shape[1]
    for row in range(cells.shape[0]):
        _classify_between(cells[row], cells[min(row + 1, cells.shape[0] - 1)], between[row])
        count, last = 0, -1
        for x in range(end):
            if between[row, x] != last:
                last = between[row, x]
                first[row, count], kind[row, count] = start[x], last
                count += 1
        first[row, count], runs[row] = start[end], count


@kernel
def _classify_between(cells: Bytes, below: Bytes, between: Bytes) -> None:
    """Edge unless all four cells around are of one kind: the pixels between them mix the models of all four."""
    last = np.uint64(cells.shape[0] - 1)
    for x in range(last):
        kind = cells[x]
        same = (kind == cells[x + ONE]) & (kind == below[x]) & (kind == below[x + ONE])
        between[x] = kind if same else np.uint8(EDGE)
    between[last] = cells[last] if cells[last] == below[last] else np.uint8(EDGE)


@kernel
def upsample_composite(pixels: Pixels, models: PlacedModels, scratch: Scratch, background: Pixels, out: Pixels) -> None:
    """The foreground of ``pixels`` over ``background``, (H, W, 3): alpha 0 is the background, alpha 1 the frame."""
    shape = pixels.shape[0], 3 * pixels.shape[1]
    values, behind, composite = pixels.reshape(shape), background.reshape(shape), out.reshape(shape)
    _, _, (_, runs, firsts, kinds), _, (start, weight) = models
    _interpolate_row(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_row(models, row + 1, scratch)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                    _blend(values[y], behind[y], first, end, weight[y], row % 2, scratch, composite[y])
                else:
                    _copy(values[y] if kind == FOREGROUND else behind[y], first, end, composite[y])


@kernel
def upsample_alpha(pixels: Pixels, models: PlacedModels, scratch: Scratch, out: Alpha) -> None:
    """The alpha of every pixel, (H, W)."""
    values = pixels.reshape(pixels.shape[0], 3 * pixels.shape[1])
    _, _, _, _, alpha = scratch
    _, _, (_, runs, firsts, kinds), _, (start, weight) = models
    _interpolate_row(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_row(models, row + 1, scratch)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                    for x in range(first, end):
                        out[y, x] = alpha[THREE * x]
                else:
                    for x in range(first, end):
                        out[y, x] = kind


@kernel
def upsample_foreground(pixels: Pixels, models: PlacedModels, scratch: Scratch, out: Pixels) -> None:
    """The foreground's colours (H, W, 3), black where alpha is 0: no pixel of the old background is left in them."""
    shape = pixels.shape[0], 3 * pixels.shape[1]
    values, clean = pixels.reshape(shape), out.reshape(shape)
    _, _, (_, runs, firsts, kinds), _, (start, weight) = models
    _interpolate_row(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_row(models, row + 1, scratch)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                    _clean_run(values[y], first, end, weight[y], row % 2, scratch, clean[y])
                elif kind == FOREGROUND:
                    _copy(values[y], first, end, clean[y])
                else:
                    clean[y, THREE * first : THREE * end] = 0


@kernel
def _copy(source: Bytes, first: int, end: int, out: Bytes) -> None:
    for i in range(THREE * first, THREE * end):
        out[i] = source[i]


@kernel
def _interpolate_row(models: PlacedModels, row: int, scratch: Scratch) -> None:
    """Interpolate a row of models to one for each pixel column, where a band beside it is edge.

    ``row`` may be one past the last row of cells, which is then repeated. Written out number by number, so that a
    cell's numbers stay in registers, which halves the time.
    """
    all_linear, all_colours, (between, _, _, _), (start, weight), _ = models
    last, side = all_linear.shape[0] - 1, row % 2
    linear, colours = all_linear[min(row, last)], all_colours[min(row, last)]
    above, below = between[max(row - 1, 0)], between[min(row, last)]
    constant, gains, foreground, background = scratch[0][side], scratch[1][side], scratch[2][side], scratch[3][side]
    cells = np.uint64(linear.shape[0])
    for x in range(cells):
        if above[x] != EDGE and below[x] != EDGE:
            continue
        right = min(x + ONE, cells - ONE)
        b, g, r, k = linear[x, 0], linear[x, 1], linear[x, 2], linear[x, 3]
        db, dg, dr, dk = linear[right, 0] - b, linear[right, 1] - g, linear[right, 2] - r, linear[right, 3] - k
        fb, fg, fr = colours[x, 0], colours[x, 1], colours[x, 2]
        dfb, dfg, dfr = colours[right, 0] - fb, colours[right, 1] - fg, colours[right, 2] - fr
        bb, bg, br = colours[x, 3], colours[x, 4], colours[x, 5]
        dbb, dbg, dbr = colours[right, 3] - bb, colours[right, 4] - bg, colours[right, 5] - br
        for i in range(start[x], start[x + ONE]):
            t, at = weight[i], THREE * i
            constant[i] = k + t * dk
            gains[at], gains[at + ONE], gains[at + TWO] = b + t * db, g + t * dg, r + t * dr
            foreground[at], foreground[at + ONE], foreground[at + TWO] = fb + t * dfb, fg + t * dfg, fr + t * dfr
            background[at], background[at + ONE], background[at + TWO] = bb + t * dbb, bg + t * dbg, br + t * dbr


@kernel
def _apply_models(values: Bytes, first: int, end: int, down: np.float32, side: int, scratch: Scratch) -> None:
    """Write alpha, the models' linear function of each pixel's colour, to the scratch; NaN becomes 0.

    ``values`` (3W): a row of pixels, of which the run from ``first`` to ``end`` is done. ``side``: which row of the
    scratch is the one above it; ``down``: the weight of the other one, below it.
    """
    constants, gains, _, _, alpha = scratch
    constant, constant_below, gain, gain_below = constants[side], constants[1 - side], gains[side], gains[1 - side]
    for i in range(THREE * first, THREE * end):
        alpha[i] = np.float32(values[i]) * (gain[i] + down * (gain_below[i] - gain[i]))
    for x in range(first, end):
        at = THREE * x
        linear = constant[x] + down * (constant_below[x] - constant[x]) + alpha[at] + alpha[at + ONE] + alpha[at + TWO]
        alpha[at] = alpha[at + ONE] = alpha[at + TWO] = min(UNIT, max(ZERO, linear))


@kernel
def _blend(
    values: Bytes, behind: Bytes, first: int, end: int, down: np.float32, side: int, scratch: Scratch, out: Bytes
) -> None:
    """Composite a run, whose alpha is in the scratch, over ``behind`` (3W), the new background's row."""
    _, _, foregrounds, backgrounds, alpha = scratch
    foreground, foreground_below = foregrounds[side], foregrounds[1 - side]
    background, background_below = backgrounds[side], backgrounds[1 - side]
    for i in range(THREE * first, THREE * end):
        old_foreground = foreground[i] + down * (foreground_below[i] - foreground[i])
        old_background = background[i] + down * (background_below[i] - background[i])
        new = np.float32(behind[i])
        mixed = new + alpha[i] * (_clean(np.float32(values[i]), alpha[i], old_foreground, old_background) - new)
        out[i] = np.uint8(np.int32(mixed + HALF))


@kernel
def _clean_run(values: Bytes, first: int, end: int, down: np.float32, side: int, scratch: Scratch, out: Bytes) -> None:
    """Write the foreground's colours of a run, whose alpha is in the scratch."""
    _, _, foregrounds, backgrounds, alpha = scratch
    foreground, foreground_below = foregrounds[side], foregrounds[1 - side]
    background, background_below = backgrounds[side], backgrounds[1 - side]
    for i in range(THREE * first, THREE * end):
        old_foreground = foreground[i] + down * (foreground_below[i] - foreground[i])
        old_background = background[i] + down * (background_below[i] - background[i])
        clean = _clean(np.float32(values[i]), alpha[i], old_foreground, old_background)
        out[i] = np.uint8(np.int32(clean + HALF)) if alpha[i] > 0 else np.uint8(0)


@kernel
def _clean(value: np.float32, alpha: np.float32, foreground: np.float32, background: np.float32) -> np.float32:
    """A colour without the old background (Forte 2021, equation 7); the pixel's own where alpha is 1."""
    return min(FULL, max(ZERO, foreground + alpha * (value - alpha * foreground - (UNIT - alpha) * background)))
