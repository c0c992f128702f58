"""The refined matte of one frame as it is kept: models on the coarse grid; and scratch to make pixels of them."""

from typing import TypeAlias

import numpy as np

from realtime_matte.frame import Size
from realtime_matte.render.axis import Axis, axis
from realtime_matte.render.bands import Bands, bands_of
from realtime_matte.render.guided_filter import COLOURS, LINEAR, Floats

Models: TypeAlias = tuple[Floats, Floats, Bands, Axis, Axis]
"""(linear, colours, bands, columns, rows): each cell's ``linear`` (h, w, LINEAR) and ``colours`` (h, w, COLOURS) as
guided.py solves them, and where the grid lies on the frame."""

Wide: TypeAlias = tuple[Floats, Floats, Floats, Floats, Floats]
"""(offset, gains, person, room, alpha): the models of two rows of cells, one for each of W columns of pixels.

``offset`` (2, W), ``gains``, ``person`` and ``room`` (2, 3W): of the rows of even and of odd number, colours as they
lie in a picture. ``alpha`` (3W): of one row of pixels, three times each.
"""


def models_of(shape: tuple[int, int], size: Size) -> Models:
    """For grids of ``shape`` (h, w) and frames of ``size`` (W, H)."""
    return (
        np.zeros((*shape, LINEAR), np.float32),
        np.zeros((*shape, COLOURS), np.float32),
        bands_of(shape),
        axis(size[0], shape[1]),
        axis(size[1], shape[0]),
    )


def wide_of(width: int) -> Wide:
    """For frames so wide."""
    gains, person, room = np.zeros((3, 2, 3 * width), np.float32)
    return np.zeros((2, width), np.float32), gains, person, room, np.zeros(3 * width, np.float32)
