"""From the coarse alpha to local linear models of it: the guided filter on the coarse grid.

He, Sun and Tang 2013 (Guided Image Filtering, section 3.5, colour guide); models on a small grid, applied on the large
one, as in He and Sun 2015 (Fast Guided Filter). Old foreground and background colours by the blur fusion of Forte 2021
(Approximate Fast Foreground Colour Estimation), from the same moments. Both only near edges: elsewhere alpha is 0 or 1.
The alpha that a model gives is scaled by GAIN and SHIFT and may lie slightly outside [0, 1].

The numbers of one cell are adjacent, (h, w, numbers): separate planes whose size is a power of two evict each other
from the cache, and ``cv2.blur`` averages all numbers of a window at once.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.jit import kernel, read_only

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

LocalLinearModels: TypeAlias = tuple[Floats, Floats]
"""(linear, colours) of each cell: (h, w, LINEAR) and (h, w, COLOURS)."""

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


class GuidedFilter:
    """Fits local linear models on a coarse grid of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._moments, self._means = np.zeros((2, *shape, MOMENTS), np.float32)
        self._solved, self._linear = np.zeros((2, *shape, LINEAR), np.float32)
        self._colours = np.zeros((*shape, COLOURS), np.float32)

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
        moments(read_only(guide), alpha, self._moments)
        cv2.blur(self._moments, WINDOW, dst=self._means)
        solve(self._means, EPSILON + np.float32(NOISE_WEIGHT * noise), self._solved, self._colours)
        cv2.blur(self._solved, WINDOW, dst=self._linear)
        if noise > 0:
            anchor(read_only(guide), alpha, np.float32(noise**2 / (noise**2 + ANCHOR_NOISE**2)), self._linear)
        return self._linear, self._colours


@kernel
def moments(guide: Bytes, alpha: Floats, out: Floats) -> None:
    """``guide`` (h, w, 3) and ``alpha`` (h, w) to ``out`` (h, w, MOMENTS), colours in [0, 1]."""
    scale = np.float32(1 / 255)
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            a, cell = alpha[y, x], out[y, x]
            b, g, r = guide[y, x, 0] * scale, guide[y, x, 1] * scale, guide[y, x, 2] * scale
            cell[0], cell[1], cell[2], cell[3] = b, g, r, a
            cell[4], cell[5], cell[6] = a * b, a * g, a * r
            cell[7], cell[8], cell[9], cell[10], cell[11], cell[12] = b * b, b * g, b * r, g * g, g * r, r * r


@kernel
def solve(means: Floats, epsilon: np.float32, linear: Floats, colours: Floats) -> None:
    """From windows' ``means`` (h, w, MOMENTS) to each cell's ``linear`` (h, w, LINEAR) and ``colours`` (h, w, COLOURS).

    Where there is no edge, both colours are the mean.
    """
    full = np.float32(255)
    for y in range(means.shape[0]):
        for x in range(means.shape[1]):
            mean, model, colour = means[y, x], linear[y, x], colours[y, x]
            b, g, r, a = mean[0], mean[1], mean[2], mean[3]
            if a < FLAT or a > 1 - FLAT:
                model[0] = model[1] = model[2] = 0
                model[3] = SHIFT if a < FLAT else GAIN + SHIFT
                colour[0] = colour[3] = full * b
                colour[1] = colour[4] = full * g
                colour[2] = colour[5] = full * r
                continue
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
def anchor(guide: Bytes, alpha: Floats, share: np.float32, linear: Floats) -> None:
    """Move each model's constant by ``share`` towards the one that gives the cell's ``alpha`` for its own colour."""
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            colour, model = guide[y, x], linear[y, x]
            own = GAIN * alpha[y, x] + SHIFT - model[0] * colour[0] - model[1] * colour[1] - model[2] * colour[2]
            model[3] += share * (own - model[3])
