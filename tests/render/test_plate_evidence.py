"""A calibrated plate is evidence: what looks like it is no person, whatever the network says; no person gets a hole."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Matte, Pixels, PlateImage
from realtime_matte.render.plate_evidence import CHECK_S, DOUBT_S, PlateEvidence
from realtime_matte.render.plate_fit import shifted
from realtime_matte.render.plate_trust import SURE_S
from realtime_matte.render.refine import Refiner

HEIGHT, WIDTH = SHAPE = 90, 160
FPS = 30
STATUE = slice(20, 70), slice(30, 60)
PERSON = slice(30, 90), slice(90, 130)


def texture(seed: int) -> Pixels:
    small = np.random.default_rng(seed).integers(60, 190, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


ROOM = texture(1)
PATTERN = np.asarray(np.indices(SHAPE).sum(axis=0)[..., None] // 2 % 2 * np.full(3, 220) + 20, np.uint8)
"""Blinds, or a wallpaper: black and white within two cells."""


def alpha_of(*regions: tuple[slice, slice]) -> Alpha:
    alpha = np.zeros(SHAPE, np.float32)
    for region in regions:
        alpha[region] = 1
    return alpha


class Calibrated:
    """The evidence of a plate of ROOM that was calibrated."""

    def __init__(self) -> None:
        self.evidence = PlateEvidence(SHAPE)
        self.evidence.confirm(confirmed=True)
        self.colour = np.ascontiguousarray(ROOM.transpose(2, 0, 1), np.float32)
        self.seconds = np.full(SHAPE, SURE_S)
        self.adopted = np.zeros(SHAPE, np.uint8)

    def remove(
        self,
        alpha: Alpha,
        guide: NDArray[np.generic] = ROOM,
        elapsed_s: float = 1 / FPS,
        *,
        colours: Pixels | None = None,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Alpha:
        """``colours``: another plate than ROOM."""
        if colours is not None:
            self.colour[:] = colours.transpose(2, 0, 1)
        frame = np.clip(guide, 0, 255).astype(np.uint8)
        plate = self.colour, self.seconds, self.adopted
        return self.evidence.remove(alpha, frame, plate, elapsed_s, shift=shift).copy()


def test_what_looks_like_the_plate_is_no_person() -> None:
    assert Calibrated().remove(alpha_of(STATUE)).max() == 0


def test_also_with_the_noise_of_a_webcam() -> None:
    noise = np.random.default_rng(2).normal(0, 4, ROOM.shape)
    assert Calibrated().remove(alpha_of(STATUE), ROOM + noise).max() == 0


@pytest.mark.parametrize("shift", [(1.0, 0.0), (0.3, -0.7), (-1.4, 0.5)])
def test_also_when_the_camera_shakes(shift: tuple[float, float]) -> None:
    moved = np.dstack([shifted(np.ascontiguousarray(ROOM[..., channel]), shift) for channel in range(3)])
    assert Calibrated().remove(alpha_of(STATUE), moved, shift=shift).max() == 0
    measured = shift[0] * 0.8, shift[1] * 0.8
    assert Calibrated().remove(alpha_of(STATUE), moved, shift=measured).max() == 0


@pytest.mark.parametrize("level", [20, 60, 120, 240])
def test_a_person_before_a_fine_pattern_stays(level: int) -> None:
    guide = PATTERN.copy()
    guide[PERSON] = level
    assert (Calibrated().remove(alpha_of(PERSON), guide, colours=PATTERN) == alpha_of(PERSON)).all()


def test_what_was_removed_may_differ_in_a_few_more_cells() -> None:
    room, guide = Calibrated(), ROOM.copy()
    guide[20:22, 30:60] += 14  # a share of .04
    assert (room.remove(alpha_of(STATUE), guide) == alpha_of(STATUE)).all()
    assert room.remove(alpha_of(STATUE), elapsed_s=CHECK_S).max() == 0
    assert room.remove(alpha_of(STATUE), guide).max() == 0
    guide[22:26, 30:60] += 14
    assert (room.remove(alpha_of(STATUE), guide) == alpha_of(STATUE)).all()


def test_a_plate_that_was_not_confirmed_proves_nothing() -> None:
    room = Calibrated()
    room.evidence.confirm(confirmed=False)
    assert (room.remove(alpha_of(STATUE)) == alpha_of(STATUE)).all()


def test_a_few_cells_that_were_learned_again_do_not_count() -> None:
    room = Calibrated()
    room.seconds[STATUE[0], 30:34] = 0
    assert room.remove(alpha_of(STATUE)).max() == 0


@pytest.mark.parametrize("gap_s", [CHECK_S, 0.5])
def test_what_has_shown_another_background_proves_nothing(gap_s: float) -> None:
    room = Calibrated()
    place = STATUE[0], slice(30, 38)
    room.adopted[place], room.seconds[place] = 255, 0
    assert (room.remove(alpha_of(STATUE), elapsed_s=gap_s) == alpha_of(STATUE)).all()
    room.seconds.fill(SURE_S)
    assert (room.remove(alpha_of(STATUE), elapsed_s=gap_s) == alpha_of(STATUE)).all(), "it was learned since"


def test_what_is_forgotten_for_long_proves_nothing() -> None:
    room = Calibrated()
    person = ROOM.copy()
    person[STATUE[0], 45:60] = texture(3)[STATUE[0], 45:60]
    room.seconds[STATUE[0], 30:38] = 0
    for _ in range(round(DOUBT_S / CHECK_S)):
        assert room.remove(alpha_of(STATUE), person, CHECK_S).max() == 1
    assert (room.remove(alpha_of(STATUE), elapsed_s=CHECK_S) == alpha_of(STATUE)).all()


def test_what_is_forgotten_for_a_moment_is_no_person_afterwards() -> None:
    room = Calibrated()
    room.seconds[STATUE] = 0
    assert room.remove(alpha_of(STATUE), texture(3)).max() == 1
    assert room.remove(alpha_of(STATUE), elapsed_s=CHECK_S).max() == 0


@pytest.mark.parametrize(("size", "noise"), [((512, 288), 7), ((384, 224), 5), ((288, 160), 4)])
def test_the_size_of_the_grid_makes_no_difference(size: tuple[int, int], noise: float) -> None:
    room, alpha = (cv2.resize(image, size, interpolation=cv2.INTER_LINEAR) for image in (ROOM, alpha_of(STATUE)))
    evidence, random = PlateEvidence(size[::-1]), np.random.default_rng(3)
    evidence.confirm(confirmed=True)
    colour = np.ascontiguousarray(room.transpose(2, 0, 1), np.float32)
    known = colour, np.full(size[::-1], SURE_S), np.zeros(size[::-1], np.uint8)
    fine = np.repeat(np.repeat(room, 3, 0), 3, 1) + random.normal(0, 3 * noise, (3 * size[1], 3 * size[0], 3))
    frame = cv2.resize(np.clip(fine, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    assert evidence.remove(np.asarray(alpha, np.float32), np.asarray(frame, np.uint8), known, 1 / FPS).max() == 0
    frame[: size[1] // 2] = 255 - frame[: size[1] // 2]
    left = evidence.remove(np.asarray(alpha, np.float32), np.asarray(frame, np.uint8), known, CHECK_S)
    assert (left == alpha).all(), "half of it differs from the room"


@pytest.mark.parametrize("head_cells", [0.05, 0.2])
def test_a_person_in_the_colours_of_the_room_gets_no_hole(head_cells: float) -> None:
    guide = ROOM.copy()
    head = slice(30, 30 + round(60 * head_cells)), PERSON[1]
    guide[head] = (60, 80, 250)
    assert (Calibrated().remove(alpha_of(PERSON), guide) == alpha_of(PERSON)).all()


def test_a_jumper_of_nearly_the_colour_of_the_wall_stays() -> None:
    room = Calibrated()
    room.colour.fill(120)
    guide = np.full_like(ROOM, 120)
    assert room.remove(alpha_of(PERSON), guide).max() == 0
    guide[PERSON] += 6
    assert (room.remove(alpha_of(PERSON), guide) == alpha_of(PERSON)).all()


def test_each_region_is_judged_for_itself() -> None:
    guide = ROOM.copy()
    guide[PERSON] = texture(3)[PERSON]
    assert (Calibrated().remove(alpha_of(STATUE, PERSON), guide) == alpha_of(PERSON)).all()


def test_a_region_that_touches_a_person_is_left_alone() -> None:
    guide = ROOM.copy()
    guide[PERSON] = texture(3)[PERSON]
    both = alpha_of(STATUE, (slice(40, 60), slice(60, 90)), PERSON)
    assert (Calibrated().remove(both, guide) == both).all()


def test_a_soft_bridge_joins_no_person_and_what_is_soft_around_a_statue_goes_too() -> None:
    guide = ROOM.copy()
    guide[PERSON] = texture(3)[PERSON]
    alpha = alpha_of(STATUE, PERSON)
    alpha[40:60, 60:90] = 0.2
    left = Calibrated().remove(alpha, guide)
    assert left[:, :62].max() == 0
    assert (left[:, 62:] == alpha[:, 62:]).all()


def test_it_moves_with_the_camera() -> None:
    room = Calibrated()
    room.evidence.shift((-3.0, 0.0))
    assert room.remove(alpha_of(STATUE)).max() == 0
    at_edge = alpha_of((slice(20, 70), slice(WIDTH - 2, WIDTH)))
    assert (room.remove(at_edge, elapsed_s=CHECK_S) == at_edge).all(), "what came in was never calibrated"


class Shot:
    """Frames of a room through the refiner, with mattes of a network that is sure of what it sees."""

    def __init__(self) -> None:
        self.refiner = Refiner((WIDTH, HEIGHT))
        self._grain = np.random.default_rng(4).normal(0, 2, (4, *ROOM.shape))
        self._plate = PlateImage(np.zeros_like(ROOM), np.zeros(SHAPE, np.uint8))
        self._count = 0

    def show(self, scene: NDArray[np.generic], alpha: Alpha, seconds: float = 1 / FPS) -> Alpha:
        """The last frame's alpha."""
        for _ in range(round(seconds * FPS)):
            guide = np.clip(scene + self._grain[self._count % 4], 0, 255).astype(np.uint8)
            self.refiner.fit(guide, self._plate)
            refined = self.refiner.refine(Frame(guide, self._count / FPS, self._count), Matte(alpha, guide=guide))
            self._count += 1
        return refined.alpha.copy()

    def skip(self, seconds: float) -> None:
        """The next frame is late."""
        self._count += round(seconds * FPS)

    def calibrate(self) -> None:
        assert self.refiner.clean_plate
        self.refiner.clean_plate.trust_frame()

    @property
    def known(self) -> float:
        assert self.refiner.clean_plate
        return self.refiner.clean_plate.known


def test_a_statue_that_a_network_insists_on_stays_in_the_plate() -> None:
    shot = Shot()
    assert shot.show(ROOM, alpha_of(STATUE), 1)[40, 45] > 0.9
    shot.calibrate()
    assert shot.show(ROOM, alpha_of(STATUE)).max() < 0.5
    assert shot.show(ROOM, alpha_of(STATUE), 2).max() < 0.05
    assert shot.known == 1
    assert not shot.refiner.doubt


def test_a_person_who_comes_in_is_shown_and_the_statue_is_not() -> None:
    shot = Shot()
    shot.show(ROOM, alpha_of(STATUE), 1)
    shot.calibrate()
    shot.show(ROOM, alpha_of(STATUE), 0.5)
    scene = ROOM.copy()
    scene[PERSON] = texture(3)[PERSON]
    alpha = shot.show(scene, alpha_of(STATUE, PERSON), 0.5)
    assert alpha[40:88, 95:125].min() > 0.95
    assert alpha[:, :70].max() < 0.05


@pytest.mark.parametrize("late_s", [0, 0.12, 0.2, 0.5])
def test_a_statue_is_not_shown_after_a_person_has_passed_before_it(late_s: float) -> None:
    shot = Shot()
    shot.show(ROOM, alpha_of(STATUE), 1)
    shot.calibrate()
    shot.show(ROOM, alpha_of(STATUE), 0.5)
    for left in range(0, 130, 2):  # in two seconds, of which one before the statue
        shot.skip(late_s if left == 40 else 0)  # in the middle of the statue
        place = slice(10, 90), slice(left, left + 25)
        scene = ROOM.copy()
        scene[place] = texture(3)[place]
        alpha = shot.show(scene, alpha_of(STATUE, place))
        assert alpha[30:88, left + 5 : left + 20].min() > 0.95, "the person is shown"
    assert shot.show(ROOM, alpha_of(STATUE), 0.2).max() < 0.05


def test_who_sat_still_while_it_was_calibrated_is_whole_as_soon_as_they_move() -> None:
    shot, scene, moved = Shot(), ROOM.copy(), ROOM.copy()
    scene[PERSON] = texture(3)[PERSON]
    shot.show(scene, alpha_of(PERSON), 1)
    shot.calibrate()
    assert shot.show(scene, alpha_of(PERSON), 1).max() < 0.05
    place = PERSON[0], slice(PERSON[1].start + 3, PERSON[1].stop + 3)
    moved[place] = texture(3)[PERSON]
    alpha = shot.show(moved, alpha_of(place), 0.2)
    assert alpha[40:88, 98:128].min() > 0.9
    assert shot.show(moved, alpha_of(place), 2)[40:88, 98:128].min() > 0.95, "and it stays so, at rest again"


@pytest.mark.parametrize("aside", [3, 6, 12])
def test_who_sat_still_while_it_was_calibrated_stays_when_they_come_back(aside: int) -> None:
    shot, random = Shot(), np.random.default_rng(5)
    clothes = cv2.GaussianBlur(texture(3), (0, 0), 12)  # which look the same a few cells aside

    def show(column: int, seconds: float) -> list[float]:
        shown = []
        for _ in range(round(seconds * FPS)):
            start = PERSON[1].start + column + int(random.integers(0, 2))  # breathing
            place = PERSON[0], slice(start, start + 40)
            scene = ROOM.copy()
            scene[place] = clothes[PERSON]
            shown.append(float(shot.show(scene, alpha_of(place))[place].mean()))
        return shown

    show(0, 1)
    shot.calibrate()
    for _ in range(3):
        show(aside, 3)
        assert min(show(0, 3)) > 0.8


def test_what_moves_is_no_furniture_even_if_the_network_is_unsure_of_it() -> None:
    shot, place = Shot(), list(STATUE)
    assert shot.refiner.clean_plate is None
    for index in range(180):
        left = 30 + round(15 * np.sin(index / 5))
        place[1] = slice(left, left + 30)
        scene = ROOM.copy()
        scene[tuple(place)] = texture(3)[tuple(place)]
        shot.show(scene, np.float32(0.6) * alpha_of((place[0], place[1])))
        assert shot.refiner.clean_plate
        shot.refiner.clean_plate.hide(hidden=True) if index == 0 else None
    assert shot.refiner.clean_plate
    assert shot.refiner.clean_plate.still_s < 0.5
