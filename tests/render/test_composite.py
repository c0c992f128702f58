"""Compositing: exact where alpha is 0 or 1, one case by hand, half a level of rounding in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.frame import Matte
from realtime_matte.render.composite import FAINT, composite, pack_bgra


def composited(foreground: np.ndarray, alpha: np.ndarray, background: np.ndarray) -> np.ndarray:
    out = np.full_like(foreground, 99)
    composite(foreground, alpha, background, np.zeros(alpha.shape[1] * 3, np.uint16), out)
    return out


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_alpha_0_is_the_background_exactly() -> None:
    foreground, background = noise(1, 7, 13, 3), noise(2, 7, 13, 3)
    assert np.array_equal(composited(foreground, np.zeros((7, 13), np.float32), background), background)


def test_alpha_1_is_the_foreground_exactly() -> None:
    foreground, background = noise(1, 7, 13, 3), noise(2, 7, 13, 3)
    assert np.array_equal(composited(foreground, np.ones((7, 13), np.float32), background), foreground)


def test_a_quarter_of_white_over_black_is_64() -> None:
    white, black = np.full((1, 1, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    assert composited(white, np.full((1, 1), 0.25, np.float32), black).tolist() == [[[64, 64, 64]]]


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 70), height=st.integers(1, 9), seed=st.integers(0, 999))
def test_every_size_is_within_two_levels_of_floating_point(width: int, height: int, seed: int) -> None:
    foreground, background = noise(seed, height, width, 3), noise(seed + 1, height, width, 3)
    alpha = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    exact = alpha[..., None] * foreground.astype(np.float64) + (1 - alpha[..., None]) * background
    # Half a step of alpha (1/512) times the largest difference of colours (255), and half a level of rounding.
    assert np.abs(composited(foreground, alpha, background) - exact).max() <= 255 / 512 + 0.5 + 1e-6


def test_foreground_and_background_may_be_read_only() -> None:
    foreground, background = noise(1, 4, 4, 3), noise(2, 4, 4, 3)
    foreground.setflags(write=False)
    background.setflags(write=False)
    assert np.array_equal(composited(foreground, np.ones((4, 4), np.float32), background), foreground)


@pytest.mark.parametrize("alpha", [0.0, 1e-30, 1e-6, 1e-3, 1 / 511])
def test_no_colour_is_left_behind_an_alpha_that_rounds_to_0(alpha: float) -> None:
    foreground, alphas = noise(3, 2, 5, 3), np.full((2, 5), alpha, np.float32)
    out = np.full((2, 5, 4), 99, np.uint8)
    pack_bgra(foreground, alphas, out)
    assert not out.any()
    assert not Matte(alphas, foreground).bgra().any()
    assert not Matte(alphas, foreground).rgba().any()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_both_ways_to_pack_are_equal_but_for_the_faintest_alpha(seed: int) -> None:
    foreground, alpha = noise(seed, 4, 9, 3), np.random.default_rng(seed).random((4, 9), np.float32) ** 4
    out = np.zeros((4, 9, 4), np.uint8)
    pack_bgra(foreground, alpha, out)
    expected = Matte(alpha, foreground).bgra()
    expected[expected[..., 3] <= FAINT] = 0  # encoders would store it as 0, and keep the colour
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(("alpha", "byte"), [(5 / 255, 5), (0.5, 128), (1.0, 255)])
def test_pack_bgra_keeps_colours_and_puts_alpha_last(alpha: float, byte: int) -> None:
    foreground = noise(3, 2, 5, 3)
    out = np.zeros((2, 5, 4), np.uint8)
    pack_bgra(foreground, np.full((2, 5), alpha, np.float32), out)
    assert np.array_equal(out[..., :3], foreground)
    assert (out[..., 3] == byte).all()
