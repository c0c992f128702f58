"""The noise estimate, and what the refiner makes of it."""

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.render.guided_filter import HARMLESS_NOISE, GuidedFilter
from realtime_matte.render.noise import MAX_NOISE, NoiseEstimator
from realtime_matte.render.refine import Refiner

SIZE = (320, 180)
GRID = (40, 72)


def scene() -> NDArray[np.float32]:
    """A dark left half, a bright right half, and texture."""
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.float32)
    image[:, SIZE[0] // 2 :] = 150
    image[::3, ::5] += 12
    return image


def noisy(image: NDArray[np.float32], deviation: float, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.clip(np.rint(image + deviation * noise), 0, 255).astype(np.uint8)


def estimate(frames: list[Pixels]) -> float:
    """The standard deviation, 0 .. 255, after frames at 30 a second."""
    estimator = NoiseEstimator((frames[0].shape[1], frames[0].shape[0]))
    for index, pixels in enumerate(frames):
        estimator.update(pixels, index / 30)
    return 255 * float(np.sqrt(estimator.variance))


@pytest.mark.parametrize("deviation", [1.5, 3.0, 6.0, 12.0])
def test_noise_is_found_within_a_tenth(deviation: float) -> None:
    frames = [noisy(scene(), deviation, seed) for seed in range(12)]
    assert estimate(frames) == pytest.approx(deviation, rel=0.1)


def test_a_still_image_has_no_noise() -> None:
    assert estimate([noisy(scene(), 8, 1)] * 5) == 0


def test_motion_in_a_third_of_the_frame_adds_at_most_two_thirds() -> None:
    frames = []
    for seed in range(12):
        image = scene()
        image[:, (7 * seed) % 60 : (7 * seed) % 60 + 100] = 30 + 15 * seed
        frames.append(noisy(image, 5, seed))
    assert 5 <= estimate(frames) < 5 * 5 / 3


def test_one_frame_and_frames_without_time_say_nothing() -> None:
    estimator = NoiseEstimator(SIZE)
    estimator.update(noisy(scene(), 9, 1), 1.0)
    assert estimator.variance == 0
    estimator.update(noisy(scene(), 9, 2), 1.0)
    assert estimator.variance == 0


def test_the_clock_of_another_source_may_be_behind() -> None:
    estimator = NoiseEstimator(SIZE)
    for index, time in enumerate((1e6, 1e6 + 1 / 30, 1e6 + 1, 0.0, 1 / 30, 2 / 30, 0.3, 0.4, 0.6, 0.7)):
        if time == 0.0:
            estimator.reset()
        estimator.update(noisy(scene(), 4 if time > 1e5 else 8, index), time)
    assert sqrt(estimator.variance) * 255 > 4.5


def test_a_cut_is_not_noise() -> None:
    estimator = NoiseEstimator(SIZE)
    estimator.update(noisy(scene(), 4, 1), 0.0)
    estimator.update(noisy(scene(), 4, 2), 1 / 30)
    before = estimator.variance
    estimator.reset()
    estimator.update(255 - noisy(scene(), 4, 3), 2 / 30)
    assert estimator.variance == before


def test_light_that_changes_at_once_is_limited() -> None:
    assert estimate([np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 255, np.uint8)]) == pytest.approx(
        255 * MAX_NOISE
    )


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (641, 361)])
def test_every_size_can_be_sampled(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 80, np.float32)
    assert estimate([noisy(image, 0, seed) for seed in range(3)]) == 0


def edge_models(noise: float) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """(models, guide, alpha) of a slanted edge."""
    x = np.arange(GRID[1], dtype=np.float32) - np.arange(GRID[0], dtype=np.float32)[:, None] / 4
    alpha = np.clip((x - 25) / 6, 0, 1).astype(np.float32)
    guide = np.repeat(np.rint(60 + 120 * alpha)[..., None], 3, axis=2).astype(np.uint8)
    linear, _, near, _, mean = GuidedFilter(GRID).fit(guide, alpha, noise=noise)
    linear, near = linear.transpose(0, 2, 1), near[:, : GRID[1]]
    linear[near == 0, 3] = np.where(mean[near == 0] > 0.5, 1.06, -0.06)  # no model is fitted where alpha is certain
    return linear.copy(), guide, alpha


def test_little_noise_changes_no_bit() -> None:
    assert np.array_equal(edge_models(0)[0], edge_models(HARMLESS_NOISE)[0])


def test_gains_shrink_with_the_noise() -> None:
    gains = [float(np.abs(edge_models((deviation / 255) ** 2)[0][..., :3]).max()) for deviation in (3, 5, 10, 20)]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] < 0.25 * gains[0]


def test_in_much_noise_alpha_is_the_networks() -> None:
    linear, guide, alpha = edge_models(0.05)
    predicted = (linear[..., :3] * guide).sum(axis=2) + linear[..., 3]
    expected = 1.12 * alpha - 0.06
    assert np.abs(predicted - expected)[4:-4, 4:-4].max() < 0.02


def test_refined_alpha_flickers_hardly_more_than_the_networks() -> None:
    image = scene()
    alpha = np.zeros((90, 160), np.float32)
    alpha[:, 80:] = 1
    alpha[:, 78:80] = [0.3, 0.7]
    refiner = Refiner(SIZE)
    seen = []
    for index in range(12):
        frame = Frame(noisy(image, 10, index), index / 30, index)
        seen.append(refiner.refine(frame, Matte(alpha)).alpha.copy())
    changes = [float(np.abs(after - before)[:, 140:180].mean()) for before, after in pairwise(seen)]
    assert changes[0] > 4 * changes[-1], "the first steps, before the noise is known, show that the noise matters"
    assert changes[-1] < 0.01
