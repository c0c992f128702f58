"""Regions in which the network is hardly anywhere sure are removed as a whole; people stay as they are."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Matte, Pixels, PlateImage
from realtime_matte.render.plate_trust import SEEN_S
from realtime_matte.render.refine import Refiner
from realtime_matte.render.weak_regions import MEMORY_S, WeakRegions, block_side

SHAPES = [(160, 288), (288, 512), (90, 160), (224, 128)]
STEP = 1 / 30


def ellipse(shape: tuple[int, int], centre: tuple[float, float], radius: float, *, value: float = 1.0) -> Alpha:
    """Soft at its outline; ``centre`` and ``radius`` are shares of the shape."""
    height, width = shape
    mask = np.zeros(shape, np.float32)
    size = max(1, round(radius * width)), max(1, round(radius * height))
    cv2.ellipse(mask, (round(centre[0] * width), round(centre[1] * height)), size, 0, 0, 360, value, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.float32)


def removed(alpha: Alpha) -> Alpha:
    return WeakRegions(alpha.shape).remove(alpha, STEP)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_person_is_not_touched(shape: tuple[int, int]) -> None:
    alpha = ellipse(shape, (0.5, 0.6), 0.3)
    assert removed(alpha) is alpha


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", [0.3, 0.55, 0.75])
def test_what_is_grey_throughout_is_removed_with_its_soft_edge(shape: tuple[int, int], value: float) -> None:
    assert removed(ellipse(shape, (0.5, 0.5), 0.2, value=value)).max() < 0.05


@pytest.mark.parametrize("shape", SHAPES)
def test_the_person_beside_it_stays_in_every_cell(shape: tuple[int, int]) -> None:
    person, coat = ellipse(shape, (0.3, 0.6), 0.2), ellipse(shape, (0.8, 0.4), 0.12, value=0.6)
    left = removed(np.maximum(person, coat))
    half = shape[1] * 11 // 20
    np.testing.assert_array_equal(left[:, :half], person[:, :half])
    assert left[:, half:].max() < 0.02


def test_a_part_of_a_person_that_touches_it_is_never_removed() -> None:
    shape = 160, 288
    alpha = np.maximum(ellipse(shape, (0.4, 0.6), 0.2), ellipse(shape, (0.6, 0.6), 0.1, value=0.5))
    assert removed(alpha) is alpha


@pytest.mark.parametrize("shape", SHAPES)
def test_one_place_where_the_network_is_sure_is_enough(shape: tuple[int, int]) -> None:
    alpha = ellipse(shape, (0.5, 0.5), 0.3, value=0.6)
    side = 2 * block_side(shape)
    middle = slice(shape[0] // 2 - side, shape[0] // 2 + side), slice(shape[1] // 2 - side, shape[1] // 2 + side)
    alpha[middle] = 0.95
    assert removed(alpha) is alpha
    alpha[middle] = 0.7
    assert removed(alpha).max() < 0.02


@pytest.mark.parametrize("offset", range(4))
def test_a_narrow_part_of_which_it_is_sure_stays_wherever_it_is(offset: int) -> None:
    alpha = np.zeros((160, 288), np.float32)
    alpha[40:120, 100 + offset : 106 + offset] = 1
    assert removed(alpha) is alpha


def test_a_grid_that_no_block_divides_is_judged_cell_by_cell() -> None:
    alpha = ellipse((143, 255), (0.3, 0.6), 0.2)
    assert removed(alpha) is alpha
    assert removed(ellipse((143, 255), (0.7, 0.4), 0.1, value=0.6)).max() < 0.1


def test_it_remembers_where_it_was_sure_while_it_removes_nothing() -> None:
    shape = 160, 288
    regions = WeakRegions(shape)
    sharp, blurred = (ellipse(shape, (0.8, 0.3), 0.08, value=value) for value in (1.0, 0.6))
    regions.remove(sharp, STEP, only_look=True)
    assert regions.remove(blurred, STEP) is blurred
    assert regions.remove(blurred, 2 * float(MEMORY_S), only_look=True) is blurred
    assert regions.remove(blurred, STEP).max() < 0.02


def test_a_hand_that_is_blurred_for_a_moment_stays() -> None:
    shape = 160, 288
    regions = WeakRegions(shape)
    person = ellipse(shape, (0.4, 0.7), 0.2)
    sharp, blurred = (np.maximum(person, ellipse(shape, (0.8, 0.3), 0.08, value=value)) for value in (1.0, 0.6))
    assert regions.remove(sharp, STEP) is sharp
    seconds = 0.0
    while seconds + STEP < MEMORY_S:
        seconds += STEP
        assert regions.remove(blurred, STEP) is blurred, f"after {seconds:.2f} s"
    regions.remove(blurred, STEP)
    assert regions.remove(blurred, STEP)[:, 200:].max() < 0.02


def test_only_the_same_place_is_remembered_and_no_other_shot() -> None:
    shape = 160, 288
    regions = WeakRegions(shape)
    regions.remove(ellipse(shape, (0.8, 0.3), 0.08), STEP)
    assert regions.remove(ellipse(shape, (0.2, 0.3), 0.08, value=0.6), STEP).max() < 0.02
    regions.remove(ellipse(shape, (0.8, 0.3), 0.08), STEP)
    regions.reset()
    assert regions.remove(ellipse(shape, (0.8, 0.3), 0.08, value=0.6), STEP).max() < 0.02


def test_neither_noise_nor_an_empty_or_full_alpha_is_a_problem() -> None:
    noise = np.zeros((160, 288), np.float32)
    for row in range(0, 160, 8):
        for column in range(0, 288, 8):
            noise[row : row + 4, column : column + 4] = 0.5
    left = removed(noise)
    assert left[:16].max() == 0
    assert left[-16:].max() == 0.5, "more regions than are judged: the rest is kept"
    for value in (0.0, 1.0):
        alpha = np.full((160, 288), value, np.float32)
        assert removed(alpha) is alpha
    assert removed(np.full((160, 288), 0.5, np.float32)).max() == 0


HEIGHT, WIDTH = 90, 160
COAT = slice(20, 60), slice(100, 140)


class Shot:
    """Frames of a grey room through the refiner."""

    def __init__(self) -> None:
        self.refiner = Refiner((WIDTH, HEIGHT))
        self._plate = PlateImage(np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8))
        self._count = 0

    def show(self, image: Pixels, alpha: Alpha, seconds: float) -> Alpha:
        for _ in range(round(seconds * 30)):
            self.refiner.fit(image, self._plate)
            frame = Frame(image, self._count / 30, self._count)
            refined = self.refiner.refine(frame, Matte(alpha, guide=image))
            self._count += 1
        return refined.alpha.copy()


def room_with(value: int) -> tuple[Pixels, Alpha]:
    image: NDArray[np.uint8] = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    image[COAT] = value
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[COAT] = 0.6
    return image, alpha


def test_it_is_not_shown_and_not_learned_as_background() -> None:
    shot, (image, alpha) = Shot(), room_with(60)
    assert shot.show(image, alpha, 2).max() < 0.05
    assert shot.refiner.clean_plate
    share = np.count_nonzero(alpha) / alpha.size
    assert shot.refiner.clean_plate.known < 1 - share, "it may be a person after all"


def test_what_the_plate_knows_decides_instead() -> None:
    shot, (image, alpha) = Shot(), room_with(60)
    empty = np.full_like(image, 120)
    shot.show(empty, np.zeros_like(alpha), 2 * float(SEEN_S) + 1)
    assert shot.refiner.clean_plate
    assert shot.refiner.clean_plate.decides
    assert shot.show(image, alpha, 0.5)[30:50, 110:130].min() > 0.5, "it differs from the room"
