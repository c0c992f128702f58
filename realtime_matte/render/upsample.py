"""From the coarse grid's models to the frame's pixels: straight over a background, or as alpha and clean colours.

One pass over the picture, by band and by run. A run that is sure is copied, from the frame or the background; only
edges pay for an alpha, for colours freed of the old background, and for blending, each a plain loop along memory. A row
of cells is widened once, for the band that ends at it and the one that begins.
"""

import numpy as np

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.guided_filter import EDGE, FOREGROUND, Bytes
from realtime_matte.render.jit import kernel
from realtime_matte.render.local_models import Models, Wide

ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
ZERO, HALF, UNIT, FULL = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)


@kernel
def over(pixels: Pixels, models: Models, wide: Wide, background: Pixels, out: Pixels) -> None:
    """The person of ``pixels`` on ``background``, both (H, W, 3). Alpha 0 is the background, alpha 1 the frame."""
    shape = pixels.shape[0], 3 * pixels.shape[1]
    shades, behind, picture = pixels.reshape(shape), background.reshape(shape), out.reshape(shape)
    _, _, (_, runs, firsts, kinds), _, (start, weight) = models
    _widen(models, 0, wide)
    for row in range(runs.shape[0]):
        _widen(models, row + 1, wide)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _alpha(shades[y], first, end, weight[y], row % 2, wide)
                    _blend(shades[y], behind[y], first, end, weight[y], row % 2, wide, picture[y])
                else:
                    _copy(shades[y] if kind == FOREGROUND else behind[y], first, end, picture[y])


@kernel
def alphas(pixels: Pixels, models: Models, wide: Wide, out: Alpha) -> None:
    """The alpha of every pixel, (H, W)."""
    shades = pixels.reshape(pixels.shape[0], 3 * pixels.shape[1])
    _, _, _, _, alpha = wide
    _, _, (_, runs, firsts, kinds), _, (start, weight) = models
    _widen(models, 0, wide)
    for row in range(runs.shape[0]):
        _widen(models, row + 1, wide)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _alpha(shades[y], first, end, weight[y], row % 2, wide)
                    for x in range(first, end):
                        out[y, x] = alpha[THREE * x]
                else:
                    for x in range(first, end):
                        out[y, x] = kind


@kernel
def colours(pixels: Pixels, models: Models, wide: Wide, out: Pixels) -> None:
    """The person's colours (H, W, 3), black where alpha is 0: no pixel of the room is left in them."""
    shape = pixels.shape[0], 3 * pixels.shape[1]
    shades, clean = pixels.reshape(shape), out.reshape(shape)
    _, _, (_, runs, firsts, kinds), _, (start, weight) = models
    _widen(models, 0, wide)
    for row in range(runs.shape[0]):
        _widen(models, row + 1, wide)
        for run in range(runs[row]):
            kind, first, end = kinds[row, run], firsts[row, run], firsts[row, run + 1]
            for y in range(start[row], start[row + 1]):
                if kind == EDGE:
                    _alpha(shades[y], first, end, weight[y], row % 2, wide)
                    _clean(shades[y], first, end, weight[y], row % 2, wide, clean[y])
                elif kind == FOREGROUND:
                    _copy(shades[y], first, end, clean[y])
                else:
                    clean[y, THREE * first : THREE * end] = 0


@kernel
def _copy(source: Bytes, first: int, end: int, out: Bytes) -> None:
    for i in range(THREE * first, THREE * end):
        out[i] = source[i]


@kernel
def _widen(models: Models, row: int, wide: Wide) -> None:
    """A row's models to one a column, where the band before or after it is edge. Under the last row it is once more.

    Written out, number by number: a cell's are then held in registers, which halves the time.
    """
    all_linear, all_colours, (between, _, _, _), (start, weight), _ = models
    last, side = all_linear.shape[0] - 1, row % 2
    linear, colours = all_linear[min(row, last)], all_colours[min(row, last)]
    before, after = between[max(row - 1, 0)], between[min(row, last)]
    offset, gains, person, room = wide[0][side], wide[1][side], wide[2][side], wide[3][side]
    cells = np.uint64(linear.shape[0])
    for x in range(cells):
        if before[x] != EDGE and after[x] != EDGE:
            continue
        right = min(x + ONE, cells - ONE)
        b, g, r, o = linear[x, 0], linear[x, 1], linear[x, 2], linear[x, 3]
        db, dg, dr, do = linear[right, 0] - b, linear[right, 1] - g, linear[right, 2] - r, linear[right, 3] - o
        pb, pg, pr = colours[x, 0], colours[x, 1], colours[x, 2]
        dpb, dpg, dpr = colours[right, 0] - pb, colours[right, 1] - pg, colours[right, 2] - pr
        rb, rg, rr = colours[x, 3], colours[x, 4], colours[x, 5]
        drb, drg, drr = colours[right, 3] - rb, colours[right, 4] - rg, colours[right, 5] - rr
        for i in range(start[x], start[x + ONE]):
            t, at = weight[i], THREE * i
            offset[i] = o + t * do
            gains[at], gains[at + ONE], gains[at + TWO] = b + t * db, g + t * dg, r + t * dr
            person[at], person[at + ONE], person[at + TWO] = pb + t * dpb, pg + t * dpg, pr + t * dpr
            room[at], room[at + ONE], room[at + TWO] = rb + t * drb, rg + t * drg, rr + t * drr


@kernel
def _alpha(shades: Bytes, first: int, end: int, down: np.float32, above: int, wide: Wide) -> None:
    """Into ``wide.alpha``: the models' linear function of the pixel's own colours. What is no number counts as 0."""
    offsets, gains, _, _, alpha = wide
    offset, base, upper, lower = offsets[above], offsets[1 - above], gains[above], gains[1 - above]
    for i in range(THREE * first, THREE * end):
        alpha[i] = np.float32(shades[i]) * (upper[i] + down * (lower[i] - upper[i]))
    for x in range(first, end):
        at = THREE * x
        linear = offset[x] + down * (base[x] - offset[x]) + alpha[at] + alpha[at + ONE] + alpha[at + TWO]
        alpha[at] = alpha[at + ONE] = alpha[at + TWO] = min(UNIT, max(ZERO, linear))


@kernel
def _blend(
    shades: Bytes, behind: Bytes, first: int, end: int, down: np.float32, above: int, wide: Wide, out: Bytes
) -> None:
    _, _, persons, rooms, alpha = wide
    person, person_below, room, room_below = persons[above], persons[1 - above], rooms[above], rooms[1 - above]
    for i in range(THREE * first, THREE * end):
        near = person[i] + down * (person_below[i] - person[i])
        far = room[i] + down * (room_below[i] - room[i])
        old = np.float32(behind[i])
        shown = old + alpha[i] * (_freed(np.float32(shades[i]), alpha[i], near, far) - old)
        out[i] = np.uint8(np.int32(shown + HALF))


@kernel
def _clean(shades: Bytes, first: int, end: int, down: np.float32, above: int, wide: Wide, out: Bytes) -> None:
    _, _, persons, rooms, alpha = wide
    person, person_below, room, room_below = persons[above], persons[1 - above], rooms[above], rooms[1 - above]
    for i in range(THREE * first, THREE * end):
        near = person[i] + down * (person_below[i] - person[i])
        far = room[i] + down * (room_below[i] - room[i])
        freed = _freed(np.float32(shades[i]), alpha[i], near, far)
        out[i] = np.uint8(np.int32(freed + HALF)) if alpha[i] > 0 else np.uint8(0)


@kernel
def _freed(shade: np.float32, alpha: np.float32, person: np.float32, room: np.float32) -> np.float32:
    """A colour without the old background (Forte 2021, equation 7); the pixel's own where alpha is 1."""
    return min(FULL, max(ZERO, person + alpha * (shade - alpha * person - (UNIT - alpha) * room)))
