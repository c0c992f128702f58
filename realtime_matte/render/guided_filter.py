"""From the coarse alpha to local linear models of it: the guided filter on the coarse grid.

He, Sun and Tang 2013 (Guided Image Filtering, section 3.5, colour guide); models on a small grid, applied on the large
one, as in He and Sun 2015 (Fast Guided Filter). Old foreground and background colours by the blur fusion of Forte 2021
(Approximate Fast Foreground Colour Estimation), from the same moments. Both only near edges: where alpha is 0 or 1 in
the whole neighbourhood, nothing is computed.
The alpha that a model gives is scaled by GAIN and SHIFT and may lie slightly outside [0, 1].

The numbers of one cell are adjacent, (h, w, numbers): separate planes whose size is a power of two evict each other
from the cache, and one loop along memory averages all numbers of a row of windows.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.box_filter import BoxFilter, Bytes, Floats, Runs, find_runs, make_runs
from realtime_matte.render.jit import kernel, read_only

LocalLinearModels: TypeAlias = tuple[Floats, Floats, Bytes, Floats]
"""(linear, colours, near, mean) of each cell: (h, w, LINEAR), (h, w, COLOURS), (h, w) and (h, w).

The first two are valid where ``near`` is not 0; elsewhere alpha is 0 or 1 for any colour, the one that is nearer to
``mean``, the alpha over the window.
"""

Cells: TypeAlias = tuple[Floats, Bytes, Bytes]
"""(mean, uneven, near): each cell's mean alpha over the window; not 0 where that has an edge; not 0 near one."""

LINEAR: Final = 4
"""Alpha as a linear function of colour, 0 .. 255: the gain of each channel (3), and a constant."""

COLOURS: Final = 6
"""The old foreground's colour (3) and the old background's (3), 0 .. 255."""

MOMENTS: Final = 13
"""Averaged over a window: colour (3), alpha, colour x alpha (3), colour x colour (6)."""

RADIUS_CELLS: Final = 2
"""Half the filter's window, in cells of the network's grid."""

WINDOW: Final = (2 * RADIUS_CELLS + 1, 2 * RADIUS_CELLS + 1)

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


NEAR_WINDOW: Final = np.ones((2 * (RADIUS_CELLS + 1) + 1,) * 2, np.uint8)
"""Models are read beside each pixel, and the models of a window are averaged: so far from an uneven window."""

NEEDED_WINDOW: Final = np.ones((2 * RADIUS_CELLS + 1,) * 2, np.uint8)
"""How far the cells that a near one depends on are from it."""


class GuidedFilter:
    """Fits local linear models on a coarse grid of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._mean = np.zeros(shape, np.float32)
        self._uneven, self._near, self._needed = np.zeros((3, *shape), np.uint8)
        self._near_runs, self._needed_runs = make_runs(shape), make_runs(shape)
        self._moments = np.zeros((*shape, MOMENTS), np.float32)
        self._solved = np.zeros((*shape, LINEAR), np.float32)
        self._colours = np.zeros((*shape, COLOURS), np.float32)
        self._moments_filter = BoxFilter((*shape, MOMENTS), RADIUS_CELLS)
        self._linear_filter = BoxFilter((*shape, LINEAR), RADIUS_CELLS)

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
        cv2.blur(alpha, WINDOW, dst=self._mean)
        cv2.inRange(self._mean, float(FLAT), float(1 - FLAT), dst=self._uneven)
        cv2.dilate(self._uneven, NEAR_WINDOW, dst=self._near)
        cv2.dilate(self._near, NEEDED_WINDOW, dst=self._needed)
        find_runs(self._near, self._near_runs)
        find_runs(self._needed, self._needed_runs)
        moments(read_only(guide), read_only(alpha), self._needed_runs, self._moments)
        means = self._moments_filter.average(self._moments, self._near_runs)
        epsilon = EPSILON + np.float32(NOISE_WEIGHT * noise)
        even = self._mean, self._uneven, self._near
        solve(read_only(means), even, self._needed_runs, epsilon, (self._solved, self._colours))
        linear = self._linear_filter.average(self._solved, self._near_runs)
        if noise > 0:
            share = np.float32(noise**2 / (noise**2 + ANCHOR_NOISE**2))
            anchor(read_only(guide), read_only(alpha), share, self._near_runs, linear)
        return linear, self._colours, self._near, self._mean


@kernel
def moments(guide: Bytes, alpha: Floats, runs: Runs, out: Floats) -> None:
    """``guide`` (h, w, 3) and ``alpha`` (h, w) to ``out`` (h, w, MOMENTS), colours in [0, 1], in the ``runs``."""
    scale = np.float32(1 / 255)
    counts, ends = runs
    for y in range(alpha.shape[0]):
        alphas, colours, cells = alpha[y], guide[y], out[y]
        for run in range(counts[y]):
            for x in range(ends[y, 2 * run], ends[y, 2 * run + 1]):
                a, cell = alphas[x], cells[x]
                b, g, r = colours[x, 0] * scale, colours[x, 1] * scale, colours[x, 2] * scale
                cell[0], cell[1], cell[2], cell[3] = b, g, r, a
                cell[4], cell[5], cell[6] = a * b, a * g, a * r
                cell[7], cell[8], cell[9], cell[10], cell[11], cell[12] = b * b, b * g, b * r, g * g, g * r, r * r


@kernel
def solve(means: Floats, cells: Cells, runs: Runs, epsilon: np.float32, models: tuple[Floats, Floats]) -> None:
    """From windows' ``means`` (h, w, MOMENTS) to ``models``, each cell's (linear, colours), in the ``runs``.

    Where the window has no edge, alpha is 0 or 1 for any colour, and both colours are the mean.
    """
    counts, ends = runs
    linear, colours = models
    mean_alpha, uneven, near = cells
    for y in range(means.shape[0]):
        for run in range(counts[y]):
            for x in range(ends[y, 2 * run], ends[y, 2 * run + 1]):
                if uneven[y, x]:
                    _solve_cell(means[y, x], epsilon, linear[y, x], colours[y, x])
                    continue
                linear[y, x, 0] = linear[y, x, 1] = linear[y, x, 2] = 0
                linear[y, x, 3] = SHIFT if mean_alpha[y, x] < np.float32(0.5) else GAIN + SHIFT
                if near[y, x]:
                    for c in range(3):
                        colours[y, x, c] = colours[y, x, 3 + c] = np.float32(255) * means[y, x, c]


@kernel
def _solve_cell(mean: Floats, epsilon: np.float32, model: Floats, colour: Floats) -> None:
    """From a window's moments to its model and colours."""
    full = np.float32(255)
    b, g, r, a = mean[0], mean[1], mean[2], mean[3]
    ab, ag, ar = mean[4], mean[5], mean[6]
    vb, vg, vr = ab - b * a, ag - g * a, ar - r * a
    bb, bg, br = mean[7] - b * b + epsilon, mean[8] - b * g, mean[9] - b * r
    gg, gr, rr = mean[10] - g * g + epsilon, mean[11] - g * r, mean[12] - r * r + epsilon
    # cofactors of the symmetric 3x3 covariance (bb, bg, br; bg, gg, gr; br, gr, rr), row by row
    i0, i1, i2 = gg * rr - gr * gr, gr * br - bg * rr, bg * gr - gg * br
    i4, i5, i8 = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
    scale = GAIN / (bb * i0 + bg * i1 + br * i2)
    kb = (i0 * vb + i1 * vg + i2 * vr) * scale
    kg = (i1 * vb + i4 * vg + i5 * vr) * scale
    kr = (i2 * vb + i5 * vg + i8 * vr) * scale
    model[0], model[1], model[2] = kb / full, kg / full, kr / full
    model[3] = GAIN * a + SHIFT - kb * b - kg * g - kr * r
    foreground, background = full / a, full / (1 - a)
    colour[0], colour[1], colour[2] = ab * foreground, ag * foreground, ar * foreground
    colour[3], colour[4], colour[5] = (b - ab) * background, (g - ag) * background, (r - ar) * background


@kernel
def anchor(guide: Bytes, alpha: Floats, share: np.float32, runs: Runs, linear: Floats) -> None:
    """Move each model's constant by ``share`` towards the one that gives the cell's ``alpha`` for its own colour."""
    counts, ends = runs
    for y in range(alpha.shape[0]):
        for run in range(counts[y]):
            for x in range(ends[y, 2 * run], ends[y, 2 * run + 1]):
                colour, model = guide[y, x], linear[y, x]
                own = GAIN * alpha[y, x] + SHIFT - model[0] * colour[0] - model[1] * colour[1] - model[2] * colour[2]
                model[3] += share * (own - model[3])
