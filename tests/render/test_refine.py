"""The refiner: exact where there is no edge, along the frame's edge where there is one, still and without lag."""

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Frame, Matte
from realtime_matte.render.refine import Refiner
from realtime_matte.render.temporal import MOTION, TIME_CONSTANT_S, filter_alpha

WIDTH, HEIGHT = 320, 180


def frame_of(pixels: np.ndarray, time: float = 0.0) -> Frame:
    return Frame(np.ascontiguousarray(pixels), time, 0)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 9), (180, 320), (641, 363), (4096, 2160)])
@pytest.mark.parametrize("grid", [(16, 16), (144, 256), (1, 1)])
def test_without_a_person_no_pixel_of_the_background_is_left(size: tuple[int, int], grid: tuple[int, int]) -> None:
    width, height = size
    refined = Refiner(size).refine(frame_of(noise(height, width)), Matte(np.zeros(grid, np.float32)))
    assert refined.alpha.shape == (height, width)
    assert not refined.alpha.any()
    assert refined.foreground is not None
    assert not refined.foreground.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 9), (180, 320), (641, 363)])
def test_where_all_is_foreground_the_foreground_is_the_frame(size: tuple[int, int]) -> None:
    width, height = size
    pixels = noise(height, width)
    refined = Refiner(size).refine(frame_of(pixels), Matte(np.ones((16, 32), np.float32)))
    assert (refined.alpha == 1).all()
    assert np.array_equal(refined.foreground, pixels)


def disc(centre: tuple[int, int], radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
    cv2.circle(mask, (centre[0] * 4, centre[1] * 4), radius * 4, 255, -1)
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def composited(alpha: np.ndarray, foreground: tuple[int, int, int], background: tuple[int, int, int]) -> np.ndarray:
    colours = alpha[..., None] * np.array(foreground) + (1 - alpha[..., None]) * np.array(background)
    return (colours + 0.5).astype(np.uint8)


def test_alpha_follows_the_edge_in_the_frame() -> None:
    true_alpha = disc((160, 90), 60)
    coarse = cv2.resize(true_alpha, (64, 36), interpolation=cv2.INTER_AREA)
    pixels = composited(true_alpha, (40, 60, 200), (200, 180, 60))
    refined = Refiner((WIDTH, HEIGHT)).refine(frame_of(pixels), Matte(coarse)).alpha
    plain = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    assert np.abs(refined - true_alpha).mean() < 0.35 * np.abs(plain - true_alpha).mean()


def test_the_foreground_is_free_of_the_old_background() -> None:
    true_alpha = cv2.GaussianBlur(disc((160, 90), 60), (0, 0), 2)
    foreground, background = (40, 60, 200), (60, 220, 60)
    coarse = cv2.resize(true_alpha, (80, 45), interpolation=cv2.INTER_AREA)
    refined = Refiner((WIDTH, HEIGHT)).refine(frame_of(composited(true_alpha, foreground, background)), Matte(coarse))
    assert refined.foreground is not None
    hair = (refined.alpha > 0.3) & (refined.alpha < 0.7)
    assert hair.sum() > 500
    spill = np.abs(refined.foreground[hair].astype(int) - foreground).mean()
    untouched = np.abs(composited(true_alpha, foreground, background)[hair].astype(int) - foreground).mean()
    assert spill < 0.4 * untouched


def test_a_guide_from_the_network_is_used() -> None:
    true_alpha = disc((160, 90), 60)
    pixels = composited(true_alpha, (40, 60, 200), (200, 180, 60))
    coarse = cv2.resize(true_alpha, (64, 36), interpolation=cv2.INTER_AREA)
    guide = cv2.resize(pixels, (64, 36), interpolation=cv2.INTER_AREA)
    without_guide = Refiner((WIDTH, HEIGHT)).refine(frame_of(pixels), Matte(coarse)).alpha
    with_guide = Refiner((WIDTH, HEIGHT)).refine(frame_of(pixels), Matte(coarse, guide=guide)).alpha
    assert np.array_equal(without_guide, with_guide)


def test_a_large_change_is_taken_at_once() -> None:
    filtered = np.zeros((2, 2), np.float32)
    filter_alpha(np.full((2, 2), MOTION, np.float32), 1 / 30, filtered)
    assert filtered == pytest.approx(MOTION)


def test_a_small_change_settles_in_seconds_not_in_frames() -> None:
    few, many = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)
    target = np.full((1, 1), 0.001, np.float32)
    filter_alpha(target, TIME_CONSTANT_S, few)
    for _ in range(8):
        filter_alpha(target, TIME_CONSTANT_S / 8, many)
    assert few == pytest.approx(many, rel=0.01)
    assert few == pytest.approx(0.001 * (1 - np.exp(-1)), rel=0.01)


def test_flicker_of_a_resting_edge_is_damped() -> None:
    random = np.random.default_rng(1)
    filtered = np.full((50, 50), 0.5, np.float32)
    steps = []
    for _ in range(30):
        before = filtered.copy()
        filter_alpha((0.5 + random.normal(0, 0.02, (50, 50))).astype(np.float32), 1 / 30, filtered)
        steps.append(np.abs(filtered - before).mean())
    # Independent noise of sigma 0.02 jumps by 0.0226 a frame on average.
    assert np.mean(steps) < 0.5 * 0.0226


def test_reset_drops_every_earlier_alpha() -> None:
    refiner = Refiner((WIDTH, HEIGHT))
    pixels = noise(HEIGHT, WIDTH)
    faint = np.full((36, 64), 0.1, np.float32)
    fresh = Refiner((WIDTH, HEIGHT)).refine(frame_of(pixels), Matte(np.zeros((36, 64), np.float32))).alpha.copy()
    refiner.refine(frame_of(pixels, 0.0), Matte(faint))
    refiner.reset()
    assert np.array_equal(refiner.refine(frame_of(pixels, 0.03), Matte(np.zeros((36, 64), np.float32))).alpha, fresh)


def test_another_grid_starts_again() -> None:
    refiner = Refiner((WIDTH, HEIGHT))
    refiner.refine(frame_of(noise(HEIGHT, WIDTH)), Matte(np.ones((36, 64), np.float32)))
    after = refiner.refine(frame_of(noise(HEIGHT, WIDTH), 0.03), Matte(np.zeros((18, 32), np.float32)))
    assert not after.alpha.any()


def test_the_grid_is_that_of_the_last_alpha() -> None:
    refiner = Refiner((64, 36))
    assert refiner.grid is None
    refiner.refine(frame_of(noise(36, 64)), Matte(np.zeros((9, 16), np.float32)))
    assert refiner.grid == (16, 9)
