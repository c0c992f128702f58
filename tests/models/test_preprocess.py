import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.models import preprocess as normalise
from realtime_matte.models.input_size import Grid
from realtime_matte.models.preprocess import Rule
from realtime_matte.models.shrink import Shrink

OURS = Grid(36864, 16)
RULE = Rule((10.0, 20.0, 30.0), (2.0, 4.0, 5.0))


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((1280, 720), (256, 144)),
        ((640, 480), (224, 160)),
        ((720, 1280), (144, 256)),
        ((500, 500), (192, 192)),
        ((1, 1), (192, 192)),
        ((4000, 1), (12144, 16)),
    ],
)
def test_the_grid_keeps_the_frames_shape(size: Size, grid: Size) -> None:
    assert OURS.at(size) == grid


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_every_grid_is_of_whole_multiples(width: int, height: int) -> None:
    found = OURS.at((width, height))
    assert min(found) >= 16
    assert not any(side % 16 for side in found)


def test_a_size_that_is_no_multiple_is_refused_with_the_next() -> None:
    with pytest.raises(SpecError, match=r"size 250x144 is not of whole multiples of 16; try 256x144"):
        Grid(36864, 16, (250, 144))


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 480), (641, 361), (4096, 2160), (512, 288)])
def test_shrinking_keeps_colours_and_does_not_alias(size: Size) -> None:
    stripes = np.zeros((size[1], size[0], 3), np.uint8)
    stripes[:, ::2] = (200, 100, 50)
    small = Shrink(size, (256, 144))(stripes)
    np.testing.assert_allclose(small[2:-2, 2:-2], np.broadcast_to((100, 50, 25), small[2:-2, 2:-2].shape), atol=4)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (720, 1280), (960, 540)])
def test_shrinking_is_near_to_the_mean_over_each_cell(size: Size) -> None:
    pixels, grid = _smooth(size), OURS.at(size)
    exact = cv2.resize(pixels, grid, interpolation=cv2.INTER_AREA)
    assert np.abs(Shrink(size, grid)(pixels).astype(int) - exact).mean() < 1


def test_shrinking_writes_into_the_buffer_given() -> None:
    out = np.zeros((144, 256, 3), np.uint8)
    Shrink((1280, 720), (256, 144), out)(np.full((720, 1280, 3), 90, np.uint8))
    assert (out == 90).all()


def test_a_frame_of_the_grids_size_is_taken_as_it_is() -> None:
    pixels = _smooth((256, 144))
    np.testing.assert_array_equal(Shrink((256, 144), (256, 144))(pixels), pixels)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(1, 64))
def test_every_size_shrinks_or_grows(width: int, height: int, grid_width: int, grid_height: int) -> None:
    flat = np.full((height, width, 3), 77, np.uint8)
    small = Shrink((width, height), (grid_width, grid_height))(flat)
    assert small.shape == (grid_height, grid_width, 3)
    assert (small == 77).all()


@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_normalising_is_exact_for_every_value(planar: bool, order: normalise.Order) -> None:  # noqa: FBT001 -- a case
    rule = Rule(RULE.mean, RULE.std, order)
    levels = np.arange(256, dtype=np.uint8)
    pixels = np.stack([levels, levels[::-1], np.roll(levels, 7)], -1).reshape(16, 16, 3)
    tensor = np.zeros((1, 3, 16, 16) if planar else (1, 16, 16, 3), np.float32)
    guide = normalise.feed((16, 16), tensor, rule)(pixels)
    np.testing.assert_array_equal(guide, pixels)
    channels = pixels if order == "bgr" else pixels[..., ::-1]
    wanted = (channels.astype(np.float32) - np.float32(rule.mean)) / np.float32(rule.std)
    np.testing.assert_array_equal(tensor[0], wanted.transpose(2, 0, 1) if planar else wanted)


def test_normalising_leaves_the_frame_alone() -> None:
    pixels = _smooth((16, 16))
    before = pixels.copy()
    pixels.flags.writeable = False
    normalise.feed((16, 16), np.zeros((1, 16, 16, 3), np.float32), RULE)(pixels)
    np.testing.assert_array_equal(pixels, before)


def _smooth(size: Size) -> Pixels:
    random: NDArray[np.uint8] = np.random.default_rng(3).integers(0, 256, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(random, size, interpolation=cv2.INTER_CUBIC), np.uint8)
