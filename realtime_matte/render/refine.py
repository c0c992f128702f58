"""From the network's coarse alpha to one of the frame's size, that follows its edges and keeps still."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Matte, Pixels, Size
from realtime_matte.render.bands import split
from realtime_matte.render.clean_plate import Room
from realtime_matte.render.guided_filter import LINEAR, MOMENTS, judge, moments, solve
from realtime_matte.render.jit import constant
from realtime_matte.render.local_models import Models, Wide, models_of, wide_of
from realtime_matte.render.temporal import steady
from realtime_matte.render.upsampled import UpsampledMatte, Whole

RADIUS_CELLS = 2
"""Half the guided filter's window, in cells of the network's grid."""

WINDOW = (2 * RADIUS_CELLS + 1, 2 * RADIUS_CELLS + 1)

EPSILON = np.float32(3e-4)
"""The guided filter's regularisation, for colours in [0, 1]: variance below this is texture, above it an edge."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Scratch for one size of coarse alpha, all made once."""

    alpha: NDArray[np.float32]
    guide: Pixels
    moments: NDArray[np.float32]
    means: NDArray[np.float32]
    rough: NDArray[np.float32]
    cells: NDArray[np.uint8]
    models: Models
    wide: Wide
    room: Room

    @classmethod
    def of(cls, shape: tuple[int, int], size: Size) -> "Grid":
        """For alphas of ``shape`` (h, w) and frames of ``size`` (W, H)."""
        return cls(
            alpha=np.zeros(shape, np.float32),
            guide=np.zeros((*shape, 3), np.uint8),
            moments=np.zeros((*shape, MOMENTS), np.float32),
            means=np.zeros((*shape, MOMENTS), np.float32),
            rough=np.zeros((*shape, LINEAR), np.float32),
            cells=np.zeros(shape, np.uint8),
            models=models_of(shape, size),
            wide=wide_of(size[0]),
            room=Room(shape),
        )


class Refiner:
    """Refines one frame after the other, of one size. Its results are overwritten by the next."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._whole = Whole(size)
        self._grid: Grid | None = None
        self._time: float | None = None

    def refine(self, frame: Frame, matte: Matte) -> UpsampledMatte:
        """The frame's matte at its size: the frame is needed, unchanged, for as long as this is."""
        grid = self._grid
        if grid is None or grid.alpha.shape != matte.alpha.shape:
            grid = self._grid = Grid.of(matte.alpha.shape, self._size)
            self._time = None
        guide = grid.guide if matte.guide is None else matte.guide
        if matte.guide is None:
            cv2.resize(frame.pixels, guide.shape[1::-1], dst=guide, interpolation=cv2.INTER_AREA)
        self._settle(grid, matte.alpha, guide, frame.time)
        _fit_models(grid, guide)
        return UpsampledMatte(frame, grid.models, wide=grid.wide, whole=self._whole)

    def reset(self) -> None:
        """Drop the memory of earlier frames."""
        self._time = None
        if self._grid:
            self._grid.room.reset()

    def _settle(self, grid: Grid, alpha: Alpha, guide: Pixels, time: float) -> None:
        """Into ``grid.alpha``: corrected by what was seen of the room, and at rest where it hardly changed."""
        passed_s = 0.0 if self._time is None else max(0.0, time - self._time)
        corrected = grid.room.correct(alpha, guide, passed_s)
        if self._time is None:
            grid.alpha[:] = corrected
        else:
            steady(corrected, passed_s, grid.alpha)
        self._time = time


def _fit_models(grid: Grid, guide: Pixels) -> None:
    moments(constant(guide), grid.alpha, grid.moments)
    cv2.blur(grid.moments, WINDOW, dst=grid.means)
    linear, colours, bands, (start, _), _ = grid.models
    solve(grid.means, EPSILON, grid.rough, colours)
    cv2.blur(grid.rough, WINDOW, dst=linear)
    judge(linear, grid.cells)
    split(grid.cells, start, bands)
