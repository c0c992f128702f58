"""Harmonize: the person's light and colours move toward the background's, by a limited way, with light at the edge."""

import numpy as np
import pytest
from fakes.looks import looked

from realtime_matte.config.config import Config
from realtime_matte.effects import harmonize
from realtime_matte.effects.harmonize import LIMITS, Harmonize, statistics
from realtime_matte.frame import Alpha, Pixels

SIZE = (320, 180)


def scene() -> tuple[Pixels, Alpha]:
    """A person in the middle, textured."""
    image = np.random.default_rng(0).integers(100, 160, (SIZE[1], SIZE[0], 3), np.uint8)
    alpha = np.zeros((SIZE[1], SIZE[0]), np.float32)
    alpha[30:, 80:240] = 1
    return image, alpha


def fitted(effect: Harmonize, background: Pixels | None, time: float = 0.0) -> Pixels:
    """The person's colours after the effect."""
    image, alpha = scene()
    return looked(effect, image, alpha, background, time=time)


def plain(color: tuple[int, int, int]) -> Pixels:
    return np.full((SIZE[1], SIZE[0], 3), color, np.uint8)


MIDDLE = (slice(100, 160), slice(130, 190))
EDGE = (slice(100, 160), slice(80, 84))


@pytest.mark.parametrize("color", [(20, 20, 20), (235, 235, 235), (40, 120, 240), (230, 130, 30)])
def test_light_and_colour_move_toward_the_background_within_limits(color: tuple[int, int, int]) -> None:
    before, _ = statistics(scene()[0][MIDDLE].reshape(-1, 3))
    after, _ = statistics(fitted(Harmonize(1.0), plain(color))[MIDDLE].reshape(-1, 3))
    target, _ = statistics(plain(color)[:1].reshape(-1, 3))
    assert np.linalg.norm(after - target) < np.linalg.norm(before - target) - 2
    assert (np.abs(after - before) <= LIMITS[:3] + 2).all()


def test_half_moves_less() -> None:
    before = scene()[0][MIDDLE].mean()
    half, full = (fitted(Harmonize(amount), plain((240, 240, 240)))[MIDDLE].mean() for amount in (0.5, 1.0))
    assert before < half < full


def test_the_light_of_the_background_falls_over_the_edge_only() -> None:
    bright, dark = (fitted(Harmonize(1.0), plain((value,) * 3)).astype(int) for value in (255, 0))
    difference = bright - dark
    assert difference[EDGE].mean() > difference[MIDDLE].mean() + 30
    across = difference[60:170, 81:160].mean(axis=(0, 2))
    assert np.abs(np.diff(across)).max() < 0.25 * (across[0] - across[-1]), "no visible border inside"


def test_without_a_replaced_background_nothing_changes() -> None:
    np.testing.assert_array_equal(fitted(Harmonize(1.0), None), scene()[0])


def test_a_background_that_flickers_slightly_moves_nothing() -> None:
    effect, shifts = Harmonize(1.0), []
    for index in range(60):
        fitted(effect, plain((120 + index % 3, 130, 140)), index / 30)
        shifts.append(effect.shift.copy())
    assert np.ptp(shifts, axis=0).max() == 0


def test_a_new_background_is_followed_slowly_and_at_once_in_a_new_shot() -> None:
    effect, values = Harmonize(1.0), []
    for index in range(90):
        fitted(effect, plain((30,) * 3 if index < 10 else (240,) * 3), index / 30)
        values.append(effect.shift[0])
    assert values[9] < 0 < values[-1]
    assert np.abs(np.diff(values)).max() < 1
    effect.reset()
    fitted(effect, plain((30,) * 3), 5.0)
    assert effect.shift[0] == values[0]


def test_it_is_off_by_default() -> None:
    assert harmonize.open(Config(), size=SIZE) is None
    assert harmonize.open(Config(harmonize=0.3), size=SIZE)
