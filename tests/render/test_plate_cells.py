"""Cells that are certain, by the thresholds, dilations and the erosion of OpenCV."""

import cv2
import numpy as np
import pytest

from realtime_matte.render.jit import read_only
from realtime_matte.render.plate_cells import PlateCells


@pytest.mark.parametrize("shape", [(36, 64), (5, 7), (1, 1), (2, 33), (40, 16)])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_cells_are_those_of_opencv(shape: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.random((-(-shape[0] // 4), -(-shape[1] // 4)), np.float32)
    alpha = np.clip(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) * 5 - 2, 0, 1)
    people = np.float32(random.random(shape) > 0.98)
    cells = PlateCells(shape)
    for near in (alpha, np.maximum(alpha, people)):
        cells.find(read_only(alpha), None if near is alpha else people)
        expected = cv2.dilate(cv2.inRange(near, 0.02, 2), np.ones((3, 3), np.uint8))
        np.testing.assert_array_equal(cells.near, expected)
        expected = cv2.erode(cv2.inRange(alpha, 0.95, 2), np.ones((3, 3), np.uint8))
        np.testing.assert_array_equal(cells.foreground, expected)
        expected = cv2.dilate(cv2.inRange(alpha, 0.03, 0.97), np.ones((5, 5), np.uint8))
        np.testing.assert_array_equal(cells.edge, expected)
