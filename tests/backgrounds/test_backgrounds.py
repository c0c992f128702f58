"""Backgrounds that do not change: colours, images, drawn scenes, none."""

import sys
import tracemalloc
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from realtime_matte import plugins
from realtime_matte.backgrounds import beach, color, image, none, studio
from realtime_matte.backgrounds.image import StillBackground
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.media.animation import Animation

SIZE = (8, 4)


def pixels_of(background: StillBackground, size: tuple[int, int] = SIZE) -> Pixels:
    """Its image for some frame."""
    frame = Frame(np.zeros((size[1], size[0], 3), np.uint8), 0.0, 0)
    return background.image(frame, Matte(np.zeros((size[1], size[0]), np.float32)))


@pytest.mark.parametrize(
    ("text", "bgr"),
    [
        ("green", (0, 255, 0)),
        ("White", (255, 255, 255)),
        ("navy", (128, 0, 0)),
        ("#f80", (0, 0x88, 255)),
        ("#1A2b3C", (0x3C, 0x2B, 0x1A)),
        ("black", (0, 0, 0)),
    ],
)
def test_a_name_or_a_code_is_its_color(text: str, bgr: tuple[int, int, int]) -> None:
    pixels = pixels_of(color.open(text, size=SIZE, fit="cover"))
    assert pixels.shape == (4, 8, 3)
    assert (pixels == bgr).all()


@pytest.mark.parametrize("text", ["grene", "#12", "#12345g", "#1234567", ""])
def test_an_unknown_color_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(
        SpecError, match=rf"no colour called '{text}'; there are: aqua, .*, yellow, and codes such as #0"
    ):
        color.open(text, size=SIZE, fit="cover")


@given(st.integers(0, 0xFFFFFF))
def test_every_code_of_six_digits_is_its_color(value: int) -> None:
    blue, green, red = color.bgr(f"#{value:06x}")
    assert red << 16 | green << 8 | blue == value


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("green", "color"),
        ("#0a6", "color"),
        ("#nonsense", "color"),
        ("beach.jpg", "image"),
        ("A.JPEG", "image"),
        ("x/y.z.png", "image"),
        ("clip.mp4", "video"),
        ("cat.gif", "video"),
        ("C:\\films\\sea.webm", "video"),
        ("blur", "blur"),
        ("blur:0.1", "blur"),
        ("none", "none"),
        ("studio", "studio"),
        ("beach", "beach"),
    ],
)
def test_a_spec_finds_its_background(spec: str, name: str) -> None:
    assert plugins.background(spec).name == name


def test_an_existing_folder_is_a_slideshow(tmp_path: Path) -> None:
    assert plugins.background(str(tmp_path)).name == "folder"
    assert plugins.background(f"{tmp_path}?seconds=5").name == "folder"


def test_an_unclaimed_spec_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no background called '.*'; there are: beach, blur, camera, color"):
        plugins.background(str(tmp_path / "missing"))


def test_an_unclaimed_file_is_refused_with_what_it_could_be(tmp_path: Path) -> None:
    for name in ("photo.cr2", "clip.mp4"):
        (tmp_path / name).touch()
    with pytest.raises(SpecError, match=r"the file '.*photo\.cr2' cannot be a background; save an image"):
        plugins.background(str(tmp_path / "photo.cr2"))
    with pytest.raises(SpecError, match=r"no option 'loop' for the file '.*clip\.mp4' as background; leave it out"):
        plugins.background(f"{tmp_path / 'clip.mp4'}?loop")
    with pytest.raises(SpecError, match=r"the file '.*photo\.cr2' cannot be a source; save"):
        plugins.source(f"{tmp_path / 'photo.cr2'}?frames=3")
    (tmp_path / "clip.avi").touch()
    plugin = plugins.sink(f"{tmp_path / 'clip.avi'}?overwrite=yes")
    with pytest.raises(
        SpecError, match=r"video format \.avi is not supported; use \.mp4, \.m4v, \.mov, \.mkv or \.webm"
    ):
        plugin.open(plugin.rest, size=SIZE, fps=30.0, alpha=False)


def test_an_image_fills_the_output(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "sea.png"), np.full((40, 40, 3), (90, 60, 30), np.uint8))
    pixels = pixels_of(image.open(str(tmp_path / "sea.png"), size=SIZE, fit="cover"))
    assert pixels.shape == (4, 8, 3)
    assert (pixels == (90, 60, 30)).all()


def test_an_image_is_the_same_array_each_time(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "sea.png"), np.zeros((4, 8, 3), np.uint8))
    background = image.open(str(tmp_path / "sea.png"), size=SIZE, fit="contain")
    assert pixels_of(background) is pixels_of(background)


def test_a_still_background_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pixels_of(color.open("red", size=SIZE, fit="cover"))[0, 0, 0] = 1


def test_an_image_without_a_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"'image:' needs a file name; such as image:beach\.jpg"):
        image.open("", size=SIZE, fit="cover")


def test_a_missing_or_broken_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the image"):
        image.open(str(tmp_path / "missing.png"), size=SIZE, fit="cover")
    (tmp_path / "notes.png").write_text("buy milk")
    with pytest.raises(BadFile, match="is a text or web page, not an image"):
        image.open(str(tmp_path / "notes.png"), size=SIZE, fit="cover")


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    cv2.imwrite(str(tmp_path / "sea.png"), np.zeros((4, 8, 3), np.uint8))
    assert pixels_of(image.open("~/sea.png", size=SIZE, fit="cover")).shape == (4, 8, 3)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.avif"])
def test_a_still_image_is_an_image_and_an_animation_a_video(tmp_path: Path, name: str) -> None:
    still, animated = tmp_path / f"still-{name}", tmp_path / f"animated-{name}"
    images = [Image.new("RGB", (8, 4), color) for color in ("red", "blue")]
    images[0].save(still)
    images[0].save(animated, save_all=True, append_images=images[1:])
    assert plugins.background(str(still)).name == "image"
    assert plugins.background(str(animated)).name == "video"
    assert plugins.background(str(tmp_path / f"missing-{name}")).name == "image"
    (tmp_path / name).write_bytes(animated.read_bytes()[:30])
    assert plugins.background(str(tmp_path / name)).name == "image"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are Unicode")
def test_an_animation_whose_name_is_not_in_utf_8_plays(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.webp"
    images = [Image.new("RGB", (8, 4), color) for color in ("red", "blue")]
    images[0].save(path, save_all=True, append_images=images[1:])
    with closing(Animation(path)) as animation:
        assert animation.size == (8, 4)


def test_none_is_no_background() -> None:
    assert none.open("", size=SIZE, fit="cover") is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("name", ["none", "studio", "beach"])
def test_scenes_take_no_argument(name: str) -> None:
    plugin = plugins.background(f"{name}:x")
    with pytest.raises(SpecError, match=rf"the background '{name}' takes no argument, not 'x'; write {name}"):
        plugin.open(plugin.rest, size=SIZE, fit="cover")


@pytest.mark.parametrize("scene", [studio, beach])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1280, 720), (480, 854), (333, 77), (2, 900)])
def test_scenes_fit_every_size(scene: object, size: tuple[int, int]) -> None:
    pixels = pixels_of(scene.open("", size=size, fit="cover"), size)  # type: ignore[attr-defined]
    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("scene", [studio, beach])
def test_scenes_are_the_same_each_time(scene: object) -> None:
    draw = scene.draw  # type: ignore[attr-defined]
    assert np.array_equal(draw((320, 180)), draw((320, 180)))


@pytest.mark.parametrize("scene", [studio, beach])
def test_scenes_look_the_same_at_every_size(scene: object) -> None:
    draw = scene.draw  # type: ignore[attr-defined]
    small, large = draw((320, 180)), cv2.resize(draw((1280, 720)), (320, 180), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - large).mean() < 3  # the noise is finer in the large one


@pytest.mark.parametrize("scene", [studio, beach])
def test_a_large_scene_takes_little_more_memory_than_its_pixels(scene: object) -> None:
    """An array of floats of 8000x8000 takes 768 MB, and drawing took five of them."""
    size = 6000, 4000
    tracemalloc.start()
    try:
        pixels = scene.draw(size)  # type: ignore[attr-defined]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pixels.shape == (size[1], size[0], 3)
    small = cv2.resize(pixels, (300, 200), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - scene.draw((300, 200))).mean() < 3  # type: ignore[attr-defined]
    assert peak < 500 * 10**6


def test_the_beach_is_sky_over_sea_over_sand() -> None:
    pixels = beach.draw((320, 180)).astype(int)
    sky, sea, sand = pixels[10].mean(axis=0), pixels[105].mean(axis=0), pixels[170].mean(axis=0)
    assert sky[0] > sky[2] + 50
    assert sea[0] > sea[2] + 50
    assert sand[2] > sand[0] + 50


def test_the_studio_is_bright_and_smooth() -> None:
    pixels = studio.draw((320, 180)).astype(int)
    assert 110 < pixels.mean() < 220
    steps = np.abs(np.diff(pixels, axis=1)).mean()
    assert steps < 4
