"""Local linear models to composites of I420 images, plane by plane; as ``upsample.py`` does it for BGR images.

Alpha and colours of the models are linear in BGR, and so in Y, U and V: the models near edges are converted, not the
pixels. Luma is composited at full size, chroma at half size with the mean luma of its four pixels. An I420 image has
half the bytes of BGR, and is not converted on its way from the camera to a virtual camera.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.render.bands import Axis, Bands, make_axis, make_bands, split
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only
from realtime_matte.render.upsample import PlacedModels

FOREGROUND, EDGE = 1, 2
"""Kinds of runs, as in ``upsample.py``; a bit each."""

BLOCK, BEFORE = np.uint64(32), np.uint64(~31 & 0xFFFF_FFFF)
"""Runs are computed from a multiple of so many pixels to the next one: what vector instructions do at once. What is
computed beside the run is not used. The second number masks the multiple."""

ONE, TWO = np.uint64(1), np.uint64(2)
ZERO, HALF, UNIT = np.float32(0), np.float32(0.5), np.float32(1)
LOWEST, HIGHEST = np.float32(1), np.float32(254)
"""Of luma and chroma: 0 and 255 are reserved (ITU-R BT.601)."""

GAIN_Y, GAIN_U, GAIN_V, CONSTANT, FRONT_Y, BACK_Y, FRONT_U, BACK_U, FRONT_V, BACK_V, NUMBERS = range(11)
"""The numbers of a converted model: alpha's gains and constant, and the old foreground's and background's colours."""

YuvModels: TypeAlias = Floats
"""(h, w, NUMBERS): models in Y, U and V, valid near edges."""

Place: TypeAlias = tuple[Bands, Axis, Axis]
"""(bands, columns, rows) of a plane: where the grid lies on it."""

Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]
"""Y (H, W), U and V (H / 2, W / 2)."""

ChromaPlanes: TypeAlias = tuple[Bytes, Bytes]
"""U and V."""

Rows: TypeAlias = Floats
"""(2, NUMBERS, W): models of the rows of even and of odd number, interpolated to pixel columns."""

Pairs: TypeAlias = NDArray[np.uint16]
"""A plane whose pixels are taken two at once: vector instructions then need no strides."""

Scratch: TypeAlias = tuple[Rows, Floats, Pairs, Bytes, Bytes]
"""(rows, alpha, pairs, chroma, mixed): ``alpha`` (W) of a row of pixels. ``chroma`` (2, W): U and V of each, written as
``pairs`` (2, W / 2), the same memory. ``mixed`` (W) is a row of the composite, of which runs are copied."""

MATRICES: Final = np.concatenate([i420.TO_BGR_WITH_OFFSET, i420.FROM_BGR_WITH_OFFSET]).astype(np.float32)
"""(6, 4): from Y, U and V to BGR, and back."""


class I420Compositor:
    """Composites I420 frames of ``size`` by models on grids of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int], size: Size) -> None:
        width, height = size
        self.shape = shape
        self._chroma_bands = make_bands(shape)
        self._chroma_columns, self._chroma_rows = make_axis(width // 2, shape[1]), make_axis(height // 2, shape[0])
        self._models = np.zeros((*shape, NUMBERS), np.float32)
        rows, alpha = np.zeros((2, NUMBERS, width), np.float32), np.zeros(width, np.float32)
        pairs = np.zeros((2, width // 2), np.uint16)
        self._scratch: Scratch = rows, alpha, pairs, pairs.view(np.uint8), np.zeros(width, np.uint8)

    def over(self, pixels: Pixels, models: PlacedModels, cells: Bytes, background: Pixels, out: Pixels) -> None:
        """Composite the foreground of ``pixels`` over ``background`` into ``out``, all I420.

        Args:
            pixels: The frame.
            models: The frame's models and where they lie.
            cells: (h, w), their kinds.
            background: Exactly this where alpha is 0.
            out: The composite.
        """
        linear, colours, bands, columns, rows = models
        convert_models(linear, colours, bands[0], MATRICES, self._models)
        split(cells, self._chroma_columns[0], self._chroma_bands)
        frame, behind = _read_only_planes(pixels), _read_only_planes(background)
        luma, u, v = i420.planes(out)
        chroma_place = self._chroma_bands, self._chroma_columns, self._chroma_rows
        np.copyto(out, background)
        composite_luma(frame, self._models, (bands, columns, rows), behind[0], self._scratch, luma)
        pairs = frame[0].view(np.uint16)
        composite_chroma((pairs, *frame[1:]), self._models, chroma_place, behind[1:], self._scratch, (u, v))


def _read_only_planes(pixels: Pixels) -> Planes:
    luma, u, v = i420.planes(pixels)
    return read_only(luma), read_only(u), read_only(v)


def to_i420(image: Pixels, out: Pixels) -> None:
    """Convert an image (H, W, 3) BGR to I420."""
    luma, u, v = i420.planes(out)
    bgr_to_i420(read_only(image), luma, u, v)


@kernel
def convert_models(linear: Floats, colours: Floats, between: Bytes, matrices: Floats, out: YuvModels) -> None:
    """Convert the models of the cells beside an edge from BGR to Y, U and V."""
    height, width = between.shape
    for y in range(height):
        here, over = between[y], between[max(y - 1, 0)]
        for x in range(width):
            left = max(x - 1, 0)
            if (here[x] | here[left] | over[x] | over[left]) & EDGE == 0:
                continue
            model, colour, cell = linear[y, x], colours[y, x], out[y, x]
            b, g, r = model[0], model[1], model[2]
            for c in range(3):
                cell[c] = b * matrices[0, c] + g * matrices[1, c] + r * matrices[2, c]
                to = matrices[3 + c]
                cell[FRONT_Y + 2 * c] = to[0] * colour[0] + to[1] * colour[1] + to[2] * colour[2] + to[3]
                cell[BACK_Y + 2 * c] = to[0] * colour[3] + to[1] * colour[4] + to[2] * colour[5] + to[3]
            cell[CONSTANT] = model[3] + b * matrices[0, 3] + g * matrices[1, 3] + r * matrices[2, 3]


@kernel
def composite_luma(
    frame: Planes, models: YuvModels, place: Place, background: Bytes, scratch: Scratch, out: Bytes
) -> None:
    """The plane of luma (H, W), into ``out``, which holds the background's. Alpha needs the pixel's chroma too."""
    (luma, u, v), (rows, alpha, pairs, chroma, mixed) = frame, scratch
    (between, runs, firsts, kinds), columns, (start, weight) = place
    width = np.uint64(luma.shape[1])
    _interpolate_luma_row(models, between, columns, 0, rows)
    for row in range(runs.shape[0]):
        _interpolate_luma_row(models, between, columns, row + 1, rows)
        upper, lower = rows[row % 2], rows[1 - row % 2]
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            begin, stop = first & BEFORE, min(width, (end + BLOCK - ONE) & BEFORE)
            if kind == FOREGROUND:
                for y in range(start[row], start[row + 1]):
                    _copy(luma[y], first, end, out[y])
            elif kind == EDGE:
                for y in range(start[row], start[row + 1]):
                    if y == start[row] or y & ONE == 0:
                        _repeat(u[y >> ONE], begin, stop, pairs[0])
                        _repeat(v[y >> ONE], begin, stop, pairs[1])
                    _apply_luma(luma[y], begin, stop, weight[y], upper, lower, alpha)
                    _apply_chroma(chroma[0], chroma[1], begin, stop, weight[y], upper, lower, alpha)
                    _blend(luma[y], background[y], begin, stop, weight[y], upper, lower, FRONT_Y, alpha, mixed)
                    _copy(mixed, first, end, out[y])


@kernel
def composite_chroma(
    frame: tuple[Pairs, Bytes, Bytes],
    models: YuvModels,
    place: Place,
    background: ChromaPlanes,
    scratch: Scratch,
    out: ChromaPlanes,
) -> None:
    """The planes of chroma, (H / 2, W / 2), into ``out``, which hold the background's."""
    (luma, u, v), (out_u, out_v), (rows, alpha, _, _, mixed) = frame, out, scratch
    (between, runs, firsts, kinds), columns, (start, weight) = place
    width = np.uint64(u.shape[1])
    _interpolate_chroma_row(models, between, columns, 0, rows)
    for row in range(runs.shape[0]):
        _interpolate_chroma_row(models, between, columns, row + 1, rows)
        upper, lower = rows[row % 2], rows[1 - row % 2]
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            begin, stop = first & BEFORE, min(width, (end + BLOCK - ONE) & BEFORE)
            if kind == FOREGROUND:
                for y in range(start[row], start[row + 1]):
                    _copy(u[y], first, end, out_u[y])
                    _copy(v[y], first, end, out_v[y])
            elif kind == EDGE:
                for y in range(start[row], start[row + 1]):
                    behind_u, behind_v = background[0][y], background[1][y]
                    _apply_mean_luma(luma[TWO * y], luma[TWO * y + ONE], begin, stop, weight[y], upper, lower, alpha)
                    _apply_chroma(u[y], v[y], begin, stop, weight[y], upper, lower, alpha)
                    _blend(u[y], behind_u, begin, stop, weight[y], upper, lower, FRONT_U, alpha, mixed)
                    _copy(mixed, first, end, out_u[y])
                    _blend(v[y], behind_v, begin, stop, weight[y], upper, lower, FRONT_V, alpha, mixed)
                    _copy(mixed, first, end, out_v[y])


@kernel
def _interpolate_luma_row(models: YuvModels, between: Bytes, columns: Axis, row: int, rows: Rows) -> None:
    """Interpolate what luma needs of a row of models to each pixel column, where a band beside it is edge.

    ``row`` may be one past the last row of cells, which is then repeated. Written out number by number, so that a
    cell's numbers stay in registers.
    """
    start, weight = columns
    last = models.shape[0] - 1
    cells_of_row, out = models[min(row, last)], rows[row % 2]
    gain_y, gain_u, gain_v, constant = out[GAIN_Y], out[GAIN_U], out[GAIN_V], out[CONSTANT]
    front, back = out[FRONT_Y], out[BACK_Y]
    above, below = between[max(row - 1, 0)], between[min(row, last)]
    cells = np.uint64(cells_of_row.shape[0])
    for x in range(cells):
        if (above[x] | below[x]) & EDGE == 0:
            continue
        cell, right = cells_of_row[x], cells_of_row[min(x + ONE, cells - ONE)]
        y, u, v, k = cell[GAIN_Y], cell[GAIN_U], cell[GAIN_V], cell[CONSTANT]
        dy, du, dv, dk = right[GAIN_Y] - y, right[GAIN_U] - u, right[GAIN_V] - v, right[CONSTANT] - k
        f, b = cell[FRONT_Y], cell[BACK_Y]
        df, db = right[FRONT_Y] - f, right[BACK_Y] - b
        for i in range(start[x], start[x + ONE]):
            t = weight[i]
            gain_y[i], gain_u[i], gain_v[i], constant[i] = y + t * dy, u + t * du, v + t * dv, k + t * dk
            front[i], back[i] = f + t * df, b + t * db


@kernel
def _interpolate_chroma_row(models: YuvModels, between: Bytes, columns: Axis, row: int, rows: Rows) -> None:
    """As ``_interpolate_luma_row``, what chroma needs."""
    start, weight = columns
    last = models.shape[0] - 1
    cells_of_row, out = models[min(row, last)], rows[row % 2]
    gain_y, gain_u, gain_v, constant = out[GAIN_Y], out[GAIN_U], out[GAIN_V], out[CONSTANT]
    front_u, back_u, front_v, back_v = out[FRONT_U], out[BACK_U], out[FRONT_V], out[BACK_V]
    above, below = between[max(row - 1, 0)], between[min(row, last)]
    cells = np.uint64(cells_of_row.shape[0])
    for x in range(cells):
        if (above[x] | below[x]) & EDGE == 0:
            continue
        cell, right = cells_of_row[x], cells_of_row[min(x + ONE, cells - ONE)]
        y, u, v, k = cell[GAIN_Y], cell[GAIN_U], cell[GAIN_V], cell[CONSTANT]
        dy, du, dv, dk = right[GAIN_Y] - y, right[GAIN_U] - u, right[GAIN_V] - v, right[CONSTANT] - k
        fu, bu, fv, bv = cell[FRONT_U], cell[BACK_U], cell[FRONT_V], cell[BACK_V]
        dfu, dbu, dfv, dbv = right[FRONT_U] - fu, right[BACK_U] - bu, right[FRONT_V] - fv, right[BACK_V] - bv
        for i in range(start[x], start[x + ONE]):
            t = weight[i]
            gain_y[i], gain_u[i], gain_v[i], constant[i] = y + t * dy, u + t * du, v + t * dv, k + t * dk
            front_u[i], back_u[i], front_v[i], back_v[i] = fu + t * dfu, bu + t * dbu, fv + t * dfv, bv + t * dbv


@kernel
def _repeat(chroma: Bytes, first: int, end: int, pairs: Pairs) -> None:
    """The chroma of a run of pixels, each value for two of them."""
    for half in range(first >> ONE, (end + ONE) >> ONE):
        pairs[half] = np.uint16(chroma[half]) * np.uint16(257)


@kernel
def _apply_luma(
    luma: Bytes, first: int, end: int, down: np.float32, upper: Floats, lower: Floats, alpha: Floats
) -> None:
    """The part of a run's alpha that luma gives. ``down``: the weight of ``lower``, the row of models below it.

    Apart from ``_apply_chroma``: with more than eight arrays, the compiler does not vectorise.
    """
    y0, y1, k0, k1 = upper[GAIN_Y], lower[GAIN_Y], upper[CONSTANT], lower[CONSTANT]
    for x in range(first, end):
        alpha[x] = k0[x] + down * (k1[x] - k0[x]) + np.float32(luma[x]) * (y0[x] + down * (y1[x] - y0[x]))


@kernel
def _apply_mean_luma(
    luma: Pairs, below: Pairs, first: int, end: int, down: np.float32, upper: Floats, lower: Floats, alpha: Floats
) -> None:
    """As ``_apply_luma``, of a run of chroma: with the mean luma of the four pixels of each, from their two rows."""
    y0, y1, k0, k1 = upper[GAIN_Y], lower[GAIN_Y], upper[CONSTANT], lower[CONSTANT]
    for x in range(first, end):
        two, others = np.int32(luma[x]), np.int32(below[x])
        mean = np.float32((two & 255) + (two >> 8) + (others & 255) + (others >> 8)) * np.float32(0.25)
        alpha[x] = k0[x] + down * (k1[x] - k0[x]) + mean * (y0[x] + down * (y1[x] - y0[x]))


@kernel
def _apply_chroma(
    u: Bytes, v: Bytes, first: int, end: int, down: np.float32, upper: Floats, lower: Floats, alpha: Floats
) -> None:
    """Add the part of a run's alpha that chroma gives, and limit the sum."""
    u0, u1, v0, v1 = upper[GAIN_U], lower[GAIN_U], upper[GAIN_V], lower[GAIN_V]
    for x in range(first, end):
        of_u = np.float32(u[x]) * (u0[x] + down * (u1[x] - u0[x]))
        of_v = np.float32(v[x]) * (v0[x] + down * (v1[x] - v0[x]))
        alpha[x] = min(UNIT, max(ZERO, alpha[x] + (of_u + of_v)))


@kernel
def _blend(
    values: Bytes,
    behind: Bytes,
    first: int,
    end: int,
    down: np.float32,
    upper: Floats,
    lower: Floats,
    front: int,
    alpha: Floats,
    out: Bytes,
) -> None:
    """Composite a run, without the old background (Forte 2021, equation 7), over ``behind``, the new one's row.

    ``front``: the number of the old foreground's colour, which the old background's follows.
    """
    f0, f1, b0, b1 = upper[front], lower[front], upper[front + 1], lower[front + 1]
    for x in range(first, end):
        foreground = f0[x] + down * (f1[x] - f0[x])
        background = b0[x] + down * (b1[x] - b0[x])
        a, new = alpha[x], np.float32(behind[x])
        clean = foreground + a * (np.float32(values[x]) - a * foreground - (UNIT - a) * background)
        mixed = new + a * (min(HIGHEST, max(LOWEST, clean)) - new)
        out[x] = np.uint8(np.int32(mixed + HALF))


@kernel
def _copy(source: Bytes, first: int, end: int, out: Bytes) -> None:
    for i in range(first, end):
        out[i] = source[i]


@kernel
def bgr_to_i420(image: Pixels, luma: Bytes, u: Bytes, v: Bytes) -> None:
    """An image (H, W, 3) BGR as the planes of I420, in fixed point; chroma is the mean of four pixels.

    The coefficients are those of ``media.i420`` times 2^16, rounded.
    """
    half_height, half_width = u.shape
    for y in range(half_height):
        for line in range(2):
            row, to = image[2 * y + line].reshape(image.shape[1] * 3), luma[2 * y + line]
            for x in range(image.shape[1]):
                b, g, r = np.int32(row[3 * x]), np.int32(row[3 * x + 1]), np.int32(row[3 * x + 2])
                to[x] = np.uint8((6416 * b + 33039 * g + 16829 * r + 1081344) >> 16)
        top, bottom = image[2 * y].reshape(image.shape[1] * 3), image[2 * y + 1].reshape(image.shape[1] * 3)
        for x in range(half_width):
            at = 6 * x
            b = np.int32(top[at]) + np.int32(top[at + 3]) + np.int32(bottom[at]) + np.int32(bottom[at + 3])
            g = np.int32(top[at + 1]) + np.int32(top[at + 4]) + np.int32(bottom[at + 1]) + np.int32(bottom[at + 4])
            r = np.int32(top[at + 2]) + np.int32(top[at + 5]) + np.int32(bottom[at + 2]) + np.int32(bottom[at + 5])
            u[y, x] = np.uint8((28784 * b - 19070 * g - 9714 * r + 33685504) >> 18)
            v[y, x] = np.uint8((28784 * r - 24103 * g - 4681 * b + 33685504) >> 18)
