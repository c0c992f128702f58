"""From the network's alpha to local models of the picture: the guided filter on the coarse grid.

He, Sun and Tang 2013 (Guided Image Filtering, section 3.5, colour guide); models on a small grid, applied on the large
one, as in He and Sun 2015 (Fast Guided Filter). Old foreground and background colours by the blur fusion of Forte 2021
(Approximate Fast Foreground Colour Estimation), from the same moments. Only near edges: elsewhere alpha is 0 or 1.
Alpha is not clipped yet, and stretched a little beyond 0 and 1.

What belongs to one cell lies together, (h, w, numbers): planes of a power of two get into each other's way in the
cache, and OpenCV averages all numbers of a window at once.
"""

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.jit import kernel

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

BACKGROUND, FOREGROUND, EDGE = 0, 1, 2
"""What a cell of the grid is: alpha is 0 or 1 there for certain, or has to be computed."""

MOMENTS = 13
"""Averaged over a window: colour (3), alpha, colour x alpha (3), colour x colour (6)."""

LINEAR = 4
"""Alpha as a linear function of colour, 0 .. 255: the gain of each channel (3), and a constant."""

COLOURS = 6
"""The old foreground's colour (3) and the old background's (3), 0 .. 255."""

GAIN, SHIFT = np.float32(1.12), np.float32(-0.06)
"""How alpha is stretched: the filter leaves a breath of person in the room and of room in the person."""

FLAT = np.float32(0.002)
"""A window whose mean alpha is nearer than this to 0 or 1 has no edge in it."""


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
            mean, line, colour = means[y, x], linear[y, x], colours[y, x]
            b, g, r, a = mean[0], mean[1], mean[2], mean[3]
            if a < FLAT or a > 1 - FLAT:
                line[0] = line[1] = line[2] = 0
                line[3] = SHIFT if a < FLAT else GAIN + SHIFT
                colour[0] = colour[3] = full * b
                colour[1] = colour[4] = full * g
                colour[2] = colour[5] = full * r
                continue
            ab, ag, ar = mean[4], mean[5], mean[6]
            vb, vg, vr = ab - b * a, ag - g * a, ar - r * a
            bb, bg, br = mean[7] - b * b + epsilon, mean[8] - b * g, mean[9] - b * r
            gg, gr, rr = mean[10] - g * g + epsilon, mean[11] - g * r, mean[12] - r * r + epsilon
            i0, i1, i2 = gg * rr - gr * gr, gr * br - bg * rr, bg * gr - gg * br
            i4, i5, i8 = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
            scale = GAIN / (bb * i0 + bg * i1 + br * i2)
            kb = (i0 * vb + i1 * vg + i2 * vr) * scale
            kg = (i1 * vb + i4 * vg + i5 * vr) * scale
            kr = (i2 * vb + i5 * vg + i8 * vr) * scale
            line[0], line[1], line[2] = kb / full, kg / full, kr / full
            line[3] = GAIN * a + SHIFT - kb * b - kg * g - kr * r
            person, room = full / a, full / (1 - a)
            colour[0], colour[1], colour[2] = ab * person, ag * person, ar * person
            colour[3], colour[4], colour[5] = (b - ab) * room, (g - ag) * room, (r - ar) * room


@kernel
def judge(linear: Floats, cells: Bytes) -> None:
    """What each of ``cells`` (h, w) is, by the least and the most alpha that its model gives for any colour at all."""
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            least = most = linear[y, x, 3]
            for c in range(3):
                full = linear[y, x, c] * np.float32(255)
                least += min(full, np.float32(0))
                most += max(full, np.float32(0))
            sure = BACKGROUND if most <= 0 else FOREGROUND
            cells[y, x] = sure if most <= 0 or least >= 1 else EDGE
