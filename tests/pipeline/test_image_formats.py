"""One output frame in the formats that sinks carry."""

import cv2
import numpy as np
import pytest

from realtime_matte.media import i420
from realtime_matte.pipeline.image_formats import ImageFormats, small_copy


def test_an_image_is_converted_once_and_only_if_needed() -> None:
    images, bgr = ImageFormats(), np.full((6, 8, 3), (10, 200, 90), np.uint8)
    images.set(bgr)
    assert images.bgr is bgr
    assert images.i420 is images.i420
    np.testing.assert_array_equal(images.i420, i420.from_bgr(bgr))
    planes = i420.from_bgr(bgr)
    images.set(planes)
    assert images.i420 is planes
    assert images.bgr is images.bgr
    np.testing.assert_array_equal(images.bgr, i420.to_bgr(planes))
    assert images.size == (8, 6)


def test_the_next_image_replaces_the_conversion_also_in_another_size() -> None:
    images = ImageFormats()
    for level, size in ((20, (8, 6)), (90, (8, 6)), (90, (16, 4))):
        bgr = np.full((size[1], size[0], 3), level, np.uint8)
        images.set(bgr)
        np.testing.assert_array_equal(images.i420, i420.from_bgr(bgr))
        images.set(i420.from_bgr(bgr))
        np.testing.assert_array_equal(images.bgr, i420.to_bgr(i420.from_bgr(bgr)))


def test_odd_sizes_and_alpha_have_no_i420() -> None:
    images = ImageFormats()
    for shape, possible in (((6, 8, 3), True), ((6, 8, 4), False), ((6, 7, 3), False), ((5, 8, 3), False)):
        images.set(np.zeros(shape, np.uint8))
        assert images.can_be_i420 is possible


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (960, 540), (854, 480), (640, 1138), (641, 360)])
def test_a_small_copy_is_the_frame_scaled_down_in_its_own_format(size: tuple[int, int]) -> None:
    """Of smooth frames all ways to scale give the same, within a level or two."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    bgr = np.dstack([255 * x, 255 * y, 255 * (1 - x)]).round().astype(np.uint8)
    small = small_copy(bgr, 640)
    assert small.shape[1] == 640
    assert small.shape[0] / 640 == pytest.approx(height / width, abs=2 / 640)
    expected = cv2.resize(bgr, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - expected).max() <= 1
    if width % 2 == 0 and height % 4 == 0:
        planes = small_copy(i420.from_bgr(bgr), 640)
        assert np.abs(i420.to_bgr(planes).astype(int) - expected).max() <= 6, "I420 has fewer levels"


def test_a_small_copy_is_a_copy_and_never_larger() -> None:
    for frame in (np.full((6, 8, 3), 90, np.uint8), np.full((6, 8, 4), 90, np.uint8), i420.empty((8, 4))):
        small = small_copy(frame, 640)
        np.testing.assert_array_equal(small, frame)
        assert not np.shares_memory(small, frame)
