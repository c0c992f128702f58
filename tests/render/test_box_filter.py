"""The mean over windows is that of OpenCV, in the cells where it is computed."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.render.box_filter import BoxFilter, find_runs, make_runs


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 13)),
    radius=st.integers(1, 4),
    share=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
    seed=st.integers(0, 99),
)
def test_marked_cells_get_opencvs_mean(shape: tuple[int, int, int], radius: int, share: float, seed: int) -> None:
    height, width = (max(side, radius + 1) for side in shape[:2])  # OpenCV reflects a smaller border several times
    random = np.random.default_rng(seed)
    values = random.random((height, width, shape[2]), np.float32)
    marked = np.where(random.random((height, width)) < share, np.uint8(255), np.uint8(0))
    runs = make_runs(marked.shape)
    find_runs(marked, runs)
    means = BoxFilter(values.shape, radius).average(values, runs)
    expected = cv2.blur(values, (2 * radius + 1, 2 * radius + 1)).reshape(values.shape)
    np.testing.assert_allclose(means[marked != 0], expected[marked != 0], rtol=1e-5, atol=1e-6)
    assert not means[marked == 0].any(), "nothing is computed elsewhere"


def test_runs_are_found_up_to_the_ends_of_a_row() -> None:
    marked = np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], np.uint8)
    counts, ends = runs = make_runs(marked.shape)
    find_runs(marked, runs)
    found = [ends[row, : 2 * count].tolist() for row, count in enumerate(counts)]
    assert found == [[1, 3, 4, 5], [0, 1], [], [0, 5]]
