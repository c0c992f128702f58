"""From the coarse alpha to local linear models of it: the guided filter on the coarse grid.

He, Sun and Tang 2013 (Guided Image Filtering, section 3.5, colour guide); models on a small grid, applied on the large
one, as in He and Sun 2015 (Fast Guided Filter). Old foreground and background colours by the blur fusion of Forte 2021
(Approximate Fast Foreground Colour Estimation), from the same moments. Both only near edges: where alpha is 0 or 1 in
the whole neighbourhood, nothing is computed.
The alpha that a model gives is scaled by GAIN and SHIFT and may lie slightly outside [0, 1].

All steps go through the grid together, row after row, and keep the last five rows of what a window needs: they stay in
the processor's nearest cache. A row is computed in runs of cells near edges, each number of all cells of a run by the
same vector instructions.
"""

from typing import Final, TypeAlias

import numpy as np

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.edge_cells import Bytes, EdgeCells, Floats, Indices, Runs, aligned_floats
from realtime_matte.render.jit import kernel, read_only, vector_loop

LocalLinearModels: TypeAlias = tuple[Floats, Floats, Bytes, Runs, Floats]
"""(linear, colours, near, runs, mean) of each cell: (h, LINEAR, w), (h, COLOURS, w), (h, W), and (h, w).

The first two are valid where ``near`` is not 0, which is in the ``runs``; elsewhere alpha is 0 or 1 for any colour, the
one that is nearer to ``mean``, the alpha over the window.
"""

Rows: TypeAlias = Floats
"""(5, numbers, W): the last rows of sums over five columns, row y at y % 5; cell x at x + HALO."""

Scratch: TypeAlias = tuple[Rows, Rows, Floats, Floats]
"""(moments, solved, values, means): the rows of two windows, and the numbers and means of one row, (MOMENTS, W)."""

LINEAR: Final = 4
"""Alpha as a linear function of colour, 0 .. 255: the gain of each channel (3), and a constant."""

COLOURS: Final = 6
"""The old foreground's colour (3) and the old background's (3), 0 .. 255."""

MOMENTS: Final = 13
"""Averaged over a window: colour (3), alpha, colour x alpha (3), colour x colour (6)."""

RADIUS_CELLS: Final = 2
"""Half the filter's window, in cells of the network's grid."""

EPSILON: Final = np.float32(3e-4)
"""The filter's regularisation, for colours in [0, 1]: variance below this is texture, above it an edge."""

NOISE_WEIGHT: Final = 32
"""Regularisation per variance of the noise: the smallest with which alpha flickers no more than the network's own."""

HARMLESS_NOISE: Final = (3 / 255) ** 2
"""Variance that changes nothing: webcams in good light have less."""

ANCHOR_NOISE: Final = 5e-5
"""Variance above HARMLESS_NOISE from which on models are closer to their cell's alpha than to the window's mean."""

GAIN, SHIFT = np.float32(1.12), np.float32(-0.06)
"""Alpha becomes GAIN * alpha + SHIFT: the filter leaves a trace of foreground in the background and the reverse."""

FLAT = np.float32(0.002)
"""A window whose mean alpha is closer than this to 0 or 1 contains no edge."""

HALO: Final = 16
"""Cells left and right of a row in scratch, as in ``edge_cells.py``: a kernel reads numbers of its own file only."""

FIVE, SHARE = 5, np.float32(1 / 25)
"""Rows of a window of RADIUS_CELLS, and the share of each of its cells in its mean."""

INSIDE, ONE, TWO, THREE = np.uint64(HALO), np.uint64(1), np.uint64(2), np.uint64(3)
HALF, UNIT, FULL = np.float32(0.5), np.float32(1), np.float32(255)


class GuidedFilter:
    """Fits local linear models on a coarse grid of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int]) -> None:
        height, width = shape
        padded = -(-width // HALO) * HALO + 2 * HALO
        self._cells = EdgeCells(shape, flat=float(FLAT))
        self._linear = aligned_floats(height, LINEAR, width)
        self._colours = aligned_floats(height, COLOURS, width)
        moments, solved = aligned_floats(FIVE, MOMENTS, padded), aligned_floats(FIVE, LINEAR, padded)
        values, means = aligned_floats(2, MOMENTS, padded)
        self._scratch: Scratch = moments, solved, values, means

    def fit(self, guide: Pixels, alpha: Alpha, *, noise: float = 0.0) -> LocalLinearModels:
        """The models for ``guide`` (h, w, 3) and ``alpha`` (h, w); overwritten by the next call.

        Args:
            guide: Colours on the grid, whose noise is averaged away.
            alpha: Of the network, corrected.
            noise: Variance of the noise of the frame's pixels, for colours in [0, 1]. Each pixel's noise times the
                gain of its model is noise of alpha, which flickers. The more noise, the smaller the gains are, as in
                any regression with errors in its variables, and the closer a model is to its own cell's alpha instead
                of the window's mean.
        """
        noise = max(0.0, noise - HARMLESS_NOISE)
        cells = self._cells
        cells.find(alpha)
        strength = EPSILON + np.float32(NOISE_WEIGHT * noise), np.float32(noise**2 / (noise**2 + ANCHOR_NOISE**2))
        known = read_only(guide.reshape(alpha.shape[0], -1)), read_only(alpha), cells.mean, cells.uneven
        fit_models(known, (cells.near_runs, cells.wide_runs), strength, self._scratch, self._linear, self._colours)
        return self._linear, self._colours, cells.near, cells.near_runs, cells.mean


@kernel
def fit_models(
    known: tuple[Bytes, Floats, Floats, Bytes],
    runs: tuple[Runs, Runs],
    strength: tuple[np.float32, np.float32],
    scratch: Scratch,
    linear: Floats,
    colours: Floats,
) -> None:
    """The models of the cells near edges, to ``linear`` (h, LINEAR, w) and ``colours`` (h, COLOURS, w).

    Args:
        known: (guide, alpha, mean, uneven) of each cell: (h, 3w) and three times (h, w).
        runs: (near, wide), of the cells of which models are needed, and moments.
        strength: (epsilon, share): the regularisation, and how far the constant of a model moves towards its cell's.
        scratch: Rows that are needed again.
        linear: Result.
        colours: Result.
    """
    (guide, alpha, mean, uneven), (epsilon, share) = known, strength
    ((near_counts, near), (wide_counts, wide)), (moments, solved, values, means) = runs, scratch
    height, width = alpha.shape
    for y in range(height + 2 * RADIUS_CELLS):
        if y < height:
            for run in range(wide_counts[y]):
                _moments(guide[y], alpha[y], wide[y, 2 * run], wide[y, 2 * run + 1], values)
            _add_columns(values, MOMENTS, wide_counts[y], wide[y], width, moments[y % FIVE])
        row = y - RADIUS_CELLS
        if 0 <= row < height:
            for run in range(near_counts[row]):
                _average(moments, row, height, near[row, 2 * run], near[row, 2 * run + 1], means)
            for run in range(wide_counts[row]):
                first, end = wide[row, 2 * run], wide[row, 2 * run + 1]
                _solve(means, mean[row], uneven[row], first, end, epsilon, values, colours[row])
            _add_columns(values, LINEAR, wide_counts[row], wide[row], width, solved[row % FIVE])
        row = y - 2 * RADIUS_CELLS
        if 0 <= row < height:
            for run in range(near_counts[row]):
                first, end = near[row, 2 * run], near[row, 2 * run + 1]
                _average(solved, row, height, first, end, means)
                _anchor(guide[row], alpha[row], share, first, end, means, linear[row])


@vector_loop
def _moments(guide: Bytes, alpha: Floats, first: np.uint64, end: np.uint64, out: Floats) -> None:
    """Of a row's ``guide`` (3w) and ``alpha`` (w), to ``out`` (MOMENTS, W), colours in [0, 1]."""
    scale = np.float32(1 / 255)
    for x in range(first, end):
        at, to = THREE * x, x + INSIDE
        b, g, r = guide[at] * scale, guide[at + ONE] * scale, guide[at + TWO] * scale
        a = alpha[x]
        out[0, to], out[1, to], out[2, to], out[3, to] = b, g, r, a
        out[4, to], out[5, to], out[6, to] = a * b, a * g, a * r
        out[7, to], out[8, to], out[9, to] = b * b, b * g, b * r
        out[10, to], out[11, to], out[12, to] = g * g, g * r, r * r


@kernel
def _add_columns(values: Floats, numbers: int, count: int, ends: Indices, width: int, out: Floats) -> None:
    """The sums over five columns in runs of a row. Borders are reflected, without the outermost cell."""
    for run in range(count):
        first, end = ends[2 * run], ends[2 * run + 1]
        if first == 0 or end == width:
            for c in range(numbers):
                for outside in range(1, RADIUS_CELLS + 1):
                    values[c, HALO - outside] = values[c, HALO + min(outside, width - 1)]
                    values[c, HALO + width - 1 + outside] = values[c, HALO + width - 1 - min(outside, width - 1)]
        _sum_columns(values, numbers, first, end, out)


@vector_loop
def _sum_columns(values: Floats, numbers: int, first: np.uint64, end: np.uint64, out: Floats) -> None:
    for c in range(numbers):
        for x in range(first + INSIDE, end + INSIDE):
            others = (values[c, x - TWO] + values[c, x - ONE]) + (values[c, x + ONE] + values[c, x + TWO])
            out[c, x] = others + values[c, x]


@kernel
def _average(rows: Rows, y: int, height: int, first: np.uint64, end: np.uint64, means: Floats) -> None:
    """The means over the windows of row ``y``, from ``rows`` of sums over columns. Borders are reflected as there."""
    _mean_of_rows(
        rows[_reflected(y - 2, height) % FIVE],
        rows[_reflected(y - 1, height) % FIVE],
        rows[y % FIVE],
        rows[_reflected(y + 1, height) % FIVE],
        rows[_reflected(y + 2, height) % FIVE],
        first,
        end,
        means,
    )


@vector_loop
def _mean_of_rows(
    above2: Floats,
    above: Floats,
    here: Floats,
    below: Floats,
    below2: Floats,
    first: np.uint64,
    end: np.uint64,
    out: Floats,
) -> None:
    for c in range(here.shape[0]):
        for x in range(first + INSIDE, end + INSIDE):
            out[c, x] = ((above2[c, x] + above[c, x]) + (below[c, x] + below2[c, x]) + here[c, x]) * SHARE


@kernel
def _reflected(place: int, length: int) -> int:
    place = abs(place)
    return max(min(place, 2 * length - 2 - place), 0)


@vector_loop
def _solve(
    means: Floats,
    mean_alpha: Floats,
    uneven: Bytes,
    first: np.uint64,
    end: np.uint64,
    epsilon: np.float32,
    model: Floats,
    colours: Floats,
) -> None:
    """From windows' ``means`` (MOMENTS, W) to ``model`` (LINEAR, W) and ``colours`` (COLOURS, w), in a run.

    Where the window has no edge, alpha is 0 or 1 for any colour, and both colours are the mean.
    """
    for x in range(first, end):
        at = x + INSIDE
        b, g, r, a = means[0, at], means[1, at], means[2, at], means[3, at]
        ab, ag, ar = means[4, at], means[5, at], means[6, at]
        vb, vg, vr = ab - b * a, ag - g * a, ar - r * a
        bb, bg, br = means[7, at] - b * b + epsilon, means[8, at] - b * g, means[9, at] - b * r
        gg, gr, rr = means[10, at] - g * g + epsilon, means[11, at] - g * r, means[12, at] - r * r + epsilon
        # cofactors of the symmetric 3x3 covariance (bb, bg, br; bg, gg, gr; br, gr, rr), row by row
        i0, i1, i2 = gg * rr - gr * gr, gr * br - bg * rr, bg * gr - gg * br
        i4, i5, i8 = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
        scale = GAIN / (bb * i0 + bg * i1 + br * i2)
        kb = (i0 * vb + i1 * vg + i2 * vr) * scale
        kg = (i1 * vb + i4 * vg + i5 * vr) * scale
        kr = (i2 * vb + i5 * vg + i8 * vr) * scale
        is_edge = uneven[x] != 0
        even = SHIFT if mean_alpha[x] < HALF else GAIN + SHIFT
        model[0, at] = kb / FULL if is_edge else np.float32(0)
        model[1, at] = kg / FULL if is_edge else np.float32(0)
        model[2, at] = kr / FULL if is_edge else np.float32(0)
        model[3, at] = GAIN * a + SHIFT - kb * b - kg * g - kr * r if is_edge else even
        foreground = FULL / a if is_edge else FULL
        background = FULL / (1 - a) if is_edge else FULL
        colours[0, x] = (ab if is_edge else b) * foreground
        colours[1, x] = (ag if is_edge else g) * foreground
        colours[2, x] = (ar if is_edge else r) * foreground
        colours[3, x] = (b - ab if is_edge else b) * background
        colours[4, x] = (g - ag if is_edge else g) * background
        colours[5, x] = (r - ar if is_edge else r) * background


@vector_loop
def _anchor(
    guide: Bytes, alpha: Floats, share: np.float32, first: np.uint64, end: np.uint64, model: Floats, linear: Floats
) -> None:
    """``model`` (LINEAR, W) to ``linear`` (LINEAR, w), with its constant moved by ``share``.

    It moves towards the constant that gives the cell's ``alpha`` for its own colour.
    """
    for x in range(first, end):
        at, of = THREE * x, x + INSIDE
        b, g, r, constant = model[0, of], model[1, of], model[2, of], model[3, of]
        own = GAIN * alpha[x] + SHIFT - b * guide[at] - g * guide[at + ONE] - r * guide[at + TWO]
        linear[0, x], linear[1, x], linear[2, x] = b, g, r
        linear[3, x] = constant + share * (own - constant)
