"""A still image as a camera."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.sources import buffer, read
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from realtime_matte import plugins
from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.fit import scaled_size
from realtime_matte.sources import image

SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70)) | st.sampled_from([(1, 1), (1080, 1920), (3840, 2160)])


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.full((40, 60, 3), (10, 20, 30), np.uint8))
    return path


@pytest.mark.parametrize("spec", ["me.jpg", "ME.JPEG", "a/b.PNG", "what?.webp", "me.jpg?frames=3", "C:\\me.tiff"])
def test_image_files_are_claimed(spec: str) -> None:
    assert image.claims(spec)
    assert plugins.source(spec).name == "image"


@pytest.mark.parametrize("spec", ["me", "jpg", "clip.mp4", "me.txt", ""])
def test_other_specs_are_not_claimed(spec: str) -> None:
    assert not image.claims(spec)


def test_a_still_image_is_a_camera_that_shows_one_image(portrait: Path) -> None:
    source = image.open(str(portrait), size=None, fps=None)
    assert (source.size, source.fps, source.live, source.frames) == ((60, 40), 30.0, True, None)
    frame = read(source)
    assert (frame.pixels == (10, 20, 30)).all()
    assert frame.index == 0
    source.close()


def test_a_still_image_can_be_a_number_of_frames(portrait: Path) -> None:
    source = image.open(f"{portrait}?frames=2", size=None, fps=10)
    assert (source.live, source.frames) == (False, 2)
    first, second = read(source), read(source)
    assert second.time - first.time == pytest.approx(0.1)
    assert source.read(buffer(source.size)) is None


@settings(max_examples=20, deadline=None)
@given(size=SIZES)
def test_a_still_image_is_whole_for_any_size(tmp_path_factory: pytest.TempPathFactory, size: Size) -> None:
    path = tmp_path_factory.mktemp("still") / "me.png"
    cv2.imwrite(str(path), np.full((4, 6, 3), 77, np.uint8))
    source = image.open(f"{path}?frames=1", size=size, fps=None)
    assert source.size in {size, (6, 4), scaled_size((6, 4), size, "cover")}
    assert (read(source).pixels == 77).all()


def test_a_still_image_of_another_shape_is_neither_cut_nor_stretched(tmp_path: Path) -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    cv2.imwrite(str(tmp_path / "me.png"), stripes)
    source = image.open(f"{tmp_path}/me.png?frames=1", size=(20, 20), fps=None)
    assert (read(source).pixels == stripes).all()


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
def test_every_pixel_format_becomes_8_bit_bgr(tmp_path: Path, stored: Pixels, expected: tuple[int, int, int]) -> None:
    cv2.imwrite(str(tmp_path / "me.png"), stored)
    assert (read(image.open(f"{tmp_path}/me.png", size=None, fps=None)).pixels == expected).all()


def test_a_photograph_is_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: turn it to the right to see it."""
    _, data = cv2.imencode(".jpg", np.zeros((16, 32, 3), np.uint8))
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"\xff\xe1" + (8 + len(tiff)).to_bytes(2, "big") + b"Exif\0\0" + tiff
    (tmp_path / "me.jpg").write_bytes(data.tobytes()[:2] + exif + data.tobytes()[2:])
    assert image.open(f"{tmp_path}/me.jpg", size=None, fps=None).size == (16, 32)


def test_a_file_that_is_not_an_image_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not an image")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(BadFile, match=r"text\.jpg' is a text or web page, not an image"):
        image.open(f"{tmp_path}/text.jpg", size=None, fps=None)
    with pytest.raises(BadFile, match=r"empty\.jpg' is an empty file"):
        image.open(f"{tmp_path}/empty.jpg", size=None, fps=None)
    with pytest.raises(MissingFile, match=r"none\.jpg': No such file"):
        image.open(f"{tmp_path}/none.jpg", size=None, fps=None)


def test_a_source_reports_what_it_does_not_show(tmp_path: Path) -> None:
    images = [Image.new("RGB", (8, 4), color) for color in ("red", "blue")]
    images[0].save(tmp_path / "a.png", save_all=True, append_images=images[1:])
    (notice,) = image.open(f"{tmp_path}/a.png", size=None, fps=None).notices
    assert notice.endswith("holds 2 images: only the first image is shown")
