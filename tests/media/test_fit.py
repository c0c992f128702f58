"""Fitting images to the output: cover, contain, stretch, tile."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Fit
from realtime_matte.media.fit import crop, fit_image


def ramp(width: int, height: int) -> Pixels:
    """Each pixel encodes its position: blue its column, green its row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) % 256
    pixels[..., 1] = np.arange(height)[:, None] % 256
    return pixels


SIDE = st.integers(1, 80)


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
