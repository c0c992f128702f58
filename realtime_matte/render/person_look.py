"""A look as the kernels need it: interpolated across, with the frame's noise filtered."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Area
from realtime_matte.look import GRID, Field, Look
from realtime_matte.render.box_filter import Bytes, Floats

FieldRows: TypeAlias = tuple[NDArray[np.uint64], Floats]
"""(above, weight): for each row of pixels, the row of the look's grid above it, and the weight of the next one."""

LookTables: TypeAlias = tuple[Bytes, np.float32, Bytes, Floats, Floats, FieldRows, Bytes]
"""(table, noise_filter, filtered, gain, light, rows, scratch): a ``Look`` for frames of W x H.

``table`` (3, 256). ``filtered`` (H, 3W): the image without noise, where ``noise_filter`` is not 0. ``gain`` and
``light`` (h, 3W): interpolated across; (0, 0) if there is none. ``scratch`` (2, 3W).
"""


class PersonLook:
    """Prepares looks for frames of ``size``. What no look has needed yet has no buffer."""

    def __init__(self, size: Size) -> None:
        width, height = size
        self._size = size
        self._scratch = np.zeros((2, 3 * width), np.uint8)
        self._filtered = np.zeros((0, 0), np.uint8)
        self._gain, self._light = np.zeros((2, 0, 0), np.float32)
        self._gain_of: Field | None = None  # what _gain was made of: it rests while the light does
        place = np.clip((np.arange(height) + 0.5) * GRID[1] / height - 0.5, 0, GRID[1] - 1)
        above = np.minimum(place.astype(np.uint64), GRID[1] - 2)
        self._rows = above, (place - above).astype(np.float32)

    def tables(self, look: Look, image: Pixels, area: Area) -> LookTables:
        """The tables of ``look``; overwritten by the next call.

        Args:
            look: What is changed.
            image: (H, W, 3), whose noise is filtered.
            area: The part of it with the person.
        """
        if look.noise_filter:
            self._filter(image, area)
        if look.gain is not None and look.gain is not self._gain_of:
            self._gain_of = look.gain
            self._gain = self._across(np.repeat(look.gain[..., None], 3, axis=2), self._gain)
        if look.light is not None:
            self._light = self._across(look.light, self._light)
        none = np.zeros((0, 0), np.float32)
        return (
            np.ascontiguousarray(look.table.T),
            np.float32(look.noise_filter),
            self._filtered,
            none if look.gain is None else self._gain,
            none if look.light is None else self._light,
            self._rows,
            self._scratch,
        )

    def _filter(self, image: Pixels, area: Area) -> None:
        if not self._filtered.size:
            self._filtered = np.zeros((self._size[1], 3 * self._size[0]), np.uint8)
        part, filtered = image[area], self._filtered.reshape(image.shape)[area]
        if part.size:
            cv2.medianBlur(part, 3, dst=filtered)

    def _across(self, field: Field, out: Floats) -> Floats:
        """A field (36, 64, 3) as (36, 3W)."""
        if not out.size:
            out = np.zeros((GRID[1], 3 * self._size[0]), np.float32)
        wide = out.reshape(GRID[1], self._size[0], 3)
        cv2.resize(field, (self._size[0], GRID[1]), dst=wide, interpolation=cv2.INTER_LINEAR)
        return out
