from collections.abc import Callable

import numpy as np
import pytest
import webcams
from metrics import Alpha, Pixels
from numpy.random import Generator, default_rng
from webcams import CAMERAS, LINEAR, Camera

MAKES = [pytest.param(make, id=name) for name, make in CAMERAS.items()]
SEEDS = range(8)


def scene() -> tuple[Pixels, Alpha]:
    """A person of skin colour over a green background with fine lines."""
    image = np.full((96, 128, 3), (90, 150, 110), np.uint8)
    image[::4] = 40
    image[30:, 40:90] = (120, 150, 210)
    alpha = np.zeros((96, 128), np.float32)
    alpha[30:, 40:90] = 1
    return image, alpha


def shoot(make: Callable[[Generator], Camera], seed: int) -> Pixels:
    image, alpha = scene()
    return make(default_rng(seed))(LINEAR[image], alpha)


def mean(image: Pixels, mask: Alpha) -> float:
    return float(image[mask > 0.5].mean())


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("seed", SEEDS)
def test_each_frame_has_new_noise(make: Callable[[Generator], Camera], seed: int) -> None:
    image, alpha = scene()
    camera = make(default_rng(seed))
    first, second = (camera(LINEAR[image], alpha) for _ in range(2))
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)
    assert np.array_equal(first, shoot(make, seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_good_webcam_keeps_the_scene(seed: int) -> None:
    recorded, expected = shoot(webcams.good, seed).astype(int), scene()[0].astype(int)
    assert np.abs(recorded - expected).mean() < 8  # JPEG smears the colours of the fine lines


@pytest.mark.parametrize("seed", SEEDS)
def test_dark_webcam_is_dim_and_noisy(seed: int) -> None:
    dim, clear = shoot(webcams.dark, seed), shoot(webcams.good, seed)
    assert dim.mean() < 0.8 * clear.mean()
    plain = np.s_[40:90, 50:80]
    assert dim[plain].std(axis=(0, 1)).mean() > 2 * clear[plain].std(axis=(0, 1)).mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_backlight_brightens_only_the_background(seed: int) -> None:
    _, person = scene()
    lit, clear = shoot(webcams.backlit, seed), shoot(webcams.good, seed)
    assert mean(lit, person) < mean(clear, person)
    assert mean(lit, 1 - person) > mean(clear, 1 - person)


@pytest.mark.parametrize("seed", SEEDS)
def test_tint_shifts_red_against_blue(seed: int) -> None:
    blue, _, red = shoot(webcams.tinted, seed).mean(axis=(0, 1))
    plain_blue, _, plain_red = shoot(webcams.good, seed).mean(axis=(0, 1))
    assert abs(np.log((red / blue) / (plain_red / plain_blue))) > 0.25


@pytest.mark.parametrize("make", [webcams.coarse, webcams.soft])
@pytest.mark.parametrize("seed", SEEDS)
def test_coarse_and_soft_webcams_lose_fine_lines(make: Callable[[Generator], Camera], seed: int) -> None:
    lost, kept = (shoot(each, seed)[:24].mean(axis=(1, 2)).std() for each in (make, webcams.good))
    assert lost < 0.7 * kept
