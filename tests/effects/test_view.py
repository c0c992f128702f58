"""Turning, zooming and fitting the camera's image."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.config.config import Config
from realtime_matte.effects import view
from realtime_matte.frame import Frame, Pixels, Size

SIZE = (64, 48)


def shown(pixels: Pixels, size: Size = SIZE, **options: object) -> Pixels:
    """The view's frame; the camera's own buffer may be read only."""
    opened = view.open(Config().replace(**options), size=size)
    assert opened
    frame = Frame(pixels, 3.5, 7)
    frame.pixels.flags.writeable = False
    result = opened(frame)
    assert (result.time, result.index, result.size) == (3.5, 7, size)
    assert result.pixels.flags.c_contiguous
    return result.pixels


def noise(size: Size) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)


def test_without_options_there_is_no_view() -> None:
    assert view.open(Config(), size=SIZE) is None
    assert view.open(Config(mirror=True), size=SIZE) is None


@pytest.mark.parametrize(
    ("rotate", "code"),
    [("90", cv2.ROTATE_90_CLOCKWISE), ("180", cv2.ROTATE_180), ("270", cv2.ROTATE_90_COUNTERCLOCKWISE)],
)
@pytest.mark.parametrize("mirror", [False, True])
def test_the_image_is_turned_clockwise_and_then_mirrored(rotate: str, code: int, *, mirror: bool) -> None:
    camera = SIZE if rotate == "180" else SIZE[::-1]
    pixels = noise(camera)
    expected = cv2.rotate(pixels, code)
    np.testing.assert_array_equal(
        shown(pixels, rotate=rotate, mirror=mirror), expected[:, ::-1] if mirror else expected
    )


def test_a_zoom_shows_the_middle() -> None:
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[24:72, 32:96] = noise(SIZE)
    np.testing.assert_array_equal(shown(pixels, zoom=2), pixels[24:72, 32:96])


@pytest.mark.parametrize(("center", "corner"), [((0, 0), (0, 0)), ((1, 1), (48, 64)), ((0.75, 0.5), (24, 64))])
def test_the_centre_moves_as_far_as_there_is_image(center: tuple[float, float], corner: tuple[int, int]) -> None:
    pixels = noise((128, 96))
    top, left = corner
    np.testing.assert_array_equal(shown(pixels, zoom=2, center=center), pixels[top : top + 48, left : left + 64])


def test_the_centre_is_that_of_the_mirrored_image() -> None:
    pixels = noise((128, 96))
    np.testing.assert_array_equal(shown(pixels, zoom=2, center=(0, 0), mirror=True), pixels[:48, 64:][:, ::-1])


def test_cover_cuts_an_upright_image() -> None:
    pixels = np.zeros((128, 64, 3), np.uint8)
    pixels[40:88] = noise(SIZE)
    np.testing.assert_array_equal(shown(pixels, rotate="180")[::-1, ::-1], pixels[40:88])


def test_contain_shows_the_whole_image_and_says_where() -> None:
    opened = view.open(Config(camera_fit="contain"), size=SIZE)
    assert opened
    pixels = noise((24, 48))
    result = opened(Frame(pixels, 0.0, 0)).pixels
    assert opened.area == (slice(0, 48), slice(20, 44))
    np.testing.assert_array_equal(result[:, 20:44], pixels)
    assert result[:, :20].std() < pixels.std(), "beside it, its colours go on, smooth"


def test_contain_of_an_image_of_the_outputs_shape_fills_it() -> None:
    opened = view.open(Config(camera_fit="contain"), size=SIZE)
    assert opened
    opened(Frame(noise(SIZE), 0.0, 0))
    assert opened.area is None


def test_a_camera_that_comes_back_in_another_size_is_fitted_again() -> None:
    opened = view.open(Config(zoom=2), size=SIZE)
    assert opened
    for size in ((128, 96), (256, 192), (100, 80)):
        pixels = np.full((size[1], size[0], 3), 77, np.uint8)
        assert (opened(Frame(pixels, 0.0, 0)).pixels == 77).all()


def test_frames_of_one_size_share_their_buffers() -> None:
    opened = view.open(Config(rotate=90, zoom=1.5), size=SIZE)
    assert opened
    first = opened(Frame(noise((128, 96)), 0.0, 0)).pixels
    assert opened(Frame(noise((128, 96)), 0.1, 1)).pixels is first


@settings(max_examples=150, deadline=None)
@given(
    camera=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    output=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    rotate=st.sampled_from([0, 90, 180, 270]),
    zoom=st.floats(1, 4),
    center=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    contain=st.booleans(),
)
def test_the_part_and_the_area_are_always_inside(
    camera: Size, output: Size, rotate: int, zoom: float, center: tuple[float, float], *, contain: bool
) -> None:
    placed = view.place(camera, output, rotate=rotate, zoom=zoom, center=center, contain=contain)
    for spans, size in ((placed.part, camera), (placed.area, output)):
        for span, length in zip(spans, size[::-1], strict=True):
            assert 0 <= span.start < span.stop <= length
    if not contain:
        assert placed.area_size == output
