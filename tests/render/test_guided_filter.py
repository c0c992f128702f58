"""Models near edges are those of He, Sun and Tang 2013; elsewhere alpha is 0 or 1 for any colour."""

from math import inf

import cv2
import numpy as np
import pytest

from realtime_matte.portrait import sample_portrait
from realtime_matte.render.guided_filter import EPSILON, FLAT, GAIN, RADIUS_CELLS, SHIFT, GuidedFilter

SHAPES = [(90, 160), (16, 16), (33, 7), (144, 256), (40, 100), (1, 9), (4, 1)]


def scene(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The portrait, and a coarse alpha with a soft edge, large even parts and faint noise in both."""
    guide = cv2.resize(sample_portrait(), shape[::-1], interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(y / shape[0] - 0.6, x / shape[1] - 0.45) * min(shape)
    noise = np.random.default_rng(4).uniform(-0.001, 0.001, shape)
    alpha = np.clip(np.clip(0.5 + (0.3 * min(shape) - distance) / 4, 0, 1) + noise, 0, 1)
    return guide, alpha.astype(np.float32)


def everywhere(guide: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The models of every cell, in double precision, by solving the equations of each window."""
    colour, a = guide / 255.0, alpha.astype(np.float64)[..., None]

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (2 * RADIUS_CELLS + 1, 2 * RADIUS_CELLS + 1)).reshape(values.shape)

    means, alphas, mixed = mean(colour), mean(a), mean(colour * a)
    products = mean((colour[..., :, None] * colour[..., None, :]).reshape(*alpha.shape, 9)).reshape(*alpha.shape, 3, 3)
    covariance = products - means[..., :, None] * means[..., None, :] + np.float64(EPSILON) * np.eye(3)
    gains = GAIN * np.linalg.solve(covariance, (mixed - means * alphas)[..., None])[..., 0]
    constant = GAIN * alphas + SHIFT - (gains * means).sum(axis=2, keepdims=True)
    flat = (alphas < FLAT) | (alphas > 1 - FLAT)
    linear = np.concatenate(
        [np.where(flat, 0, gains / 255), np.where(flat, GAIN * (alphas > 0.5) + SHIFT, constant)], 2
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        foreground, background = mixed / alphas, (means - mixed) / (1 - alphas)
    colours = np.concatenate([np.where(flat, means, foreground), np.where(flat, means, background)], axis=2) * 255
    return mean(linear), colours


def fitted(
    guided_filter: GuidedFilter, guide: np.ndarray, alpha: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Linear models and colours of each cell, (h, w, numbers), which cells are near an edge, and the mean alpha."""
    linear, colours, near, _, mean = guided_filter.fit(guide, alpha)
    return linear.transpose(0, 2, 1), colours.transpose(0, 2, 1), near[:, : alpha.shape[1]], mean


@pytest.mark.parametrize("shape", SHAPES)
def test_models_near_edges_are_those_of_every_window(shape: tuple[int, int]) -> None:
    """Alpha to 1/255 for any colour, to a tenth of it for the cell's own; the two colours to half a level."""
    guide, alpha = scene(shape)
    linear, colours, near, _ = fitted(GuidedFilter(shape), guide, alpha)
    expected_linear, expected_colours = everywhere(guide, alpha)
    near = near != 0
    assert near.any()
    wrong = (linear - expected_linear)[near]
    assert np.abs(wrong[:, :3]).max() * 255 < 1 / 255
    assert np.abs((wrong[:, :3] * guide[near]).sum(axis=1) + wrong[:, 3]).max() < 0.1 / 255
    assert np.abs(colours - expected_colours)[near].max() < 0.5


@pytest.mark.parametrize("shape", [(90, 160), (144, 256)])
def test_nothing_is_computed_where_alpha_is_certain(shape: tuple[int, int]) -> None:
    guide, alpha = scene(shape)
    _, _, near, mean = fitted(GuidedFilter(shape), guide, alpha)
    expected, _ = everywhere(guide, alpha)
    far = near == 0
    assert far.mean() > 0.4
    constant = expected[..., 3][far]
    assert np.abs(expected[..., :3][far]).max() < 1e-12
    assert np.array_equal(constant >= 1, mean[far] > 0.5)
    assert np.array_equal(constant <= 0, mean[far] < 0.5)


def test_models_are_finite_for_any_alpha() -> None:
    random = np.random.default_rng(1)
    guide = random.integers(0, 256, (16, 32, 3), np.uint8)
    for alpha in (np.zeros((16, 32)), np.ones((16, 32)), random.random((16, 32)), random.integers(0, 2, (16, 32))):
        linear, colours, near, _ = fitted(GuidedFilter((16, 32)), guide, alpha.astype(np.float32))
        assert np.abs(linear[near != 0]).max(initial=0) < inf
        assert np.abs(colours[near != 0]).max(initial=0) < inf
