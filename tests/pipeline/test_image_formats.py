"""One output frame in the formats that sinks carry."""

import numpy as np

from realtime_matte.media import i420
from realtime_matte.pipeline.image_formats import ImageFormats


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
