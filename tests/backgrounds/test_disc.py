"""Means over a disc: the same by spectra as cell by cell."""

import cv2
import numpy as np
import pytest

from realtime_matte.backgrounds import _disc
from realtime_matte.backgrounds._disc import MAX_DIRECT, Floats

TOLERANCE = 1e-6
"""Rounding of float32, of images up to 1."""


def averaged(radius: float, colors: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Both averaged. The buffers have been used before."""
    disc = _disc.open(radius, weights.shape)
    out = np.full_like(colors, np.nan), np.full_like(weights, np.nan)
    disc.average(1 - colors, 1 - weights, out)
    disc.average(colors, weights, out)
    return out


@pytest.mark.parametrize("radius", [0.4, 3, 5.1, 9, 13.5])
@pytest.mark.parametrize("shape", [(90, 160), (31, 17), (1, 1), (3, 40)])
def test_it_is_the_mean_over_the_disc_with_the_border_repeated(radius: float, shape: tuple[int, int]) -> None:
    colors, weights = np.split(np.random.default_rng(0).random((*shape, 4), np.float32), [3], axis=2)
    averages = averaged(radius, np.ascontiguousarray(colors), np.ascontiguousarray(weights[..., 0]))
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    padded = np.pad(np.dstack([colors, weights]), ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, disc.shape, axis=(0, 1))
    expected = np.einsum("hwcyx,yx->hwc", windows, disc / disc.sum())
    np.testing.assert_allclose(np.dstack(averages), expected, atol=TOLERANCE)


def test_a_point_becomes_a_disc() -> None:
    weights = np.zeros((61, 61), np.float32)
    weights[20, 33] = 1
    _, average = averaged(MAX_DIRECT, np.dstack([weights] * 3), weights)
    area = np.count_nonzero(average > average.max() / 2)
    assert cv2.minEnclosingCircle(np.argwhere(average > average.max() / 2).astype(np.float32))[0] == (20, 33)
    assert area == pytest.approx(np.pi * MAX_DIRECT**2, rel=0.05)
