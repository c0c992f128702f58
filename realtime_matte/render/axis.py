"""Where the frame's pixels lie on the coarse grid, along one side."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.guided_filter import Floats

Indices = NDArray[np.uint64]
"""Unsigned: an index that may be negative is tested at every access, and its loop is not vectorised."""


Axis: TypeAlias = tuple[Indices, Floats]
"""(start, weight): the first pixel of each cell, and of none; the weight of the next cell for each pixel."""


def axis(length: int, cells: int) -> Axis:
    """The axis of ``length`` pixels over ``cells`` cells, both covering the same width."""
    place = (np.arange(length) + 0.5) * cells / length - 0.5
    cell = np.clip(np.floor(place), 0, max(cells - 2, 0))
    weight = np.clip(place - cell, 0, 1).astype(np.float32)
    return np.searchsorted(cell, np.arange(cells + 1)).astype(np.uint64), weight
