"""Sources without a sensor: their options, their pace, the still and the demo camera."""

import hashlib
import math
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from fakes.devices import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.config.specs import count, parse, split, switch
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Source
from realtime_matte.sources import _clock as _pace
from realtime_matte.sources import demo, image, video

SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70)) | st.sampled_from([(1, 1), (1080, 1920), (3840, 2160)])


def buffer(size: Size) -> Pixels:
    return np.empty((size[1], size[0], 3), np.uint8)


def read(source: Source) -> Frame:
    frame = source.read(buffer(source.size))
    assert frame is not None
    assert frame.pixels.shape == (source.size[1], source.size[0], 3)
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels.flags.c_contiguous
    return frame


# Options

ALLOWED = {"live": switch, "loop": switch}


@pytest.mark.parametrize(
    ("rest", "name", "values"),
    [
        ("clip.mp4", "clip.mp4", {}),
        ("clip.mp4?live", "clip.mp4", {"live": True}),
        ("clip.mp4?loop&live", "clip.mp4", {"loop": True, "live": True}),
        ("clip.mp4?loop&live=no", "clip.mp4", {"loop": True, "live": False}),
        ("?live", "", {"live": True}),
        ("what?.mp4", "what?.mp4", {}),
        ("what?.mp4?loop", "what?.mp4", {"loop": True}),
        ("live.mp4", "live.mp4", {}),
        ("clip.mp4?lively", "clip.mp4?lively", {}),  # a name: there is no such file, and the error says so
    ],
)
def test_a_word_alone_switches_on(rest: str, name: str, values: dict[str, bool]) -> None:
    assert parse(rest, ALLOWED) == (name, values)
    assert split(rest, ALLOWED)[0] == name


def test_wrong_options_name_the_right_ones() -> None:
    with pytest.raises(SpecError, match=r"no option 'speed' in 'clip\.mp4\?speed=2'; there are: live, loop"):
        parse("clip.mp4?speed=2", ALLOWED)
    with pytest.raises(SpecError, match=r"option live=maybe in .* is not yes or no"):
        parse("clip.mp4?live=maybe", ALLOWED)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "²"])
def test_a_count_is_a_whole_number_above_0(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number above 0"):
        count(text)


def test_a_count_is_read() -> None:
    assert count("300") == 300


@given(st.text(max_size=30))
def test_any_spec_is_a_name_with_options_or_a_spec_error(rest: str) -> None:
    try:
        name, values = parse(rest, ALLOWED)
    except SpecError:
        return
    assert rest.startswith(name)
    assert set(values) <= set(ALLOWED)


# Pace


def test_live_ticks_come_at_their_time() -> None:
    clock = Clock()
    ticks = _pace.Live(4, clock=clock, sleep=clock.sleep)
    assert [(tick.index, tick.time, clock.now) for tick in (ticks.next() for _ in range(3))] == [
        (0, 100.0, 100.0),
        (1, 100.25, 100.25),
        (2, 100.5, 100.5),
    ]
    assert ticks.live
    assert ticks.frames is None


def test_ticks_nobody_came_for_are_left_out() -> None:
    clock = Clock()
    ticks = _pace.Live(4, clock=clock, sleep=clock.sleep)
    ticks.next()
    clock.now += 1.1
    assert (ticks.next().index, clock.slept) == (4, [])
    assert (ticks.next().index, clock.now) == (5, 101.25)


@given(st.lists(st.floats(0, 3), max_size=40), st.floats(_pace.SLOWEST_FPS, _pace.FASTEST_FPS))
def test_live_ticks_never_repeat_go_back_or_come_early(delays: list[float], fps: float) -> None:
    clock = Clock()
    ticks = _pace.Live(fps, clock=clock, sleep=clock.sleep)
    last = -1
    for delay in delays:
        clock.now += delay
        tick = ticks.next()
        assert tick.index > last
        assert clock.now - 2 / fps <= tick.time <= clock.now + 1e-6
        last = tick.index


def test_counted_ticks_do_not_wait_and_end() -> None:
    ticks = _pace.Counted(4, 2, clock=Clock())
    assert [ticks.next(), ticks.next(), ticks.next(), ticks.next()] == [
        _pace.Tick(0, 100.0),
        _pace.Tick(1, 100.25),
        None,
        None,
    ]
    assert (ticks.live, ticks.frames) == (False, 2)


def test_the_rate_is_30_unless_another_is_asked_for() -> None:
    assert _pace.ticks(None, None).fps == 30
    assert _pace.ticks(12.5, 3).fps == 12.5


@pytest.mark.parametrize("fps", [0, 0.5, -30, 1001, math.inf, math.nan])
def test_a_rate_out_of_range_is_refused(fps: float) -> None:
    with pytest.raises(SpecError, match=r"frames a second are out of range; take 1 to 1000, such as 30"):
        _pace.ticks(fps, None)


# Image


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.full((40, 60, 3), (10, 20, 30), np.uint8))
    return path


@pytest.mark.parametrize("spec", ["me.jpg", "ME.JPEG", "a/b.PNG", "what?.webp", "me.jpg?frames=3", "C:\\me.tiff"])
def test_pictures_are_claimed(spec: str) -> None:
    assert image.claims(spec)
    assert plugins.source(spec).name == "image"


@pytest.mark.parametrize("spec", ["me", "jpg", "clip.mp4", "me.txt", ""])
def test_other_specs_are_not_claimed_as_pictures(spec: str) -> None:
    assert not image.claims(spec)


def test_a_still_is_a_camera_of_one_picture(picture: Path) -> None:
    source = image.open(str(picture), size=None, fps=None)
    assert (source.size, source.fps, source.live, source.frames) == ((60, 40), 30.0, True, None)
    frame = read(source)
    assert (frame.pixels == (10, 20, 30)).all()
    assert frame.index == 0
    source.close()


def test_a_still_can_be_so_many_frames(picture: Path) -> None:
    source = image.open(f"{picture}?frames=2", size=None, fps=10)
    assert (source.live, source.frames) == (False, 2)
    first, second = read(source), read(source)
    assert second.time - first.time == pytest.approx(0.1)
    assert source.read(buffer(source.size)) is None


@settings(max_examples=20, deadline=None)
@given(size=SIZES)
def test_a_still_fills_any_size(tmp_path_factory: pytest.TempPathFactory, size: Size) -> None:
    path = tmp_path_factory.mktemp("still") / "me.png"
    cv2.imwrite(str(path), np.full((4, 6, 3), 77, np.uint8))
    source = image.open(f"{path}?frames=1", size=size, fps=None)
    assert source.size == size
    assert (read(source).pixels == 77).all()


def test_a_still_is_cut_not_bent(tmp_path: Path) -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    cv2.imwrite(str(tmp_path / "me.png"), stripes)
    source = image.open(f"{tmp_path}/me.png?frames=1", size=(20, 20), fps=None)
    assert (read(source).pixels == 255).all()


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.full((4, 6), 99, np.uint8), (99, 99, 99)),
        (np.full((4, 6, 3), 99 * 257, np.uint16), (99, 99, 99)),
        (np.full((4, 6, 4), (200, 100, 50, 255), np.uint8), (200, 100, 50)),
        (np.full((4, 6, 4), (200, 100, 50, 0), np.uint8), (0, 0, 0)),
    ],
    ids=["grey", "16 bit", "opaque", "transparent"],
)
def test_every_kind_of_picture_is_8_bit_bgr(tmp_path: Path, stored: Pixels, expected: tuple[int, int, int]) -> None:
    cv2.imwrite(str(tmp_path / "me.png"), stored)
    assert (read(image.open(f"{tmp_path}/me.png", size=None, fps=None)).pixels == expected).all()


def test_a_photograph_is_set_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: turn it to the right to see it."""
    _, data = cv2.imencode(".jpg", np.zeros((16, 32, 3), np.uint8))
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"\xff\xe1" + (8 + len(tiff)).to_bytes(2, "big") + b"Exif\0\0" + tiff
    (tmp_path / "me.jpg").write_bytes(data.tobytes()[:2] + exif + data.tobytes()[2:])
    assert image.open(f"{tmp_path}/me.jpg", size=None, fps=None).size == (16, 32)


def test_what_is_no_picture_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(BadFile, match=r"text\.jpg' is no picture"):
        image.open(f"{tmp_path}/text.jpg", size=None, fps=None)
    with pytest.raises(BadFile, match=r"empty\.jpg' is an empty file"):
        image.open(f"{tmp_path}/empty.jpg", size=None, fps=None)
    with pytest.raises(MissingFile, match=r"none\.jpg': No such file"):
        image.open(f"{tmp_path}/none.jpg", size=None, fps=None)


# Demo


def test_the_demo_is_always_there() -> None:
    plugin = plugins.source("demo")
    source = plugin.open(plugin.rest, size=None, fps=None)
    assert (source.size, source.fps, source.live, source.frames) == ((1280, 720), 30.0, True, None)
    assert source.notices == ("the demo camera: a photograph that moves",)
    source.close()
    assert plugins.source("demo?frames=300").rest == "?frames=300"


def finite(frames: int, size: Size = (160, 90), fps: float | None = None) -> demo.Demo:
    return demo.open(f"?frames={frames}", size=size, fps=fps)


def test_the_demo_writes_in_place_and_ends() -> None:
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
    live = demo.Demo((160, 90), _pace.Live(30, clock=clock, sleep=clock.sleep))
    for _ in range(3):
        assert (read(live).pixels == read(counted).pixels).all()


def test_no_two_demo_frames_have_the_same_noise() -> None:
    source = finite(300, size=(32, 18))
    source._photo[:] = 100
    assert len({read(source).pixels.tobytes() for _ in range(300)}) == 300


def test_the_demo_moves_slowly() -> None:
    """A second apart it is another picture, a frame apart nearly the same but for the noise."""
    source = finite(31, size=(320, 180))
    frames = [cv2.GaussianBlur(read(source).pixels, (0, 0), 3).astype(np.int16) for _ in range(31)]
    near, far = (np.abs(frames[0] - frames[number]).mean() for number in (1, 30))
    assert near < 2.0
    assert far > 3 * near


def test_the_demo_shows_a_face_in_a_room() -> None:
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
def test_the_demo_fills_any_size(size: Size) -> None:
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
        source._move(number * 1.7, pixels)
        assert (pixels == 100).all()


def test_the_demo_takes_no_name() -> None:
    with pytest.raises(SpecError, match=r"the demo takes no name, and was given 'me'; use demo, or demo\?frames=300"):
        demo.open("me", size=None, fps=None)


def test_wrong_demo_options_name_the_right_one() -> None:
    with pytest.raises(SpecError, match=r"no option 'loop' in '\?loop=yes'; there are: frames"):
        demo.open("?loop=yes", size=None, fps=None)
    with pytest.raises(SpecError, match=r"option frames=0 in '\?frames=0' is not a whole number above 0"):
        demo.open("?frames=0", size=None, fps=None)


@pytest.mark.parametrize(("module", "noun"), [(image, "picture"), (video, "video")])
def test_a_file_has_to_be_named(module: ModuleType, noun: str) -> None:
    with pytest.raises(SpecError, match=rf"no {noun} is named after '.*:'; name a file, as in "):
        module.open("", size=None, fps=None)
    with pytest.raises(SpecError, match="no file can be called '~nobody-of-that-name/a'"):
        module.open("~nobody-of-that-name/a", size=None, fps=None)
    with pytest.raises(SpecError, match="it contains a null character"):
        module.open("a\0b", size=None, fps=None)
