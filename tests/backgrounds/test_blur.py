"""The blurred background: the person's colours never get into it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.backgrounds import blur
from realtime_matte.errors import SpecError
from realtime_matte.frame import Alpha, Frame, Matte, Pixels

SIZE = (320, 180)
ROOM, PERSON = (180, 90, 30), (10, 20, 240)


def blurred(pixels: Pixels, alpha: Alpha, rest: str = "") -> Pixels:
    """The background of one frame."""
    size = pixels.shape[1], pixels.shape[0]
    return blur.open(rest, size=size, fit="cover").image(Frame(pixels, 0.0, 0), Matte(alpha))


def person_in_room() -> tuple[Pixels, Alpha]:
    """A hard-edged person of one colour before a room of another, aligned to no grid of cells."""
    pixels = np.full((SIZE[1], SIZE[0], 3), ROOM, np.uint8)
    alpha = np.zeros((SIZE[1], SIZE[0]), np.float32)
    alpha[37:, 101:203] = 1
    pixels[alpha == 1] = PERSON
    return pixels, alpha


@pytest.mark.parametrize("rest", ["", "0.01", "0.03", "0.5", "?lens", "0.01?lens", "0.5?lens"])
def test_no_color_of_the_person_is_left(rest: str) -> None:
    pixels, alpha = person_in_room()
    np.testing.assert_allclose(blurred(pixels, alpha, rest).reshape(-1, 3), [ROOM] * 57600, atol=1)  # rounding


def test_partly_covered_pixels_do_not_count() -> None:
    _, alpha = person_in_room()
    alpha = cv2.GaussianBlur(alpha, (0, 0), 4)
    mixed = alpha[..., None] * np.array(PERSON) + (1 - alpha[..., None]) * np.array(ROOM)
    bled = np.abs(blurred(mixed.astype(np.uint8), alpha).astype(int) - ROOM).max()
    assert bled <= 0.1 * 210  # alpha up to 0.1 counts as background; 210 is the distance of the two reds


def test_without_a_person_it_is_a_plain_blur() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (180, 320, 3), np.uint8)
    pixels[:, 160:] //= 4
    result = blurred(pixels, np.zeros((180, 320), np.float32)).astype(int)
    plain = cv2.GaussianBlur(pixels, (0, 0), 9, borderType=cv2.BORDER_REPLICATE)
    assert np.abs(result - plain).mean() < 2


def test_the_background_cannot_be_recognised() -> None:
    """Stripes of a twelfth of the height keep less than 2 % of their contrast."""
    stripes = np.zeros((180, 320, 3), np.uint8)
    stripes[:, np.arange(320) % 15 < 8] = 255
    result = blurred(stripes, np.zeros((180, 320), np.float32))
    assert np.ptp(result[:, 40:-40].astype(int)) < 0.02 * 255


@pytest.mark.parametrize("rest", ["", "?lens"])
def test_a_frame_without_background_has_a_color(rest: str) -> None:
    pixels = np.full((180, 320, 3), PERSON, np.uint8)
    result = blurred(pixels, np.ones((180, 320), np.float32), rest)
    assert np.abs(result.astype(int) - PERSON).max() <= bool(rest)  # the table of the lens rounds


@pytest.mark.parametrize("rest", ["", "?lens"])
def test_nothing_of_earlier_frames_is_left(rest: str) -> None:
    pixels, alpha = person_in_room()
    background = blur.open(rest, size=SIZE, fit="cover")
    fresh = background.image(Frame(pixels, 0.0, 0), Matte(alpha)).copy()
    background.image(Frame(255 - pixels, 0.1, 1), Matte(1 - alpha))
    assert np.array_equal(background.image(Frame(pixels, 0.2, 2), Matte(alpha)), fresh)


def test_noise_in_the_background_does_not_flicker() -> None:
    random = np.random.default_rng(0)
    background = blur.open("", size=SIZE, fit="cover")
    alpha = np.zeros((180, 320), np.float32)
    results = []
    for index in range(4):
        noisy = np.clip(128 + random.normal(0, 8, (180, 320, 3)), 0, 255).astype(np.uint8)
        results.append(background.image(Frame(noisy, index / 30, index), Matte(alpha)).astype(int))
    assert np.ptp(results, axis=0).max() <= 4


def test_buffers_are_allocated_once() -> None:
    pixels, alpha = person_in_room()
    background = blur.open("", size=SIZE, fit="cover")
    first = background.image(Frame(pixels, 0.0, 0), Matte(alpha))
    assert background.image(Frame(pixels, 0.1, 1), Matte(alpha)) is first


@pytest.mark.parametrize("rest", ["", "?lens"])
def test_an_alpha_of_nan_is_never_background(rest: str) -> None:
    pixels, alpha = person_in_room()
    alpha[alpha == 1] = np.nan
    np.testing.assert_allclose(blurred(pixels, alpha, rest).reshape(-1, 3), [ROOM] * 57600, atol=1)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["", "0.01", "0.5", "?lens", "0.01?lens"]))
def test_every_size_works(width: int, height: int, rest: str) -> None:
    result = blurred(np.full((height, width, 3), ROOM, np.uint8), np.zeros((height, width), np.float32), rest)
    np.testing.assert_allclose(
        result.reshape(-1, 3), [ROOM] * (width * height), atol=4
    )  # sums of 8 bits, in cells that are nearly empty


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("strong", "the blur's strength 'strong' is not a number; write blur, or blur:0.05"),
        ("0", "the blur's strength '0' is not a number above 0; write blur"),
        ("0.001", "the blur's strength '0.001' is not between 0.01 and 0.5; write blur:0.05"),
        ("5", "the blur's strength '5' is not between 0.01 and 0.5"),
        ("nan", "the blur's strength 'nan' is not a number"),
        ("0.05?lens=maybe", "option lens=maybe in 'blur:0.05[?]lens=maybe' is not yes or no"),
        ("?foo", "no option 'foo' in 'blur[?]foo'; there are: lens"),
    ],
)
def test_an_invalid_strength_is_refused(rest: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        blur.open(rest, size=SIZE, fit="cover")


@pytest.mark.parametrize(
    ("rest", "reported"),
    [
        ("", ""),
        ("0.03", ""),
        ("0.02", "the blur 0.02 is so weak that large letters can still be read behind you; 0.03 hides them"),
        ("0.01", "the blur 0.01 is so weak that small letters, of a twentieth of the height, can still be read"),
        ("?lens", ""),
        ("0.03?lens", "the blur 0.03 is so weak that large letters can still be read behind you; 0.04 hides them"),
    ],
)
def test_a_blur_that_hides_no_text_is_reported(rest: str, reported: str) -> None:
    notices = blur.open(rest, size=SIZE, fit="cover").notices
    assert len(notices) == bool(reported)
    assert "".join(notices).startswith(reported)


def test_a_light_becomes_a_disc_that_stays_bright() -> None:
    """A lamp of 8 x 8 pixels: within the radius of twice the sigma all of one brightness, outside dark."""
    size = 640, 360
    pixels = np.full((360, 640, 3), 20, np.uint8)
    pixels[176:184, 316:324] = 255
    lens, plain = (
        blurred(pixels, np.zeros((360, 640), np.float32), rest)[:, :, 1].astype(int) for rest in ("?lens", "")
    )
    y, x = np.mgrid[:360, :640]
    distance = np.hypot(x - 319.5, y - 179.5)
    radius = 2 * blur.STRENGTH * size[1]
    inside, outside = lens[distance < 0.75 * radius], lens[distance > 1.3 * radius]
    assert np.ptp(inside) <= 0.15 * inside.mean(), "flat, unlike a Gaussian"
    assert outside.max() <= 22
    assert inside.mean() - 20 > 3 * (plain.max() - 20), "brighter than by a Gaussian"


def test_a_flat_wall_keeps_its_color_through_the_lens() -> None:
    for value in range(0, 256, 5):
        result = blurred(np.full((72, 128, 3), value, np.uint8), np.zeros((72, 128), np.float32), "?lens")
        assert np.abs(result.astype(int) - value).max() <= 1
