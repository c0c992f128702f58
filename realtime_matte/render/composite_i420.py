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
from realtime_matte.render.bands import Axis, Bands, Indices, make_axis
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_cells import aligned_floats
from realtime_matte.render.jit import kernel, read_only, vector_loop
from realtime_matte.render.upsample import PlacedModels

FOREGROUND, EDGE = 1, 2
"""Kinds of runs, as in ``upsample.py``; a bit each."""

BLOCK, BEFORE = np.uint64(16), np.uint64(~15 & 0xFFFF_FFFF)
"""Runs are computed from a multiple of so many pixels to the next one: what vector instructions do at once. What is
computed beside the run is not used. The second number masks the multiple."""

LINE = np.uint64(64)
"""Bytes in a cache line."""

ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
ZERO, HALF, UNIT = np.float32(0), np.float32(0.5), np.float32(1)
LOWEST, HIGHEST = np.float32(1), np.float32(254)
"""Of luma and chroma: 0 and 255 are reserved (ITU-R BT.601)."""

GAIN_Y, GAIN_U, GAIN_V, CONSTANT, FRONT_Y, BACK_Y, FRONT_U, BACK_U, FRONT_V, BACK_V, NUMBERS = range(11)
"""The numbers of a converted model: alpha's gains and constant, and the old foreground's and background's colours."""

Models: TypeAlias = tuple[Floats, Floats, Floats]
"""(linear, colours, matrices): models in BGR, and how they are converted."""

Place: TypeAlias = tuple[Axis, Axis]
"""(columns, rows) of a plane: where the grid lies on it."""

Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]
"""Y (H, W), U and V (H / 2, W / 2)."""

Rows: TypeAlias = Floats
"""(2, NUMBERS, W): models of the rows of even and of odd number, interpolated to pixel columns."""

Pairs: TypeAlias = NDArray[np.uint16]
"""A plane whose pixels are taken two at once: vector instructions then need no strides."""

Scratch: TypeAlias = tuple[Floats, Rows, Rows, Pairs, Bytes, Bytes, Indices]
"""(cells, luma_rows, chroma_rows, pairs, chroma, mixed, ends): ``cells`` (NUMBERS, w), a row of converted models.
``chroma`` (2, W): U and V of each pixel of a row, written as ``pairs`` (2, W / 2), the same memory. ``mixed`` (2, W):
rows of the composite, of which runs are copied; bytes that are only read ahead are put into it before. ``ends``
(w + 2): the runs of a row of cells that are needed."""

MATRICES: Final = np.concatenate([i420.TO_BGR_WITH_OFFSET, i420.FROM_BGR_WITH_OFFSET]).astype(np.float32)
"""(6, 4): from Y, U and V to BGR, and back."""


class I420Compositor:
    """Composites I420 frames of ``size`` by models on grids of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int], size: Size) -> None:
        width, height = size
        self.shape = shape
        self._chroma_place: Place = make_axis(width // 2, shape[1]), make_axis(height // 2, shape[0])
        pairs = np.zeros((2, width // 2), np.uint16)
        self._scratch: Scratch = (
            aligned_floats(NUMBERS, -(-(shape[1] + 1) // 16) * 16),
            aligned_floats(2, NUMBERS, -(-width // 16) * 16),
            aligned_floats(2, NUMBERS, -(-width // 32) * 16),
            pairs,
            pairs.view(np.uint8),
            np.zeros((2, width), np.uint8),
            np.zeros(shape[1] + 2, np.uint64),
        )

    def over(self, pixels: Pixels, models: PlacedModels, background: Pixels, out: Pixels) -> None:
        """Composite the foreground of ``pixels`` over ``background`` into ``out``, all I420.

        Args:
            pixels: The frame.
            models: The frame's models and where they lie.
            background: Exactly this where alpha is 0.
            out: The composite.
        """
        linear, colours, _, bands, columns, rows = models
        luma, u, v = _read_only_planes(pixels)
        places = (columns, rows), self._chroma_place
        frame, behind = (luma, u, v, luma.view(np.uint16)), _read_only_planes(background)
        composite_planes(frame, (linear, colours, MATRICES), bands, places, behind, self._scratch, i420.planes(out))


def _read_only_planes(pixels: Pixels) -> Planes:
    luma, u, v = i420.planes(pixels)
    return read_only(luma), read_only(u), read_only(v)


@kernel
def composite_planes(
    frame: tuple[Bytes, Bytes, Bytes, Pairs],
    models: Models,
    bands: Bands,
    places: tuple[Place, Place],
    background: Planes,
    scratch: Scratch,
    out: Planes,
) -> None:
    """The composite, band after band: luma, then chroma. The frame's last array is its luma as pairs of pixels."""
    (linear, colours, matrices), (cells, luma_rows, chroma_rows, _, _, mixed, ends) = models, scratch
    (columns, _), (chroma_columns, _) = places
    last, width = linear.shape[0] - 1, np.uint64(linear.shape[2])
    for row in range(linear.shape[0] + 1):
        here = min(row, last)
        for run in range(_find_edges(bands, max(row - 1, 0), here, ends)):
            first, end = ends[2 * run], ends[2 * run + 1]
            stop = min(width, (end + BLOCK) & BEFORE)
            _convert(linear[here], colours[here], matrices, first & BEFORE, stop, cells)
            _interpolate_luma(cells, first, end, width, columns, luma_rows[row % 2])
            _interpolate_chroma(cells, first, end, width, chroma_columns, chroma_rows[row % 2])
        if row > 0:
            read = _fetch(frame[0], background[0], row - 1, bands, places[0], out[0])
            read |= _fetch(frame[1], background[1], row - 1, bands, places[1], out[1])
            mixed[0, 0] = read | _fetch(frame[2], background[2], row - 1, bands, places[1], out[2])
            _composite_luma(frame, row - 1, bands, places[0], background[0], scratch, out[0])
            _composite_chroma(frame, row - 1, bands, places[1], background, scratch, out)


@kernel
def _fetch(values: Bytes, behind: Bytes, row: int, bands: Bands, place: Place, out: Bytes) -> np.uint8:
    """Read a byte of each cache line that one plane of a band needs: the frame, the background and the composite.

    The processor then waits for many lines at once. Otherwise it would wait at the beginning of each run, where it
    cannot foresee that another image is read; in a band of one run it can.
    """
    (_, runs, firsts, kinds), ((columns, _), (start, _)), read = bands, place, np.uint8(0)
    if runs[row] == 1:
        return read
    top, bottom = start[row], start[row + 1]
    for run in range(runs[row]):
        kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
        if kind & (FOREGROUND | EDGE) != 0:
            read |= _touch(values, top, bottom, first, end)
        if kind != FOREGROUND:
            read |= _touch(behind, top, bottom, first, end)
        read |= _touch(out, top, bottom, first, end)
    return read


@vector_loop
def _touch(values: Bytes, top: np.uint64, bottom: np.uint64, first: np.uint64, end: np.uint64) -> np.uint8:
    read = np.uint8(0)
    for y in range(top, bottom):
        for x in range(first, end, LINE):
            read |= values[y, x]
    return read


@kernel
def _find_edges(bands: Bands, above: int, below: int, ends: Indices) -> int:
    """The cells of a row beside which one of two bands is edge, as runs in ``ends``: first cell, cell after the last.

    Returns:
        How many runs.
    """
    _, runs, firsts, kinds = bands
    upper, lower, count = 0, 0, 0
    while True:
        while upper < runs[above] and kinds[above, upper] != EDGE:
            upper += 1
        while lower < runs[below] and kinds[below, lower] != EDGE:
            lower += 1
        if upper == runs[above] and lower == runs[below]:
            return count
        if lower == runs[below] or (upper < runs[above] and firsts[above, upper] <= firsts[below, lower]):
            first, end = firsts[above, upper], firsts[above, upper + 1]
            upper += 1
        else:
            first, end = firsts[below, lower], firsts[below, lower + 1]
            lower += 1
        if count > 0 and first <= ends[2 * count - 1]:
            ends[2 * count - 1] = max(ends[2 * count - 1], end)
        else:
            ends[2 * count], ends[2 * count + 1] = first, end
            count += 1


@kernel
def _composite_luma(
    frame: tuple[Bytes, Bytes, Bytes, Pairs],
    row: int,
    bands: Bands,
    place: Place,
    background: Bytes,
    scratch: Scratch,
    out: Bytes,
) -> None:
    """The band of luma under ``row``. Alpha needs the pixel's chroma too."""
    (luma, u, v, _), (_, rows, _, pairs, chroma, mixed, _) = frame, scratch
    (_, runs, firsts, kinds), ((columns, _), (start, weight)) = bands, place
    upper, lower, width = rows[row % 2], rows[1 - row % 2], np.uint64(luma.shape[1])
    for y in range(start[row], start[row + 1]):
        repeats = y == start[row] or y & ONE == 0
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
            if kind != EDGE:
                _copy(luma[y] if kind == FOREGROUND else background[y], first, end, out[y])
                continue
            begin, stop = first & BEFORE, min(width, (end + BLOCK - ONE) & BEFORE)
            if repeats:
                _repeat(u[y >> ONE], begin, stop, pairs[0])
                _repeat(v[y >> ONE], begin, stop, pairs[1])
            _blend_luma(luma[y], chroma[0], chroma[1], background[y], begin, stop, weight[y], upper, lower, mixed[0])
            _copy(mixed[0], first, end, out[y])


@kernel
def _composite_chroma(
    frame: tuple[Bytes, Bytes, Bytes, Pairs],
    row: int,
    bands: Bands,
    place: Place,
    background: Planes,
    scratch: Scratch,
    out: Planes,
) -> None:
    """The band of chroma under ``row``."""
    (_, u, v, luma), (_, _, rows, _, _, mixed, _) = frame, scratch
    (_, runs, firsts, kinds), ((columns, _), (start, weight)) = bands, place
    (_, behind_u, behind_v), (_, out_u, out_v) = background, out
    upper, lower, width = rows[row % 2], rows[1 - row % 2], np.uint64(u.shape[1])
    for y in range(start[row], start[row + 1]):
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
            if kind != EDGE:
                _copy(u[y] if kind == FOREGROUND else behind_u[y], first, end, out_u[y])
                _copy(v[y] if kind == FOREGROUND else behind_v[y], first, end, out_v[y])
                continue
            begin, stop = first & BEFORE, min(width, (end + BLOCK - ONE) & BEFORE)
            _blend_chroma(
                luma[TWO * y],
                luma[TWO * y + ONE],
                u[y],
                v[y],
                behind_u[y],
                behind_v[y],
                begin,
                stop,
                weight[y],
                upper,
                lower,
                mixed[0],
                mixed[1],
            )
            _copy(mixed[0], first, end, out_u[y])
            _copy(mixed[1], first, end, out_v[y])


@vector_loop
def _convert(
    linear: Floats, colours: Floats, matrices: Floats, first: np.uint64, end: np.uint64, cells: Floats
) -> None:
    for x in range(first, end):
        b, g, r = linear[0, x], linear[1, x], linear[2, x]
        cells[GAIN_Y, x] = b * matrices[0, 0] + g * matrices[1, 0] + r * matrices[2, 0]
        cells[GAIN_U, x] = b * matrices[0, 1] + g * matrices[1, 1] + r * matrices[2, 1]
        cells[GAIN_V, x] = b * matrices[0, 2] + g * matrices[1, 2] + r * matrices[2, 2]
        cells[CONSTANT, x] = linear[3, x] + b * matrices[0, 3] + g * matrices[1, 3] + r * matrices[2, 3]
        for side in range(2):
            b, g, r = colours[3 * side, x], colours[3 * side + 1, x], colours[3 * side + 2, x]
            for c in range(3):
                to = matrices[3 + c]
                cells[FRONT_Y + 2 * c + side, x] = to[0] * b + to[1] * g + to[2] * r + to[3]


@vector_loop
def _interpolate_luma(
    cells: Floats, first: np.uint64, end: np.uint64, width: np.uint64, columns: Axis, out: Floats
) -> None:
    """Interpolate what luma needs of a run of a row of ``width`` models to each pixel column.

    Written out number by number, so that a cell's numbers stay in registers.
    """
    start, weight = columns
    gain_y, gain_u, gain_v, constant = out[GAIN_Y], out[GAIN_U], out[GAIN_V], out[CONSTANT]
    front, back = out[FRONT_Y], out[BACK_Y]
    for x in range(first, end):
        right = min(x + ONE, width - ONE)
        y, u, v, k = cells[GAIN_Y, x], cells[GAIN_U, x], cells[GAIN_V, x], cells[CONSTANT, x]
        dy, du, dv = cells[GAIN_Y, right] - y, cells[GAIN_U, right] - u, cells[GAIN_V, right] - v
        dk, f, b = cells[CONSTANT, right] - k, cells[FRONT_Y, x], cells[BACK_Y, x]
        df, db = cells[FRONT_Y, right] - f, cells[BACK_Y, right] - b
        for i in range(start[x], start[x + ONE]):
            t = weight[i]
            gain_y[i], gain_u[i], gain_v[i], constant[i] = y + t * dy, u + t * du, v + t * dv, k + t * dk
            front[i], back[i] = f + t * df, b + t * db


@vector_loop
def _interpolate_chroma(
    cells: Floats, first: np.uint64, end: np.uint64, width: np.uint64, columns: Axis, out: Floats
) -> None:
    """As ``_interpolate_luma``, what chroma needs."""
    start, weight = columns
    gain_y, gain_u, gain_v, constant = out[GAIN_Y], out[GAIN_U], out[GAIN_V], out[CONSTANT]
    front_u, back_u, front_v, back_v = out[FRONT_U], out[BACK_U], out[FRONT_V], out[BACK_V]
    for x in range(first, end):
        right = min(x + ONE, width - ONE)
        y, u, v, k = cells[GAIN_Y, x], cells[GAIN_U, x], cells[GAIN_V, x], cells[CONSTANT, x]
        dy, du, dv = cells[GAIN_Y, right] - y, cells[GAIN_U, right] - u, cells[GAIN_V, right] - v
        dk = cells[CONSTANT, right] - k
        fu, bu, fv, bv = cells[FRONT_U, x], cells[BACK_U, x], cells[FRONT_V, x], cells[BACK_V, x]
        dfu, dbu = cells[FRONT_U, right] - fu, cells[BACK_U, right] - bu
        dfv, dbv = cells[FRONT_V, right] - fv, cells[BACK_V, right] - bv
        for i in range(start[x], start[x + ONE]):
            t = weight[i]
            gain_y[i], gain_u[i], gain_v[i], constant[i] = y + t * dy, u + t * du, v + t * dv, k + t * dk
            front_u[i], back_u[i], front_v[i], back_v[i] = fu + t * dfu, bu + t * dbu, fv + t * dfv, bv + t * dbv


@vector_loop
def _repeat(chroma: Bytes, first: int, end: int, pairs: Pairs) -> None:
    """The chroma of a run of pixels, each value for two of them."""
    for half in range(first >> ONE, (end + ONE) >> ONE):
        pairs[half] = np.uint16(chroma[half]) * np.uint16(257)


@vector_loop
def _blend_luma(
    luma: Bytes,
    u: Bytes,
    v: Bytes,
    behind: Bytes,
    first: int,
    end: int,
    down: np.float32,
    upper: Floats,
    lower: Floats,
    out: Bytes,
) -> None:
    """Composite a run, without the old background (Forte 2021, equation 7), over ``behind``, the new one's row.

    ``down``: the weight of ``lower``, the row of models below it.
    """
    y0, y1, k0, k1 = upper[GAIN_Y], lower[GAIN_Y], upper[CONSTANT], lower[CONSTANT]
    u0, u1, v0, v1 = upper[GAIN_U], lower[GAIN_U], upper[GAIN_V], lower[GAIN_V]
    f0, f1, b0, b1 = upper[FRONT_Y], lower[FRONT_Y], upper[BACK_Y], lower[BACK_Y]
    for x in range(first, end):
        value, new = np.float32(luma[x]), np.float32(behind[x])
        of_luma = k0[x] + down * (k1[x] - k0[x]) + value * (y0[x] + down * (y1[x] - y0[x]))
        of_u = np.float32(u[x]) * (u0[x] + down * (u1[x] - u0[x]))
        of_v = np.float32(v[x]) * (v0[x] + down * (v1[x] - v0[x]))
        a = min(UNIT, max(ZERO, of_luma + (of_u + of_v)))
        foreground, background = f0[x] + down * (f1[x] - f0[x]), b0[x] + down * (b1[x] - b0[x])
        clean = foreground + a * (value - a * foreground - (UNIT - a) * background)
        mixed = new + a * (min(HIGHEST, max(LOWEST, clean)) - new)
        out[x] = np.uint8(np.int32(mixed + HALF))


@vector_loop
def _blend_chroma(
    luma: Pairs,
    below: Pairs,
    u: Bytes,
    v: Bytes,
    behind_u: Bytes,
    behind_v: Bytes,
    first: int,
    end: int,
    down: np.float32,
    upper: Floats,
    lower: Floats,
    out_u: Bytes,
    out_v: Bytes,
) -> None:
    """As ``_blend_luma``, a run of chroma: with the mean luma of the four pixels of each, from their two rows."""
    y0, y1, k0, k1 = upper[GAIN_Y], lower[GAIN_Y], upper[CONSTANT], lower[CONSTANT]
    u0, u1, v0, v1 = upper[GAIN_U], lower[GAIN_U], upper[GAIN_V], lower[GAIN_V]
    fu0, fu1, bu0, bu1 = upper[FRONT_U], lower[FRONT_U], upper[BACK_U], lower[BACK_U]
    fv0, fv1, bv0, bv1 = upper[FRONT_V], lower[FRONT_V], upper[BACK_V], lower[BACK_V]
    for x in range(first, end):
        two, others = np.int32(luma[x]), np.int32(below[x])
        mean = np.float32((two & 255) + (two >> 8) + (others & 255) + (others >> 8)) * np.float32(0.25)
        value_u, value_v = np.float32(u[x]), np.float32(v[x])
        of_luma = k0[x] + down * (k1[x] - k0[x]) + mean * (y0[x] + down * (y1[x] - y0[x]))
        of_u, of_v = value_u * (u0[x] + down * (u1[x] - u0[x])), value_v * (v0[x] + down * (v1[x] - v0[x]))
        a = min(UNIT, max(ZERO, of_luma + (of_u + of_v)))
        foreground, background = fu0[x] + down * (fu1[x] - fu0[x]), bu0[x] + down * (bu1[x] - bu0[x])
        clean, new = foreground + a * (value_u - a * foreground - (UNIT - a) * background), np.float32(behind_u[x])
        out_u[x] = np.uint8(np.int32(new + a * (min(HIGHEST, max(LOWEST, clean)) - new) + HALF))
        foreground, background = fv0[x] + down * (fv1[x] - fv0[x]), bv0[x] + down * (bv1[x] - bv0[x])
        clean, new = foreground + a * (value_v - a * foreground - (UNIT - a) * background), np.float32(behind_v[x])
        out_v[x] = np.uint8(np.int32(new + a * (min(HIGHEST, max(LOWEST, clean)) - new) + HALF))


@vector_loop
def _copy(source: Bytes, first: int, end: int, out: Bytes) -> None:
    for i in range(first, end):
        out[i] = source[i]
