"""The demo camera."""

import hashlib

import cv2
import numpy as np
import pytest
from fakes.devices import Clock
from fakes.sources import buffer, read
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.sources import demo
from realtime_matte.sources._clock import LiveTicks

SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70)) | st.sampled_from([(1, 1), (1080, 1920), (3840, 2160)])


def test_the_demo_opens_everywhere() -> None:
    plugin = plugins.source("demo")
    source = plugin.open(plugin.rest, size=None, fps=None)
    assert (source.size, source.fps, source.live, source.frames) == ((1280, 720), 30.0, True, None)
    assert source.notices == ("the demo camera: a photograph that moves",)
    source.close()
    assert plugins.source("demo?frames=300").rest == "?frames=300"


def finite(frames: int, size: Size = (160, 90), fps: float | None = None) -> demo.Demo:
    return demo.open(f"?frames={frames}", size=size, fps=fps)


def test_the_demo_writes_into_the_given_buffer_and_ends() -> None:
    source, pixels = finite(2), buffer((160, 90))
    first = source.read(pixels)
    assert first is not None
    assert first.pixels is pixels
    assert (source.live, source.frames) == (False, 2)
    read(source)
    assert source.read(pixels) is None


def digest(source: demo.Demo) -> str:
    total = hashlib.sha256()
    for _ in range(source.frames or 0):
        total.update(read(source).pixels)
    return total.hexdigest()


def test_the_demo_is_the_same_on_every_run() -> None:
    assert digest(finite(20)) == digest(finite(20))


def test_the_demo_live_shows_what_the_finite_one_does() -> None:
    clock, counted = Clock(), finite(3)
    live = demo.Demo((160, 90), LiveTicks(30, clock=clock, sleep=clock.sleep))
    for _ in range(3):
        assert (read(live).pixels == read(counted).pixels).all()


def test_no_two_demo_frames_have_the_same_noise() -> None:
    source = finite(300, size=(32, 18))
    source._photo[:] = 100
    assert len({read(source).pixels.tobytes() for _ in range(300)}) == 300


def test_the_demo_moves_slowly() -> None:
    """Frames a second apart differ, and two in a row are nearly the same but for the noise."""
    source = finite(31, size=(320, 180))
    frames = [cv2.GaussianBlur(read(source).pixels, (0, 0), 3).astype(np.int16) for _ in range(31)]
    near, far = (np.abs(frames[0] - frames[number]).mean() for number in (1, 30))
    assert near < 2.0
    assert far > 3 * near


def test_the_demo_shows_a_face_in_front_of_a_wall() -> None:
    """Skin in the middle, the blue of the flag at the left, grey wall to the right of the head."""
    pixels = read(finite(1, size=(1280, 720))).pixels.astype(int)
    blue, green, red = pixels[250:300, 480:560].mean((0, 1))
    assert red > green > blue > 60
    blue, green, red = pixels[60:140, 20:60].mean((0, 1))
    assert blue > red
    blue, green, red = pixels[100:300, 760:860].mean((0, 1))
    assert max(blue, green, red) - min(blue, green, red) < 25


@settings(max_examples=15, deadline=None)
@given(size=SIZES)
def test_the_demo_has_any_size(size: Size) -> None:
    pixels = read(finite(1, size=size)).pixels
    assert pixels.min() < 250
    assert pixels.any()


def test_the_demo_never_leaves_the_photograph() -> None:
    """Marked at its edges, the photograph shows no mark."""
    source = finite(1, size=(320, 180))
    source._photo[:] = 100
    for edge in (source._photo[:1], source._photo[-1:], source._photo[:, :1], source._photo[:, -1:]):
        edge[:] = 255
    pixels = buffer(source.size)
    for number in range(200):
        source._draw_view(number * 1.7, pixels)
        assert (pixels == 100).all()


def test_the_demo_takes_no_name() -> None:
    with pytest.raises(SpecError, match=r"the demo takes no name, not 'me'; use demo, or demo\?frames=300"):
        demo.open("me", size=None, fps=None)


def test_a_wrong_option_is_refused_with_the_right_one() -> None:
    with pytest.raises(SpecError, match=r"no option 'loop' in 'demo\?loop=yes'; there are: frames"):
        demo.open("?loop=yes", size=None, fps=None)
    with pytest.raises(SpecError, match=r"option frames=0 in 'demo\?frames=0' is not a whole number above 0"):
        demo.open("?frames=0", size=None, fps=None)
