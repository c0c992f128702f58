"""Areas of which a network is unsure, in front of a clean plate that is whole: what differs from it is foreground."""

from collections.abc import Callable

import numpy as np
import pytest

from realtime_matte.frame import Frame, Matte, PlateImage
from realtime_matte.render import plate_difference
from realtime_matte.render.edge_model import SAMPLE_STEP, SAMPLE_VALUES
from realtime_matte.render.plate_difference import PlateDifference
from realtime_matte.render.refine import Refiner

HEIGHT, WIDTH = 96, 160
SLEEVE = (slice(20, 45), slice(30, 50))
INSIDE = (slice(22, 43), slice(32, 48))
UNSURE = 0.3


class Scene:
    """A person at the left whose sleeve has an alpha of UNSURE, in front of a grey room that is known."""

    def __init__(self) -> None:
        self.alpha = np.zeros((HEIGHT, WIDTH), np.float32)
        self.alpha[10:60, 5:30] = 1
        self.alpha[SLEEVE] = UNSURE
        self.guide = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        self.guide[10:60, 5:30] = (40, 60, 200)
        self.guide[SLEEVE] = (110, 165, 175)
        self.plate = PlateImage(np.full_like(self.guide, 120), np.full((HEIGHT, WIDTH), 255, np.uint8))
        self.foreground = np.where(self.alpha > 0.95, np.uint8(255), np.uint8(0))
        self.means = np.zeros((HEIGHT // SAMPLE_STEP, WIDTH // SAMPLE_STEP, SAMPLE_VALUES), np.float32)
        self.means[..., 7] = 0.4  # visible background, all of which matches the plate

    def add(self) -> np.ndarray:
        alpha = self.alpha.copy()
        PlateDifference((HEIGHT, WIDTH)).add(alpha, self.guide, self.plate, self.foreground, self.means)
        return alpha


def test_means_are_those_of_the_edge_model() -> None:
    assert plate_difference.SAMPLE_STEP == SAMPLE_STEP


def test_an_unsure_area_that_differs_from_the_plate_is_foreground() -> None:
    scene = Scene()
    alpha = scene.add()
    assert alpha[INSIDE].min() > 0.9
    outside = np.ones_like(alpha, bool)
    outside[SLEEVE] = False
    assert np.array_equal(alpha[outside], scene.alpha[outside])


def looks_like_the_plate(scene: Scene) -> None:
    scene.guide[SLEEVE] = 121


def is_the_plate_in_a_shadow(scene: Scene) -> None:
    scene.guide[SLEEVE] = 108


def is_narrow(scene: Scene) -> None:
    """As a soft outline."""
    scene.alpha[20:45, 30:42] = 0


def has_no_person(scene: Scene) -> None:
    scene.foreground[:] = 0


def is_not_valid(scene: Scene) -> None:
    scene.plate.validity[SLEEVE] = 0


def stands_in_a_room_that_has_changed(scene: Scene) -> None:
    """A quarter of the background that is visible beside it does not match."""
    scene.means[..., 8] = 0.1


def is_certain(scene: Scene) -> None:
    """What the network takes for background with certainty stays background."""
    scene.alpha[SLEEVE] = 0.02


@pytest.mark.parametrize(
    "change",
    [
        looks_like_the_plate,
        is_the_plate_in_a_shadow,
        is_narrow,
        has_no_person,
        is_not_valid,
        stands_in_a_room_that_has_changed,
        is_certain,
    ],
)
def test_an_area_is_left_alone_that(change: Callable[[Scene], None]) -> None:
    scene = Scene()
    change(scene)
    assert np.array_equal(scene.add()[INSIDE], scene.alpha[INSIDE])


@pytest.mark.parametrize("given", [True, False], ids=["given", "not given"])
def test_a_part_that_a_network_loses_is_kept_once_it_is_given_the_plate(*, given: bool) -> None:
    """The whole refiner: an empty room for two seconds, then a person whose sleeve is faint."""
    scene, refiner = Scene(), Refiner((WIDTH, HEIGHT))
    empty = np.random.default_rng(1).integers(118, 123, (8, HEIGHT, WIDTH, 3), np.uint8)
    plate = PlateImage(np.zeros_like(scene.guide), np.zeros((HEIGHT, WIDTH), np.uint8))
    for count in range(75):
        guide = empty[count % 8].copy()
        entered = count >= 60
        if entered:
            covered = scene.alpha > 0
            guide[covered] = scene.guide[covered]
        if given:
            refiner.fit(guide, plate)
        alpha = scene.alpha if entered else np.zeros_like(scene.alpha)
        matte = refiner.refine(Frame(guide, count / 30, count), Matte(alpha, guide=guide))
    refined = matte.alpha[INSIDE]
    assert (refined.mean() > 0.9) == given, refined.mean()
