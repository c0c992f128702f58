"""From the network's coarse alpha to one of the frame's size, that follows its edges and keeps still."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.render.enlarge import Axis, axis, enlarge
from realtime_matte.render.guided import EDGE, MODEL, MOMENTS, moments, solve
from realtime_matte.render.kernels import constant
from realtime_matte.render.steady import steady

RADIUS_CELLS = 2
"""Half the guided filter's window, in cells of the network's grid."""

WINDOW = (2 * RADIUS_CELLS + 1, 2 * RADIUS_CELLS + 1)

NEIGHBOURS = np.ones(WINDOW, np.uint8)
"""The cells whose models are smoothed together."""

EPSILON = np.float32(3e-4)
"""The guided filter's regularisation, for colours in [0, 1]: variance below this is texture, above it an edge."""

STRETCH = (np.float32(1.12), np.float32(-0.06))
"""Gain and offset of alpha: the filter leaves a breath of person in the room and of room in the person."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Scratch for one size of coarse alpha, all made once."""

    alpha: NDArray[np.float32]
    guide: Pixels
    moments: NDArray[np.float32]
    means: NDArray[np.float32]
    model: NDArray[np.float32]
    smooth: NDArray[np.float32]
    cells: NDArray[np.uint8]
    edges: NDArray[np.uint8]
    line: NDArray[np.float32]
    kinds: NDArray[np.uint8]
    columns: Axis
    rows: Axis

    @classmethod
    def of(cls, shape: tuple[int, int], size: Size) -> "Grid":
        """For alphas of ``shape`` (h, w) and frames of ``size`` (W, H)."""
        height, width = shape
        return cls(
            alpha=np.zeros(shape, np.float32),
            guide=np.zeros((*shape, 3), np.uint8),
            moments=np.zeros((MOMENTS, *shape), np.float32),
            means=np.zeros((MOMENTS, *shape), np.float32),
            model=np.zeros((MODEL, *shape), np.float32),
            smooth=np.zeros(shape, np.float32),
            cells=np.zeros(shape, np.uint8),
            edges=np.zeros(shape, np.uint8),
            line=np.zeros((MODEL, width + 1), np.float32),
            kinds=np.zeros(width + 1, np.uint8),
            columns=axis(size[0], width),
            rows=axis(size[1], height),
        )


class Refiner:
    """Refines one frame after the other, of one size. Its results are overwritten by the next."""

    def __init__(self, size: Size) -> None:
        width, height = size
        self._size = size
        self._alpha = np.zeros((height, width), np.float32)
        self._foreground = np.zeros((height, width, 3), np.uint8)
        self._grid: Grid | None = None
        self._time: float | None = None

    def refine(self, frame: Frame, matte: Matte) -> Matte:
        """The matte at the frame's size: alpha (H, W) and foreground (H, W, 3), black where alpha is 0."""
        grid = self._grid
        if grid is None or grid.alpha.shape != matte.alpha.shape:
            grid = self._grid = Grid.of(matte.alpha.shape, self._size)
            self._time = None
        self._keep_still(grid, matte, frame.time)
        if matte.guide is None:
            cv2.resize(frame.pixels, grid.guide.shape[1::-1], dst=grid.guide, interpolation=cv2.INTER_AREA)
        _fit_models(grid, grid.guide if matte.guide is None else matte.guide)
        enlarge(
            constant(frame.pixels), grid.cells, grid.model, grid.columns, grid.rows,
            grid.line, grid.kinds, STRETCH, self._alpha, self._foreground,
        )  # fmt: skip
        return Matte(self._alpha, self._foreground)

    def forget(self) -> None:
        """Drop the memory of earlier frames."""
        self._time = None

    def _keep_still(self, grid: Grid, matte: Matte, time: float) -> None:
        if self._time is None:
            grid.alpha[:] = matte.alpha
        else:
            steady(matte.alpha, max(0.0, time - self._time), grid.alpha)
        self._time = time


def _fit_models(grid: Grid, guide: Pixels) -> None:
    moments(constant(guide), grid.alpha, grid.moments)
    for plane, mean in zip(grid.moments, grid.means, strict=True):
        cv2.blur(plane, WINDOW, dst=mean)
    solve(grid.means, EPSILON, grid.cells, grid.model)
    for plane in grid.model[:4]:
        cv2.blur(plane, WINDOW, dst=grid.smooth)
        plane[:] = grid.smooth
    # A model smoothed over its neighbours reaches as far as they do.
    np.equal(grid.cells, EDGE, out=grid.edges, casting="unsafe")
    cv2.dilate(grid.edges, NEIGHBOURS, dst=grid.edges)
    np.putmask(grid.cells, grid.edges.view(np.bool_), EDGE)
