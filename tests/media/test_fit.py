"""Fitting images and frames to the output: cover, contain, stretch, tile, mirror."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.frame import Frame, Pixels
from realtime_matte.interfaces import Fit
from realtime_matte.media.fit import FrameFitter, crop, fit_image


def ramp(width: int, height: int) -> Pixels:
    """Each pixel encodes its position: blue its column, green its row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) % 256
    pixels[..., 1] = np.arange(height)[:, None] % 256
    return pixels


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


@given(SIDE, SIDE, SIDE, SIDE)
def test_a_crop_has_the_aspect_ratio_to_the_pixel(width: int, height: int, across: int, down: int) -> None:
    part = crop(ramp(width, height), (across, down))
    assert part.shape[1] == width or part.shape[0] == height
    scale = max(across / width, down / height)
    assert abs(part.shape[1] - across / scale) <= 1
    assert abs(part.shape[0] - down / scale) <= 1


def test_cover_crops_the_sides() -> None:
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 10:30] = 255
    assert fit_image(wide, (20, 10), "cover").min() == 255


def test_cover_crops_top_and_bottom() -> None:
    tall = np.zeros((40, 10, 3), np.uint8)
    tall[15:25] = 255
    assert fit_image(tall, (10, 10), "cover").min() == 255


def test_contain_leaves_black_bars() -> None:
    canvas = fit_image(np.full((10, 40, 3), 255, np.uint8), (40, 20), "contain")
    assert canvas[5:15].min() == 255
    assert canvas[:5].max() == canvas[15:].max() == 0


def test_stretch_shows_the_whole_image() -> None:
    quarters = np.repeat(np.repeat(np.array([[[0], [85]], [[170], [255]]], np.uint8), 8, axis=0), 16, axis=1)
    canvas = fit_image(np.repeat(quarters, 3, axis=2), (100, 200), "stretch")
    corners = [canvas[0, 0], canvas[0, -1], canvas[-1, 0], canvas[-1, -1]]
    assert [corner.tolist() for corner in corners] == [[0] * 3, [85] * 3, [170] * 3, [255] * 3]


def test_tile_repeats_unscaled() -> None:
    canvas = fit_image(ramp(4, 2), (6, 5), "tile")
    assert np.array_equal(canvas[:2, :4], ramp(4, 2))
    assert np.array_equal(canvas[2:4, :4], ramp(4, 2))
    assert np.array_equal(canvas[:2, 4:], ramp(4, 2)[:, :2])


def test_shrinking_averages_pixels() -> None:
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    assert fit_image(stripes, (4, 4), "stretch").tolist() == [[[100] * 3] * 4] * 4


@given(
    inner=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    fit=st.sampled_from(["cover", "contain", "stretch", "tile"]),
)
def test_every_fit_gives_the_size(inner: tuple[int, int], size: tuple[int, int], fit: Fit) -> None:
    canvas = fit_image(np.full((inner[1], inner[0], 3), 200, np.uint8), size, fit)
    assert canvas.shape == (size[1], size[0], 3)
    assert canvas.flags.c_contiguous
    assert canvas.max() == 200
    assert fit == "contain" or canvas.min() == 200
