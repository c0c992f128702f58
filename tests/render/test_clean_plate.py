"""What was seen of the room: it draws the person's edge, and nothing else."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Alpha, Frame, Matte, Pixels
from realtime_matte.render.clean_plate import SETTLE_S, Room
from realtime_matte.render.refine import Refiner

HEIGHT, WIDTH = 96, 160
FPS = 30
FRAMES = 60
RADIUS = 24


def texture(seed: int, colour: tuple[int, int, int], deviation: float) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) float, blotches about a colour."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3))
    blotches = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.asarray(colour + deviation * blotches / blotches.std(), float)


ROOM = texture(1, (150, 140, 120), 25)
CLOTHES = texture(2, (60, 50, 90), 18)


def place(index: int) -> int:
    """The column of the person's middle: from one side to the other and back."""
    return round(80 + 25 * np.sin(2 * np.pi * index / FRAMES))


def truth(index: int) -> Alpha:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(columns - place(index), rows - 60)
    return np.clip(RADIUS - distance + 0.5, 0, 1).astype(np.float32)


def seen(index: int, *, room: np.ndarray = ROOM, light: float = 1.0, noise: float = 2.0) -> Pixels:
    """The person before the room, through a webcam."""
    alpha = truth(index)[..., None]
    shift = place(index) - 80
    picture = light * (alpha * np.roll(CLOTHES, shift, axis=1) + (1 - alpha) * room)
    grain = np.random.default_rng(1000 + index).normal(0, noise, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def guessed(index: int) -> Alpha:
    """What a network gives: too soft, and off by some cells along the edge, differently in each place."""
    offs = cv2.resize(np.random.default_rng(7).normal(0, 2.5, (6, 10)), (WIDTH, HEIGHT))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(columns - place(index), rows - 60)
    return np.clip((RADIUS + offs - distance) / 4 + 0.5, 0, 1).astype(np.float32)


Look = Callable[[int], Pixels]


def errors(look: Look = seen, *, first: int = 30) -> tuple[float, float]:
    """The mean error at the end, without the memory and with it."""
    room, before, after = Room((HEIGHT, WIDTH)), [], []
    for index in range(2 * FRAMES):
        corrected = room.correct(guessed(index), look(index), 1 / FPS)
        if index >= first:
            before.append(np.abs(guessed(index) - truth(index)).mean())
            after.append(np.abs(corrected - truth(index)).mean())
    return float(np.mean(before)), float(np.mean(after))


def test_an_edge_before_what_was_seen_is_drawn_better() -> None:
    before, after = errors()
    assert after < 0.6 * before


def test_a_shadow_or_a_lamp_that_fades_in_does_no_harm() -> None:
    before, after = errors(lambda index: seen(index, light=1 - 0.25 * min(max(index - 30, 0) / 45, 1)), first=60)
    assert after < 0.85 * before


def test_a_light_that_is_switched_does_no_harm() -> None:
    before, after = errors(lambda index: seen(index, light=0.6 if index > 70 else 1.0), first=71)
    assert after < before


def test_a_camera_that_is_turned_does_no_harm() -> None:
    other = texture(9, (110, 150, 160), 30)
    before, after = errors(lambda index: seen(index, room=other if index > 70 else ROOM), first=71)
    assert after < before


def test_a_room_that_never_rests_is_not_believed() -> None:
    before, after = errors(lambda index: seen(index, room=texture(index, (150, 140, 120), 25)))
    assert after == pytest.approx(before, rel=0.05)


def test_nothing_is_known_at_first() -> None:
    alpha = guessed(0)
    assert np.array_equal(Room((HEIGHT, WIDTH)).correct(alpha, seen(0), 0.0), alpha)


def test_who_does_not_move_is_left_as_the_network_says() -> None:
    """What was never seen of the room is not made up."""
    room = Room((HEIGHT, WIDTH))
    for _ in range(FRAMES):
        corrected = room.correct(guessed(0), seen(0), 1 / FPS)
    hidden = cv2.dilate((guessed(0) > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inner = cv2.erode(hidden.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_array_equal(corrected[inner], guessed(0)[inner])


def test_only_edges_move() -> None:
    """Away from every soft cell alpha stays to the bit: no hole in the person, no piece of the room."""
    room = Room((HEIGHT, WIDTH))
    for index in range(FRAMES):
        alpha = guessed(index)
        corrected = room.correct(alpha, seen(index), 1 / FPS)
        soft = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert np.array_equal(corrected[~soft], alpha[~soft])
        assert 0 <= corrected.min() <= corrected.max() <= 1


def test_nobody_stays_nobody_and_everybody_everybody() -> None:
    for value in (0.0, 1.0):
        room, alpha = Room((HEIGHT, WIDTH)), np.full((HEIGHT, WIDTH), value, np.float32)
        for index in range(5):
            assert np.array_equal(room.correct(alpha, seen(index), 1 / FPS), alpha)


def test_what_is_forgotten_says_nothing_more() -> None:
    room = Room((HEIGHT, WIDTH))
    for index in range(FRAMES):
        room.correct(guessed(index), seen(index), 1 / FPS)
    assert not np.array_equal(room.correct(guessed(1), seen(1), 1 / FPS), guessed(1))
    room.reset()
    assert np.array_equal(room.correct(guessed(2), seen(2), 1 / FPS), guessed(2))


def test_it_is_learned_in_seconds_not_in_frames() -> None:
    quick, slow = Room((HEIGHT, WIDTH)), Room((HEIGHT, WIDTH))
    nobody = np.zeros((HEIGHT, WIDTH), np.float32)
    dark, light = np.full((2, HEIGHT, WIDTH, 3), 100, np.uint8)
    light = light + np.uint8(10)
    for room, fps in ((quick, 60), (slow, 15)):
        room.correct(nobody, dark, 0.0)
        for _ in range(round(SETTLE_S * fps)):
            room.correct(nobody, light, 1 / fps)
    assert float(quick._colour.mean()) == pytest.approx(100 + 10 * (1 - np.exp(-1)), abs=0.3)
    assert float(slow._colour.mean()) == pytest.approx(float(quick._colour.mean()), abs=0.5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 9)])
def test_any_grid_will_do(shape: tuple[int, int]) -> None:
    room, chance = Room(shape), np.random.default_rng(3)
    for _ in range(4):
        alpha = chance.random(shape, np.float32)
        corrected = room.correct(alpha, chance.integers(0, 256, (*shape, 3), np.uint8), 0.03)
        assert np.isfinite(corrected).all()


def test_the_refiner_has_it_and_forgets_it_with_all_else() -> None:
    refiner = Refiner((WIDTH, HEIGHT))

    def alpha(index: int, time: float) -> Alpha:
        frame = Frame(seen(index), time, index)
        return refiner.refine(frame, Matte(guessed(index), guide=frame.pixels)).alpha.copy()

    fresh = alpha(FRAMES, 0.0)
    refiner.reset()
    for index in range(FRAMES):
        alpha(index, index / FPS)
    known = alpha(FRAMES, FRAMES / FPS)
    assert np.abs(known - truth(FRAMES)).mean() < 0.8 * np.abs(fresh - truth(FRAMES)).mean()
    refiner.reset()
    np.testing.assert_array_equal(alpha(FRAMES, FRAMES / FPS), fresh)


def flickering(index: int) -> float:
    """A screen that fades in for two seconds and is cut off."""
    return 20 + 200 * (index / FPS % 2) / 2


def flashing(index: int) -> float:
    """A light that flashes for a moment once a second."""
    return 200.0 if index / FPS % 1 < 0.12 else 40.0


@pytest.mark.parametrize("level", [flickering, flashing])
def test_what_is_covered_for_minutes_is_not_led_astray_by_a_screen(level: Callable[[int], float]) -> None:
    room, picture = Room((36, 64)), np.full((36, 64, 3), 100, np.uint8)
    alpha = np.zeros((36, 64), np.float32)
    room.correct(alpha, picture, 0.0)
    alpha[10:, 22:42] = 1
    for index in range(5 * 60 * FPS):
        picture[:14, :16] = round(level(index))
        room.correct(alpha, picture, 1 / FPS)
    assert float(room._colour[25, 32].min()) == pytest.approx(100, abs=3)
    assert float(room._colour[25, 32].max()) == pytest.approx(100, abs=3)


def test_a_colour_that_the_room_in_sight_has_nothing_of_does_no_harm() -> None:
    """A blue thing behind the person, and a little blue that comes into a room without any."""
    room, picture = Room((36, 64)), np.full((36, 64, 3), (0, 140, 120), np.uint8)
    picture[20:30, 28:36, 0] = 60
    alpha = np.zeros((36, 64), np.float32)
    room.correct(alpha, picture, 0.0)
    alpha[10:, 22:42] = 1
    picture[..., 0] += 3
    for _ in range(3):
        room.correct(alpha, picture, 1 / FPS)
    assert float(room._colour[25, 32, 0]) == pytest.approx(60, abs=5)


@pytest.mark.parametrize("missed", [1, 10])
def test_who_was_overlooked_at_first_is_not_held_for_the_room(missed: int) -> None:
    room, at_first = Room((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH), np.float32)
    for index in range(missed):
        room.correct(at_first, seen(0, noise=2 + index % 2), 1 / FPS)
    for _ in range(FRAMES):
        corrected = room.correct(guessed(0), seen(0), 1 / FPS)
    before, after = (np.abs(alpha - truth(0)).mean() for alpha in (guessed(0), corrected))
    assert after < 1.02 * before
