"""Alpha at the person's edge, from what the room behind it looked like, and from what is nearby.

The mean of its posterior, as in Bayesian matting (Chuang et al. 2001) with the room's colour known, the person's like
those nearby, and the network's alpha believed before anything is seen. What looks as the room did is room, what does
not is not; shadows and fading lamps are allowed for.
"""

from typing import Final

import numpy as np

from realtime_matte.render.guided_filter import Bytes, Floats
from realtime_matte.render.jit import kernel
from realtime_matte.render.learn import Memory

SAMPLED: Final = 2
"""Every so many cells are looked at, across and down, to know the colours and the unrest nearby."""

SAMPLE: Final = 12
"""Averaged nearby: person (1), its colour (3), its colours squared (3); room in sight (1), of it not as remembered (1),
its mean square change (1); person before a room that is remembered (1), of it looking like that room (1)."""

NOISE: Final = np.float32(4**2)
"""Variance of a colour that is as remembered: the camera's noise."""

UNLIKE: Final = np.float32(3.8)
"""A mean square change so many times the variance is not as remembered: with noise alone, one cell in a hundred."""

MOST: Final = np.float32(30**2)
"""A mean square change counts no more than that for the unrest nearby."""

SPREAD: Final = np.float32(12**2)
"""Added to the variance of the person's colours: nearby is not the same."""

SHADE: Final = np.float32(0.05)
"""How much darker or lighter, as a part, the room may have become: deviation."""

ELSE: Final = np.float32(2e-6)
"""Density of the colour of a room that is not as remembered: about that of any colour in a picture."""

DOUBT: Final = np.float32(0.05)
"""That the memory is wrong, where all in sight is as remembered."""

RESTLESS: Final = np.float32(30)
"""Variance of a colour in a room that is hardly to be believed: leaves in the wind."""

STEPS: Final = 5
"""Alphas that are weighed: 0, 1/4 .. 1."""

MIXED: Final = np.float32(0.05 / STEPS)
"""What each of them has at least before anything is seen; the rest is for 0 and 1, as the network says."""

SURE: Final = np.float32(0.98)
"""The network is not believed to be surer than that."""

FEW: Final = np.float32(2e-3)
"""With less of the person nearby her colours are not known."""

NORMAL: Final = np.float32((2 * np.pi) ** -1.5)


@kernel
def sample(guide: Bytes, person: Bytes, memory: Memory, change: Floats, samples: Floats) -> None:
    """Look at the ``person`` and at how well the room in sight was remembered, here and there."""
    colour, variance, seen = memory
    for row in range(samples.shape[0]):
        for column in range(samples.shape[1]):
            y, x, one = SAMPLED * row, SAMPLED * column, samples[row, column]
            sure = np.float32(person[y, x] != 0)
            b, g, r = np.float32(guide[y, x, 0]), np.float32(guide[y, x, 1]), np.float32(guide[y, x, 2])
            one[0], one[1], one[2], one[3] = sure, sure * b, sure * g, sure * r
            one[4], one[5], one[6] = sure * b * b, sure * g * g, sure * r * r
            visible = change[y, x] >= 0
            one[7] = np.float32(visible)
            one[8] = np.float32(visible and change[y, x] > UNLIKE * (NOISE + variance[y, x]))
            one[9] = min(change[y, x], MOST) if visible else np.float32(0)
            before = person[y, x] != 0 and seen[y, x] != 0
            b, g, r = b - colour[y, x, 0], g - colour[y, x, 1], r - colour[y, x, 2]
            one[10] = np.float32(before)
            one[11] = np.float32(before and b * b + g * g + r * r <= 3 * UNLIKE * (NOISE + variance[y, x]))


@kernel
def weigh(alpha: Floats, guide: Bytes, near: Bytes, edge: Bytes, memory: Memory, means: Floats, change: Floats) -> None:
    """What is to be added to ``alpha``, (h, w), at an ``edge`` that covers what was seen of the room; elsewhere 0."""
    _, _, seen = memory
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            change[y, x] = 0
            if edge[y, x] and near[y, x] and seen[y, x] and means[y // SAMPLED, x // SAMPLED, 0] > FEW:
                believed, trust = _posterior(y, x, alpha[y, x], guide, memory, means)
                change[y, x] = trust * (believed - alpha[y, x])


@kernel
def _posterior(
    y: int, x: int, alpha: np.float32, guide: Bytes, memory: Memory, means: Floats
) -> tuple[np.float32, np.float32]:
    """The mean alpha of a cell after it is seen, and how far that is to be believed, 0 to 1."""
    colour, variance, _ = memory
    mean = means[y // SAMPLED, x // SAMPLED]
    unrest = variance[y, x] + mean[9] / max(mean[7], np.float32(0.02))
    before = min(max(alpha, 1 - SURE), SURE)
    whole, moment, likely = np.float32(0), np.float32(0), np.float32(0)
    for step in range(STEPS):
        part = np.float32(step / (STEPS - 1))
        likely = _likelihood(y, x, part, unrest, guide, colour, mean)
        prior = MIXED
        if step == 0:
            prior += (1 - STEPS * MIXED) * (1 - before)
        elif step == STEPS - 1:
            prior += (1 - STEPS * MIXED) * before
        whole += prior * likely
        moment += prior * likely * part
    if not 0 < whole < np.inf:
        return alpha, np.float32(0)
    unlike = (mean[8] + np.float32(0.002)) / (mean[7] + np.float32(0.004))  # a half where nothing nearby is in sight
    alike = mean[11] / max(mean[10], np.float32(0.004))  # a person all in the room's colours: held for it once
    wrong = min(DOUBT + unlike + alike, np.float32(1))
    otherwise = before * likely + (1 - before) * ELSE  # ``likely`` is now that of the person alone
    right = (1 - wrong) * whole
    trust = (1 - wrong) * right / (right + wrong * otherwise) / (1 + (unrest / RESTLESS) ** 2)
    return moment / whole, trust


@kernel
def _likelihood(
    y: int, x: int, part: np.float32, unrest: np.float32, guide: Bytes, colour: Floats, mean: Floats
) -> np.float32:
    """Density of what a cell shows where alpha is ``part``: normal, about a mixture of the person's and its room's."""
    rest = 1 - part
    distance, spread, along, length = np.float32(0), np.float32(1), np.float32(0), np.float32(0)
    for c in range(3):
        person, room = mean[1 + c] / mean[0], colour[y, x, c]
        broad = max(mean[4 + c] / mean[0] - person * person, np.float32(0)) + SPREAD
        width = part * part * broad + rest * rest * unrest + NOISE
        off = np.float32(guide[y, x, c]) - part * person - rest * room
        distance += off * off / width
        along += off * room / width
        length += room * room / width
        spread *= width
    light = (SHADE * rest) ** 2  # a variance along the room's colour, by Sherman and Morrison
    distance -= light * along * along / (1 + light * length)
    return np.float32(NORMAL * np.exp(np.float32(-0.5) * distance) / np.sqrt(spread * (1 + light * length)))


@kernel
def take(alpha: Floats, edge: Bytes, change: Floats, out: Floats) -> None:
    """``out`` = ``alpha`` with the ``change`` at its ``edge``, all (h, w)."""
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            moved = alpha[y, x] + change[y, x]
            out[y, x] = min(max(moved, np.float32(0)), np.float32(1)) if edge[y, x] else alpha[y, x]
