"""From local linear models on the coarse grid to the frame's pixels: composited directly, or as alpha and foreground.

Runs of pixels that are all background or all foreground are copied from the background or the frame; only edge runs
compute an alpha, colours without the old background, and a blend, each as a plain loop along memory. A row of cells is
interpolated across once, for the band above it and the band below it.
"""

from typing import TypeAlias

import numpy as np

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.bands import Axis, Bands
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_cells import Runs
from realtime_matte.render.jit import kernel, vector_loop
from realtime_matte.render.person_look import LookTables

BACKGROUND, FOREGROUND, EDGE = 0, 1, 2
"""Kinds of cells and runs, as in ``bands.py``: a kernel reads numbers of its own file only."""

BLOCK, BEFORE = np.uint64(16), np.uint64(~15 & 0xFFFF_FFFF)
"""Runs are computed from a multiple of so many pixels to the next one: what vector instructions do at once. What is
computed beside the run is not used. The second number masks the multiple."""

ONE, TWO, THREE, LINE = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(64)  # the last: bytes in a cache line
ZERO, HALF, UNIT, FULL = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)

Index: TypeAlias = int | np.uint64

PlacedModels: TypeAlias = tuple[Floats, Floats, Runs, Bands, Axis, Axis]
"""(linear, colours, runs, bands, columns, rows): local linear models, and where their grid lies on the frame."""

Scratch: TypeAlias = tuple[Floats, Floats, Floats, Floats, Floats, Bytes]
"""(constant, gains, foreground, background, alpha, mixed): models of two rows of cells, interpolated to W columns.

``constant`` (2, W), ``gains``, ``foreground`` and ``background`` (2, 3W): of the rows of even and of odd number, three
channels a pixel. ``alpha`` (3W): of one row of pixels, each value three times; ``mixed`` (3W): its composite.
"""


@kernel
def upsample_composite(pixels: Pixels, models: PlacedModels, scratch: Scratch, background: Pixels, out: Pixels) -> None:
    """The foreground of ``pixels`` over ``background``, (H, W, 3): alpha 0 is the background, alpha 1 the frame."""
    shape = pixels.shape[0], 3 * pixels.shape[1]
    values, behind, composite = pixels.reshape(shape), background.reshape(shape), out.reshape(shape)
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, weight) = models
    width, mixed = np.uint64(pixels.shape[1]), scratch[5]
    _interpolate_row(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_row(models, row + 1, scratch)
        mixed[0] = _fetch(values, behind, row, models, composite)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    begin, stop = first & BEFORE, min(width, (end + BLOCK - ONE) & BEFORE)
                    _apply_models(values[y], begin, stop, weight[y], row % 2, scratch)
                    _blend(values[y], behind[y], begin, stop, weight[y], row % 2, scratch, mixed)
                    _copy(mixed, first, end, composite[y])
                else:
                    _copy(values[y] if kind == FOREGROUND else behind[y], first, end, composite[y])


@kernel
def _fetch(values: Bytes, behind: Bytes, row: int, models: PlacedModels, out: Bytes) -> np.uint8:
    """Read a byte of each cache line that a band needs, as in ``composite_i420.py``."""
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, _) = models
    read = np.uint8(0)
    if runs[row] == 1:
        return read
    for run in range(runs[row]):
        kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
        if kind != BACKGROUND:
            read |= _touch(values, start[row], start[row + 1], first, end)
        if kind != FOREGROUND:
            read |= _touch(behind, start[row], start[row + 1], first, end)
        read |= _touch(out, start[row], start[row + 1], first, end)
    return read


@vector_loop
def _touch(values: Bytes, top: np.uint64, bottom: np.uint64, first: np.uint64, end: np.uint64) -> np.uint8:
    read = np.uint8(0)
    for y in range(top, bottom):
        for i in range(THREE * first, THREE * end, LINE):
            read |= values[y, i]
    return read


@kernel
def upsample_look(
    pixels: Pixels, models: PlacedModels, scratch: Scratch, look: LookTables, background: Pixels, out: Pixels
) -> None:
    """As ``upsample_composite``, with the foreground's colours changed by ``look``.

    Everything is taken out of its tuple here: in each short run, that would take longer than the run.
    """
    shape = pixels.shape[0], 3 * pixels.shape[1]
    values, behind, composite = pixels.reshape(shape), background.reshape(shape), out.reshape(shape)
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, weight) = models
    table, strength, filtered, gain, light, (above, field_weight), rows = look
    blue, green, red, clean, quiet, alpha = table[0], table[1], table[2], rows[0], rows[1], scratch[4]
    _interpolate_row(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_row(models, row + 1, scratch)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
            for y in range(start[row], start[row + 1]):
                if kind == BACKGROUND:
                    _copy(behind[y], first, end, composite[y])
                    continue
                if kind == FOREGROUND:
                    if strength >= UNIT:
                        _look_up(filtered[y], first, end, blue, green, red, composite[y])
                    elif strength > ZERO:
                        _filter_noise(values[y], filtered[y], first, end, strength, quiet)
                        _look_up(quiet, first, end, blue, green, red, composite[y])
                    else:
                        _look_up(values[y], first, end, blue, green, red, composite[y])
                    _change_by_place(composite[y], first, end, gain, light, above[y], field_weight[y])
                    continue
                _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                if strength > ZERO:
                    _filter_edge_noise(values[y], filtered[y], first, end, strength, alpha, quiet)
                    _clean_run(quiet, first, end, weight[y], row % 2, scratch, clean)
                else:
                    _clean_run(values[y], first, end, weight[y], row % 2, scratch, clean)
                _look_up(clean, first, end, blue, green, red, quiet)
                _change_by_place(quiet, first, end, gain, light, above[y], field_weight[y])
                _mix(quiet, behind[y], first, end, alpha, composite[y])


@kernel
def change_foreground(foreground: Pixels, look: LookTables) -> None:
    """Change all pixels of ``foreground`` (H, W, 3) by ``look`` in place."""
    values = foreground.reshape(foreground.shape[0], 3 * foreground.shape[1])
    table, strength, filtered, gain, light, (above, weight), rows = look
    first, end = np.uint64(0), np.uint64(foreground.shape[1])
    for y in range(values.shape[0]):
        if strength > ZERO:
            _filter_noise(values[y], filtered[y], first, end, strength, rows[1])
            _look_up(rows[1], first, end, table[0], table[1], table[2], values[y])
        else:
            _look_up(values[y], first, end, table[0], table[1], table[2], values[y])
        _change_by_place(values[y], first, end, gain, light, above[y], weight[y])


@kernel
def _look_up(values: Bytes, first: Index, end: Index, blue: Bytes, green: Bytes, red: Bytes, out: Bytes) -> None:
    for x in range(first, end):
        at = THREE * x
        out[at], out[at + ONE], out[at + TWO] = blue[values[at]], green[values[at + ONE]], red[values[at + TWO]]


@kernel
def _change_by_place(
    values: Bytes, first: Index, end: Index, gain: Floats, light: Floats, above: int, down: np.float32
) -> None:
    """Multiply and add to a run in place. ``down``: the weight of the row of the grid below ``above``."""
    if gain.shape[0] > 0:
        gain_above, gain_below = gain[above], gain[above + ONE]
        for i in range(THREE * first, THREE * end):
            scaled = np.float32(values[i]) * (gain_above[i] + down * (gain_below[i] - gain_above[i]))
            values[i] = np.uint8(np.int32(min(FULL, scaled) + HALF))
    if light.shape[0] > 0:
        light_above, light_below = light[above], light[above + ONE]
        for i in range(THREE * first, THREE * end):
            lit = np.float32(values[i]) + light_above[i] + down * (light_below[i] - light_above[i])
            values[i] = np.uint8(np.int32(min(FULL, lit) + HALF))


@vector_loop
def _filter_noise(values: Bytes, filtered: Bytes, first: Index, end: Index, strength: np.float32, out: Bytes) -> None:
    share = np.uint16(strength * np.float32(256))
    for i in range(THREE * first, THREE * end):
        mixed = np.uint16(values[i]) * (np.uint16(256) - share) + np.uint16(filtered[i]) * share
        out[i] = np.uint8((mixed + np.uint16(128)) >> np.uint16(8))


@vector_loop
def _filter_edge_noise(
    values: Bytes, filtered: Bytes, first: int, end: int, strength: np.float32, alpha: Floats, out: Bytes
) -> None:
    """The less, the more of the old background is in a pixel, as the neighbours have another share of it."""
    for i in range(THREE * first, THREE * end):
        value = np.float32(values[i])
        out[i] = np.uint8(np.int32(value + strength * alpha[i] * (np.float32(filtered[i]) - value) + HALF))


@vector_loop
def _mix(foreground: Bytes, behind: Bytes, first: int, end: int, alpha: Floats, out: Bytes) -> None:
    for i in range(THREE * first, THREE * end):
        new = np.float32(behind[i])
        out[i] = np.uint8(np.int32(new + alpha[i] * (np.float32(foreground[i]) - new) + HALF))


@kernel
def upsample_alpha(pixels: Pixels, models: PlacedModels, scratch: Scratch, out: Alpha) -> None:
    """The alpha of every pixel, (H, W)."""
    values = pixels.reshape(pixels.shape[0], 3 * pixels.shape[1])
    alpha = scratch[4]
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, weight) = models
    _interpolate_linear(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_linear(models, row + 1, scratch)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                    for x in range(first, end):
                        out[y, x] = alpha[THREE * x]
                else:
                    for x in range(first, end):
                        out[y, x] = kind


@kernel
def upsample_mask(pixels: Pixels, models: PlacedModels, scratch: Scratch, most: np.float32, out: Bytes) -> None:
    """255 where alpha of all four pixels is below ``most``, 0 elsewhere, at half size; ``out`` may be larger."""
    values = pixels.reshape(pixels.shape[0], 3 * pixels.shape[1])
    alpha = scratch[4]
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, weight) = models
    height, width = max(ONE, np.uint64(pixels.shape[0]) // TWO), max(ONE, np.uint64(pixels.shape[1]) // TWO)
    out[:height, :width] = 255
    _interpolate_linear(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_linear(models, row + 1, scratch)
        scratch[5][0] = _fetch_edges(values, row, models)  # otherwise the compiler leaves the reads out
        for run in range(runs[row]):
            kind, first = kinds[row, run], columns[firsts[row, run]]
            end = min(columns[firsts[row, run + 1]], TWO * width)
            if kind == BACKGROUND:
                continue
            for y in range(start[row], min(start[row + 1], TWO * height)):
                half = out[y // TWO]
                if kind == FOREGROUND:
                    half[first // TWO : (end + ONE) // TWO] = 0
                    continue
                _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                for x in range(first, end):
                    half[x // TWO] &= np.uint8(255) if alpha[THREE * x] < most else np.uint8(0)


@kernel
def _fetch_edges(values: Bytes, row: int, models: PlacedModels) -> np.uint8:
    """Read a byte of each cache line that the edges of a band need, as ``_fetch``."""
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, _) = models
    read = np.uint8(0)
    for run in range(runs[row]):
        if kinds[row, run] == EDGE:
            first, end = columns[firsts[row, run]], columns[firsts[row, run + 1]]
            read |= _touch(values, start[row], start[row + 1], first, end)
    return read


@kernel
def upsample_foreground(pixels: Pixels, models: PlacedModels, scratch: Scratch, out: Pixels) -> None:
    """The foreground's colours (H, W, 3), black where alpha is 0: no pixel of the old background is left in them."""
    shape = pixels.shape[0], 3 * pixels.shape[1]
    values, clean = pixels.reshape(shape), out.reshape(shape)
    _, _, _, (_, runs, firsts, kinds), (columns, _), (start, weight) = models
    _interpolate_row(models, 0, scratch)
    for row in range(runs.shape[0]):
        _interpolate_row(models, row + 1, scratch)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], columns[firsts[row, run]], columns[firsts[row, run + 1]]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _apply_models(values[y], first, end, weight[y], row % 2, scratch)
                    _clean_run(values[y], first, end, weight[y], row % 2, scratch, clean[y])
                elif kind == FOREGROUND:
                    _copy(values[y], first, end, clean[y])
                else:
                    clean[y, THREE * first : THREE * end] = 0


@vector_loop
def _copy(source: Bytes, first: int, end: int, out: Bytes) -> None:
    for i in range(THREE * first, THREE * end):
        out[i] = source[i]


@vector_loop
def _interpolate_row(models: PlacedModels, row: int, scratch: Scratch) -> None:
    """Interpolate a row of models to one for each pixel column, where a band beside it is edge.

    ``row`` may be one past the last row of cells, which is then repeated. Written out number by number, so that a
    cell's numbers stay in registers, which halves the time.
    """
    all_linear, all_colours, _, (between, _, _, _), (start, weight), _ = models
    last, side = all_linear.shape[0] - 1, row % 2
    linear, colours = all_linear[min(row, last)], all_colours[min(row, last)]
    above, below = between[max(row - 1, 0)], between[min(row, last)]
    constant, gains, foreground, background = scratch[0][side], scratch[1][side], scratch[2][side], scratch[3][side]
    cells = np.uint64(linear.shape[1])
    for x in range(cells):
        if above[x] != EDGE and below[x] != EDGE:
            continue
        right = min(x + ONE, cells - ONE)
        b, g, r, k = linear[0, x], linear[1, x], linear[2, x], linear[3, x]
        db, dg, dr, dk = linear[0, right] - b, linear[1, right] - g, linear[2, right] - r, linear[3, right] - k
        fb, fg, fr = colours[0, x], colours[1, x], colours[2, x]
        dfb, dfg, dfr = colours[0, right] - fb, colours[1, right] - fg, colours[2, right] - fr
        bb, bg, br = colours[3, x], colours[4, x], colours[5, x]
        dbb, dbg, dbr = colours[3, right] - bb, colours[4, right] - bg, colours[5, right] - br
        for i in range(start[x], start[x + ONE]):
            t, at = weight[i], THREE * i
            constant[i] = k + t * dk
            gains[at], gains[at + ONE], gains[at + TWO] = b + t * db, g + t * dg, r + t * dr
            foreground[at], foreground[at + ONE], foreground[at + TWO] = fb + t * dfb, fg + t * dfg, fr + t * dfr
            background[at], background[at + ONE], background[at + TWO] = bb + t * dbb, bg + t * dbg, br + t * dbr


@vector_loop
def _interpolate_linear(models: PlacedModels, row: int, scratch: Scratch) -> None:
    """The linear functions of ``_interpolate_row``, which are all that alpha needs, in three quarters of its time."""
    all_linear, _, _, (between, _, _, _), (start, weight), _ = models
    last, side = all_linear.shape[0] - 1, row % 2
    linear = all_linear[min(row, last)]
    above, below = between[max(row - 1, 0)], between[min(row, last)]
    constant, gains = scratch[0][side], scratch[1][side]
    cells = np.uint64(linear.shape[1])
    for x in range(cells):
        if above[x] != EDGE and below[x] != EDGE:
            continue
        right = min(x + ONE, cells - ONE)
        b, g, r, k = linear[0, x], linear[1, x], linear[2, x], linear[3, x]
        db, dg, dr, dk = linear[0, right] - b, linear[1, right] - g, linear[2, right] - r, linear[3, right] - k
        for i in range(start[x], start[x + ONE]):
            t, at = weight[i], THREE * i
            constant[i] = k + t * dk
            gains[at], gains[at + ONE], gains[at + TWO] = b + t * db, g + t * dg, r + t * dr


@vector_loop
def _apply_models(values: Bytes, first: int, end: int, down: np.float32, side: int, scratch: Scratch) -> None:
    """Write alpha, the models' linear function of each pixel's colour, to the scratch; NaN becomes 0.

    ``values`` (3W): a row of pixels, of which the run from ``first`` to ``end`` is done. ``side``: which row of the
    scratch is the one above it; ``down``: the weight of the other one, below it.
    """
    constants, gains, _, _, alpha, _ = scratch
    constant, constant_below, gain, gain_below = constants[side], constants[1 - side], gains[side], gains[1 - side]
    for i in range(THREE * first, THREE * end):
        alpha[i] = np.float32(values[i]) * (gain[i] + down * (gain_below[i] - gain[i]))
    for x in range(first, end):
        at = THREE * x
        linear = constant[x] + down * (constant_below[x] - constant[x]) + alpha[at] + alpha[at + ONE] + alpha[at + TWO]
        alpha[at] = alpha[at + ONE] = alpha[at + TWO] = min(UNIT, max(ZERO, linear))


@vector_loop
def _blend(
    values: Bytes, behind: Bytes, first: int, end: int, down: np.float32, side: int, scratch: Scratch, out: Bytes
) -> None:
    """Composite a run, whose alpha is in the scratch, over ``behind`` (3W), the new background's row."""
    _, _, foregrounds, backgrounds, alpha, _ = scratch
    foreground, foreground_below = foregrounds[side], foregrounds[1 - side]
    background, background_below = backgrounds[side], backgrounds[1 - side]
    for i in range(THREE * first, THREE * end):
        old_foreground = foreground[i] + down * (foreground_below[i] - foreground[i])
        old_background = background[i] + down * (background_below[i] - background[i])
        new = np.float32(behind[i])
        mixed = new + alpha[i] * (_clean(np.float32(values[i]), alpha[i], old_foreground, old_background) - new)
        out[i] = np.uint8(np.int32(mixed + HALF))


@vector_loop
def _clean_run(values: Bytes, first: int, end: int, down: np.float32, side: int, scratch: Scratch, out: Bytes) -> None:
    """Write the foreground's colours of a run, whose alpha is in the scratch."""
    _, _, foregrounds, backgrounds, alpha, _ = scratch
    foreground, foreground_below = foregrounds[side], foregrounds[1 - side]
    background, background_below = backgrounds[side], backgrounds[1 - side]
    for i in range(THREE * first, THREE * end):
        old_foreground = foreground[i] + down * (foreground_below[i] - foreground[i])
        old_background = background[i] + down * (background_below[i] - background[i])
        clean = _clean(np.float32(values[i]), alpha[i], old_foreground, old_background)
        out[i] = np.uint8(np.int32(clean + HALF)) if alpha[i] > 0 else np.uint8(0)


@vector_loop
def _clean(value: np.float32, alpha: np.float32, foreground: np.float32, background: np.float32) -> np.float32:
    """A colour without the old background (Forte 2021, equation 7); the pixel's own where alpha is 1."""
    return min(FULL, max(ZERO, foreground + alpha * (value - alpha * foreground - (UNIT - alpha) * background)))
