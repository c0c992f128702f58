"""JPEG to planes and to BGR: every subsampling, damaged data, and what cameras leave out or add."""

import ctypes
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from realtime_matte.errors import MissingDependency
from realtime_matte.frame import Pixels
from realtime_matte.media import i420, turbojpeg
from realtime_matte.media.turbojpeg import Data, JpegDecoder

SUBSAMPLINGS = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "440": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "411": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}
SIZE = (160, 96)


def image() -> Pixels:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    return np.dstack([60 + x, 220 - y, 128 + 90 * np.sin(x / 20) * np.cos(y / 20)]).astype(np.uint8)


def jpeg(pixels: Pixels, subsampling: str = "422") -> Data:
    options = [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLINGS[subsampling]]
    return cv2.imencode(".jpg", pixels, options)[1]


def without_huffman_tables(data: Data) -> Data:
    """As cameras send it that leave out the tables of the standard, which this encoder uses."""
    content = data.tobytes()
    while (start := content.find(b"\xff\xc4")) >= 0:
        length = int.from_bytes(content[start + 2 : start + 4], "big")
        content = content[:start] + content[start + 2 + length :]
    return np.frombuffer(content, np.uint8)


@pytest.fixture
def decoder() -> Iterator[JpegDecoder]:
    try:
        decoder = JpegDecoder()
    except MissingDependency:
        pytest.skip("libturbojpeg is not installed")
    yield decoder
    decoder.close()
    decoder.close()


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_planes_are_those_of_the_decoded_bgr(decoder: JpegDecoder, subsampling: str) -> None:
    data = jpeg(image(), subsampling)
    planes, bgr = i420.empty(SIZE), np.empty_like(image())
    assert decoder.decode(data, planes)
    assert decoder.decode(data, bgr)
    np.testing.assert_array_equal(bgr, cv2.imdecode(data, cv2.IMREAD_COLOR))
    assert np.abs(planes.astype(int) - i420.from_bgr(bgr)).max() <= 2
    assert decoder.size(data) == SIZE


def test_a_gray_image_has_grey_chroma(decoder: JpegDecoder) -> None:
    gray = image()[..., 0]
    planes = i420.empty(SIZE)
    assert decoder.decode(cv2.imencode(".jpg", gray)[1], planes)
    luma, u, v = i420.planes(planes)
    assert {*u.ravel(), *v.ravel()} == {128}
    assert np.abs(luma - (16 + gray * (219 / 255))).mean() < 1.5


def test_images_without_huffman_tables_are_decoded(decoder: JpegDecoder) -> None:
    data, planes, expected = jpeg(image()), i420.empty(SIZE), i420.empty(SIZE)
    assert decoder.decode(data, expected)
    assert decoder.decode(without_huffman_tables(data), planes)
    np.testing.assert_array_equal(planes, expected)


def test_bytes_after_the_image_and_before_a_marker_do_no_harm(decoder: JpegDecoder) -> None:
    content, planes = jpeg(image()).tobytes(), i420.empty(SIZE)
    for data in (content + bytes(64), content[:-2] + b"\x12" + content[-2:]):
        assert decoder.decode(np.frombuffer(data, np.uint8), planes)


@pytest.mark.parametrize("shape", [(144, 160), (96, 160, 3)])
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\xff\xd8",
        lambda data: bytes(len(data)),
        lambda data: data[: len(data) // 2],
        lambda data: data[:40],
        lambda data: data[:-200] + bytes(198) + data[-2:],
        lambda data: data[: len(data) // 2] + b"\xff\xd8" * 60 + data[len(data) // 2 + 120 :],
    ],
)
def test_a_damaged_image_is_refused_quietly(
    decoder: JpegDecoder, shape: tuple[int, ...], damage: object, capfd: pytest.CaptureFixture[str]
) -> None:
    data = np.frombuffer(damage(jpeg(image()).tobytes()), np.uint8)  # type: ignore[operator]
    assert not decoder.decode(data, np.empty(shape, np.uint8))
    assert decoder.decode(jpeg(image()), np.empty(shape, np.uint8))  # the next one is not affected
    assert capfd.readouterr() == ("", "")


def test_an_image_of_another_size_is_refused(decoder: JpegDecoder) -> None:
    assert not decoder.decode(jpeg(image()), np.empty((90, 160, 3), np.uint8))
    assert not decoder.decode(jpeg(image()), i420.empty((80, 96)))


def test_a_missing_library_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    turbojpeg._library.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(MissingDependency, match="apt install libturbojpeg0"):
        JpegDecoder()
    turbojpeg._library.cache_clear()
