"""See me in the dark: light that is missing is replaced on the person alone, steadily, whatever the complexion."""

import cv2
import numpy as np
import pytest
from fakes.looks import looked

from realtime_matte.config.config import Config
from realtime_matte.effects import low_light
from realtime_matte.effects._samples import FrameSamples
from realtime_matte.effects.low_light import MOST_STOPS, LowLight, exposure_table
from realtime_matte.errors import SpecError
from realtime_matte.frame import Alpha, Pixels
from realtime_matte.look import Look

SIZE = (320, 180)
FPS = 30.0


def dimmed(image: Pixels, light: float) -> Pixels:
    """What the camera shows with a part of the light."""
    return np.asarray(np.rint(255 * ((image / 255) ** 2.2 * light) ** (1 / 2.2)), np.uint8)


def scene(skin: int = 150, left: int = 100, *, light: float = 1.0) -> tuple[Pixels, Alpha]:
    """A person with a face and dark clothes in front of a wall with a white frame."""
    image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    image[10:60, 10:60] = 250
    alpha = np.zeros((SIZE[1], SIZE[0]), np.float32)
    alpha[40:, left : left + 120] = 1
    image[40:120, left : left + 120] = (skin - 40, skin - 20, skin)
    image[120:, left : left + 120] = 60
    return dimmed(image, light), alpha


def shown(effect: LowLight, image: Pixels, alpha: Alpha, time: float = 0.0) -> Pixels:
    """The person's colours after the effect."""
    return looked(effect, image, alpha, time=time)


def test_a_dark_person_is_brightened_to_what_good_light_shows() -> None:
    good, alpha = scene()
    dark, _ = scene(light=0.25)
    face = (slice(60, 110), slice(120, 200))
    lifted = shown(LowLight(), dark, alpha)
    before, after, truth = (float(image[face].mean()) for image in (dark, lifted, good))
    assert abs(after - truth) < abs(before - truth) / 3


def test_good_light_is_left_alone_whatever_the_complexion() -> None:
    for skin in (70, 120, 220):
        image, alpha = scene(skin)
        np.testing.assert_array_equal(shown(LowLight(), image, alpha)[alpha > 0], image[alpha > 0])


def test_complexions_keep_their_differences() -> None:
    faces = {}
    for skin in (90, 210):
        dark, alpha = scene(skin, light=0.25)
        faces[skin] = float(shown(LowLight(), dark, alpha)[80, 160].mean())
    assert faces[210] - faces[90] > 0.7 * (210 - 90)


def test_the_exposure_rests_while_the_person_moves() -> None:
    effect, stops = LowLight(), []
    for index in range(90):
        image, alpha = scene(left=round(100 + 70 * np.sin(index / 8)), light=0.25)
        shown(effect, image, alpha, index / FPS)
        stops.append(effect.stops)
    assert stops[0] > 1
    assert np.ptp(stops) == 0


def test_another_light_is_followed_slowly_and_at_once_in_a_new_shot() -> None:
    effect = LowLight()
    stops = []
    for index in range(150):
        image, alpha = scene(light=1.0 if index < 30 else 0.25)
        shown(effect, image, alpha, index / FPS)
        stops.append(effect.stops)
    needed = LowLight()
    shown(needed, *scene(light=0.25))
    assert max(stops[:30]) == 0
    assert np.diff(stops[30:]).max() < 0.06 * needed.stops
    assert np.diff(stops).min() >= 0, "no overshoot"
    assert stops[30 + 30] == pytest.approx(needed.stops * (1 - np.exp(-1)), rel=0.15), "about a second"
    assert stops[-1] == pytest.approx(needed.stops, abs=0.05)
    effect.reset()
    shown(effect, *scene(light=1.0), time=10.0)
    assert effect.stops == 0


def side_lit(left: int = 100, *, light: float = 0.25) -> tuple[Pixels, Alpha]:
    """The right half of the person gets a quarter of the light of the left one."""
    image, alpha = scene(left=left, light=light)
    dark, _ = scene(left=left, light=light / 4)
    image[:, left + 60 :] = np.where(alpha[:, left + 60 :, None] > 0, dark[:, left + 60 :], image[:, left + 60 :])
    return image, alpha


def test_the_dark_side_of_a_face_is_lifted_more() -> None:
    image, alpha = side_lit()
    lifted = shown(LowLight(), image, alpha)
    bright, dark = (slice(60, 110), slice(110, 140)), (slice(60, 110), slice(180, 210))
    ratios = [float(one[bright].mean() / one[dark].mean()) for one in (image, lifted)]
    assert ratios[1] < 0.9 * ratios[0]
    assert lifted[bright].mean() > lifted[dark].mean(), "it is evened out, not turned round"


def test_in_good_light_nothing_is_evened_out() -> None:
    image, alpha = side_lit(light=1.0)
    np.testing.assert_array_equal(shown(LowLight(), image, alpha)[alpha > 0], image[alpha > 0])


def test_local_light_rests_in_noise_and_follows_a_person_without_jumps() -> None:
    effect, random, values = LowLight(), np.random.default_rng(3), []
    for index in range(120):
        image, alpha = side_lit(100 if index < 60 else 100 + (index - 60))
        noisy = np.clip(image + random.normal(0, 5, image.shape), 0, 255).astype(np.uint8)
        look = Look()
        effect.apply(FrameSamples(index / FPS, noisy, alpha, None), look)
        assert look.gain is not None
        values.append(look.gain.copy())
    assert np.abs(np.diff(values[:60], axis=0)).max() == 0
    assert 0 < np.abs(np.diff(values[60:], axis=0)).max() < 0.015, "of the value, in a thirtieth of a second"


def test_an_empty_room_changes_nothing() -> None:
    image, alpha = scene(light=0.25)
    effect = LowLight()
    shown(effect, image, alpha)
    before = effect.stops
    shown(effect, image, np.zeros_like(alpha), 0.2)
    assert effect.stops == before


def test_noise_is_held_down() -> None:
    dark, alpha = scene(light=0.1)
    noise = np.random.default_rng(0).normal(0, 6, dark.shape)
    noisy = np.clip(dark + noise, 0, 255).astype(np.uint8)
    face = (slice(60, 110), slice(120, 200))
    effect = LowLight()
    filtered = shown(effect, noisy, alpha)[face].std(axis=(0, 1)).mean()
    assert effect.stops > low_light.NOISY[1]
    assert filtered < 0.65 * cv2.LUT(noisy, exposure_table(effect.stops))[face].std(axis=(0, 1)).mean()


@pytest.mark.parametrize("stops", [0.0, 0.5, 1.5, MOST_STOPS])
def test_the_table_is_smooth_and_keeps_black_and_white(stops: float) -> None:
    table = exposure_table(stops).astype(int)
    assert (table[0], table[255]) == (0, 255)
    assert (np.diff(table) >= 0).all()
    if stops == 0:
        np.testing.assert_array_equal(table, np.arange(256))


def test_values_of_the_option() -> None:
    assert low_light.open(Config(), size=SIZE) is None
    assert low_light.open(Config(low_light=0), size=SIZE) is None
    fixed = low_light.open(Config(low_light="0.5"), size=SIZE)
    assert fixed
    shown(fixed, *scene())
    assert fixed.stops == MOST_STOPS / 2
    with pytest.raises(SpecError, match="low_light: 'dim' is not auto, off or a number from 0 to 1"):
        Config(low_light="dim")
