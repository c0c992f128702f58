"""JPEG by Pillow: the same pixels as OpenCV's, and nothing on the terminal for damaged data."""

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Pixels
from realtime_matte.media import jpeg

QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


def image() -> Pixels:
    y, x = np.mgrid[:96, :160]
    return np.dstack([60 + x % 64, 220 - y, 40 + x // 2 + y]).astype(np.uint8)


def data(pixels: Pixels) -> bytes:
    return cv2.imencode(".jpg", pixels, QUALITY)[1].tobytes()


def damaged() -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (96, 160, 3), np.uint8)
    content = data(noise)
    return content[:2000] + bytes(200) + content[2200:]


def without(marker: int, content: bytes) -> bytes:
    """The JPEG without the segments of that marker."""
    kept, start = content[:2], 2
    while content[start + 1] != 0xDA:
        end = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
        kept += b"" if content[start + 1] == marker else content[start:end]
        start = end
    return kept + content[start:]


def test_pixels_are_written_into_the_given_array() -> None:
    pixels = np.zeros((96, 160, 3), np.uint8)
    assert jpeg.decode(data(image()), pixels) is pixels
    np.testing.assert_allclose(pixels.astype(int), cv2.imdecode(np.frombuffer(data(image()), np.uint8), 1), atol=2)


def test_an_image_of_another_size_or_in_grey_gets_an_array_of_its_own() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    decoded = jpeg.decode(data(image()[..., 0]), pixels)
    assert decoded is not None
    assert decoded.shape == (96, 160, 3)
    assert not pixels.any()


def test_images_without_huffman_tables_are_decoded() -> None:
    np.testing.assert_equal(jpeg.decode(without(0xC4, data(image())), None), jpeg.decode(data(image()), None))


def test_damage_inside_is_shown_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert jpeg.decode(damaged(), None) is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(100),
        b"\xff\xd8",
        data(image())[:1000],
        b"GIF89a" + bytes(100),
        data(image()).replace(b"\x00\x60\x00\xa0", b"\xff\xff\xff\xff", 1),
        without(0xDB, data(image())),
    ],
    ids=["empty", "zeros", "start", "cut", "GIF", "huge", "no quantization tables"],
)
def test_what_cannot_be_decoded_is_none_and_prints_nothing(content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert jpeg.decode(content, None) is None
    assert capfd.readouterr() == ("", "")
