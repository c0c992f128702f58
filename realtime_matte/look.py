"""What effects measure of a person, and what they change of the person's colours.

A change is one look-up table for each channel and, where it differs by place, values on a coarse grid. So it is found
in a fraction of a millisecond, and is applied while the frame is composited, to the person's pixels only.
"""

from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels

GRID: Final = (64, 36)
"""Cells across and down."""

Table: TypeAlias = NDArray[np.uint8]
"""(256, 3): the new value of each value of blue, green and red."""

Field: TypeAlias = NDArray[np.float32]
"""(36, 64) or (36, 64, 3): a value for the middle of each cell of the grid, interpolated in between."""


class Samples(Protocol):
    """One frame as means over the cells of the grid, each found when it is first read."""

    @property
    def time(self) -> float:
        """Of the frame."""

    @property
    def colors(self) -> Pixels:
        """(36, 64, 3), what the camera saw."""

    @property
    def alpha(self) -> Alpha:
        """(36, 64)."""

    @property
    def has_background(self) -> bool:
        """False if the output has alpha, or the camera's own background is shown."""

    @property
    def background(self) -> Pixels:
        """(36, 64, 3), what will be behind the person, if there is one."""


class Look:
    """How the person's colours are changed: filtered, replaced by a table, multiplied, and added to, in this order.

    Attributes:
        noise_filter: Share of a median of 3x3 pixels in each pixel, from 0 to 1.
        table: The look-up table.
        gain: Factor of the values of the table; None: 1. Never changed in place.
        light: What is added to them, of 255; None: nothing.
    """

    def __init__(self) -> None:
        self.noise_filter = 0.0
        self.table: Table = identity()
        self.gain: Field | None = None
        self.light: Field | None = None

    @property
    def changes_nothing(self) -> bool:
        """Whether all colours stay."""
        is_plain = not self.noise_filter and self.gain is None and self.light is None
        return is_plain and np.array_equal(self.table, IDENTITY)

    def clear(self) -> None:
        """Change nothing."""
        self.noise_filter, self.gain, self.light = 0.0, None, None
        self.table = identity()

    def follow_with(self, table: Table) -> None:
        """Apply another table, (256, 3) or (256,) for all channels, to what the present one gives."""
        tables = np.broadcast_to(table.reshape(256, -1), (256, 3))
        self.table = np.take_along_axis(tables, self.table.astype(np.intp), axis=0)

    def of(self, colors: Pixels) -> Pixels:
        """Colours at the middles of the grid's cells, (36, 64, 3), as they will look; without the noise filter."""
        found = self.table[colors, np.arange(3)].astype(np.float32)
        if self.gain is not None:
            found *= self.gain[..., None]
        if self.light is not None:
            found += self.light
        return np.asarray(np.clip(found + np.float32(0.5), 0, 255), np.uint8)


def identity() -> Table:
    """The table that changes nothing."""
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


IDENTITY: Final = identity()
