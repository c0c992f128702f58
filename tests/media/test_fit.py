import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.frame import Frame, Pixels
from realtime_matte.media.fit import Framing
from realtime_matte.media.image import middle


def ramp(width: int, height: int) -> Pixels:
    """Each pixel says where it is: blue its column, green its row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) % 256
    pixels[..., 1] = np.arange(height)[:, None] % 256
    return pixels


def test_a_frame_that_fits_passes_as_it_is() -> None:
    frame = Frame(ramp(8, 4), 1.5, 7)
    assert Framing((8, 4), mirror=False)(frame) is frame


def test_mirror_swaps_left_and_right_and_leaves_the_sources_pixels_alone() -> None:
    pixels = ramp(8, 4)
    shown = Framing((8, 4), mirror=True)(Frame(pixels, 1.5, 7))
    assert np.array_equal(shown.pixels, ramp(8, 4)[:, ::-1])
    assert np.array_equal(pixels, ramp(8, 4))
    assert (shown.time, shown.index) == (1.5, 7)


def test_a_frame_of_another_size_is_scaled_and_mirrored() -> None:
    shown = Framing((4, 2), mirror=True)(Frame(ramp(8, 4), 0.0, 0))
    assert shown.size == (4, 2)
    assert shown.pixels[0, :, 0].tolist() == sorted(shown.pixels[0, :, 0].tolist(), reverse=True)


def test_a_frame_of_another_shape_loses_its_sides_evenly() -> None:
    shown = Framing((4, 4), mirror=False)(Frame(ramp(8, 4), 0.0, 0))
    assert np.array_equal(shown.pixels, ramp(8, 4)[:, 2:6])


def test_buffers_are_made_once() -> None:
    framing = Framing((4, 2), mirror=True)
    first = framing(Frame(ramp(8, 4), 0.0, 0)).pixels
    assert framing(Frame(ramp(9, 5), 0.0, 1)).pixels is first


SIDE = st.integers(1, 80)


@given(SIDE, SIDE, SIDE, SIDE)
def test_any_size_becomes_any_other(width: int, height: int, wanted_width: int, wanted_height: int) -> None:
    shown = Framing((wanted_width, wanted_height), mirror=False)(Frame(ramp(width, height), 0.0, 0))
    assert shown.size == (wanted_width, wanted_height)
    assert shown.pixels.flags.c_contiguous


@pytest.mark.parametrize("size", [(3840, 2160), (2160, 3840), (641, 359)])
def test_4k_portrait_and_odd_sizes(size: tuple[int, int]) -> None:
    assert Framing((1280, 720), mirror=True)(Frame(ramp(*size), 0.0, 0)).size == (1280, 720)


@given(SIDE, SIDE, SIDE, SIDE)
def test_the_middle_has_the_wanted_shape_to_the_pixel(width: int, height: int, across: int, down: int) -> None:
    part = middle(ramp(width, height), (across, down))
    assert part.shape[1] == width or part.shape[0] == height
    scale = max(across / width, down / height)
    assert abs(part.shape[1] - across / scale) <= 1
    assert abs(part.shape[0] - down / scale) <= 1
