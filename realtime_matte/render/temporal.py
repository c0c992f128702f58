"""Temporal filter: a small change of the coarse alpha is smoothed over time, a large one is used at once.

The weight of the new value grows with the size of the change, so an edge at rest does not flicker and a moving edge
has no lag. Time constants are in seconds: dropped frames change nothing.
"""

from math import exp
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.jit import read_only, vector_loop

UNIT: Final = np.float32(1)

TIME_CONSTANT_S: Final = 0.12
"""Time constant of the smoothing of changes that are too small to be motion."""

MOTION: Final = 0.2
"""Change of alpha from which it counts as motion and is used at once."""


def filter_alpha(alpha: NDArray[np.float32], elapsed_s: float, filtered: NDArray[np.float32]) -> None:
    """Update ``filtered`` (h, w) with ``alpha`` (h, w), ``elapsed_s`` seconds after the previous update."""
    update(read_only(alpha), np.float32(1 - exp(-elapsed_s / TIME_CONSTANT_S)), np.float32(1 / MOTION), filtered)


@vector_loop
def update(
    alpha: NDArray[np.float32], min_weight: np.float32, scale: np.float32, filtered: NDArray[np.float32]
) -> None:
    """Move ``filtered`` towards ``alpha``: by ``min_weight`` at rest, completely from a change of 1 / ``scale`` on."""
    values, kept = alpha.reshape(alpha.size), filtered.reshape(alpha.size)
    for i in range(values.shape[0]):
        change = values[i] - kept[i]
        relative = abs(change) * scale
        weight = max(min_weight, relative)
        kept[i] = kept[i] + weight * change if relative < UNIT else values[i]
