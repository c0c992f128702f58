"""Still images: read upright, as 8-bit BGR, with alpha over black."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels
from realtime_matte.media.image import over_black, read

RED, GREEN, BLUE, WHITE = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)


def quarters(width: int = 32, height: int = 16) -> Pixels:
    """Red, green above blue, white: no two orientations look the same."""
    pixels = np.empty((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    pixels[:y, :x], pixels[:y, x:] = RED, GREEN
    pixels[y:, :x], pixels[y:, x:] = BLUE, WHITE
    return pixels


def exif(orientation: int) -> bytes:
    """A TIFF header with one entry, the orientation."""
    return b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x0112, 3, 1, orientation, 0, 0)


def jpeg(pixels: Pixels, orientation: int) -> bytes:
    """A JPEG with an EXIF orientation."""
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
def test_images_are_upright(
    tmp_path: Path, orientation: int, upper_left: tuple[int, int, int], upper_right: tuple[int, int, int]
) -> None:
    path = tmp_path / "rotated.jpg"
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
    assert np.unique(pixels).tolist() in [[128], [129]]  # truncated or rounded: OpenCV versions differ


@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 1), (np.uint16, 257)])
def test_alpha_is_composited_over_black(tmp_path: Path, dtype: type[np.integer], scale: int) -> None:
    bgra = np.zeros((1, 3, 4), dtype)
    bgra[0] = np.array([(200, 100, 50, 255), (200, 100, 50, 128), (200, 100, 50, 0)]) * scale
    cv2.imwrite(str(tmp_path / "transparent.png"), bgra)
    assert read(tmp_path / "transparent.png").tolist() == [[[200, 100, 50], [100, 50, 25], [0, 0, 0]]]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_is_upright(tmp_path: Path, form: str, orientation: int) -> None:
    """AVIF writes it as irot and imir, others as EXIF; alpha turns with the colours."""
    shown = np.kron(np.dstack([quarters(2, 2)[..., ::-1], [[255, 255], [255, 0]]]), np.ones((32, 32, 1))).astype("u1")
    turns: dict[int, Callable[[Pixels], Pixels]] = {
        1: np.asarray,
        2: np.fliplr,
        3: lambda image: np.rot90(image, 2),
        4: np.flipud,
        5: lambda image: image.swapaxes(0, 1),
        6: np.rot90,
        7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
        8: lambda image: np.rot90(image, -1),
    }
    exif_data = Image.Exif()
    exif_data[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation](shown)))
    options = {"quality": 100} if form == "AVIF" else {"lossless": True} if form == "WEBP" else {}
    (stored.convert("RGB") if form == "JPEG" else stored).save(tmp_path / "a.png", form, exif=exif_data, **options)
    middles = read(tmp_path / "a.png")[16::32, 16::32].reshape(4, 3)
    last = WHITE if form == "JPEG" else (0, 0, 0)
    np.testing.assert_allclose(middles, [RED, GREEN, BLUE, last], atol=12)  # lossy


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(tmp_path: Path, orientation: int) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(quarters(), orientation))
    np.testing.assert_allclose(read(tmp_path / "a.jpg")[3, 3], RED, atol=12)


MODES = [
    *("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16"),
]


@pytest.mark.parametrize("mode", MODES)
def test_white_is_white_in_every_mode(tmp_path: Path, mode: str) -> None:
    white = 65535 if mode == "I;16" else 255
    stored = Image.new("L", (8, 4), 255).convert(mode) if mode != "I;16" else Image.new(mode, (8, 4), white)
    form = next(form for form in ("PNG", "TIFF", "JPEG") if _saves(stored, tmp_path / "a", form))
    assert np.abs(read(tmp_path / "a").astype(int) - 255).max() <= 2, form


def _saves(image: Image.Image, path: Path, form: str) -> bool:
    try:
        image.save(path, form)
        with Image.open(path) as stored:
            stored.load()
    except OSError:  # this format has no such mode; Pillow before 13 does not read the TIFF of YCbCr that it writes
        return False
    return True


@pytest.mark.parametrize(("mode", "transparent"), [("P", 0), ("L", 90), ("RGB", (90, 90, 90))])
def test_a_transparent_colour_is_over_black(tmp_path: Path, mode: str, transparent: int | tuple[int, int, int]) -> None:
    stored = Image.new("L", (8, 4), 90).convert(mode)
    value = stored.getpixel((0, 0)) if mode == "P" else transparent
    stored.save(tmp_path / "a.png", transparency=value)
    assert not read(tmp_path / "a.png").any()


def test_over_black_is_exact_at_both_ends() -> None:
    assert over_black(np.array([[[9, 8, 7, 255], [9, 8, 7, 0]]], np.uint8)).tolist() == [[[9, 8, 7], [0, 0, 0]]]


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot read the image '.*missing\.jpg': No such file or directory; name"):
        read(tmp_path / "missing.jpg")


def test_a_folder_instead_of_an_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the image"):
        read(tmp_path)


def test_text_named_like_an_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("buy milk " * 99)
    with pytest.raises(BadFile, match=r"'.*notes\.jpg' is a text or web page, not an image; name a JPEG or PNG"):
        read(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(BadFile, match=r"'.*empty\.png' is an empty file; name an image such as a JPEG or PNG"):
        read(path)


def test_the_name_may_be_unicode(tmp_path: Path) -> None:
    path = tmp_path / "плаж 海.png"
    path.write_bytes(cv2.imencode(".png", quarters())[1].tobytes())
    assert np.array_equal(read(path), quarters())
