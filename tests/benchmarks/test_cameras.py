from collections.abc import Callable

import cameras
import numpy as np
import pytest
from cameras import CAMERAS, LINEAR, Camera
from metrics import Alpha, Pixels
from numpy.random import Generator, default_rng

MAKES = [pytest.param(make, id=name) for name, make in CAMERAS.items()]
SEEDS = range(8)


def scene() -> tuple[Pixels, Alpha]:
    """A person of skin's colour before a green room with a fine grid."""
    picture = np.full((96, 128, 3), (90, 150, 110), np.uint8)
    picture[::4] = 40
    picture[30:, 40:90] = (120, 150, 210)
    alpha = np.zeros((96, 128), np.float32)
    alpha[30:, 40:90] = 1
    return picture, alpha


def taken(make: Callable[[Generator], Camera], seed: int) -> Pixels:
    picture, alpha = scene()
    return make(default_rng(seed))(LINEAR[picture], alpha)


def mean(picture: Pixels, where: Alpha) -> float:
    return float(picture[where > 0.5].mean())


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_camera_gives_a_frame_of_its_own_noise(make: Callable[[Generator], Camera], seed: int) -> None:
    picture, alpha = scene()
    camera = make(default_rng(seed))
    first, second = (camera(LINEAR[picture], alpha) for _ in range(2))
    assert first.shape == picture.shape
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)
    assert np.array_equal(first, taken(make, seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_camera_shows_what_is_there(seed: int) -> None:
    shown, there = taken(cameras.good, seed).astype(int), scene()[0].astype(int)
    assert np.abs(shown - there).mean() < 8  # the grid's colours are smeared by JPEG


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_dark_pictures_are_dim_and_noisy(seed: int) -> None:
    dim, clear = taken(cameras.dark, seed), taken(cameras.good, seed)
    assert dim.mean() < 0.8 * clear.mean()
    plain = np.s_[40:90, 50:80]
    assert dim[plain].std(axis=(0, 1)).mean() > 2 * clear[plain].std(axis=(0, 1)).mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_backlight_is_the_rooms_alone(seed: int) -> None:
    _, person = scene()
    lit, clear = taken(cameras.backlit, seed), taken(cameras.good, seed)
    assert mean(lit, person) < mean(clear, person)
    assert mean(lit, 1 - person) > mean(clear, 1 - person)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tint_turns_red_against_blue(seed: int) -> None:
    blue, _, red = taken(cameras.tinted, seed).mean(axis=(0, 1))
    plain_blue, _, plain_red = taken(cameras.good, seed).mean(axis=(0, 1))
    assert abs(np.log((red / blue) / (plain_red / plain_blue))) > 0.25


@pytest.mark.parametrize("make", [cameras.coarse, cameras.soft])
@pytest.mark.parametrize("seed", SEEDS)
def test_coarse_and_soft_cameras_lose_the_fine_grid(make: Callable[[Generator], Camera], seed: int) -> None:
    lost, kept = (taken(each, seed)[:24].mean(axis=(1, 2)).std() for each in (make, cameras.good))
    assert lost < 0.7 * kept
