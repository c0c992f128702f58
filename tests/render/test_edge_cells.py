"""Which cells are near an edge: as OpenCV's filters find them, and in which runs they are."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte.render.edge_cells import HALO, LANES, EdgeCells, Runs, aligned_floats

FLAT = 0.002


def alpha_of(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Certain nearly everywhere, with a few soft blobs, some of them at the borders."""
    random = np.random.default_rng(shape[0])
    blobs = cv2.resize(random.random((4, 5), np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(blobs * 12 - 5, 0, 1).astype(np.float32)


def cells_of(runs: Runs, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w), True in the runs."""
    counts, ends = runs
    inside = np.zeros(shape, bool)
    for y in range(shape[0]):
        for run in range(counts[y]):
            first, end = int(ends[y, 2 * run]), int(ends[y, 2 * run + 1])
            assert first < end <= shape[1]
            assert first % LANES == 0
            assert end % LANES == 0 or end == shape[1]
            assert not inside[y, first:end].any()
            inside[y, first:end] = True
    return inside


@pytest.mark.parametrize("shape", [(160, 288), (40, 100), (9, 33), (5, 16), (3, 5)])
def test_cells_near_edges_are_those_of_opencv(shape: tuple[int, int]) -> None:
    alpha, cells = alpha_of(shape), EdgeCells(shape, flat=FLAT)
    for _ in range(2):  # nothing of the frame before is left
        cells.find(np.ones(shape, np.float32))
        cells.find(alpha)
    mean = cv2.blur(alpha, (5, 5))
    np.testing.assert_allclose(cells.mean, mean, atol=1e-6)
    uneven = cv2.inRange(cells.mean, FLAT, 1 - FLAT)
    near = cv2.dilate(uneven, np.ones((7, 7), np.uint8))
    wide = cv2.dilate(near, np.ones((5, 5), np.uint8))
    np.testing.assert_array_equal(cells.uneven[:, : shape[1]], uneven)
    np.testing.assert_array_equal(cells.near[:, : shape[1]], near)
    for runs, marked in ((cells.near_runs, near), (cells.wide_runs, wide)):
        inside = cells_of(runs, shape)
        assert inside[marked != 0].all()
        starts = np.arange(0, shape[1], LANES)
        blocks = np.add.reduceat(marked != 0, starts, axis=1) > 0
        np.testing.assert_array_equal(inside[:, starts], blocks)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_certain_alpha_has_no_cells_near_an_edge(alpha: float) -> None:
    cells = EdgeCells((9, 40), flat=FLAT)
    cells.find(np.full((9, 40), alpha, np.float32))
    assert not cells.near.any()
    assert not cells.near_runs[0].any()
    assert not cells.wide_runs[0].any()


def test_scratch_begins_at_a_cache_line() -> None:
    for shape in ((1,), (5, 13, 320), (3, 7)):
        floats = aligned_floats(*shape)
        assert floats.shape == shape
        assert floats.ctypes.data % (4 * HALO) == 0
        assert floats.flags.c_contiguous
