"""The clean plate that a network sees: how soon it is known, and how soon what is wrong in it is gone, in seconds.

Scripted shots at 30 frames a second. Two kinds of networks: one knows people by their colour, the other takes
everything that differs from the plate for a person, so that it would keep an error of the plate for ever.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Alpha, Frame, Matte, Pixels, PlateImage
from realtime_matte.render import plate_trust
from realtime_matte.render.plate_fit import PlateFit
from realtime_matte.render.plate_trust import SEEN_S
from realtime_matte.render.refine import Refiner
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate

HEIGHT, WIDTH = 96, 160
FPS = 30

NetworkOf = Callable[[Pixels, PlateImage], np.ndarray]


def texture(seed: int, deviation: float = 18) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.asarray(np.array((150, 140, 100)) + deviation * smooth / smooth.std(), float)


ROOM = texture(1)
GRAINS = np.random.default_rng(2).normal(0, 2, (8, HEIGHT, WIDTH, 3))
SKIN = (60.0, 80.0, 250.0)
"""Of a person: red, as nothing in the room is."""


def by_colour(guide: Pixels, _: PlateImage) -> np.ndarray:
    """People are red."""
    return guide[..., 2].astype(int) - guide[..., 1] > 90


def by_difference(guide: Pixels, plate: PlateImage) -> np.ndarray:
    """People are what differs from the plate, where that is known."""
    return (np.abs(guide.astype(int) - plate.colours).max(axis=2) > 40) & (plate.validity > 0)


def by_both(guide: Pixels, plate: PlateImage) -> np.ndarray:
    return by_colour(guide, plate) | by_difference(guide, plate)


class Shot:
    """Frames of one shot, through a network and the refiner as the renderer connects them."""

    def __init__(self, network: NetworkOf) -> None:
        self.network = network
        self.refiner = Refiner((WIDTH, HEIGHT))
        self.plate = PlateImage(np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8))
        self.count = 0
        self.alpha: Alpha = np.zeros((HEIGHT, WIDTH), np.float32)

    def show(self, scene: np.ndarray, network: NetworkOf | None = None) -> Alpha:
        """The network's alpha of a frame; ``network``: for this frame only."""
        guide = np.clip(scene + GRAINS[self.count % len(GRAINS)], 0, 255).astype(np.uint8)
        if not self.refiner.fit(guide, self.plate):
            self.plate.validity.fill(0)
        self.alpha = (network or self.network)(guide, self.plate).astype(np.float32)
        self.refiner.refine(Frame(guide, self.count / FPS, self.count), Matte(self.alpha, guide=guide))
        self.count += 1
        return self.alpha

    def run(self, scene: np.ndarray, seconds: float) -> Alpha:
        for _ in range(round(seconds * FPS)):
            self.show(scene)
        return self.alpha

    def seconds_until(self, done: Callable[[], bool], scene_of: Callable[[int], np.ndarray], at_most: float) -> float:
        """How long ``scene_of`` has to be shown until the network's alpha, or the plate, is right."""
        for index in range(round(at_most * FPS) + 1):
            self.show(scene_of(index))
            if done():
                return index / FPS
        raise AssertionError(f"not within {at_most} s")

    def error(self, box: tuple[slice, slice], room: np.ndarray = ROOM) -> float:
        """Mean difference between plate and room in a box where the plate is valid; 0 if it is nowhere."""
        valid = self.plate.validity[box] > 0
        return float(np.abs(self.plate.colours[box] - room[box])[valid].mean()) if valid.any() else 0.0


def with_box(scene: np.ndarray, box: tuple[slice, slice], colour: object = SKIN) -> np.ndarray:
    changed = scene.copy()
    changed[box] = colour
    return changed


def person_at(left: int, index: int = 0) -> tuple[slice, slice]:
    """Where a person of 30 columns is, who sways by a cell or two."""
    sway = round(2 * np.sin(index / 5))
    return slice(30, HEIGHT), slice(left + sway, left + 30 + sway)


LEFT, RIGHT = (slice(35, 90), slice(22, 48)), (slice(35, 90), slice(107, 128))
"""Inside of the person at columns 20 and 100."""


@pytest.fixture
def in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are given a plate with holes too."""
    monkeypatch.setattr(plate_trust, "WHOLE", 0.0)
    monkeypatch.setattr(plate_trust, "STILL_WHOLE", 0.0)


def beside_a_hole(_: Pixels, plate: PlateImage) -> np.ndarray:
    """People, and the hole of a plate that is given."""
    return (plate.validity == 0) & bool(plate.validity.any())


def test_a_hole_is_not_taken_for_a_person_for_ever() -> None:
    """A network that keeps its own error never sees a plate with the hole that the error leaves."""
    shot = Shot(beside_a_hole)
    shot.show(ROOM, lambda guide, plate: by_colour(with_box(guide, person_at(60)), plate))
    for _ in range(FPS):
        shot.show(ROOM, lambda guide, plate: by_colour(with_box(guide, person_at(60)), plate))
    assert not shot.plate.validity.any()
    shot.run(ROOM, 1)
    assert not shot.alpha.any()
    assert shot.plate.validity.all()


def test_networks_are_given_the_plate_once_nearly_all_is_known_and_keep_it_behind_people() -> None:
    shot = Shot(by_colour)
    shot.run(with_box(ROOM, person_at(60)), 2)
    assert not shot.plate.validity.any(), "a seventh of the room was never seen"
    shot.run(ROOM, 0.5)
    assert shot.plate.validity.all()
    shot.run(with_box(ROOM, person_at(60)), 5)
    assert shot.plate.validity.all()


def test_the_light_is_followed_while_a_part_of_the_room_was_never_seen() -> None:
    """So that what a person covers has the new light when it is seen again."""
    shot = Shot(by_colour)

    def scene(left: int, light: float = 1.0) -> np.ndarray:
        return with_box(with_box(ROOM * light, person_at(60)), (slice(30, HEIGHT), slice(left, left + 20)))

    shot.run(scene(5), 1)
    shot.run(scene(125), 1.5)
    covered = slice(40, 90), slice(132, 140)
    shot.run(scene(125, 1.3), 0.1)
    plate = shot.refiner.clean_plate
    assert plate is not None
    assert not shot.plate.validity.any(), "a part was never seen"
    kept = plate.export(PlateOrigin("", (WIDTH, HEIGHT), "")).colours
    assert np.abs(kept[covered] - 1.3 * ROOM[covered]).mean() < 5


def test_an_empty_room_is_valid_after_a_third_of_a_second_and_sure_after_one() -> None:
    shot = Shot(by_colour)
    shot.run(ROOM, float(SEEN_S) - 0.1)
    assert not shot.plate.validity.any()
    shot.run(ROOM, 0.2)
    assert shot.plate.validity.min() >= 50
    shot.run(ROOM, 0.8)
    assert shot.plate.validity.min() > 245
    assert shot.error((slice(None), slice(None))) < 2


@pytest.mark.usefixtures("in_part")
def test_nothing_is_known_behind_and_beside_a_person_who_was_never_away() -> None:
    shot = Shot(by_colour)
    for index in range(3 * FPS):
        shot.show(with_box(ROOM, person_at(60)), None if index else by_colour)
    assert not shot.plate.validity[30:, 58:92].any()
    assert shot.plate.validity[:, :50].min() > 245


def test_what_a_person_reveals_is_learned_and_stays_known_behind_them() -> None:
    shot = Shot(by_colour)
    shot.run(with_box(ROOM, person_at(100)), 1)
    shot.run(with_box(ROOM, person_at(20)), 1.5)
    assert shot.plate.validity[RIGHT].min() > 200
    shot.run(with_box(ROOM, person_at(100)), 10)
    assert shot.plate.validity[RIGHT].min() > 200
    assert shot.error(RIGHT) < 3


def test_a_person_whom_the_network_misses_for_a_moment_does_not_become_background() -> None:
    shot = Shot(by_colour)
    shot.run(ROOM, 2)
    for _ in range(round(0.4 * FPS)):
        shot.show(with_box(ROOM, person_at(100)), lambda guide, _: np.zeros(guide.shape[:2]))
    assert shot.plate.validity[RIGHT].min() > 200
    assert shot.error(RIGHT) < 3


@pytest.mark.parametrize("missed_s", [1, 10])
def test_a_person_who_was_missed_leaves_the_plate_within_a_second_of_being_seen(missed_s: int) -> None:
    """They sat still at the start, and the network finds them from then on."""
    shot = Shot(by_colour)
    for _ in range(missed_s * FPS):
        shot.show(with_box(ROOM, person_at(20)), lambda guide, _: np.zeros(guide.shape[:2]))
    assert shot.plate.validity[LEFT].min() > 200, "the person is in the plate"
    needed = shot.seconds_until(
        lambda: not shot.plate.validity[LEFT].any(), lambda _: with_box(ROOM, person_at(20)), at_most=1
    )
    assert needed <= 0.5


@pytest.mark.usefixtures("in_part")
@pytest.mark.parametrize("network", [by_colour, by_both, by_difference])
def test_what_a_missed_person_leaves_in_the_plate_is_gone_when_they_move(network: NetworkOf) -> None:
    """Within a second by what the network knows; within two if it takes each difference for a person."""
    shot = Shot(network)
    for _ in range(3 * FPS):
        shot.show(with_box(ROOM, person_at(20)), lambda guide, _: np.zeros(guide.shape[:2]))
    needed = shot.seconds_until(
        lambda: shot.error(LEFT) < 5 and not shot.alpha[LEFT].any(),
        lambda index: with_box(ROOM, person_at(100, index)),
        at_most=2,
    )
    assert needed <= (1 if network is by_colour else 2)
    for index in range(FPS):
        shot.show(with_box(ROOM, person_at(100, index)))
        assert not shot.alpha[LEFT].any()
    assert shot.plate.validity[LEFT].min() >= 50, "the room is known now"


def only_the_head(guide: Pixels, plate: PlateImage) -> np.ndarray:
    """The network loses the torso, below row 50, unless it differs from the plate."""
    found = by_colour(guide, plate)
    found[50:] &= by_difference(guide, plate)[50:]
    return found


TORSO = slice(60, HEIGHT), slice(104, 126)


def test_a_torso_that_is_lost_never_becomes_background() -> None:
    shot = Shot(only_the_head)
    for index in range(3 * FPS):
        shot.show(with_box(ROOM, person_at(100, index)))
    assert not shot.alpha[TORSO].any(), "nothing is known behind it"
    assert not shot.plate.validity[TORSO].any()


def test_a_torso_that_was_lost_is_found_before_a_room_that_is_known() -> None:
    """It is missed for three seconds: what is known below the head stays as it was."""
    shot = Shot(only_the_head)
    shot.run(ROOM, 2)
    for index in range(3 * FPS):
        shot.show(with_box(ROOM, person_at(100, index)), lambda guide, plate: by_colour(guide, plate) & ROWS_OF_HEAD)
    assert shot.plate.validity[TORSO].min() > 200
    assert shot.error(TORSO) < 3
    shot.show(with_box(ROOM, person_at(100)))
    assert shot.alpha[TORSO].all()


def test_light_that_fades_is_followed_behind_a_torso_that_is_lost() -> None:
    shot = Shot(lambda guide, plate: by_colour(guide, plate) & ROWS_OF_HEAD)
    shot.run(ROOM, 2)
    for index in range(3 * FPS):
        light = 1 - 0.3 * index / (3 * FPS)
        shot.show(light * with_box(ROOM, person_at(100), (60.0, 60.0, 250.0)))
        assert shot.error(TORSO, light * ROOM) < 4


ROWS_OF_HEAD = np.arange(HEIGHT)[:, None] < 50

CHAIR = (slice(50, 85), slice(20, 50))
BLUE = (200.0, 60.0, 50.0)


@pytest.mark.parametrize("network", [by_colour, by_both, by_difference])
def test_a_chair_that_moves_is_no_person_after_two_seconds(network: NetworkOf) -> None:
    """Neither where it was nor where it is."""
    shot = Shot(network)
    shot.run(with_box(ROOM, CHAIR, BLUE), 3)
    there = slice(50, 85), slice(100, 130)
    shot.seconds_until(
        lambda: not shot.alpha[CHAIR].any() and not shot.alpha[there].any(),
        lambda _: with_box(ROOM, there, BLUE),
        at_most=2,
    )
    for _ in range(2 * FPS):
        shot.show(with_box(ROOM, there, BLUE))
        assert not shot.alpha.any()
    assert shot.error(CHAIR) < 3
    assert shot.plate.validity[CHAIR].min() >= 50


def test_a_person_who_sits_still_stays_a_person() -> None:
    """The plate is left out for a moment, and the network finds the person without it."""
    shot = Shot(by_both)
    shot.run(ROOM, 2)
    for _ in range(15 * FPS):
        shot.show(with_box(ROOM, person_at(100)))
        assert shot.alpha[RIGHT].all()
    assert shot.plate.validity[RIGHT].min() > 200
    assert shot.error(RIGHT) < 3


def test_a_person_who_moves_is_never_tried_without_the_plate() -> None:
    shot = Shot(by_difference)
    shot.run(ROOM, 2)
    for index in range(8 * FPS):
        shot.show(with_box(ROOM, person_at(100, index)))
        assert shot.alpha[RIGHT].all()


@pytest.mark.parametrize("gain", [(0.85, 0.85, 0.85), (1.1, 1.0, 0.9), (0.6, 0.6, 0.6), (1.3, 1.3, 1.3)])
def test_a_jump_of_exposure_or_white_balance_is_removed_in_the_first_frame(gain: tuple[float, float, float]) -> None:
    shot = Shot(by_both)
    shot.run(with_box(ROOM, person_at(20)), 1)
    shot.run(with_box(ROOM, person_at(100)), 2)
    shot.show(with_box(ROOM, person_at(100)) * gain, by_difference)
    assert shot.error((slice(None), slice(0, 95)), ROOM * gain) < 4
    assert not shot.alpha[:, :90].any()
    assert shot.error(LEFT, ROOM * gain) < 4


def test_light_that_fades_slowly_is_followed_behind_the_person_too() -> None:
    shot = Shot(by_colour)
    shot.run(ROOM, 2)
    for index in range(3 * FPS):
        light = 1 - 0.3 * index / (3 * FPS)
        shot.show(with_box(light * ROOM, person_at(100)))
        assert shot.error(RIGHT, light * ROOM) < 4
    assert shot.plate.validity[RIGHT].min() > 200


NOISE = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (HEIGHT + 40, WIDTH + 40, 3)), (0, 0), 2)
LARGE = np.asarray(np.array((150, 140, 100)) + 18 * NOISE / NOISE.std(), float)


def seen_from(right: float, down: float) -> np.ndarray:
    """The room by a camera that was turned: everything moves by so many cells."""
    matrix = np.array([[1, 0, right - 20], [0, 1, down - 20]], float)
    return cv2.warpAffine(LARGE, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)


@pytest.mark.parametrize("shift", [(1.5, 0.0), (0.0, -1.5), (3, 2), (-8, 5), (14, -9)])
def test_a_camera_that_was_nudged_is_followed_in_the_first_frame(shift: tuple[float, float]) -> None:
    shot = Shot(by_colour)
    shot.run(seen_from(0, 0), 2)
    shot.run(with_box(seen_from(0, 0), person_at(100)), 1)
    after, box = seen_from(*shift), (slice(15, 80), slice(20, 140))
    unmoved = shot.error(box, after)
    shot.show(with_box(after, person_at(100)))
    assert shot.plate.validity[15:60, 20:90].min() > 100
    assert shot.error(box, after) < 0.4 * unmoved, "also behind the person"


def kept_by(shot: Shot) -> StoredPlate:
    """The plate that corrects edges, also while the network is not given it."""
    assert shot.refiner.clean_plate is not None
    return shot.refiner.clean_plate.export(PlateOrigin("", (WIDTH, HEIGHT), ""))


ANY_MOMENT = pytest.mark.parametrize("seconds", [2, 2 + 1 / FPS], ids=["even", "odd"])
"""Not only frames that are compared with the plate in any case."""


@ANY_MOMENT
@pytest.mark.parametrize(("shift", "frames"), [((3, 2), 1), ((-8, 5), 1), ((14, -9), 1), ((0.0, -1.5), 2)])
def test_a_nudged_camera_is_followed_while_no_network_is_given_the_plate(
    shift: tuple[float, float], frames: int, seconds: float
) -> None:
    """It corrects edges. In the first frame if much has changed, otherwise in the second."""
    shot = Shot(by_colour)
    shot.run(with_box(seen_from(0, 0), person_at(60)), seconds)
    after, box = seen_from(*shift), (slice(15, 80), slice(20, 45))
    before = kept_by(shot)
    assert before.validity[box].all()
    unmoved = np.abs(before.colours[box] - after[box]).mean()
    shot.run(with_box(after, person_at(60)), frames / FPS)
    assert not shot.plate.validity.any(), "a part was never seen"
    kept = kept_by(shot)
    assert kept.validity[box].all()
    assert np.abs(kept.colours[box] - after[box]).mean() < 0.4 * unmoved


@ANY_MOMENT
def test_a_turned_camera_is_noticed_in_the_first_frame_while_no_network_is_given_the_plate(seconds: float) -> None:
    shot = Shot(by_colour)
    shot.run(with_box(ROOM, person_at(60)), seconds)
    assert kept_by(shot).validity.any()
    other = texture(9)[:, ::-1] - 30
    shot.show(with_box(other, person_at(60)))
    kept = kept_by(shot)
    assert not kept.validity.any()
    assert np.abs(kept.colours[:25] - other[:25]).mean() < 3


def test_the_plate_is_compared_with_every_second_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a network is given it or not, while nothing jumps."""
    compared = []
    light = PlateFit.light
    monkeypatch.setattr(PlateFit, "light", lambda *arguments: compared.append(1) or light(*arguments))
    shot = Shot(by_colour)
    shot.run(with_box(ROOM, person_at(60)), 2)
    compared.clear()
    shot.run(with_box(ROOM, person_at(60)), 2)
    assert FPS - 1 <= len(compared) <= FPS + 1, "no network is given it"
    shot.run(ROOM, 1)
    assert shot.plate.validity.all(), "it is given now"
    compared.clear()
    shot.run(ROOM, 2)
    assert FPS - 1 <= len(compared) <= FPS + 1


@pytest.mark.parametrize("frames", [0, 1], ids=["even", "odd"])
@pytest.mark.parametrize("gain", [(0.85, 0.85, 0.85), (1.1, 1.0, 0.9), (0.93, 0.93, 0.93)])
def test_light_that_jumps_is_removed_in_the_first_frame_also_between_comparisons(
    gain: tuple[float, float, float], frames: int
) -> None:
    shot = Shot(by_difference)
    shot.run(ROOM, 2 + frames / FPS)
    shot.show(ROOM * gain)
    assert not shot.alpha.any()
    assert shot.error((slice(None), slice(None)), ROOM * gain) < 3


def test_a_camera_that_was_turned_away_forgets_the_plate_in_the_first_frame() -> None:
    shot = Shot(by_difference)
    shot.run(ROOM, 2)
    other = texture(9)[:, ::-1] - 30
    shot.show(other)
    assert not shot.plate.validity.any()
    assert not shot.alpha.any()
    shot.run(other, 1.5)
    assert shot.error((slice(None), slice(None)), other) < 2
    assert shot.plate.validity.min() > 200


def test_a_person_who_steps_in_is_no_moved_camera() -> None:
    shot = Shot(by_both)
    shot.run(ROOM, 2)
    for index in range(2 * FPS):
        left = max(60, WIDTH - 6 * index)
        box = slice(20, HEIGHT), slice(left, min(WIDTH, left + 60))
        shot.show(with_box(ROOM, box))
        assert shot.plate.validity[:, :left].min(initial=255) > 200
        assert shot.alpha[box].all()


def test_a_screen_is_unsure_and_the_rest_of_the_room_is_not() -> None:
    shot, screen = Shot(by_colour), (slice(20, 50), slice(100, 140))
    for index in range(6 * FPS):
        shot.show(with_box(ROOM, screen, (255.0, 255.0, 255.0) if index // 10 % 2 else (40.0, 40.0, 40.0)))
    assert shot.plate.validity[25:45, 105:135].max() < 120
    assert shot.plate.validity[:, :90].min() > 240


def test_what_was_covered_for_an_hour_is_less_sure() -> None:
    shot = Shot(by_colour)
    shot.run(ROOM, 2)
    trust = shot.refiner._grid.clean_plate._trust  # type: ignore[union-attr]
    before = shot.plate.validity[RIGHT].min()
    trust.seconds -= (trust.seconds - SEEN_S) * np.float32(
        1 - np.exp(-2)
    )  # two time constants at 0.2 s a frame take long
    shot.show(with_box(ROOM, person_at(100)))
    shot.show(with_box(ROOM, person_at(100)))
    assert 50 <= shot.plate.validity[RIGHT].max() < 100 < before


def test_a_reset_forgets_the_plate() -> None:
    shot = Shot(by_difference)
    shot.run(ROOM, 2)
    shot.refiner.reset()
    shot.show(with_box(ROOM, person_at(100)))
    assert not shot.plate.validity.any()
    assert not shot.alpha.any()
