"""The matte of a frame at its size, from local linear models: each part of it is computed when it is read."""

from functools import cached_property

import numpy as np

from realtime_matte.frame import Alpha, Frame, Pixels, Size
from realtime_matte.interfaces import Area
from realtime_matte.render.bands import classify, make_axis, make_bands, split
from realtime_matte.render.box_filter import Bytes
from realtime_matte.render.edge_cells import aligned_floats
from realtime_matte.render.guided_filter import LocalLinearModels
from realtime_matte.render.jit import read_only
from realtime_matte.render.person_look import LookTables
from realtime_matte.render.upsample import (
    PlacedModels,
    Scratch,
    upsample_alpha,
    upsample_composite,
    upsample_foreground,
    upsample_look,
    upsample_mask,
)


class Upsampler:
    """Upsamples models on grids of ``shape`` (h, w) to frames of ``size``. Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int], size: Size) -> None:
        self._cells = np.zeros(shape, np.uint8)
        self._bands = make_bands(shape)
        self._columns, self._rows = make_axis(size[0], shape[1]), make_axis(size[1], shape[0])
        width = -(-size[0] // 16) * 16
        gains, foreground, background = aligned_floats(3, 2, 3 * width)
        alpha, mixed = aligned_floats(3 * width), np.zeros(3 * width, np.uint8)
        self._scratch: Scratch = aligned_floats(2, width), gains, foreground, background, alpha, mixed
        self._size = size
        self._full_size = FullSizeBuffers(size)

    def free_full_size(self) -> None:
        """Free the buffers of alpha and foreground until they are read again."""
        self._full_size = FullSizeBuffers(self._size)

    def upsample(self, frame: Frame, models: LocalLinearModels) -> "UpsampledMatte":
        """The matte that ``models`` give for ``frame``; overwritten by the next call."""
        linear, colours, near, runs, mean = models
        classify(linear, near, runs, mean, self._cells)
        split(self._cells, self._bands)
        placed = linear, colours, runs, self._bands, self._columns, self._rows
        return UpsampledMatte(frame, placed, cells=self._cells, scratch=self._scratch, full_size=self._full_size)


class FullSizeBuffers:
    """Buffers for one frame's alpha and foreground, of ``size``: allocated on first use, as few callers read them."""

    def __init__(self, size: Size) -> None:
        self._shape = size[1], size[0]

    @cached_property
    def alpha(self) -> Alpha:
        """(H, W)."""
        return np.zeros(self._shape, np.float32)

    @cached_property
    def foreground(self) -> Pixels:
        """(H, W, 3)."""
        return np.zeros((*self._shape, 3), np.uint8)


class UpsampledMatte:
    """The matte of one frame at its size. Computed when it is read, overwritten by the next frame's.

    Alpha, foreground and ``over`` need a BGR frame; of an I420 frame, ``models`` and ``cells`` are composited directly.

    Attributes:
        models: The models, and where they lie on the frame.
        cells: (h, w), the kind of each.
    """

    def __init__(
        self, frame: Frame, models: PlacedModels, *, cells: Bytes, scratch: Scratch, full_size: FullSizeBuffers
    ) -> None:
        self._pixels = read_only(frame.pixels)
        self.models = models
        self.cells = cells
        self._scratch = scratch
        self._full_size = full_size
        self._has_alpha = False
        self._has_foreground = False

    @property
    def alpha(self) -> Alpha:
        """(H, W) float32 in [0, 1]."""
        if not self._has_alpha:
            upsample_alpha(self._pixels, self.models, self._scratch, self._full_size.alpha)
            self._has_alpha = True
        return self._full_size.alpha

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3) uint8 BGR, straight, without the old background; black where alpha is 0."""
        if not self._has_foreground:
            upsample_foreground(self._pixels, self.models, self._scratch, self._full_size.foreground)
            self._has_foreground = True
        return self._full_size.foreground

    @property
    def area(self) -> Area:
        """The part of the frame outside which alpha is 0."""
        spans = []
        for axis, (start, _) in ((1, self.models[5]), (0, self.models[4])):
            cells = np.flatnonzero(self.cells.any(axis=axis))  # not BACKGROUND
            first, end = (max(int(cells[0]) - 1, 0), int(cells[-1]) + 1) if len(cells) else (0, 0)
            spans.append(slice(int(start[first]), int(start[end])))
        return spans[0], spans[1]

    def mask_background(self, most_alpha: float, out: Bytes) -> None:
        """As ``frame.MasksBackground``."""
        upsample_mask(self._pixels, self.models, self._scratch, np.float32(most_alpha), out)

    def of(self, frame: Frame) -> "UpsampledMatte":
        """The same matte, of the same frame in BGR."""
        return UpsampledMatte(frame, self.models, cells=self.cells, scratch=self._scratch, full_size=self._full_size)

    def over(self, background: Pixels, out: Pixels, look: LookTables | None = None) -> None:
        """Composite the foreground over ``background`` into ``out``, both (H, W, 3): exact where alpha is 0 or 1.

        ``look``: what is changed of the foreground's colours.
        """
        if look:
            upsample_look(self._pixels, self.models, self._scratch, look, read_only(background), out)
        else:
            upsample_composite(self._pixels, self.models, self._scratch, read_only(background), out)
