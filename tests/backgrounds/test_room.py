"""The room that is shown on purpose."""

import numpy as np
import pytest

from realtime_matte.backgrounds import room
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Matte, Pixels

SIZE = (64, 48)


def shown(pixels: Pixels, rest: str) -> Pixels:
    alpha = np.zeros(pixels.shape[:2], np.float32)
    return room.open(rest, size=SIZE, fit="cover").image(Frame(pixels, 0.0, 0), Matte(alpha))


def one_color(color: tuple[int, int, int]) -> Pixels:
    pixels = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[:] = color
    return pixels


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("?brightness=1&saturation=1&blur=0", (40, 80, 200)),
        ("?brightness=0.5&saturation=1&blur=0", (20, 40, 100)),
        ("?brightness=1&saturation=0&blur=0", (111, 111, 111)),  # 0.114 x 40 + 0.587 x 80 + 0.299 x 200
        ("?brightness=0.5&saturation=0.5&blur=0", (38, 48, 78)),
        ("?brightness=0&blur=0", (0, 0, 0)),
        ("?brightness=2&saturation=1&blur=0", (80, 160, 255)),
        ("?brightness=1&saturation=1", (40, 80, 200)),
    ],
)
def test_brightness_and_saturation(rest: str, expected: tuple[int, int, int]) -> None:
    np.testing.assert_allclose(shown(one_color((40, 80, 200)), rest).reshape(-1, 3), [expected] * 3072, atol=1)


def test_it_is_blurred_unless_that_is_turned_off() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    assert shown(noise, "?brightness=1&saturation=1").std() < 0.4 * noise.std()
    np.testing.assert_array_equal(shown(noise, "?brightness=1&saturation=1&blur=0"), noise)


def test_that_the_room_is_shown_is_announced() -> None:
    assert room.open("", size=SIZE, fit="cover").notices == (room.SHOWN,)
    weak = room.open("?blur=0.01", size=SIZE, fit="cover").notices
    assert weak[0] == room.SHOWN
    assert weak[1].startswith("the blur 0.01 is so weak")


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("kitchen", "the background 'room' takes options only, not 'kitchen'; write room[?]brightness=0.5"),
        ("?brightness=3", "is not a number from 0 to 2"),
        ("?saturation=-1", "is not a number of 0 or above"),
        ("?blur=0.9", "is not 0, or from 0.01 to 0.5"),
        ("?nonsense=1", "no option 'nonsense'"),
    ],
)
def test_a_wrong_option_is_refused(rest: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        room.open(rest, size=SIZE, fit="cover")
