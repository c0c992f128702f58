"""Stillness without lag: an alpha that hardly changed keeps its old value, one that changed is taken at once.

The weight of the new value grows with the disagreement, so a resting edge does not flicker and a moving one is never
late. In seconds: dropped frames change nothing.
"""

from math import exp

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.jit import constant, kernel

SETTLE_S = 0.12
"""Time constant of a change too small to be a movement."""

MOVEMENT = 0.2
"""A change of alpha from which on it is a movement, and followed at once."""


def steady(alpha: NDArray[np.float32], passed_s: float, kept: NDArray[np.float32]) -> None:
    """Take ``alpha`` (h, w) into ``kept`` (h, w), ``passed_s`` seconds after the last one."""
    follow(constant(alpha), np.float32(1 - exp(-passed_s / SETTLE_S)), np.float32(1 / MOVEMENT), kept)


@kernel
def follow(alpha: NDArray[np.float32], least: np.float32, scale: np.float32, kept: NDArray[np.float32]) -> None:
    """Move ``kept`` towards ``alpha``: by the share ``least`` at rest, wholly from a change of 1 / ``scale`` on."""
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            change = alpha[y, x] - kept[y, x]
            moved = min(abs(change) * scale, np.float32(1))
            kept[y, x] += max(least, moved) * change if moved < 1 else change
