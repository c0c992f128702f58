"""White balance: a tint of the light is removed from the person, natural colours stay."""

import numpy as np
import pytest
from fakes.looks import looked

from realtime_matte.config.config import Config
from realtime_matte.effects import white_balance
from realtime_matte.effects.white_balance import MOST, WhiteBalance
from realtime_matte.frame import Alpha, Pixels

SIZE = (320, 180)
SKINS = ((62, 78, 105), (110, 135, 180), (130, 145, 172))
BLUE, ORANGE = (1.9, 1.0, 0.45), (0.4, 1.0, 2.0)
"""Factors of linear light."""


def scene(skin: tuple[int, int, int], tint: tuple[float, float, float] = (1, 1, 1)) -> tuple[Pixels, Alpha]:
    """A person of one colour under a light."""
    alpha = np.zeros((SIZE[1], SIZE[0]), np.float32)
    alpha[40:, 100:220] = 1
    image = np.full((SIZE[1], SIZE[0], 3), 100, np.uint8)
    image[40:, 100:220] = skin
    light = np.clip((image / 255) ** 2.2 * tint, 0, 1)
    return np.asarray(np.rint(255 * light ** (1 / 2.2)), np.uint8), alpha


def balanced(effect: WhiteBalance, image: Pixels, alpha: Alpha, time: float = 0.0) -> Pixels:
    """The colours after the effect."""
    return looked(effect, image, alpha, time=time)


@pytest.mark.parametrize("skin", SKINS)
def test_skin_in_neutral_light_stays(skin: tuple[int, int, int]) -> None:
    image, alpha = scene(skin)
    np.testing.assert_array_equal(balanced(WhiteBalance(), image, alpha), image)


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("tint", [BLUE, ORANGE])
def test_a_tint_is_reduced_at_the_same_luminance(skin: tuple[int, int, int], tint: tuple[float, float, float]) -> None:
    image, alpha = scene(skin, tint)
    after = balanced(WhiteBalance(), image, alpha)
    truth, before, found = (
        np.log(np.array(color)[[0, 2]] / color[1]) for color in (skin, image[100, 160] + 0.0, after[100, 160] + 0.0)
    )
    assert np.abs(found - truth).sum() < 0.8 * np.abs(before - truth).sum()
    weights = np.array([0.0722, 0.7152, 0.2126])
    luminance = [(color[100, 160] / 255) ** 2.2 @ weights for color in (image, after)]
    assert luminance[1] == pytest.approx(luminance[0], rel=0.05)


def test_a_green_costume_does_not_turn_grey() -> None:
    effect = WhiteBalance()
    balanced(effect, *scene((60, 200, 60)))
    assert np.hypot(*effect.correction) <= MOST + 1e-9


def test_colourful_clothes_are_no_tint() -> None:
    image, alpha = scene(SKINS[1])
    image[90:, 100:220] = (10, 60, 235)
    np.testing.assert_array_equal(balanced(WhiteBalance(), image, alpha), image)


def test_the_balance_rests_and_then_moves_slowly() -> None:
    effect, found = WhiteBalance(), []
    for index in range(120):
        wavering = 1 + 0.02 * (index % 2)
        tint = BLUE if index < 60 else ORANGE
        image, alpha = scene(SKINS[1], (tint[0] * wavering, 1.0, tint[2]))
        balanced(effect, image, alpha, index / 30)
        found.append(effect.correction.copy())
    assert np.ptp(found[:60], axis=0).max() == 0
    assert 0 < np.abs(np.diff(found[60:], axis=0)).max() < 0.06
    effect.reset()
    balanced(effect, *scene(SKINS[1]), time=9.0)
    assert not effect.correction.any()


def test_it_is_off_by_default() -> None:
    assert white_balance.open(Config(), size=SIZE) is None
    assert white_balance.open(Config(white_balance="auto"), size=SIZE)
