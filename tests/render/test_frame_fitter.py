"""Fitting frames to the output: cropped, scaled without aliasing, mirrored, in a millisecond."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import i420
from realtime_matte.media.fit import crop, fit_image
from realtime_matte.portrait import sample_portrait
from realtime_matte.render import area_resize
from realtime_matte.render.frame_fitter import FrameFitter
from realtime_matte.render.renderer import warm_up

COMMON: list[tuple[Size, Size]] = [
    ((1920, 1080), (1280, 720)),
    ((3840, 2160), (1280, 720)),
    ((2560, 1440), (1280, 720)),
    ((2560, 1440), (1920, 1080)),
    ((1920, 1080), (854, 480)),
    ((1600, 1200), (1280, 720)),
    ((1281, 721), (640, 360)),
    ((641, 359), (320, 180)),
    ((1000, 562), (999, 561)),
]
"""Sizes of cameras, and what they are fitted to."""


def ramp(width: int, height: int) -> Pixels:
    """Each pixel encodes its position: blue its column, green its row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) % 256
    pixels[..., 1] = np.arange(height)[:, None] % 256
    return pixels


def photograph(size: Size) -> Pixels:
    """The sample portrait, repeated, so that it is sharp at every size."""
    return fit_image(sample_portrait(), size, "tile")


def zone_plate(size: Size) -> Pixels:
    """Rings that get finer from the middle to the borders, where they alternate at every pixel: a chart for moire."""
    x, y = (np.arange(side) - side / 2 for side in size)
    phase = np.pi * (x[None] ** 2 + y[:, None] ** 2) / max(size)
    return np.repeat(np.asarray(127.5 + 127.5 * np.cos(phase), np.uint8)[..., None], 3, axis=2)


def by_area(pixels: Pixels, size: Size) -> Pixels:
    """What OpenCV makes of it."""
    return np.asarray(cv2.resize(crop(pixels, size), size, interpolation=cv2.INTER_AREA), np.uint8)


def fitted(pixels: Pixels, size: Size, *, mirror: bool = False) -> Pixels:
    return FrameFitter(size, mirror=mirror)(Frame(pixels, 0.0, 0)).pixels


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("size", "to"), COMMON)
def test_a_photograph_is_the_mean_over_each_pixels_area(size: Size, to: Size, mirror: bool) -> None:  # noqa: FBT001 -- a case
    pixels = photograph(size)
    expected = by_area(pixels, to)[:, :: -1 if mirror else 1].astype(int)
    difference = np.abs(fitted(pixels, to, mirror=mirror) - expected)
    assert difference.max() <= 2


@pytest.mark.parametrize(("size", "to"), COMMON[:6])
def test_moire_is_as_weak_as_with_opencv(size: Size, to: Size) -> None:
    """In the corners, whose rings are finer than the pixels, there is no more contrast than INTER_AREA leaves."""
    chart = zone_plate(size)
    corners = [
        image[: to[1] // 4, : to[0] // 4, 0].std()
        for image in (fitted(chart, to), by_area(chart, to), nearest(chart, to))
    ]
    assert corners[0] <= 1.2 * corners[1] + 1
    assert corners[0] < 0.5 * corners[2]


def nearest(pixels: Pixels, size: Size) -> Pixels:
    """With all the moire that there can be."""
    return np.asarray(cv2.resize(crop(pixels, size), size, interpolation=cv2.INTER_NEAREST), np.uint8)


def test_a_frame_looks_the_same_while_the_kernels_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photograph((960, 540))
    compiled = fitted(pixels, (640, 360), mirror=True)
    monkeypatch.setattr(area_resize, "ready", lambda: False)
    assert np.abs(fitted(pixels, (640, 360), mirror=True).astype(int) - compiled).max() <= 2


def test_after_the_warm_up_opencvs_slow_way_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up()
    monkeypatch.setattr(cv2, "resize", None)
    assert fitted(photograph((960, 540)), (640, 360)).any()


def test_a_given_buffer_is_written() -> None:
    out = np.zeros((2, 4, 3), np.uint8)
    assert FrameFitter((4, 2), mirror=False)(Frame(ramp(8, 4), 0.0, 0), out).pixels is out
    assert out.any()


def test_a_frame_that_fits_is_returned_as_it_is() -> None:
    frame = Frame(ramp(8, 4), 1.5, 7)
    assert FrameFitter((8, 4), mirror=False)(frame) is frame


def test_mirror_swaps_left_and_right_and_does_not_change_the_source_frame() -> None:
    pixels = ramp(8, 4)
    fitted = FrameFitter((8, 4), mirror=True)(Frame(pixels, 1.5, 7))
    assert np.array_equal(fitted.pixels, ramp(8, 4)[:, ::-1])
    assert np.array_equal(pixels, ramp(8, 4))
    assert (fitted.time, fitted.index) == (1.5, 7)


def test_a_frame_of_another_size_is_scaled_and_mirrored() -> None:
    fitted = FrameFitter((4, 2), mirror=True)(Frame(ramp(8, 4), 0.0, 0))
    assert fitted.size == (4, 2)
    assert fitted.pixels[0, :, 0].tolist() == sorted(fitted.pixels[0, :, 0].tolist(), reverse=True)


def test_a_frame_of_another_aspect_ratio_is_cropped_evenly() -> None:
    fitted = FrameFitter((4, 4), mirror=False)(Frame(ramp(8, 4), 0.0, 0))
    assert np.array_equal(fitted.pixels, ramp(8, 4)[:, 2:6])


def test_buffers_are_allocated_once() -> None:
    fitter = FrameFitter((4, 2), mirror=True)
    first = fitter(Frame(ramp(8, 4), 0.0, 0)).pixels
    assert fitter(Frame(ramp(9, 5), 0.0, 1)).pixels is first


SIDE = st.integers(1, 80)


@given(SIDE, SIDE, SIDE, SIDE)
def test_every_size_becomes_every_other(width: int, height: int, new_width: int, new_height: int) -> None:
    fitted = FrameFitter((new_width, new_height), mirror=False)(Frame(ramp(width, height), 0.0, 0))
    assert fitted.size == (new_width, new_height)
    assert fitted.pixels.flags.c_contiguous


@pytest.mark.parametrize("size", [(3840, 2160), (2160, 3840), (641, 359)])
def test_4k_portrait_and_odd_sizes_fit(size: tuple[int, int]) -> None:
    assert FrameFitter((1280, 720), mirror=True)(Frame(ramp(*size), 0.0, 0)).size == (1280, 720)


def test_i420_frames_are_mirrored_plane_by_plane() -> None:
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[:, :4] = (30, 120, 200)
    fitted = FrameFitter((8, 6), mirror=True)(Frame(i420.from_bgr(pixels), 0.5, 3, "i420"))
    assert (fitted.pixel_format, fitted.time, fitted.index) == ("i420", 0.5, 3)
    np.testing.assert_array_equal(fitted.pixels, i420.from_bgr(np.ascontiguousarray(pixels[:, ::-1])))


PLANES: list[tuple[Size, Size]] = [
    ((1920, 1080), (1280, 720)),
    ((3840, 2160), (1280, 720)),
    ((1600, 1200), (1280, 720)),
    ((640, 480), (320, 180)),
    ((640, 364), (320, 180)),
]
"""Sizes of cameras, of which the part that is shown begins and ends between two pixels of chroma."""


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("size", "to"), PLANES)
def test_planes_are_fitted_as_bgr_is(size: Size, to: Size, mirror: bool) -> None:  # noqa: FBT001 -- a case
    """Within 2 of 255; of strong colours, BGR is clipped on the way."""
    planes = i420.from_bgr(photograph(size) // 2 + np.uint8(64))
    by_planes = FrameFitter(to, mirror=mirror)(Frame(planes, 0.5, 3, "i420"))
    assert (by_planes.pixel_format, by_planes.size, by_planes.time, by_planes.index) == ("i420", to, 0.5, 3)
    expected = i420.from_bgr(fitted(i420.to_bgr(planes), to, mirror=mirror))
    for plane, wanted in zip(i420.planes(by_planes.pixels), i420.planes(expected), strict=True):
        assert np.percentile(np.abs(plane.astype(int) - wanted), 99.9) <= 2


@pytest.mark.parametrize("mirror", [False, True])
def test_planes_of_a_smaller_camera_are_enlarged(mirror: bool) -> None:  # noqa: FBT001 -- a case
    pixels = np.zeros((36, 64, 3), np.uint8)
    pixels[:, :32] = (30, 120, 200)
    enlarged = FrameFitter((128, 72), mirror=mirror)(Frame(i420.from_bgr(pixels), 0.5, 3, "i420"))
    sides = i420.to_bgr(enlarged.pixels)[:, [10, -10]].astype(int)
    coloured, black = (1, 0) if mirror else (0, 1)
    assert np.abs(sides[:, coloured] - (30, 120, 200)).max() <= 2
    assert sides[:, black].max() <= 2


def test_i420_frames_become_bgr_where_the_size_is_odd() -> None:
    pixels = np.full((12, 16, 3), (30, 120, 200), np.uint8)
    fitted = FrameFitter((9, 6), mirror=False)(Frame(i420.from_bgr(pixels), 0.5, 3, "i420"))
    assert (fitted.pixel_format, fitted.size) == ("bgr", (9, 6))
    assert np.abs(fitted.pixels.astype(int) - (30, 120, 200)).max() <= 2


@given(SIDE, SIDE, SIDE, SIDE, st.booleans())
def test_every_even_size_becomes_every_other_in_planes(
    width: int,
    height: int,
    new_width: int,
    new_height: int,
    mirror: bool,  # noqa: FBT001 -- a case
) -> None:
    size, to = (2 * width, 2 * height), (2 * new_width, 2 * new_height)
    grey = np.full((size[1] * 3 // 2, size[0]), 90, np.uint8)
    fitted = FrameFitter(to, mirror=mirror)(Frame(grey, 0.0, 0, "i420"))
    assert (fitted.size, fitted.pixel_format) == (to, "i420")
    assert (fitted.pixels == 90).all()
