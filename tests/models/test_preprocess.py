import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.models.options import ChannelOrder
from realtime_matte.models.preprocess import UNIT, Downscaler, InputSize, Normalisation, preprocessor

BASE_GRID = InputSize(36864, 16)
NORMALISATION = Normalisation((10.0, 20.0, 30.0), (2.0, 4.0, 5.0))


@pytest.mark.parametrize(
    ("size", "input_size"),
    [
        ((1280, 720), (256, 144)),
        ((640, 480), (224, 160)),
        ((720, 1280), (144, 256)),
        ((500, 500), (192, 192)),
        ((1, 1), (192, 192)),
        ((4000, 1), (12144, 16)),
    ],
)
def test_input_has_the_frames_aspect_ratio(size: Size, input_size: Size) -> None:
    assert BASE_GRID.at(size) == input_size


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_both_sides_of_an_input_are_multiples(width: int, height: int) -> None:
    found = BASE_GRID.at((width, height))
    assert min(found) >= 16
    assert not any(side % 16 for side in found)


def test_size_that_is_not_a_multiple_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match=r"size 250x144 is not a multiple of 16; try 256x144"):
        InputSize(36864, 16, (250, 144))


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 480), (641, 361), (4096, 2160), (512, 288)])
def test_downscaling_keeps_colours_and_does_not_alias(size: Size) -> None:
    stripes = np.zeros((size[1], size[0], 3), np.uint8)
    stripes[:, ::2] = (200, 100, 50)
    small = Downscaler(size, (256, 144))(stripes)
    np.testing.assert_allclose(small[2:-2, 2:-2], np.broadcast_to((100, 50, 25), small[2:-2, 2:-2].shape), atol=4)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (720, 1280), (960, 540)])
def test_downscaling_is_near_to_the_mean_over_each_cell(size: Size) -> None:
    pixels, to = _smooth(size), BASE_GRID.at(size)
    exact = cv2.resize(pixels, to, interpolation=cv2.INTER_AREA)
    assert np.abs(Downscaler(size, to)(pixels).astype(int) - exact).mean() < 1


def test_downscaling_writes_into_the_given_buffer() -> None:
    out = np.zeros((144, 256, 3), np.uint8)
    Downscaler((1280, 720), (256, 144), out)(np.full((720, 1280, 3), 90, np.uint8))
    assert (out == 90).all()


def test_frame_of_the_input_size_is_not_changed() -> None:
    pixels = _smooth((256, 144))
    np.testing.assert_array_equal(Downscaler((256, 144), (256, 144))(pixels), pixels)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(1, 64))
def test_every_size_is_downscaled_or_enlarged(width: int, height: int, to_width: int, to_height: int) -> None:
    flat = np.full((height, width, 3), 77, np.uint8)
    small = Downscaler((width, height), (to_width, to_height))(flat)
    assert small.shape == (to_height, to_width, 3)
    assert (small == 77).all()


@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_normalising_is_exact_for_every_value(planar: bool, order: ChannelOrder) -> None:  # noqa: FBT001 -- a case
    normalisation = Normalisation(NORMALISATION.mean, NORMALISATION.std, order)
    levels = np.arange(256, dtype=np.uint8)
    pixels = np.stack([levels, levels[::-1], np.roll(levels, 7)], -1).reshape(16, 16, 3)
    tensor = np.zeros((1, 3, 16, 16) if planar else (1, 16, 16, 3), np.float32)
    guide = preprocessor((16, 16), tensor, normalisation)(pixels)
    np.testing.assert_array_equal(guide, pixels)
    channels = pixels if order == "bgr" else pixels[..., ::-1]
    expected = (channels.astype(np.float32) - np.float32(normalisation.mean)) / np.float32(normalisation.std)
    np.testing.assert_array_equal(tensor[0], expected.transpose(2, 0, 1) if planar else expected)


def test_normalising_does_not_change_the_frame() -> None:
    pixels = _smooth((16, 16))
    before = pixels.copy()
    pixels.flags.writeable = False
    preprocessor((16, 16), np.zeros((1, 16, 16, 3), np.float32), NORMALISATION)(pixels)
    np.testing.assert_array_equal(pixels, before)


def _smooth(size: Size) -> Pixels:
    random: NDArray[np.uint8] = np.random.default_rng(3).integers(0, 256, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(random, size, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (320, 180), (1920, 1080), (96, 64)])
def test_planes_are_downscaled_as_bgr_frames_are(size: Size) -> None:
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32) / size[1]
    pixels = np.dstack([60 + 90 * x, 220 - 150 * y, 128 + 60 * np.sin(9 * x) * np.cos(7 * y)]).astype(np.uint8)
    downscale = Downscaler(size, (256, 144))
    of_planes = downscale(i420.from_bgr(pixels)).copy()
    assert (
        np.abs(of_planes.astype(int) - downscale(pixels)).max() <= 6
    )  # 8 bits of luma and chroma, and half as many of chroma at a steep edge


def test_a_tensor_of_planes_is_that_of_bgr() -> None:
    pixels = np.full((72, 128, 3), (30, 120, 200), np.uint8)
    tensor = np.zeros((1, 3, 36, 64), np.float32)
    preprocess = preprocessor((128, 72), tensor, UNIT)
    guide = preprocess(i420.from_bgr(pixels))
    assert np.abs(guide.astype(int) - (30, 120, 200)).max() <= 2
    assert np.abs(tensor[0].mean(axis=(1, 2)) - np.array([200, 120, 30]) / 255).max() <= 2 / 255
