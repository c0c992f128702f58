"""Upsampling: bands and runs give what plain arithmetic on every pixel gives."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.frame import Frame, Matte, half_size, mask_background
from realtime_matte.look import Look
from realtime_matte.render.bands import BACKGROUND, EDGE, FOREGROUND, classify, make_bands, split
from realtime_matte.render.edge_cells import Runs
from realtime_matte.render.person_look import PersonLook
from realtime_matte.render.refine import Refiner
from realtime_matte.render.upsample import change_foreground
from realtime_matte.render.upsampled_matte import UpsampledMatte

SLOW_SIZES = [(854, 480), (1280, 720), (1920, 1080), (3840, 2160), (1079, 607)]
SIZES = [(320, 180), (641, 363), (97, 3), (2, 2), (1, 5)]


def scene(size: tuple[int, int], seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A frame of large patches, and a coarse alpha: a soft blob, partly certain, partly not."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (9, 16, 3), np.uint8)
    blob = np.clip(
        cv2.resize(random.random((5, 8), np.float32), (64, 36), interpolation=cv2.INTER_CUBIC) * 4 - 1.5, 0, 1
    )
    return cv2.resize(patches, size, interpolation=cv2.INTER_CUBIC), blob


def refine(refiner: Refiner, pixels: np.ndarray, coarse: np.ndarray) -> UpsampledMatte:
    """The matte; where alpha is certain, the models that are not computed are filled in for plain arithmetic."""
    matte = refiner.refine(Frame(pixels, 0.0, 0), Matte(coarse))
    cells = refiner._grid._guided_filter._cells
    far = cells.near[:, : cells.mean.shape[1]] == 0
    linear, colours = (by_cell(grid) for grid in matte.models[:2])
    linear[far] = colours[far] = 0
    linear[far, 3] = cells.mean[far] > 0.5
    return matte


def by_cell(grid: np.ndarray) -> np.ndarray:
    """Models (h, numbers, w) as (h, w, numbers): a view."""
    return grid.transpose(0, 2, 1)


def refined(size: tuple[int, int], seed: int = 3) -> tuple[np.ndarray, UpsampledMatte]:
    pixels, coarse = scene(size, seed)
    return pixels, refine(Refiner(size), pixels, coarse)


def interpolate(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, (h, w, n) to (H, W, n), in double precision."""
    for side, length in enumerate((size[1], size[0])):
        cells = grid.shape[side]
        place = np.clip((np.arange(length) + 0.5) * cells / length - 0.5, 0, cells - 1)
        low = np.floor(place).astype(int)
        weight = (place - low).reshape((-1, 1, 1) if side == 0 else (1, -1, 1))
        near, far = np.take(grid, low, side), np.take(grid, np.minimum(low + 1, cells - 1), side)
        grid = near + weight * (far - near)
    return grid


def plain_arithmetic(pixels: np.ndarray, matte: UpsampledMatte) -> tuple[np.ndarray, np.ndarray]:
    """Alpha and foreground of every pixel from the models, with no shortcut."""
    linear, colours = (np.asarray(by_cell(grid), np.float64) for grid in matte.models[:2])
    size = pixels.shape[1], pixels.shape[0]
    gains = interpolate(linear, size)
    alpha = np.clip((gains[..., :3] * pixels).sum(axis=2) + gains[..., 3], 0, 1)[..., None]
    both = interpolate(colours, size)
    foreground, background = both[..., :3], both[..., 3:]
    clean = foreground + alpha * (pixels - alpha * foreground - (1 - alpha) * background)
    return alpha[..., 0], np.clip(clean, 0, 255)


@pytest.mark.parametrize("size", [*SIZES, *(pytest.param(size, marks=pytest.mark.slow) for size in SLOW_SIZES)])
def test_every_pixel_is_within_one_level_of_plain_arithmetic(size: tuple[int, int]) -> None:
    pixels, matte = refined(size)
    background = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
    alpha, colours = plain_arithmetic(pixels, matte)
    composite = np.empty_like(pixels)
    matte.over(background, composite)
    expected = alpha[..., None] * colours + (1 - alpha[..., None]) * background
    assert np.abs(composite - expected).max() <= 1  # half a level of rounding, and single precision
    assert np.abs(matte.alpha - alpha).max() <= 1e-4
    shown = matte.alpha > 0
    assert np.abs(matte.foreground - colours)[shown].max(initial=0) <= 1


@settings(max_examples=30, deadline=None)
@given(width=st.integers(1, 90), height=st.integers(1, 60), seed=st.integers(0, 999))
def test_alpha_0_is_the_background_and_alpha_1_the_frame_exactly(width: int, height: int, seed: int) -> None:
    pixels, matte = refined((width, height), seed)
    background = np.random.default_rng(seed).integers(0, 256, pixels.shape, np.uint8)
    composite = np.empty_like(pixels)
    matte.over(background, composite)
    outside, inside = matte.alpha == 0, matte.alpha == 1
    assert np.array_equal(composite[outside], background[outside])
    assert np.array_equal(composite[inside], pixels[inside])
    assert np.array_equal(matte.foreground[inside], pixels[inside])
    assert not matte.foreground[outside].any()


def test_the_scene_has_every_kind_of_pixel() -> None:
    _, matte = refined((640, 360))
    assert (
        min((matte.alpha == 0).mean(), (matte.alpha == 1).mean(), ((matte.alpha > 0) & (matte.alpha < 1)).mean()) > 0.1
    )


def test_a_mirrored_frame_gives_a_mirrored_composite() -> None:
    pixels, coarse = scene((641, 363))
    background = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
    composites = []
    for columns in (slice(None), slice(None, None, -1)):
        flipped = np.ascontiguousarray(pixels[:, columns]), np.ascontiguousarray(coarse[:, columns])
        composite = np.empty_like(pixels)
        refine(Refiner((641, 363)), *flipped).over(np.ascontiguousarray(background[:, columns]), composite)
        composites.append(composite[:, columns])
    # The guide is resized by OpenCV, whose rounding differs a little from the other side.
    assert np.abs(composites[0].astype(int) - composites[1]).max() <= 3


def test_nothing_of_an_earlier_frame_is_in_a_composite() -> None:
    refiner = Refiner((320, 180))
    first, second = scene((320, 180), 1), scene((320, 180), 2)
    background = np.full((180, 320, 3), 77, np.uint8)
    fresh, after = np.empty_like(background), np.empty_like(background)
    refine(Refiner((320, 180)), *second).over(background, fresh)
    before = refine(refiner, *first)
    before.over(background, after)
    assert before.alpha.any()
    refiner.reset()
    matte = refine(refiner, *second)
    matte.over(background, after)
    assert np.array_equal(after, fresh)
    assert np.array_equal(matte.alpha, refined((320, 180), 2)[1].alpha)


def test_full_size_results_are_computed_once_and_only_when_read() -> None:
    _, matte = refined((64, 36))
    assert "alpha" not in vars(matte._full_size)
    assert matte.alpha is matte.alpha
    assert "foreground" not in vars(matte._full_size)
    assert matte.foreground is matte.foreground


def test_a_model_that_is_not_a_number_gives_alpha_0() -> None:
    pixels, coarse = scene((64, 36))
    matte = refine(Refiner((64, 36)), pixels, coarse)
    for grid in matte.models[:2]:
        grid[:] = np.nan
    between, runs, first, kind = matte.models[3]
    between[:], runs[:], kind[:, 0] = EDGE, 1, EDGE
    first[:, 0], first[:, 1] = 0, 64
    background, composite = np.full_like(pixels, 9), np.empty_like(pixels)
    matte.over(background, composite)
    assert not matte.alpha.any()
    assert np.array_equal(composite, background)


def test_a_cell_is_certain_only_if_no_colour_could_make_it_an_edge() -> None:
    linear = np.array(
        [[[0, 0, 0, 0], [0.001, 0, -0.001, -0.26], [0.001, 0, 0, -0.2], [0, -0.001, 0, 1.26], [0, 0, 0, 1]]]
    )
    cells, near, all_five = np.zeros((1, 5), np.uint8), np.ones((1, 5), np.uint8), runs_of((0, 5))
    classify(np.float32(linear.transpose(0, 2, 1)).copy(), near, all_five, np.zeros((1, 5), np.float32), cells)
    assert cells.tolist() == [[BACKGROUND, BACKGROUND, EDGE, FOREGROUND, FOREGROUND]]


def test_a_cell_far_from_edges_is_what_its_alpha_is() -> None:
    cells = np.zeros((1, 2), np.uint8)
    undefined, mean = np.full((1, 4, 2), np.nan, np.float32), np.array([[0.001, 0.999]], np.float32)
    for runs in (runs_of(), runs_of((0, 2))):  # runs are rounded outwards
        classify(undefined, np.zeros((1, 2), np.uint8), runs, mean, cells)
        assert cells.tolist() == [[BACKGROUND, FOREGROUND]]


def runs_of(*runs: tuple[int, int]) -> Runs:
    """The runs of a grid of one row."""
    return np.array([len(runs)]), np.array([[end for run in runs for end in run]], np.uint64).reshape(1, -1)


def test_a_band_is_split_where_its_four_cells_differ() -> None:
    cells = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 1, 1]], np.uint8)
    bands = make_bands((3, 4))
    split(cells, bands)
    _, runs, first, kind = bands
    assert runs.tolist() == [3, 2, 2]
    assert first[0, :4].tolist() == [0, 1, 2, 4]
    assert kind[0, :3].tolist() == [BACKGROUND, EDGE, FOREGROUND]
    assert first[1, :3].tolist() == [0, 2, 4]
    assert kind[1, :2].tolist() == [EDGE, FOREGROUND]


@pytest.mark.parametrize("size", SIZES)
def test_the_mask_of_the_background_is_that_of_alpha_where_all_four_pixels_are_below(size: tuple[int, int]) -> None:
    pixels, matte = refined(size)
    width, height = half_size((pixels.shape[1], pixels.shape[0]))
    masks = np.full((2, height + 3, width + 2), 7, np.uint8)
    matte.mask_background(0.1, masks[0])
    mask_background(Matte(matte.alpha), 0.1, masks[1])
    for y, x in np.ndindex(height, width):
        expected = 255 if (matte.alpha[2 * y : 2 * y + 2, 2 * x : 2 * x + 2] < 0.1).all() else 0
        assert (masks[:, y, x] == expected).all(), "computed from the models, and from alpha"
    assert (masks[:, height:] == 7).all()
    assert (masks[:, :, width:] == 7).all()


@pytest.mark.parametrize("size", SIZES)
def test_a_look_changes_the_foreground_only(size: tuple[int, int]) -> None:
    """Each step is what plain arithmetic on the straight foreground gives; without alpha, the background is exact."""
    pixels, matte = refined(size)
    random = np.random.default_rng(5)
    background, look = random.integers(0, 256, pixels.shape, np.uint8), Look()
    look.follow_with(np.sort(random.integers(0, 256, (256, 3), np.uint8), axis=0))
    look.gain = random.uniform(0.7, 1.4, (36, 64)).astype(np.float32)
    look.light = random.uniform(0, 40, (36, 64, 3)).astype(np.float32)
    changed, composite = matte.foreground.copy(), np.empty_like(pixels)
    tables = PersonLook(size).tables(look, pixels, matte.area)
    matte.over(background, composite, tables)
    looked = look.table[changed, np.arange(3)].astype(np.float64)
    looked = np.rint(np.minimum(looked * interpolate(look.gain[..., None], size), 255))
    looked = np.minimum(looked + interpolate(look.light, size), 255)
    alpha = matte.alpha[..., None]
    assert np.abs(composite - (background + alpha * (looked - background))).max() < 2
    np.testing.assert_array_equal(composite[matte.alpha == 0], background[matte.alpha == 0])
    change_foreground(changed, tables)
    assert np.abs(changed - looked).max() < 2


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_noise_is_filtered_in_the_foreground_only(strength: float) -> None:
    size = SIZES[0]
    pixels, matte = refined(size)
    look = Look()
    look.noise_filter = strength
    composite, background = np.empty_like(pixels), np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
    matte.over(background, composite, PersonLook(size).tables(look, pixels, matte.area))
    expected = pixels + strength * (cv2.medianBlur(pixels, 3).astype(np.float64) - pixels)
    inside = matte.alpha == 1
    inside[:2] = inside[-2:] = inside[:, :2] = inside[:, -2:] = False  # the filter's own border
    assert inside.sum() > 1000
    assert np.abs(composite - expected)[inside].max() <= 1
    np.testing.assert_array_equal(composite[matte.alpha == 0], background[matte.alpha == 0])


def test_nothing_of_a_person_is_outside_the_area() -> None:
    _, matte = refined(SIZES[0])
    outside = matte.alpha.copy()
    outside[matte.area] = 0
    assert not outside.any()
    empty = Refiner(SIZES[0]).refine(
        Frame(np.zeros((180, 320, 3), np.uint8), 0.0, 0), Matte(np.zeros((36, 64), np.float32))
    )
    assert empty.area == (slice(0, 0), slice(0, 0))


def test_a_frame_without_a_person_needs_no_filter() -> None:
    pixels, background = np.zeros((180, 320, 3), np.uint8), np.full((180, 320, 3), 9, np.uint8)
    matte = Refiner(SIZES[0]).refine(Frame(pixels, 0.0, 0), Matte(np.zeros((36, 64), np.float32)))
    look, composite = Look(), np.empty_like(pixels)
    look.noise_filter = 1.0
    matte.over(background, composite, PersonLook(SIZES[0]).tables(look, pixels, matte.area))
    np.testing.assert_array_equal(composite, background)
