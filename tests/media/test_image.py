"""Still images: read upright as BGR, and made to fill a size."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Fit
from realtime_matte.media.image import fill, over_black, read

RED, GREEN, BLUE, WHITE = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)


def quarters(width: int = 32, height: int = 16) -> Pixels:
    """Red, green above blue, white: no two turns of it look the same."""
    pixels = np.empty((height, width, 3), np.uint8)
    middle, centre = height // 2, width // 2
    pixels[:middle, :centre], pixels[:middle, centre:] = RED, GREEN
    pixels[middle:, :centre], pixels[middle:, centre:] = BLUE, WHITE
    return pixels


def exif(orientation: int) -> bytes:
    """A TIFF header with one entry, the orientation."""
    return b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x0112, 3, 1, orientation, 0, 0)


def jpeg(pixels: Pixels, orientation: int) -> bytes:
    """A JPEG whose EXIF data say how it was held."""
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    block = b"Exif\0\0" + exif(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


@pytest.mark.parametrize(
    ("orientation", "upper_left", "upper_right"),
    [
        (1, RED, GREEN),
        (2, GREEN, RED),
        (3, WHITE, BLUE),
        (4, BLUE, WHITE),
        (5, RED, BLUE),
        (6, BLUE, RED),
        (7, WHITE, GREEN),
        (8, GREEN, WHITE),
    ],
)
def test_pictures_stand_upright(
    tmp_path: Path, orientation: int, upper_left: tuple[int, int, int], upper_right: tuple[int, int, int]
) -> None:
    path = tmp_path / "held.jpg"
    path.write_bytes(jpeg(quarters(), orientation))
    pixels = read(path)
    assert pixels.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    np.testing.assert_allclose(pixels[3, 3], upper_left, atol=12)  # JPEG's own error
    np.testing.assert_allclose(pixels[3, -4], upper_right, atol=12)


def test_grey_becomes_bgr(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((4, 6), 77, np.uint8))
    assert read(tmp_path / "grey.png").tolist() == [[[77] * 3] * 6] * 4


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((4, 6, 3), 0x80FF, np.uint16))
    pixels = read(tmp_path / "deep.png")
    assert pixels.dtype == np.uint8
    assert np.unique(pixels).tolist() in [[128], [129]]  # cut or rounded, as OpenCV's version likes


@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 1), (np.uint16, 257)])
def test_alpha_lies_over_black(tmp_path: Path, dtype: type[np.integer], scale: int) -> None:
    picture = np.zeros((1, 3, 4), dtype)
    picture[0] = np.array([(200, 100, 50, 255), (200, 100, 50, 128), (200, 100, 50, 0)]) * scale
    cv2.imwrite(str(tmp_path / "clear.png"), picture)
    assert read(tmp_path / "clear.png").tolist() == [[[200, 100, 50], [100, 50, 25], [0, 0, 0]]]


def test_alpha_turns_with_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenCV turns the colours by EXIF data it leaves the alpha as stored."""
    stored = np.dstack([quarters(), np.full((16, 32), 255, np.uint8)])
    stored[:8, :16, 3] = 0  # the red quarter is clear
    path = tmp_path / "held.png"
    cv2.imwrite(str(path), stored)
    turned = np.ascontiguousarray(np.rot90(stored[..., :3], -1))
    real = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: turned if flags == cv2.IMREAD_COLOR else real(data, flags))
    pixels = read(path)
    assert pixels[3, -4].tolist() == [0, 0, 0]
    assert pixels[3, 3].tolist() == list(BLUE)
    assert pixels[-4, 3].tolist() == list(WHITE)


def test_over_black_at_its_exact_ends() -> None:
    assert over_black(np.array([[[9, 8, 7, 255], [9, 8, 7, 0]]], np.uint8)).tolist() == [[[9, 8, 7], [0, 0, 0]]]


def test_missing_picture(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot read the picture '.*away\.jpg': No such file or directory; name"):
        read(tmp_path / "away.jpg")


def test_folder_in_place_of_a_picture(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the picture"):
        read(tmp_path)


def test_text_named_like_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("buy milk " * 99)
    with pytest.raises(BadFile, match=r"'.*notes\.jpg' is no picture that OpenCV can read; save it as a JPEG or PNG"):
        read(path)


def test_empty_picture(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(BadFile, match=r"'.*empty\.png' is an empty file; give a picture such as a JPEG or PNG"):
        read(path)


def test_picture_too_large_for_opencv(tmp_path: Path) -> None:
    path = tmp_path / "huge.pgm"
    path.write_bytes(b"P5 60000 60000 255\n" + bytes(99))
    with pytest.raises(BadFile, match=r"huge\.pgm' is a picture that OpenCV cannot read: .*; save it as a JPEG"):
        read(path)


def test_name_that_is_not_ascii(tmp_path: Path) -> None:
    path = tmp_path / "плаж 海.png"
    path.write_bytes(cv2.imencode(".png", quarters())[1].tobytes())
    assert np.array_equal(read(path), quarters())


def test_cover_cuts_the_sides() -> None:
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 10:30] = 255
    assert fill(wide, (20, 10), "cover").min() == 255


def test_cover_cuts_top_and_bottom() -> None:
    tall = np.zeros((40, 10, 3), np.uint8)
    tall[15:25] = 255
    assert fill(tall, (10, 10), "cover").min() == 255


def test_contain_leaves_black_bars() -> None:
    canvas = fill(np.full((10, 40, 3), 255, np.uint8), (40, 20), "contain")
    assert canvas[5:15].min() == 255
    assert canvas[:5].max() == canvas[15:].max() == 0


def test_stretch_shows_all_of_it() -> None:
    canvas = fill(quarters(32, 16), (100, 200), "stretch")
    corners = [canvas[0, 0], canvas[0, -1], canvas[-1, 0], canvas[-1, -1]]
    assert [corner.tolist() for corner in corners] == [list(RED), list(GREEN), list(BLUE), list(WHITE)]


def test_tile_repeats_unscaled() -> None:
    canvas = fill(quarters(4, 2), (6, 5), "tile")
    assert np.array_equal(canvas[:2, :4], quarters(4, 2))
    assert np.array_equal(canvas[2:4, :4], quarters(4, 2))
    assert np.array_equal(canvas[:2, 4:], quarters(4, 2)[:, :2])


def test_shrinking_averages() -> None:
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    assert fill(stripes, (4, 4), "stretch").tolist() == [[[100] * 3] * 4] * 4


@given(
    inner=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    fit=st.sampled_from(["cover", "contain", "stretch", "tile"]),
)
def test_every_fit_gives_the_size(inner: tuple[int, int], size: tuple[int, int], fit: Fit) -> None:
    canvas = fill(np.full((inner[1], inner[0], 3), 200, np.uint8), size, fit)
    assert canvas.shape == (size[1], size[0], 3)
    assert canvas.flags.c_contiguous
    assert canvas.max() == 200
    assert fit == "contain" or canvas.min() == 200
