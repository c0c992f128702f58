"""Alpha at the edge of the foreground, from the clean plate and from statistics of the neighbourhood.

The posterior mean of alpha, as in Bayesian matting (Chuang et al. 2001): the background's colour is that of the clean
plate, the foreground's is distributed as nearby or, seldom, any other one, and the network's alpha is the prior. The
likelihood allows for shadows and fading lamps. It is tempered, its root taken, because the network has judged by the
same colours: evidence that is not independent counts less (Grünwald 2012, The safe Bayesian). A second hypothesis is
that the clean plate is wrong at this cell: its posterior probability, from how well the plate matches the visible
background nearby, lowers the weight of the correction.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.box_filter import Bytes, Floats, Indices, Runs
from realtime_matte.render.jit import kernel, vector_loop

Plate: TypeAlias = tuple[Floats, Floats, Bytes]
"""(colour, variance, known): (3, h, w) and (h, w), valid where ``known`` (h, w) is not 0."""

SAMPLE_STEP: Final = 2
"""Step between sampled cells, in rows and columns, for the statistics of the neighbourhood."""

SAMPLE_VALUES: Final = 12
"""Number of values averaged over the neighbourhood: foreground (1), its colour (3), its colour squared (3); visible
background with a known plate (1), the part that mismatches the plate (1), its mean square change (1); foreground in
front of a known plate (1), the part that matches that plate (1)."""

NOISE: Final = np.float32(4**2)
"""Variance of a colour that matches the plate: the camera's noise."""

MISMATCH: Final = np.float32(3.8)
"""A mean square change above this many variances is a mismatch: with noise alone, one cell in a hundred."""

MAX_CHANGE: Final = np.float32(30**2)
"""A mean square change is clipped to this in the neighbourhood's variance."""

EXTRA_VARIANCE: Final = np.float32(12**2)
"""Added to the variance of the foreground's colours: a cell differs from its neighbourhood."""

SHADING: Final = np.float32(0.05)
"""Standard deviation of the factor by which the background may have become darker or lighter."""

UNKNOWN_DENSITY: Final = np.float32(2e-6**0.5)
"""Root of the density of a background's colour that differs from the plate: about that of any colour in an image."""

OTHER_FOREGROUND: Final = np.float32(0.08)
"""Share of that density in the foreground's: it may have a colour that is not seen nearby, such as a sleeve."""

MIN_WRONG: Final = np.float32(0.05)
"""Prior probability that the plate is wrong, where everything visible matches it."""

UNRELIABLE_VARIANCE: Final = np.float32(30)
"""Variance of the background at which a correction counts half, such as of leaves in the wind."""

ALPHAS: Final = 5
"""Number of alphas whose likelihood is computed: 0, 1/4 .. 1."""

MIN_PRIOR: Final = np.float32(0.05 / ALPHAS)
"""Smallest prior probability of each of them; the network's alpha divides the rest between 0 and 1."""

MAX_ALPHA: Final = np.float32(0.98)
"""The network's alpha is clipped to at most this, and to at least 1 minus this."""

MIN_FOREGROUND: Final = np.float32(2e-3)
"""With a smaller share of foreground in the neighbourhood, its colours are unknown."""

NORMAL: Final = np.float32((2 * np.pi) ** -0.75)
"""Of the root of the normal density of three channels."""

HALO: Final = 16
"""Cells left and right of a row in scratch."""

INSIDE, ONE = np.uint64(HALO), np.uint64(1)
ZERO, UNIT, NINTH, ALL = np.float32(0), np.float32(1), np.float32(1 / 9), np.uint8(255)

Colour: TypeAlias = tuple[np.float32, np.float32, np.float32]


@kernel
def find_spans(runs: Runs, radius: int, spans: NDArray[np.int64]) -> None:
    """In each row of samples, the first one and the one after the last that windows around the ``runs`` read."""
    counts, ends = runs
    height = counts.shape[0]
    for y in range(height):
        first, end = np.int64(ends.shape[1]), np.int64(0)
        for row in range(max(y - radius, 0), min(y + radius + 1, height)):
            if counts[row] > 0:
                first = min(first, np.int64(ends[row, 0]))
                end = max(end, np.int64(ends[row, 2 * counts[row] - 1]))
        spans[y, 0], spans[y, 1] = max(first - radius, np.int64(0)), end + radius


@kernel
def sample(
    guide: Bytes, foreground: Bytes, plate: Plate, change: Floats, spans: NDArray[np.int64], samples: Floats
) -> float:
    """Sample where ``foreground`` is certain, and how well the visible background matches the ``plate``.

    ``guide`` (h, w, 3); ``foreground`` (h, w), not 0 where alpha is 1 for certain; ``change`` (h, w): mean square
    change of the visible background, -1 elsewhere; ``spans``: where samples are needed; ``samples``:
    (h / SAMPLE_STEP, w / SAMPLE_STEP, SAMPLE_VALUES).

    Returns:
        The share of the samples that are foreground in the colours of the plate.
    """
    colour, variance, known = plate
    matching = 0
    for row in range(samples.shape[0]):
        first, end = spans[row]
        for column in range(samples.shape[1]):
            y, x = SAMPLE_STEP * row, SAMPLE_STEP * column
            needed = first <= column < end
            covers = foreground[y, x] != 0 and known[y, x] != 0
            if not (needed or covers):
                continue
            b, g, r = np.float32(guide[y, x, 0]), np.float32(guide[y, x, 1]), np.float32(guide[y, x, 2])
            of_b, of_g, of_r = b - colour[0, y, x], g - colour[1, y, x], r - colour[2, y, x]
            square = of_b * of_b + of_g * of_g + of_r * of_r
            matches = covers and square <= 3 * MISMATCH * (NOISE + variance[y, x])
            matching += matches
            if needed:
                out, certain = samples[row, column], np.float32(foreground[y, x] != 0)
                out[0], out[1], out[2], out[3] = certain, certain * b, certain * g, certain * r
                out[4], out[5], out[6] = certain * b * b, certain * g * g, certain * r * r
                visible = change[y, x] >= 0
                out[7] = np.float32(visible)
                out[8] = np.float32(visible and change[y, x] > MISMATCH * (NOISE + variance[y, x]))
                out[9] = min(change[y, x], MAX_CHANGE) if visible else np.float32(0)
                out[10], out[11] = np.float32(covers), np.float32(matches)
    return float(matching / (samples.shape[0] * samples.shape[1]))


@kernel
def sample_edge(edge: Bytes, sampled: Bytes) -> None:
    """Mark the samples that any of the cells around them reads, which are on an ``edge`` (h, w)."""
    height, width = edge.shape
    for row in range(sampled.shape[0]):
        for column in range(sampled.shape[1]):
            y, x = SAMPLE_STEP * row, SAMPLE_STEP * column
            below, right = min(y + 1, height - 1), min(x + 1, width - 1)
            sampled[row, column] = edge[y, x] | edge[y, right] | edge[below, x] | edge[below, right]


@kernel
def find_correction(
    alpha: Floats,
    guide: Bytes,
    cells: tuple[Bytes, Bytes],
    plate: Plate,
    means: Floats,
    scratch: tuple[Bytes, Indices],
    correction: Floats,
) -> None:
    """The correction to add to ``alpha`` (h, w) where an edge covers a known part of the ``plate``; elsewhere 0.

    ``cells`` (near, edge), both (h, w): not 0 where the background may be covered, and at edges. ``means``:
    ``samples`` averaged over neighbourhoods. ``scratch``: (marks, words), bytes and the same memory, eight at once.
    """
    (near, edge), (_, _, known), (marks, words) = cells, plate, scratch
    width = alpha.shape[1]
    for y in range(alpha.shape[0]):
        correction[y, :] = ZERO
        _mark_covered(near[y], edge[y], known[y], marks)
        for word in range(words.shape[0]):
            if words[word] == 0:
                continue
            for x in range(8 * word, min(8 * word + 8, width)):
                if marks[x] != 0 and means[y // SAMPLE_STEP, x // SAMPLE_STEP, 0] > MIN_FOREGROUND:
                    estimate, weight = _posterior(y, x, alpha[y, x], guide, plate, means)
                    correction[y, x] = weight * (estimate - alpha[y, x])


@vector_loop
def _mark_covered(near: Bytes, edge: Bytes, known: Bytes, marks: Bytes) -> None:
    for x in range(np.uint64(near.shape[0])):
        marks[x] = ALL if (near[x] != 0) & (edge[x] != 0) & (known[x] != 0) else np.uint8(0)


@kernel
def _posterior(
    y: int, x: int, alpha: np.float32, guide: Bytes, plate: Plate, means: Floats
) -> tuple[np.float32, np.float32]:
    """The posterior mean alpha of a cell, and the weight of that estimate, 0 to 1."""
    colour, variance, _ = plate
    mean = means[y // SAMPLE_STEP, x // SAMPLE_STEP]
    background_variance = variance[y, x] + mean[9] / max(mean[7], np.float32(0.02))
    share = UNIT / mean[0]
    pixel = np.float32(guide[y, x, 0]), np.float32(guide[y, x, 1]), np.float32(guide[y, x, 2])
    background = colour[0, y, x], colour[1, y, x], colour[2, y, x]
    foreground = mean[1] * share, mean[2] * share, mean[3] * share
    foreground_variance = (
        max(mean[4] * share - foreground[0] * foreground[0], ZERO) + EXTRA_VARIANCE,
        max(mean[5] * share - foreground[1] * foreground[1], ZERO) + EXTRA_VARIANCE,
        max(mean[6] * share - foreground[2] * foreground[2], ZERO) + EXTRA_VARIANCE,
    )
    prior_alpha = min(max(alpha, 1 - MAX_ALPHA), MAX_ALPHA)
    evidence, moment, likelihood = np.float32(0), np.float32(0), np.float32(0)
    for step in range(ALPHAS):
        a = np.float32(step) * np.float32(1 / (ALPHAS - 1))
        likelihood = _likelihood(a, pixel, (foreground, foreground_variance), (background, background_variance))
        prior = MIN_PRIOR
        if step == 0:
            prior += (1 - ALPHAS * MIN_PRIOR) * (1 - prior_alpha)
        elif step == ALPHAS - 1:
            prior += (1 - ALPHAS * MIN_PRIOR) * prior_alpha
            likelihood += OTHER_FOREGROUND * UNKNOWN_DENSITY
        evidence += prior * likelihood
        moment += prior * likelihood * a
    if not 0 < evidence < np.inf:
        return alpha, np.float32(0)
    mismatching = (mean[8] + np.float32(0.002)) / (mean[7] + np.float32(0.004))  # 1/2 if no background is visible
    camouflaged = mean[11] / max(mean[10], np.float32(0.004))  # foreground like the plate: may be in the plate itself
    wrong = min(MIN_WRONG + mismatching + camouflaged, np.float32(1))
    evidence_if_wrong = prior_alpha * likelihood + (1 - prior_alpha) * UNKNOWN_DENSITY  # likelihood is that of alpha 1
    right = (1 - wrong) * evidence
    weight = (
        (1 - wrong)
        * right
        / (right + wrong * evidence_if_wrong)
        / (1 + (background_variance / UNRELIABLE_VARIANCE) ** 2)
    )
    return moment / evidence, weight


@kernel
def _likelihood(
    a: np.float32, pixel: Colour, foreground: tuple[Colour, Colour], background: tuple[Colour, np.float32]
) -> np.float32:
    """Root of the density of a colour if its alpha is ``a``: normal, about the mixture of both colours.

    ``foreground``, ``background``: their colours, with the variance of each channel, and of all. One division for the
    three channels: that of a channel is the product of the others over the determinant.
    """
    (colour, variances), (behind, behind_variance), rest = foreground, background, UNIT - a
    noise = rest * rest * behind_variance + NOISE
    vb, vg, vr = a * a * variances[0] + noise, a * a * variances[1] + noise, a * a * variances[2] + noise
    determinant = vb * vg * vr
    whole = UNIT / determinant
    ib, ig, ir = vg * vr * whole, vb * vr * whole, vb * vg * whole
    b, g, r = behind
    of_b = pixel[0] - a * colour[0] - rest * b
    of_g = pixel[1] - a * colour[1] - rest * g
    of_r = pixel[2] - a * colour[2] - rest * r
    distance = of_b * of_b * ib + of_g * of_g * ig + of_r * of_r * ir
    projection = of_b * b * ib + of_g * g * ig + of_r * r * ir
    length = b * b * ib + g * g * ig + r * r * ir
    shading = (SHADING * rest) ** 2  # a variance along the background's colour: inverse by Sherman and Morrison
    stretch = UNIT + shading * length
    distance -= shading * projection * projection / stretch
    return np.float32(NORMAL * np.exp(np.float32(-0.25) * distance) / np.sqrt(np.sqrt(determinant * stretch)))


@kernel
def apply_correction(alpha: Floats, edge: Bytes, correction: Floats, sums: Floats, out: Floats) -> None:
    """``out`` = ``alpha`` plus the mean ``correction`` of 3 x 3 cells at its ``edge``, clipped to [0, 1]; all (h, w).

    Borders are reflected, without the outermost cell. ``sums``: a row, with HALO more a side.
    """
    height, width = alpha.shape
    for y in range(height):
        above = correction[y - 1 if y > 0 else min(1, height - 1)]
        below = correction[y + 1 if y < height - 1 else max(height - 2, 0)]
        _sum_rows(above, correction[y], below, sums)
        sums[HALO - 1] = sums[HALO + min(1, width - 1)]
        sums[HALO + width] = sums[HALO + max(width - 2, 0)]
        _apply(alpha[y], edge[y], sums, out[y])


@vector_loop
def _sum_rows(above: Floats, here: Floats, below: Floats, sums: Floats) -> None:
    for x in range(np.uint64(here.shape[0])):
        sums[x + INSIDE] = above[x] + here[x] + below[x]


@vector_loop
def _apply(alpha: Floats, edge: Bytes, sums: Floats, out: Floats) -> None:
    for x in range(np.uint64(alpha.shape[0])):
        at = x + INSIDE
        corrected = alpha[x] + (sums[at - ONE] + sums[at] + sums[at + ONE]) * NINTH
        out[x] = min(max(corrected, ZERO), UNIT) if edge[x] != 0 else alpha[x]
