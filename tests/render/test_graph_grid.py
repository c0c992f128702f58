"""Each step on the grid gives the kernel's numbers."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import onnxruntime
import pytest

from realtime_matte.models.engine import AlphaLimit
from realtime_matte.models.onnx_tensors import Tensor
from realtime_matte.models.onnx_writer import GraphWriter
from realtime_matte.render.graph_grid import filtered, fitted, limited
from realtime_matte.render.guided_filter import ANCHOR_NOISE, HARMLESS_NOISE, NOISE_WEIGHT, GuidedFilter
from realtime_matte.render.temporal import TIME_CONSTANT_S, filter_alpha

SHAPE = 32, 48


def computed(formula: Callable[..., list[Tensor]], **arrays: np.ndarray) -> list[np.ndarray]:
    """The results of a formula for these inputs."""
    writer = GraphWriter()
    results = formula(**{name: Tensor(writer, writer.input(name, np.float32, a.shape)) for name, a in arrays.items()})
    for index, result in enumerate(results):
        writer.output(f"result_{index}", result.name, np.float32, ())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it reports that the shapes of the outputs are not declared
    session = onnxruntime.InferenceSession(writer.model(), options, providers=["CPUExecutionProvider"])
    inputs: Mapping[str, np.ndarray] = {name: array.astype(np.float32) for name, array in arrays.items()}
    return [np.asarray(result) for result in session.run(None, inputs)]


def smooth(seed: int, *, channels: int = 1, blur: float = 2.0) -> np.ndarray:
    """Random values in [0, 1] that change slowly, (h, w) or (h, w, channels)."""
    values = np.random.default_rng(seed).random((*SHAPE, channels)).astype(np.float32)
    blurred = cv2.GaussianBlur(values, (0, 0), blur)
    scaled: np.ndarray = cv2.normalize(blurred, None, 0, 1, cv2.NORM_MINMAX)
    return scaled


def alphas(seed: int) -> np.ndarray:
    """Alpha that is 0 and 1 in large parts."""
    steep: np.ndarray = np.clip(8 * (smooth(seed, blur=6.0) - 0.5) + 0.5, 0, 1).astype(np.float32)
    return steep


def planes(image: np.ndarray) -> np.ndarray:
    """(h, w) or (h, w, channels) as (1, channels, h, w)."""
    return np.atleast_3d(image).transpose(2, 0, 1)[None]


@pytest.mark.parametrize("noise", [0.0, ANCHOR_NOISE / 2, 3 * ANCHOR_NOISE])
def test_models_and_colours_are_those_of_the_guided_filter(noise: float) -> None:
    """On an image of little contrast, where regularisation and noise change the models most."""
    guide = (100 + 20 * smooth(1, channels=3)).astype(np.uint8)
    alpha = alphas(2)
    *rows, near, _, mean = GuidedFilter(SHAPE).fit(guide, alpha, noise=noise + HARMLESS_NOISE)
    linear, colours = (values.transpose(0, 2, 1) for values in rows)  # from (h, numbers, w)

    def formula(guide: Tensor, alpha: Tensor, epsilon: Tensor, anchored: Tensor) -> list[Tensor]:
        return list(fitted(guide, alpha, epsilon=epsilon, anchored=anchored))

    controls = {
        "epsilon": np.array([NOISE_WEIGHT * noise]), "anchored": np.array([noise**2 / (noise**2 + ANCHOR_NOISE**2)])
    }  # fmt: skip
    models, both = computed(formula, guide=planes(guide), alpha=planes(alpha), **controls)
    edge = (near > 0) & (mean > 0.01) & (mean < 0.99)
    assert edge.sum() > 200
    places = np.nonzero(edge)
    usual = np.abs(linear[places]).mean(axis=0)
    np.testing.assert_allclose(models[0][:, *places].T / usual, linear[places] / usual, atol=0.01)
    np.testing.assert_allclose(both[0][:, *places].T, colours[places], atol=0.05)


def test_alpha_away_from_edges_is_0_or_1_for_any_colour() -> None:
    alpha = np.zeros(SHAPE, np.float32)
    alpha[:, 24:] = 1
    zero = {"epsilon": np.zeros(1), "anchored": np.zeros(1)}

    def formula(guide: Tensor, alpha: Tensor, epsilon: Tensor, anchored: Tensor) -> list[Tensor]:
        return [fitted(guide, alpha, epsilon=epsilon, anchored=anchored)[0]]

    guide = np.random.default_rng(3).integers(0, 256, (*SHAPE, 3))
    (models,) = computed(formula, guide=planes(guide), alpha=planes(alpha), **zero)
    *gains, constant = models[0]
    assert not np.any(np.stack(gains)[:, :, [*range(18), *range(30, 48)]])
    assert (constant[:, :18] < 0).all()
    assert (constant[:, 30:] > 1).all()


@pytest.mark.parametrize("elapsed_s", [0.0, 0.033, 0.5])
def test_alpha_is_filtered_over_time_as_by_the_kernel(elapsed_s: float) -> None:
    new, kept = smooth(4), smooth(5)
    weight = np.array([1 - np.exp(-elapsed_s / TIME_CONSTANT_S)])
    (actual,) = computed(
        lambda alpha, before, weight: [filtered(alpha, before, weight)],
        alpha=planes(new), before=planes(kept), weight=weight,
    )  # fmt: skip
    filter_alpha(np.ascontiguousarray(new.reshape(SHAPE)), elapsed_s, expected := kept.reshape(SHAPE).copy())
    np.testing.assert_allclose(actual[0, 0], expected, atol=1e-6)


def test_the_fine_alpha_is_limited_by_the_base_alpha_as_by_the_engine() -> None:
    base, fine = alphas(6), cv2.resize(smooth(7), (96, 64), interpolation=cv2.INTER_LINEAR)
    (actual,) = computed(lambda fine, base: [limited(fine, base, (96, 64))], fine=planes(fine), base=planes(base))
    limit = AlphaLimit(SHAPE, fine.shape)
    limit.apply(expected := fine.copy(), np.ascontiguousarray(base.reshape(SHAPE)))
    assert (expected != fine).mean() > 0.1
    np.testing.assert_allclose(actual[0, 0], expected, atol=1e-5)
