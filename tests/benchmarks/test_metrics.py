import math
from itertools import pairwise

import metrics
import numpy as np
import pytest
from metrics import Alpha

SHAPE = (360, 640)


def alpha_of(shape: tuple[int, int], *boxes: tuple[int, int, int, int, float]) -> Alpha:
    """Zeros with boxes of (top, bottom, left, right, value)."""
    alpha = np.zeros(shape, np.float32)
    for top, bottom, left, right, value in boxes:
        alpha[top:bottom, left:right] = value
    return alpha


def cloud(seed: int) -> tuple[Alpha, Alpha]:
    """A soft alpha of many components, and a shifted, noisy estimate of it, both spanning 0 to 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:90, :160].astype(np.float32)
    waves = sum(np.sin(rng.uniform(0.03, 0.2) * x + rng.uniform(0.03, 0.2) * y + phase) for phase in range(5))
    truth = np.clip(waves * 0.7 + 0.5, 0, 1).astype(np.float32)
    estimate = np.roll(truth, 2, axis=1) * 0.9 + rng.normal(0.03, 0.05, truth.shape)
    return np.clip(estimate, 0, 1).astype(np.float32), truth


@pytest.mark.parametrize("figure", ["iou", "boundary_f", "boundary_f_2px"])
def test_truth_scores_one(figure: str) -> None:
    truth = cloud(0)[1]
    assert metrics.score_frame(truth, truth)[figure] == 1


@pytest.mark.parametrize("figure", ["mad", "mse", "grad", "conn"])
def test_truth_has_no_error(figure: str) -> None:
    truth = cloud(0)[1]
    assert metrics.score_frame(truth, truth)[figure] == pytest.approx(0, abs=1e-9)


def test_iou_counts_pixels_at_one_half() -> None:
    truth = alpha_of(SHAPE, (0, 10, 0, 10, 1.0))
    assert metrics.iou(alpha_of(SHAPE, (0, 10, 5, 15, 0.5)), truth) == pytest.approx(50 / 150)
    assert metrics.iou(alpha_of(SHAPE, (0, 10, 0, 10, 0.49)), truth) == 0


def test_empty_alpha_of_an_empty_truth_scores_one() -> None:
    empty = alpha_of(SHAPE)
    assert metrics.iou(empty, empty) == metrics.boundary_f(empty, empty, tolerance_px=2) == 1


def test_person_found_in_an_empty_truth_scores_zero() -> None:
    empty, person = alpha_of(SHAPE), alpha_of(SHAPE, (0, 10, 0, 10, 1.0))
    assert metrics.iou(person, empty) == metrics.boundary_f(person, empty, tolerance_px=2) == 0


def test_boundary_f_accepts_its_tolerance() -> None:
    truth, shifted = alpha_of(SHAPE, (0, 360, 0, 100, 1.0)), alpha_of(SHAPE, (0, 360, 0, 103, 1.0))
    assert metrics.boundary_f(shifted, truth, tolerance_px=3) == 1
    assert metrics.boundary_f(shifted, truth, tolerance_px=2) == 0


def test_boundary_f_is_the_harmonic_mean_of_precision_and_recall() -> None:
    truth = alpha_of(SHAPE, (0, 360, 0, 100, 1.0))
    twice = alpha_of(SHAPE, (0, 360, 0, 100, 1.0), (0, 360, 300, 640, 1.0))  # the true contour, and one as long
    assert metrics.boundary_f(twice, truth, tolerance_px=2) == pytest.approx(2 * 0.5 * 1 / 1.5)


def test_davis_tolerance_is_six_pixels_at_640x360() -> None:
    assert metrics.davis_tolerance(alpha_of(SHAPE)) == 6


def test_mad_and_mse_are_in_thousandths() -> None:
    truth, estimate = alpha_of(SHAPE), alpha_of(SHAPE, (0, 180, 0, 640, 0.2))
    assert metrics.mad(estimate, truth) == pytest.approx(100)
    assert metrics.mse(estimate, truth) == pytest.approx(20)


def test_grad_measures_gradients_not_levels() -> None:
    flat = alpha_of(SHAPE, (0, 360, 0, 640, 0.7))
    assert metrics.grad(flat, alpha_of(SHAPE)) == pytest.approx(0, abs=1e-6)
    edge = alpha_of(SHAPE, (0, 360, 0, 320, 1.0))
    assert metrics.grad(edge, alpha_of(SHAPE)) > 1


def test_conn_counts_a_separate_component_above_theta() -> None:
    truth = alpha_of(SHAPE, (100, 300, 100, 300, 1.0))
    separate = alpha_of(SHAPE, (100, 300, 100, 300, 1.0), (10, 30, 10, 60, 1.0))
    faint = alpha_of(SHAPE, (100, 300, 100, 300, 1.0), (10, 30, 10, 60, 0.14))
    assert metrics.conn(separate, truth) == pytest.approx(20 * 50 / 1000)
    assert metrics.conn(faint, truth) == 0


def test_conn_counts_both_alphas_where_a_bridge_is_lost() -> None:
    bridged = alpha_of((50, 90), (10, 40, 5, 35, 1.0), (20, 22, 35, 55, 1.0), (10, 30, 55, 75, 1.0))
    broken = alpha_of((50, 90), (10, 40, 5, 35, 1.0), (10, 30, 55, 75, 1.0))
    assert metrics.conn(broken, bridged) == pytest.approx(
        2 * 20 / 1000
    )  # the bridge only: the lost component is at the same distance in both


def test_dtssd_ignores_a_steady_error_and_counts_flicker() -> None:
    truth, steady, flicker = (
        alpha_of(SHAPE),
        alpha_of(SHAPE, (0, 360, 0, 640, 0.3)),
        alpha_of(SHAPE, (0, 360, 0, 640, 0.4)),
    )
    assert metrics.dtssd(steady, steady, truth, truth) == 0
    assert metrics.dtssd(flicker, steady, truth, truth) == pytest.approx(10, rel=1e-5)


def test_dtssd_counts_lag() -> None:
    before, after = alpha_of(SHAPE, (0, 360, 0, 100, 1.0)), alpha_of(SHAPE, (0, 360, 0, 164, 1.0))
    assert metrics.dtssd(before, before, after, before) == pytest.approx(100 * math.sqrt(64 / 640))


def test_clip_averages_its_frames_and_steps() -> None:
    truth, off = alpha_of(SHAPE), alpha_of(SHAPE, (0, 360, 0, 640, 0.3))
    scores = metrics.score_clip([truth, off, off], [truth] * 3)
    assert scores["mad"] == pytest.approx(200, rel=1e-5)
    assert scores["dtssd"] == pytest.approx(30 / 2, rel=1e-5)
    assert tuple(scores) == metrics.FIGURES


def test_still_has_no_dtssd_and_is_left_out_of_averages() -> None:
    truth = alpha_of(SHAPE)
    still = metrics.score_clip([truth], [truth])
    assert math.isnan(still["dtssd"])
    assert metrics.mean([still, still | {"dtssd": 4.0}])["dtssd"] == 4


def test_alphas_and_truths_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="1 alphas for 2 frames"):
        metrics.score_clip([alpha_of(SHAPE)], [alpha_of(SHAPE)] * 2)


def test_alpha_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="256x144 float32 for a frame of 640x360; return float32 of the frame's size"):
        metrics.score_clip([alpha_of((144, 256))], [alpha_of(SHAPE)])


def test_alpha_of_another_dtype_is_refused() -> None:
    with pytest.raises(ValueError, match="640x360 uint8 for a frame of 640x360; return float32 of the frame's size"):
        metrics.score_clip([np.zeros(SHAPE, np.uint8)], [alpha_of(SHAPE)])  # type: ignore[list-item]


@pytest.mark.parametrize("seed", range(4))
def test_mse_agrees_with_scikit_image(seed: int) -> None:
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    estimate, truth = cloud(seed)
    assert metrics.mse(estimate, truth) == pytest.approx(1000 * skimage.mean_squared_error(truth, estimate), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_grad_agrees_with_scipy(seed: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    estimate, truth = cloud(seed)

    def gradients(alpha: Alpha) -> np.ndarray:
        kernels = [ndimage.gaussian_filter1d(np.eye(1, 9, 4)[0], 1.4, order=order, radius=4) for order in (0, 1)]
        unit = np.linalg.norm(kernels[0]) * np.linalg.norm(kernels[1])
        wide = alpha.astype(np.float64)
        magnitude: np.ndarray = ndimage.gaussian_gradient_magnitude(wide, 1.4, mode="nearest", radius=4)
        return magnitude / unit

    expected = ((gradients(estimate) - gradients(truth)) ** 2).sum() / 1000
    assert metrics.grad(estimate, truth) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_conn_agrees_with_scikit_image(seed: int) -> None:
    measure = pytest.importorskip("skimage.measure", reason="scikit-image is not installed")
    estimate, truth = cloud(seed)
    levels = np.arange(11) / 10
    fit, level = [np.ones(truth.shape, bool)], np.full(truth.shape, 1.0)
    for threshold in levels[1:]:
        components = measure.label((estimate >= threshold) & (truth >= threshold), connectivity=1)
        sizes = np.bincount(components.ravel(), minlength=2)
        fit.append(components == 1 + sizes[1:].argmax())
    for (still, lost), last in zip(pairwise(fit), levels, strict=False):
        level[still & ~lost & (level == 1)] = last  # the first loss counts
    distances = [np.where(alpha - level >= 0.15, alpha - level, 0) for alpha in (estimate, truth)]
    assert metrics.conn(estimate, truth) == pytest.approx(np.abs(distances[0] - distances[1]).sum() / 1000, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tolerance", [2, 6])
def test_boundary_f_agrees_with_distances_of_scipy(seed: int, tolerance: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    lines = []
    for alpha in cloud(seed):
        mask = alpha >= 0.5
        highest = ndimage.maximum_filter(mask, (2, 2), origin=(-1, -1), mode="nearest")
        lines.append(highest != ndimage.minimum_filter(mask, (2, 2), origin=(-1, -1), mode="nearest"))
    distances = [ndimage.distance_transform_edt(~line) for line in lines]
    precision, recall = (distances[1][lines[0]] <= tolerance).mean(), (distances[0][lines[1]] <= tolerance).mean()
    expected = 2 * precision * recall / (precision + recall)
    assert metrics.boundary_f(*cloud(seed), tolerance_px=tolerance) == pytest.approx(expected)
