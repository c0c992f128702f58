"""From the network's alpha to local models of the picture: the guided filter on the coarse grid.

He, Sun and Tang 2013 (Guided Image Filtering, section 3.5, colour guide); models on a small grid, applied on the large
one, as in He and Sun 2015 (Fast Guided Filter). Old foreground and background colours by the blur fusion of Forte 2021
(Approximate Fast Foreground Colour Estimation), from the same moments. Only near edges: elsewhere alpha is 0 or 1.

Planes are (h, w) float32, one behind the other in one array, so that every loop runs along memory.
"""

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.kernels import kernel

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

BACKGROUND, FOREGROUND, EDGE = 0, 1, 2
"""What a cell of the grid is: sure cells are copied, edges are computed."""

MOMENTS = 13
"""Planes averaged over a window: colour (3), alpha, colour x alpha (3), colour x colour (6)."""

MODEL = 10
"""Planes of the models: alpha as a linear function of colour (3) and a constant; the old foreground's colour (3), the
old background's (3). Colours count 0 .. 255."""

SURE = np.float32(0.002)
"""A window whose mean alpha is nearer than this to 0 or 1 has no edge in it."""


@kernel
def moments(guide: Bytes, alpha: Floats, out: Floats) -> None:
    """``guide`` (h, w, 3) and ``alpha`` (h, w) to ``out`` (MOMENTS, h, w), colours in [0, 1]."""
    width = alpha.shape[1]
    for y in range(alpha.shape[0]):
        colours = guide[y].reshape(width * 3)
        for c in range(3):
            for x in range(width):
                out[c, y, x] = np.float32(colours[3 * x + c]) * np.float32(1 / 255)
        for x in range(width):
            out[3, y, x] = alpha[y, x]
        plane = 4
        for i, j in ((0, 3), (1, 3), (2, 3), (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
            for x in range(width):
                out[plane, y, x] = out[i, y, x] * out[j, y, x]
            plane += 1


@kernel
def solve(means: Floats, epsilon: np.float32, cells: Bytes, model: Floats) -> None:
    """From windows' ``means`` (MOMENTS, h, w) to what each of ``cells`` (h, w) is, and its ``model`` (MODEL, h, w)."""
    full = np.float32(255)
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            a = means[3, y, x]
            if a < SURE or a > 1 - SURE:
                cells[y, x] = BACKGROUND if a < SURE else FOREGROUND
                model[0, y, x] = model[1, y, x] = model[2, y, x] = 0
                model[3, y, x] = cells[y, x]
                continue
            cells[y, x] = EDGE
            b, g, r = means[0, y, x], means[1, y, x], means[2, y, x]
            ab, ag, ar = means[4, y, x], means[5, y, x], means[6, y, x]
            vb, vg, vr = ab - b * a, ag - g * a, ar - r * a
            bb, bg, br = means[7, y, x] - b * b + epsilon, means[8, y, x] - b * g, means[9, y, x] - b * r
            gg, gr = means[10, y, x] - g * g + epsilon, means[11, y, x] - g * r
            rr = means[12, y, x] - r * r + epsilon
            i0, i1, i2 = gg * rr - gr * gr, gr * br - bg * rr, bg * gr - gg * br
            i4, i5, i8 = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
            inverse = 1 / (bb * i0 + bg * i1 + br * i2)
            kb = (i0 * vb + i1 * vg + i2 * vr) * inverse
            kg = (i1 * vb + i4 * vg + i5 * vr) * inverse
            kr = (i2 * vb + i5 * vg + i8 * vr) * inverse
            model[0, y, x], model[1, y, x], model[2, y, x] = kb / full, kg / full, kr / full
            model[3, y, x] = a - kb * b - kg * g - kr * r
            person, room = full / a, full / (1 - a)
            model[4, y, x], model[5, y, x], model[6, y, x] = ab * person, ag * person, ar * person
            model[7, y, x], model[8, y, x], model[9, y, x] = (b - ab) * room, (g - ag) * room, (r - ar) * room
