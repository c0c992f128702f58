"""The clean plate: what the camera saw of the background moves alpha at the edge of the person, and nothing else."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Alpha, Frame, Matte, Pixels
from realtime_matte.render.clean_plate import TIME_CONSTANT_S, CleanPlate
from realtime_matte.render.refine import Refiner

HEIGHT, WIDTH = 96, 160
FPS = 30
FRAMES = 60
RADIUS = 24


def texture(seed: int, colour: tuple[int, int, int], deviation: float) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) float: smooth noise about a colour."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.asarray(colour + deviation * smooth / smooth.std(), float)


BACKGROUND = texture(1, (150, 140, 120), 25)
CLOTHES = texture(2, (60, 50, 90), 18)


def center(index: int) -> int:
    """The column of the person's centre: from one side to the other and back."""
    return round(80 + 25 * np.sin(2 * np.pi * index / FRAMES))


def true_alpha(index: int) -> Alpha:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(columns - center(index), rows - 60)
    return np.clip(RADIUS - distance + 0.5, 0, 1).astype(np.float32)


def guide(index: int, *, background: np.ndarray = BACKGROUND, light: float = 1.0, noise: float = 2.0) -> Pixels:
    """The person before the background, as a webcam with noise sees it."""
    alpha = true_alpha(index)[..., None]
    clothes = np.roll(CLOTHES, center(index) - 80, axis=1)
    clean = light * (alpha * clothes + (1 - alpha) * background)
    grain = np.random.default_rng(1000 + index).normal(0, noise, clean.shape)
    return np.clip(clean + grain, 0, 255).astype(np.uint8)


def network_alpha(index: int) -> Alpha:
    """What a network gives: too soft, and wrong by some cells along the edge, differently in each place."""
    offsets = cv2.resize(np.random.default_rng(7).normal(0, 2.5, (6, 10)), (WIDTH, HEIGHT))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(columns - center(index), rows - 60)
    return np.clip((RADIUS + offsets - distance) / 4 + 0.5, 0, 1).astype(np.float32)


GuideOf = Callable[[int], Pixels]


def corrected_alphas(guide_of: GuideOf = guide) -> Iterator[Alpha]:
    """The corrected alpha of each frame of a shot; overwritten by the next."""
    plate = CleanPlate((HEIGHT, WIDTH))
    for index in range(2 * FRAMES):
        yield plate.correct(network_alpha(index), guide_of(index), 1 / FPS)


def mean_errors(guide_of: GuideOf = guide, *, first: int = 30, last: int = 2 * FRAMES) -> tuple[float, float]:
    """The mean error from frame ``first`` on, without the clean plate and with it."""
    without, with_plate = [], []
    for index, corrected in enumerate(corrected_alphas(guide_of)):
        if first <= index <= last:
            without.append(np.abs(network_alpha(index) - true_alpha(index)).mean())
            with_plate.append(np.abs(corrected - true_alpha(index)).mean())
    return float(np.mean(without)), float(np.mean(with_plate))


def test_an_edge_before_a_known_background_has_a_smaller_error() -> None:
    without, with_plate = mean_errors()
    assert with_plate < 0.6 * without


def test_a_shadow_or_a_fading_lamp_does_not_raise_the_error() -> None:
    without, with_plate = mean_errors(
        lambda index: guide(index, light=1 - 0.25 * min(max(index - 30, 0) / 45, 1)), first=60
    )
    assert with_plate < 0.85 * without


def test_a_switched_lamp_does_not_raise_the_error() -> None:
    without, with_plate = mean_errors(lambda index: guide(index, light=0.6 if index > 70 else 1.0), first=71)
    assert with_plate < without


def test_a_turned_camera_does_not_raise_the_error() -> None:
    other = texture(9, (110, 150, 160), 30)
    without, with_plate = mean_errors(
        lambda index: guide(index, background=other if index > 70 else BACKGROUND), first=71
    )
    assert with_plate < without


def test_a_background_that_changes_all_the_time_is_not_used() -> None:
    without, with_plate = mean_errors(lambda index: guide(index, background=texture(index, (150, 140, 120), 25)))
    assert with_plate == pytest.approx(without, rel=0.05)


def test_the_first_alpha_is_not_changed() -> None:
    alpha = network_alpha(0)
    assert np.array_equal(CleanPlate((HEIGHT, WIDTH)).correct(alpha, guide(0), 0.0), alpha)


def test_a_background_that_was_never_visible_changes_nothing() -> None:
    """The person does not move."""
    plate = CleanPlate((HEIGHT, WIDTH))
    for _ in range(FRAMES):
        corrected = plate.correct(network_alpha(0), guide(0), 1 / FPS)
    covered = cv2.dilate((network_alpha(0) > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inner = cv2.erode(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_array_equal(corrected[inner], network_alpha(0)[inner])


def test_only_edges_move() -> None:
    """Away from soft cells alpha stays bit-identical: no holes in the person, no islands in the background."""
    plate = CleanPlate((HEIGHT, WIDTH))
    for index in range(FRAMES):
        alpha = network_alpha(index)
        corrected = plate.correct(alpha, guide(index), 1 / FPS)
        soft = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert np.array_equal(corrected[~soft], alpha[~soft])
        assert 0 <= corrected.min() <= corrected.max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_alpha_without_edges_is_not_changed(value: float) -> None:
    plate, alpha = CleanPlate((HEIGHT, WIDTH)), np.full((HEIGHT, WIDTH), value, np.float32)
    for index in range(5):
        assert np.array_equal(plate.correct(alpha, guide(index), 1 / FPS), alpha)


def test_after_a_reset_nothing_is_known() -> None:
    plate = CleanPlate((HEIGHT, WIDTH))
    for index in range(FRAMES):
        plate.correct(network_alpha(index), guide(index), 1 / FPS)
    assert not np.array_equal(plate.correct(network_alpha(1), guide(1), 1 / FPS), network_alpha(1))
    plate.reset()
    assert np.array_equal(plate.correct(network_alpha(2), guide(2), 1 / FPS), network_alpha(2))


def test_the_plate_follows_in_seconds_not_in_frames() -> None:
    fast, slow = CleanPlate((HEIGHT, WIDTH)), CleanPlate((HEIGHT, WIDTH))
    no_person = np.zeros((HEIGHT, WIDTH), np.float32)
    dark, bright = np.full((2, HEIGHT, WIDTH, 3), 100, np.uint8)
    bright = bright + np.uint8(10)
    for plate, fps in ((fast, 60), (slow, 15)):
        plate.correct(no_person, dark, 0.0)
        for _ in range(round(TIME_CONSTANT_S * fps)):
            plate.correct(no_person, bright, 1 / fps)
    assert float(fast._colour.mean()) == pytest.approx(100 + 10 * (1 - np.exp(-1)), abs=0.3)
    assert float(slow._colour.mean()) == pytest.approx(float(fast._colour.mean()), abs=0.5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 9)])
def test_every_grid_size_works(shape: tuple[int, int]) -> None:
    plate, random = CleanPlate(shape), np.random.default_rng(3)
    for _ in range(4):
        alpha = random.random(shape, np.float32)
        corrected = plate.correct(alpha, random.integers(0, 256, (*shape, 3), np.uint8), 0.03)
        assert np.isfinite(corrected).all()


def test_the_refiner_uses_the_plate_and_resets_it() -> None:
    refiner = Refiner((WIDTH, HEIGHT))

    def alpha(index: int, time: float) -> Alpha:
        frame = Frame(guide(index), time, index)
        return refiner.refine(frame, Matte(network_alpha(index), guide=frame.pixels)).alpha.copy()

    first = alpha(FRAMES, 0.0)
    refiner.reset()
    for index in range(FRAMES):
        alpha(index, index / FPS)
    later = alpha(FRAMES, FRAMES / FPS)
    assert np.abs(later - true_alpha(FRAMES)).mean() < 0.8 * np.abs(first - true_alpha(FRAMES)).mean()
    refiner.reset()
    np.testing.assert_array_equal(alpha(FRAMES, FRAMES / FPS), first)


def fading_screen(index: int) -> float:
    """A screen that fades in for two seconds and is cut off."""
    return 20 + 200 * (index / FPS % 2) / 2


def flashing_screen(index: int) -> float:
    """A light that flashes for a moment once a second."""
    return 200.0 if index / FPS % 1 < 0.12 else 40.0


@pytest.mark.parametrize("level", [fading_screen, flashing_screen])
def test_a_screen_does_not_change_what_is_covered_for_minutes(level: Callable[[int], float]) -> None:
    plate, pixels = CleanPlate((36, 64)), np.full((36, 64, 3), 100, np.uint8)
    alpha = np.zeros((36, 64), np.float32)
    plate.correct(alpha, pixels, 0.0)
    alpha[10:, 22:42] = 1
    for index in range(5 * 60 * FPS):
        pixels[:14, :16] = round(level(index))
        plate.correct(alpha, pixels, 1 / FPS)
    assert float(plate._colour[:, 25, 32].min()) == pytest.approx(100, abs=3)
    assert float(plate._colour[:, 25, 32].max()) == pytest.approx(100, abs=3)


def test_a_channel_that_is_zero_in_the_visible_background_does_not_change_what_is_covered() -> None:
    """A blue object behind the person, and a little blue that comes into a background without any."""
    plate, pixels = CleanPlate((36, 64)), np.full((36, 64, 3), (0, 140, 120), np.uint8)
    pixels[20:30, 28:36, 0] = 60
    alpha = np.zeros((36, 64), np.float32)
    plate.correct(alpha, pixels, 0.0)
    alpha[10:, 22:42] = 1
    pixels[..., 0] += 3
    for _ in range(3):
        plate.correct(alpha, pixels, 1 / FPS)
    assert float(plate._colour[0, 25, 32]) == pytest.approx(60, abs=5)


@pytest.mark.parametrize("missed", [1, 10])
def test_a_person_whom_the_network_missed_at_first_is_not_cut_out(missed: int) -> None:
    plate, empty = CleanPlate((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH), np.float32)
    for index in range(missed):
        plate.correct(empty, guide(0, noise=2 + index % 2), 1 / FPS)
    for _ in range(FRAMES):
        corrected = plate.correct(network_alpha(0), guide(0), 1 / FPS)
    without, with_plate = (np.abs(alpha - true_alpha(0)).mean() for alpha in (network_alpha(0), corrected))
    assert with_plate < 1.02 * without


def test_what_is_covered_is_forgotten_when_the_camera_is_turned() -> None:
    """The person stands still: the new background behind is never visible, so nothing may be corrected by the old."""
    plate, other = CleanPlate((HEIGHT, WIDTH)), texture(9, (110, 150, 160), 30)
    empty = np.clip(BACKGROUND, 0, 255).astype(np.uint8)
    for _ in range(FPS):
        plate.correct(np.zeros((HEIGHT, WIDTH), np.float32), empty, 1 / FPS)
    alpha = network_alpha(0)
    assert not np.array_equal(plate.correct(alpha, guide(0), 1 / FPS), alpha), "the old background is known"
    for _ in range(3 * FPS):
        np.testing.assert_array_equal(plate.correct(alpha, guide(0, background=other), 1 / FPS), alpha)
