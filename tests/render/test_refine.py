"""The refiner: exact where there is no edge, on the picture's edge where there is one, steady without lag."""

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Frame, Matte
from realtime_matte.render.refine import Refiner
from realtime_matte.render.temporal import MOVEMENT, SETTLE_S, steady

WIDTH, HEIGHT = 320, 180


def frame_of(pixels: np.ndarray, time: float = 0.0) -> Frame:
    return Frame(np.ascontiguousarray(pixels), time, 0)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 9), (180, 320), (641, 363), (4096, 2160)])
@pytest.mark.parametrize("grid", [(16, 16), (144, 256), (1, 1)])
def test_nobody_leaves_no_pixel_of_the_room(size: tuple[int, int], grid: tuple[int, int]) -> None:
    width, height = size
    refined = Refiner(size).refine(frame_of(noise(height, width)), Matte(np.zeros(grid, np.float32)))
    assert refined.alpha.shape == (height, width)
    assert not refined.alpha.any()
    assert refined.foreground is not None
    assert not refined.foreground.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 9), (180, 320), (641, 363)])
def test_a_person_everywhere_is_the_frame_itself(size: tuple[int, int]) -> None:
    width, height = size
    pixels = noise(height, width)
    refined = Refiner(size).refine(frame_of(pixels), Matte(np.ones((16, 32), np.float32)))
    assert (refined.alpha == 1).all()
    assert np.array_equal(refined.foreground, pixels)


def disc(centre: tuple[int, int], radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
    cv2.circle(mask, (centre[0] * 4, centre[1] * 4), radius * 4, 255, -1)
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def over(alpha: np.ndarray, person: tuple[int, int, int], room: tuple[int, int, int]) -> np.ndarray:
    colours = alpha[..., None] * np.array(person) + (1 - alpha[..., None]) * np.array(room)
    return (colours + 0.5).astype(np.uint8)


def test_alpha_follows_the_edge_of_the_picture() -> None:
    truth = disc((160, 90), 60)
    coarse = cv2.resize(truth, (64, 36), interpolation=cv2.INTER_AREA)
    picture = over(truth, (40, 60, 200), (200, 180, 60))
    refined = Refiner((WIDTH, HEIGHT)).refine(frame_of(picture), Matte(coarse)).alpha
    plain = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    assert np.abs(refined - truth).mean() < 0.35 * np.abs(plain - truth).mean()


def test_the_foreground_holds_nothing_of_the_old_room() -> None:
    truth = cv2.GaussianBlur(disc((160, 90), 60), (0, 0), 2)
    person, room = (40, 60, 200), (60, 220, 60)
    coarse = cv2.resize(truth, (80, 45), interpolation=cv2.INTER_AREA)
    refined = Refiner((WIDTH, HEIGHT)).refine(frame_of(over(truth, person, room)), Matte(coarse))
    assert refined.foreground is not None
    hair = (refined.alpha > 0.3) & (refined.alpha < 0.7)
    assert hair.sum() > 500
    spill = np.abs(refined.foreground[hair].astype(int) - person).mean()
    untouched = np.abs(over(truth, person, room)[hair].astype(int) - person).mean()
    assert spill < 0.4 * untouched


def test_a_guide_of_the_network_is_used_as_it_is() -> None:
    truth = disc((160, 90), 60)
    picture = over(truth, (40, 60, 200), (200, 180, 60))
    coarse = cv2.resize(truth, (64, 36), interpolation=cv2.INTER_AREA)
    guide = cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA)
    own = Refiner((WIDTH, HEIGHT)).refine(frame_of(picture), Matte(coarse)).alpha
    given = Refiner((WIDTH, HEIGHT)).refine(frame_of(picture), Matte(coarse, guide=guide)).alpha
    assert np.array_equal(own, given)


def test_a_large_change_is_followed_at_once() -> None:
    kept = np.zeros((2, 2), np.float32)
    steady(np.full((2, 2), MOVEMENT, np.float32), 1 / 30, kept)
    assert kept == pytest.approx(MOVEMENT)


def test_a_small_change_settles_in_seconds_not_in_frames() -> None:
    few, many = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)
    target = np.full((1, 1), 0.001, np.float32)
    steady(target, SETTLE_S, few)
    for _ in range(8):
        steady(target, SETTLE_S / 8, many)
    assert few == pytest.approx(many, rel=0.01)
    assert few == pytest.approx(0.001 * (1 - np.exp(-1)), rel=0.01)


def test_flicker_of_a_resting_edge_is_damped() -> None:
    random = np.random.default_rng(1)
    kept = np.full((50, 50), 0.5, np.float32)
    steps = []
    for _ in range(30):
        before = kept.copy()
        steady((0.5 + random.normal(0, 0.02, (50, 50))).astype(np.float32), 1 / 30, kept)
        steps.append(np.abs(kept - before).mean())
    # Independent noise of sigma 0.02 jumps by 0.0226 a frame on the mean.
    assert np.mean(steps) < 0.5 * 0.0226


def test_forgetting_drops_every_earlier_alpha() -> None:
    refiner = Refiner((WIDTH, HEIGHT))
    picture = noise(HEIGHT, WIDTH)
    faint = np.full((36, 64), 0.1, np.float32)
    fresh = Refiner((WIDTH, HEIGHT)).refine(frame_of(picture), Matte(np.zeros((36, 64), np.float32))).alpha.copy()
    refiner.refine(frame_of(picture, 0.0), Matte(faint))
    refiner.reset()
    assert np.array_equal(refiner.refine(frame_of(picture, 0.03), Matte(np.zeros((36, 64), np.float32))).alpha, fresh)


def test_another_grid_starts_anew() -> None:
    refiner = Refiner((WIDTH, HEIGHT))
    refiner.refine(frame_of(noise(HEIGHT, WIDTH)), Matte(np.ones((36, 64), np.float32)))
    after = refiner.refine(frame_of(noise(HEIGHT, WIDTH), 0.03), Matte(np.zeros((18, 32), np.float32)))
    assert not after.alpha.any()
