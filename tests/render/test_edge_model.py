"""The edge model: the likelihood is a tempered normal density; a plate that does not match nearby counts for less."""

import cv2
import numpy as np
import pytest

from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_model import HALO, SAMPLE_VALUES, _likelihood, apply_correction, find_correction

FOREGROUND, BACKGROUND = np.array([60.0, 50, 90]), np.array([150.0, 140, 120])
FOREGROUND_VARIANCE = np.array([100.0, 144, 81])
BACKGROUND_VARIANCE = 20.0


def neighbourhood(*, mismatching: float = 0.0) -> Floats:
    """Averaged samples where half of the cells are foreground and half are visible background."""
    squares = FOREGROUND_VARIANCE + FOREGROUND**2
    values = [0.5, *(0.5 * FOREGROUND), *(0.5 * squares), 0.5, 0.5 * mismatching, 0, 0.5, 0]
    assert len(values) == SAMPLE_VALUES
    return np.array(values, np.float32)


def cell(colour: np.ndarray) -> Bytes:
    """A guide of one cell."""
    return np.round(colour).astype(np.uint8).reshape(1, 1, 3)


def likelihood(colour: np.ndarray, alpha: float) -> float:
    pixel, foreground, background = (
        tuple(np.float32(channel) for channel in values) for values in (colour, FOREGROUND, BACKGROUND)
    )
    variances = tuple(np.float32(channel + 12**2) for channel in FOREGROUND_VARIANCE)
    known = (foreground, variances), (background, np.float32(BACKGROUND_VARIANCE))
    return float(_likelihood(np.float32(alpha), pixel, *known))


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("shade", [0.9, 1.0, 1.1])
def test_the_likelihood_is_the_root_of_a_density_that_has_noise_and_shading(alpha: float, shade: float) -> None:
    """Noise of 4 levels, foreground colours of 12 more, and 5 % of shading along the background's colour."""
    colour = np.round(alpha * FOREGROUND + (1 - alpha) * shade * BACKGROUND)
    residual = colour - alpha * FOREGROUND - (1 - alpha) * BACKGROUND
    diagonal = alpha**2 * (FOREGROUND_VARIANCE + 12**2) + (1 - alpha) ** 2 * BACKGROUND_VARIANCE + 4**2
    covariance = np.diag(diagonal) + (0.05 * (1 - alpha)) ** 2 * np.outer(BACKGROUND, BACKGROUND)
    exponent = -0.5 * residual @ np.linalg.solve(covariance, residual)
    density = np.exp(exponent) / np.sqrt((2 * np.pi) ** 3 * np.linalg.det(covariance))
    assert likelihood(colour, alpha) == pytest.approx(np.sqrt(density), rel=2e-3)  # single precision


def test_a_darker_background_is_likelier_than_one_that_changed_its_hue_as_much() -> None:
    darker = 0.9 * BACKGROUND
    distance = np.linalg.norm(darker - BACKGROUND)
    other_hue = BACKGROUND + distance * np.array([1, -1, 0]) / np.sqrt(2)
    assert likelihood(darker, 0.0) > 3 * likelihood(other_hue, 0.0)


def correction(*, mismatching: float) -> float:
    """What is added to an alpha of 0.5 where the cell shows the plate's background."""
    plate = BACKGROUND.astype(np.float32).reshape(3, 1, 1), np.zeros((1, 1), np.float32), np.ones((1, 1), np.uint8)
    means, one, out = neighbourhood(mismatching=mismatching).reshape(1, 1, -1), np.ones((1, 1), np.uint8), [[np.nan]]
    out, marks = np.array(out, np.float32), np.zeros(8, np.uint8)
    scratch = marks, marks.view(np.uint64)
    find_correction(np.full((1, 1), 0.5, np.float32), cell(BACKGROUND), (one, one), plate, means, scratch, out)
    return float(out[0, 0])


def test_a_cell_that_shows_the_plate_becomes_background() -> None:
    assert correction(mismatching=0) < -0.4


def test_the_more_of_the_visible_background_mismatches_the_less_is_corrected() -> None:
    half, most = correction(mismatching=0.5), correction(mismatching=0.9)
    assert correction(mismatching=0) < 1.5 * half < 0
    assert half < 5 * most <= 0
    assert correction(mismatching=1) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("shape", [(12, 20), (1, 1), (2, 3)])
def test_a_correction_is_averaged_over_nine_cells_and_applied_at_edges_only(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(5)
    alpha, correction = random.random((2, *shape), np.float32)
    edge, out = np.uint8(255 * (random.random(shape) > 0.4)), np.zeros(shape, np.float32)
    apply_correction(alpha, edge, correction, np.zeros(shape[1] + 2 * HALO, np.float32), out)
    expected = np.where(edge > 0, np.clip(alpha + cv2.blur(correction, (3, 3)), 0, 1), alpha)
    np.testing.assert_allclose(out, expected, atol=1e-6)
