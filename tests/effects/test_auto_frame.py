"""Automatic framing on made-up tracks: rest, no overshoot, quick growth, no head cut off."""

import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from realtime_matte.config.config import Config
from realtime_matte.effects import auto_frame
from realtime_matte.effects.auto_frame import WHOLE, AutoFrame, Crop
from realtime_matte.frame import Alpha

SHAPE = (288, 512)
SIZE = (1280, 720)
FPS = 30


def person(x: float, y: float, scale: float = 0.3, *, hand: bool = False, alpha: Alpha | None = None) -> Alpha:
    """A figure whose head's top is at (x, y), shares of the image, with shoulders ``scale`` of the height wide."""
    alpha = np.zeros(SHAPE, np.float32) if alpha is None else alpha
    rows, columns = SHAPE
    shoulders = scale * rows
    center, top = x * columns, y * rows
    head = 0.23 * shoulders
    cv2.ellipse(alpha, _point(center, top + 1.3 * head), (round(head), round(1.3 * head)), 0, 0, 360, 1, -1)
    body = top + 2.6 * head
    cv2.rectangle(
        alpha, _point(center - 0.12 * shoulders, body - head), _point(center + 0.12 * shoulders, body + 4), 1, -1
    )
    cv2.rectangle(alpha, _point(center - shoulders / 2, body), _point(center + shoulders / 2, rows + 9), 1, -1)
    if hand:
        arm = center + 0.4 * shoulders
        cv2.rectangle(alpha, _point(arm, top - 0.4 * shoulders), _point(arm + 0.16 * shoulders, body), 1, -1)
    return alpha


def _point(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


def follow(framing: AutoFrame, track: Callable[[float], Alpha], seconds: float, start: float = 0.0) -> list[Crop]:
    return [framing.update(track(index / FPS), start + index / FPS) for index in range(round(seconds * FPS))]


def opened(**options: object) -> AutoFrame:
    framing = auto_frame.open(Config(auto_frame=True).replace(**options), size=SIZE)
    assert framing
    return framing


def still(crops: Sequence[Crop]) -> list[bool]:
    return [one == other for one, other in itertools.pairwise(crops)]


def test_head_and_shoulders_get_their_size_and_place() -> None:
    framing = opened(auto_frame_size=0.6, auto_frame_place=(0.5, 0.15))
    crop = follow(framing, lambda _: person(0.42, 0.4, 0.35), 5)[-1]
    assert crop.size == pytest.approx(0.85 * 0.35 / 0.6, rel=0.06)
    left, top, right, _ = crop.box
    assert (0.42 - left) / (right - left) == pytest.approx(0.5, abs=0.03)
    assert (0.4 - top) / crop.size == pytest.approx(0.15, abs=0.05)  # the grid has 72 rows


@pytest.mark.parametrize("seed", range(5))
def test_it_rests_while_a_person_sways(seed: int) -> None:
    """Sway of up to 3 % of the image and breathing: the crop is at rest in 95 % of the frames, after it has settled."""
    phases = np.random.default_rng(seed).uniform(0, 6.28, 4)

    def track(time: float) -> Alpha:
        x = 0.5 + 0.015 * np.sin(1.7 * time + phases[0]) + 0.015 * np.sin(0.5 * time + phases[1])
        y = 0.3 + 0.01 * np.sin(1.1 * time + phases[2])
        return person(x, y, 0.35 * (1 + 0.03 * np.sin(0.7 * time + phases[3])))

    framing = opened()
    follow(framing, track, 4)
    assert np.mean(still(follow(framing, track, 20, start=4))) >= 0.95


def test_a_move_never_goes_too_far() -> None:
    framing = opened()
    follow(framing, lambda _: person(0.4, 0.3), 5)
    crops = follow(framing, lambda _: person(0.62, 0.4), 5, start=5)
    for values in ([crop.x for crop in crops], [crop.y for crop in crops]):
        low, high = min(values[0], values[-1]), max(values[0], values[-1])
        assert low - 1e-9 <= min(values)
        assert max(values) <= high + 1e-9


def test_a_move_is_smooth_and_takes_about_a_second() -> None:
    framing = opened()
    follow(framing, lambda _: person(0.45, 0.3), 5)
    crops = follow(framing, lambda _: person(0.52, 0.3), 5, start=5)
    moving = [index for index, rests in enumerate(still(crops)) if not rests]
    assert 0.8 * FPS <= len(moving) <= 1.1 * FPS
    steps = np.diff([crop.x for crop in crops])
    assert np.abs(np.diff(steps)).max() < 0.25 * np.abs(steps).max()


@pytest.mark.parametrize("what", ["hand", "second"])
def test_it_grows_at_once_for_a_hand_and_for_a_second_person(what: str) -> None:
    framing = opened()
    follow(framing, lambda _: person(0.4, 0.45, 0.3), 5)

    def track(_time: float) -> Alpha:
        if what == "hand":
            return person(0.4, 0.45, 0.3, hand=True)
        return person(0.85, 0.4, 0.3, alpha=person(0.4, 0.45, 0.3))

    crops = follow(framing, track, 0.4, start=5)
    left, top, right, _ = crops[round(0.3 * FPS)].box
    alpha = track(0) > 0.5
    columns, rows = np.flatnonzero(alpha.any(axis=0)), np.flatnonzero(alpha.any(axis=1))
    assert top * SHAPE[0] <= rows[0]
    heads = alpha[: round(0.6 * SHAPE[0])]
    columns = np.flatnonzero(heads.any(axis=0)) if what == "second" else columns
    assert left * SHAPE[1] <= columns[0]
    assert right * SHAPE[1] >= columns[-1]


def test_a_raised_hand_does_not_become_the_head() -> None:
    framing = opened()
    follow(framing, lambda _: person(0.5, 0.45, 0.3), 5)
    for crop in follow(framing, lambda _: person(0.5, 0.45, 0.3, hand=True), 8, start=5)[10:]:
        _, top, _, bottom = crop.box
        assert top <= 0.45
        assert bottom >= 0.45 + 0.6 * 0.3, "the whole head"


@pytest.mark.parametrize("speed", [0.05, 0.2, 0.5])
def test_no_head_is_cut_off_while_a_person_walks(speed: float) -> None:
    def track(time: float) -> Alpha:
        return person(0.25 + min(speed * time, 0.5), 0.35, 0.3)

    framing = opened()
    follow(framing, lambda _: track(0), 5)
    for index, crop in enumerate(follow(framing, track, 6, start=5)):
        x = 0.25 + min(speed * index / FPS, 0.5)
        half_head = 0.23 * 0.3 * SHAPE[0] / SHAPE[1]
        left, top, right, _ = crop.box
        late = speed * 0.3  # what it may lag behind: the time in which it grows
        assert left - late <= x - half_head
        assert x + half_head <= right + late
        assert top <= 0.35


def test_with_no_person_the_whole_image_returns() -> None:
    framing = opened()
    follow(framing, lambda _: person(0.4, 0.4), 5)
    empty = np.zeros(SHAPE, np.float32)
    crops = follow(framing, lambda _: empty, 3, start=5)
    assert crops[round(0.9 * FPS)].size < 1
    assert crops[-1] == WHOLE


def test_a_new_shot_starts_with_the_whole_image() -> None:
    framing = opened()
    follow(framing, lambda _: person(0.4, 0.4), 5)
    framing.reset()
    assert framing.update(np.zeros(SHAPE, np.float32), 6.0) == WHOLE


def test_crops_lie_inside_the_image() -> None:
    random = np.random.default_rng(0)
    framing = opened()
    for index in range(400):
        alpha = (
            (random.random(SHAPE) < random.random() ** 3).astype(np.float32) if index % 7 else person(*random.random(2))
        )
        left, top, right, bottom = framing.update(cv2.blur(alpha, (25, 25)), index / 10).box
        assert min(left, top) >= -1e-9
        assert max(right, bottom) <= 1 + 1e-9
