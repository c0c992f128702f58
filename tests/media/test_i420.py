"""I420 images: to and from BGR, and from what cameras give, in the colours that OpenCV's conversion has."""

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Pixels
from realtime_matte.media import i420

COLORS = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (30, 120, 200), (128, 128, 128)]


def flat(color: tuple[int, int, int]) -> Pixels:
    return np.full((8, 12, 3), color, np.uint8)


def smooth() -> Pixels:
    """Colours that change so slowly that the subsampling of chroma costs nothing."""
    y, x = np.mgrid[:120, :160].astype(np.float32)
    return np.dstack([50 + x, 230 - y, 40 + 0.6 * x + 0.6 * y]).astype(np.uint8)


def difference(first: Pixels, second: Pixels) -> int:
    return int(np.abs(first.astype(int) - second).max())


@pytest.mark.parametrize("color", COLORS)
def test_colours_are_those_of_opencv(color: tuple[int, int, int]) -> None:
    assert difference(i420.from_bgr(flat(color)), cv2.cvtColor(flat(color), cv2.COLOR_BGR2YUV_I420)) <= 1
    assert difference(i420.to_bgr(i420.from_bgr(flat(color))), flat(color)) <= 2  # 8 bits of luma and chroma
    yuv = i420.FROM_BGR_WITH_OFFSET @ [*color, 1]
    np.testing.assert_allclose(i420.TO_BGR_WITH_OFFSET @ [*yuv, 1], color, atol=1e-9)


def test_black_is_16_and_white_is_235() -> None:
    for color, luma in (((0, 0, 0), 16), ((255, 255, 255), 235)):
        assert {*i420.from_bgr(flat(color)).ravel()} == {luma, 128}


def test_chroma_is_the_mean_of_four_pixels() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    image[0, 0] = image[1, 1] = (0, 0, 255)
    _, u, v = i420.planes(i420.from_bgr(image))
    red = i420.from_bgr(np.full((2, 2, 3), (0, 0, 255), np.uint8))[2]
    assert abs(int(v[0, 0]) - (int(red[1]) + 128) / 2) <= 1
    assert abs(int(u[0, 0]) - (int(red[0]) + 128) / 2) <= 1
    assert (u[0, 1], v[0, 1]) == (128, 128)


def test_yuyv_and_nv12_are_the_same_image() -> None:
    image = i420.from_bgr(smooth())
    luma, u, v = i420.planes(image)
    packed = np.empty((*luma.shape, 2), np.uint8)
    packed[..., 0] = luma
    packed[:, 0::2, 1], packed[:, 1::2, 1] = u.repeat(2, axis=0), v.repeat(2, axis=0)
    semi_planar = np.vstack([luma, np.dstack([u, v]).reshape(-1, luma.shape[1])])
    for convert, given in ((i420.from_yuyv, packed), (i420.from_nv12, semi_planar)):
        out = np.zeros_like(image)
        convert(given, out)
        np.testing.assert_array_equal(out, image)


def test_full_range_becomes_limited() -> None:
    image = smooth()
    ycrcb = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)  # JPEG's: full range
    full = i420.empty((160, 120))
    for plane, channel in zip(i420.planes(full), (0, 2, 1), strict=True):
        cv2.resize(ycrcb[..., channel], plane.shape[::-1], dst=plane, interpolation=cv2.INTER_AREA)
    i420.to_limited(full)
    assert difference(full, i420.from_bgr(image)) <= 2  # rounded three times


def test_bt709_becomes_bt601() -> None:
    image = smooth()
    b, g, r = (image[..., c].astype(np.float64) for c in range(3))
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    wide = (16 + luma * 219 / 255, 128 + (b - luma) / 1.8556 * 224 / 255, 128 + (r - luma) / 1.5748 * 224 / 255)
    given = i420.empty((160, 120))
    for plane, values in zip(i420.planes(given), wide, strict=True):
        plane[:] = np.rint(cv2.resize(values, plane.shape[::-1], interpolation=cv2.INTER_AREA))
    assert difference(given, i420.from_bgr(image)) > 5
    i420.to_601(given)
    assert difference(given, i420.from_bgr(image)) <= 2  # rounded three times


def test_only_even_sizes_are_possible() -> None:
    assert i420.is_possible((4, 2))
    assert not i420.is_possible((5, 2))
    assert not i420.is_possible((4, 3))


def test_a_sample_is_that_of_the_whole_image() -> None:
    image = i420.from_bgr(smooth())
    out = np.empty((15, 20, 3), np.uint8)
    i420.sample_bgr(image, 8, out)
    assert difference(out, i420.to_bgr(image)[::8, ::8]) <= 1


def test_packed_pixels_are_exact_there_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (72, 64), np.uint8)
    packed, back = np.empty((48, 64, 2), np.uint8), np.empty_like(pixels)
    i420.to_yuyv(pixels, packed)
    i420.from_yuyv(packed, back)
    assert np.array_equal(back, pixels)
