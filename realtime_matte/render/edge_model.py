"""Alpha at the edge of the foreground, from the clean plate and from statistics of the neighbourhood.

The posterior mean of alpha, as in Bayesian matting (Chuang et al. 2001): the background's colour is that of the clean
plate, the foreground's is distributed as nearby, and the network's alpha is the prior. The likelihood allows for
shadows and fading lamps. A second hypothesis is that the clean plate is wrong at this cell: its posterior probability,
from how well the plate matches the visible background nearby, lowers the weight of the correction.
"""

from typing import Final, TypeAlias

import numpy as np

from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel

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

UNKNOWN_DENSITY: Final = np.float32(2e-6)
"""Density of the colour of a background that differs from the plate: about that of any colour in an image."""

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

NORMAL: Final = np.float32((2 * np.pi) ** -1.5)


@kernel
def sample(guide: Bytes, foreground: Bytes, plate: Plate, change: Floats, samples: Floats) -> float:
    """Sample where ``foreground`` is certain, and how well the visible background matches the ``plate``.

    ``guide`` (h, w, 3); ``foreground`` (h, w), not 0 where alpha is 1 for certain; ``change`` (h, w): mean square
    change of the visible background, -1 elsewhere; ``samples``: (h / SAMPLE_STEP, w / SAMPLE_STEP, SAMPLE_VALUES).

    Returns:
        The share of the samples that are foreground in the colours of the plate.
    """
    colour, variance, known = plate
    matching = 0
    for row in range(samples.shape[0]):
        for column in range(samples.shape[1]):
            y, x, out = SAMPLE_STEP * row, SAMPLE_STEP * column, samples[row, column]
            certain = np.float32(foreground[y, x] != 0)
            b, g, r = np.float32(guide[y, x, 0]), np.float32(guide[y, x, 1]), np.float32(guide[y, x, 2])
            out[0], out[1], out[2], out[3] = certain, certain * b, certain * g, certain * r
            out[4], out[5], out[6] = certain * b * b, certain * g * g, certain * r * r
            visible = change[y, x] >= 0
            out[7] = np.float32(visible)
            out[8] = np.float32(visible and change[y, x] > MISMATCH * (NOISE + variance[y, x]))
            out[9] = min(change[y, x], MAX_CHANGE) if visible else np.float32(0)
            covers = foreground[y, x] != 0 and known[y, x] != 0
            b, g, r = b - colour[0, y, x], g - colour[1, y, x], r - colour[2, y, x]
            matches = covers and b * b + g * g + r * r <= 3 * MISMATCH * (NOISE + variance[y, x])
            out[10], out[11] = np.float32(covers), np.float32(matches)
            matching += matches
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
    alpha: Floats, guide: Bytes, near: Bytes, edge: Bytes, plate: Plate, means: Floats, correction: Floats
) -> None:
    """The correction to add to ``alpha`` (h, w) where an ``edge`` covers a known part of the ``plate``; elsewhere 0.

    ``near`` (h, w): not 0 where the background may be covered; ``means``: ``samples`` averaged over neighbourhoods.
    """
    _, _, known = plate
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            correction[y, x] = 0
            if (
                edge[y, x]
                and near[y, x]
                and known[y, x]
                and means[y // SAMPLE_STEP, x // SAMPLE_STEP, 0] > MIN_FOREGROUND
            ):
                estimate, weight = _posterior(y, x, alpha[y, x], guide, plate, means)
                correction[y, x] = weight * (estimate - alpha[y, x])


@kernel
def _posterior(
    y: int, x: int, alpha: np.float32, guide: Bytes, plate: Plate, means: Floats
) -> tuple[np.float32, np.float32]:
    """The posterior mean alpha of a cell, and the weight of that estimate, 0 to 1."""
    colour, variance, _ = plate
    mean = means[y // SAMPLE_STEP, x // SAMPLE_STEP]
    background_variance = variance[y, x] + mean[9] / max(mean[7], np.float32(0.02))
    prior_alpha = min(max(alpha, 1 - MAX_ALPHA), MAX_ALPHA)
    evidence, moment, likelihood = np.float32(0), np.float32(0), np.float32(0)
    for step in range(ALPHAS):
        a = np.float32(step / (ALPHAS - 1))
        likelihood = _likelihood(y, x, a, background_variance, guide, colour, mean)
        prior = MIN_PRIOR
        if step == 0:
            prior += (1 - ALPHAS * MIN_PRIOR) * (1 - prior_alpha)
        elif step == ALPHAS - 1:
            prior += (1 - ALPHAS * MIN_PRIOR) * prior_alpha
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
    y: int, x: int, a: np.float32, background_variance: np.float32, guide: Bytes, colour: Floats, mean: Floats
) -> np.float32:
    """Density of a cell's colour if its alpha is ``a``: normal, about the mixture of foreground and background."""
    rest = 1 - a
    distance, determinant, projection, length = np.float32(0), np.float32(1), np.float32(0), np.float32(0)
    for c in range(3):
        foreground, background = mean[1 + c] / mean[0], colour[c, y, x]
        foreground_variance = max(mean[4 + c] / mean[0] - foreground * foreground, np.float32(0)) + EXTRA_VARIANCE
        variance = a * a * foreground_variance + rest * rest * background_variance + NOISE
        residual = np.float32(guide[y, x, c]) - a * foreground - rest * background
        distance += residual * residual / variance
        projection += residual * background / variance
        length += background * background / variance
        determinant *= variance
    shading = (SHADING * rest) ** 2  # a variance along the background's colour: inverse by Sherman and Morrison
    distance -= shading * projection * projection / (1 + shading * length)
    return np.float32(NORMAL * np.exp(np.float32(-0.5) * distance) / np.sqrt(determinant * (1 + shading * length)))


@kernel
def apply_correction(alpha: Floats, edge: Bytes, correction: Floats, out: Floats) -> None:
    """``out`` = ``alpha`` plus the ``correction`` at its ``edge``, clipped to [0, 1]; all (h, w)."""
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            corrected = alpha[y, x] + correction[y, x]
            out[y, x] = min(max(corrected, np.float32(0)), np.float32(1)) if edge[y, x] else alpha[y, x]
