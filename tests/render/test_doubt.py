"""When a matte is doubted: it covers nearly all for long, or what was seen as background turns into foreground."""

import numpy as np
import pytest
from fakes.scripted import camera_image, frame_time, person_box

from realtime_matte.frame import Alpha, Frame, Matte, Pixels
from realtime_matte.render.doubt import COVERED, REVEALED, DoubtDetector
from realtime_matte.render.refine import Refiner

FPS = 30


def doubts(covered: list[float], revealed: list[float] | None = None, *, fps: float = FPS) -> list[str]:
    """The doubt about each of some mattes."""
    detector = DoubtDetector()
    values = zip(covered, revealed or [0.0] * len(covered), strict=True)
    return [detector.update(covered=c, revealed=r, time=index / fps) for index, (c, r) in enumerate(values)]


@pytest.mark.parametrize("fps", [5, 30, 60])
def test_a_matte_that_covers_nearly_all_is_doubted_after_two_seconds(fps: int) -> None:
    found = doubts([0.96] * (3 * fps), fps=fps)
    assert found == [""] * (2 * fps) + [COVERED] * fps


@pytest.mark.parametrize(
    "covered",
    [[0.95] * 100, ([1.0] * 59 + [0.9]) * 3, [0.0] * 100, [0.4] * 100],
    ids=["95 %", "for less than two seconds", "no person", "a person"],
)
def test_other_coverage_is_not_doubted(covered: list[float]) -> None:
    assert set(doubts(covered)) == {""}


def test_the_doubt_ends_with_the_first_matte_that_covers_less() -> None:
    assert doubts([1.0] * 70 + [0.5, 1.0])[-3:] == [COVERED, "", ""]


def test_background_that_turns_into_foreground_is_doubted_at_once_and_until_it_is_over() -> None:
    assert doubts([0.5] * 302, [0.02] + [0.3] * 300 + [0.02]) == ["", *[REVEALED] * 300, ""]


@pytest.mark.parametrize(
    "revealed",
    [[0.1] * 100, [0.0] * 50 + [0.09] * 50, [0.001 * index for index in range(600)]],
    ids=["from the start", "less than 10 %", "slowly, as clothes of the wall's colour do"],
)
def test_a_share_that_is_usual_is_not_doubted(revealed: list[float]) -> None:
    assert set(doubts([0.5] * len(revealed), revealed)) == {""}


def alpha(index: int) -> Alpha:
    """The matte of a scripted frame."""
    image = camera_image(index)
    exact = np.zeros(image.shape[:2], np.float32)
    exact[person_box(index)] = 1
    return exact


def refined(*mattes: tuple[Pixels, Alpha]) -> list[str]:
    """The doubt about each of these frames of one shot."""
    refiner, found = Refiner((96, 64)), list[str]()
    for index, (image, coarse) in enumerate(mattes):
        refiner.refine(Frame(image, frame_time(index), index), Matte(coarse))
        found.append(refiner.doubt)
    return found


def usual(count: int) -> list[tuple[Pixels, Alpha]]:
    """Frames in which a person moves in front of a wall."""
    return [(camera_image(index), alpha(index)) for index in range(count)]


def wrong(coarse: Alpha) -> Alpha:
    """As ``coarse``, with the right third of the image as foreground too."""
    more = coarse.copy()
    more[:, 64:] = 1
    return more


@pytest.mark.parametrize("name", ["all", "a third"])
def test_a_wall_that_was_seen_and_is_shown_is_doubted_in_that_very_frame(name: str) -> None:
    image, right = camera_image(1), alpha(1)
    coarse = np.ones_like(right) if name == "all" else wrong(right)
    assert refined(*usual(9), (image, coarse), *usual(2)) == [*[""] * 9, REVEALED, "", ""]


def test_a_person_who_moves_or_comes_close_is_not_doubted() -> None:
    close = np.full_like(camera_image(0), (20, 160, 40)), np.ones_like(alpha(0))
    assert set(refined(*usual(30), *[close] * 20, *usual(5))) == {""}


def test_a_light_that_is_switched_on_is_not_doubted() -> None:
    brighter = [(np.uint8(1.4 * np.minimum(image, 180)), coarse) for image, coarse in usual(10)]
    assert set(refined(*usual(10), *brighter)) == {""}


def test_a_reset_forgets_the_doubt() -> None:
    refiner = Refiner((96, 64))
    for index, (image, coarse) in enumerate([*usual(9), (camera_image(1), np.ones_like(alpha(1)))]):
        refiner.refine(Frame(image, frame_time(index), index), Matte(coarse))
    assert refiner.doubt == REVEALED
    refiner.reset()
    assert not refiner.doubt
    refiner.refine(Frame(camera_image(1), frame_time(10), 10), Matte(np.ones_like(alpha(1))))
    assert not refiner.doubt, "nothing of the wall is known yet"
