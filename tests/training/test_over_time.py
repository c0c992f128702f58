"""The median over time: uncertain pixels of a clip are repaired, and nothing that moves is smeared."""

import weakref
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from training import over_time
from training.consensus import Label
from training.over_time import LabelledFrame, median_over_time, split_shots

SHAPE = (64, 96)
HERE = np.s_[20, 40]
"""A pixel in the middle."""


def view(seed: int = 1, count: int = 1) -> list[np.ndarray]:
    """The same image several times: grey blocks, black from row 12 to 28."""
    blocks = np.random.default_rng(seed).integers(0, 255, (8, 12, 1), np.uint8).repeat(3, axis=2)
    image = cv2.resize(blocks, SHAPE[::-1], interpolation=cv2.INTER_NEAREST)
    image[12:28] = 0
    return [image.copy() for _ in range(count)]


def clip(
    alphas: Sequence[int], agreements: Sequence[float], images: list[np.ndarray] | None = None
) -> list[LabelledFrame]:
    """Frames with one alpha and one share of agreeing votes each; of the same image unless there are ``images``."""
    return [
        (image, Label(np.full(SHAPE, alpha, np.uint8), np.full(SHAPE, agreement, np.float32)))
        for image, alpha, agreement in zip(images or view(count=len(alphas)), alphas, agreements, strict=True)
    ]


def smoothed(frames: list[LabelledFrame]) -> tuple[list[int], list[float]]:
    """Alpha and agreement of the pixel HERE in each frame."""
    labels = [label for _, label in median_over_time(frames)]
    return [int(label.alpha[HERE]) for label in labels], [round(float(label.agreement[HERE]), 4) for label in labels]


def test_an_uncertain_flip_is_repaired_and_the_votes_of_all_frames_count() -> None:
    alphas, agreements = smoothed(clip([255, 255, 0, 255, 255], [1, 1, 0.6, 1, 0.9]))
    assert alphas == [255] * 5
    assert agreements == [1, 1, round((1 + 1 + 0.4 + 1 + 0.9) / 5, 4), 1, 0.9]


def test_certain_pixels_stay_as_they_are() -> None:
    random = np.random.default_rng(2)
    frames = [
        (
            image,
            Label(
                random.integers(0, 256, SHAPE, np.uint8),
                random.choice(np.array([0.5, 0.75, over_time.LOW_CERTAINTY, 1], np.float32), SHAPE),
            ),
        )
        for image in view(count=7)
    ]
    copies = [(label.alpha.copy(), label.agreement.copy()) for _, label in frames]
    changed = 0
    for (_, label), (_, after), (alpha, agreement) in zip(frames, median_over_time(frames), copies, strict=True):
        certain = agreement >= np.float32(over_time.LOW_CERTAINTY)
        assert (after.alpha[certain] == alpha[certain]).all()
        assert (after.agreement[certain] == agreement[certain]).all()
        assert (label.alpha == alpha).all(), "a frame's own label is left to its neighbours"
        assert (label.agreement == agreement).all()
        changed += int((after.alpha != alpha).sum())
    assert changed > 0


def test_a_hand_that_moves_through_stays_and_gets_no_more_certain() -> None:
    """In one frame there is a light hand before the black band, on which the networks disagree."""
    images = view(count=5)
    images[2][12:28, 30:50] = 200
    assert smoothed(clip([0, 0, 255, 0, 0], [1, 1, 0.6, 1, 1], images)) == ([0, 0, 255, 0, 0], [1, 1, 0.6, 1, 1])


def test_a_hand_of_the_same_colour_gets_no_more_certain() -> None:
    """The neighbours' votes changed, so something moved, although the image looks the same."""
    alphas, agreements = smoothed(clip([0, 255, 0, 255, 255], [1, 1, 0.55, 1, 1]))
    assert alphas[2] == 255
    assert agreements[2] == 0.55
    assert smoothed(clip([0, 0, 0, 255, 255], [1, 1, 0.7, 1, 1]))[1][2] == pytest.approx(2.7 / 5), "less is possible"


def test_a_frame_whose_neighbour_shows_something_else_gets_no_more_certain() -> None:
    """Three of four neighbours look the same: a flip is repaired, but something moved."""
    images = view(count=5)
    images[0][12:28, 30:50] = 200
    for alpha in (0, 255):
        frames = clip([255, 255, alpha, 255, 255], [1, 1, 0.6, 1, 1], images)
        assert smoothed(frames) == ([255] * 5, [1, 1, 0.6, 1, 1])


def test_a_clip_is_split_at_its_cuts() -> None:
    images = [*view(1, count=4), *view(5, count=3), *view(9)]
    shots = [list(shot) for shot in split_shots(images)]
    assert [[id(image) for image in shot] for shot in shots] == [
        [id(image) for image in shot] for shot in (images[:4], images[4:7], images[7:])
    ]
    assert list(split_shots([])) == []


def test_no_value_crosses_a_cut() -> None:
    """The last frame before it flips; the black band looks the same in both shots."""
    images = [*view(1, count=4), *view(5, count=4)]
    frames = iter(clip([0, 0, 0, 255, 255, 255, 255, 255], [1, 1, 1, 0.6, 0.7, 1, 1, 1], images))
    shots = [smoothed([next(frames) for _ in shot]) for shot in split_shots(images)]
    alphas, agreements = ([value for shot in shots for value in shot[part]] for part in (0, 1))
    assert alphas == [0, 0, 0, 0, 255, 255, 255, 255]
    assert agreements[3:5] == [pytest.approx(2.4 / 3, abs=1e-4), pytest.approx(2.7 / 3, abs=1e-4)]


def test_the_ends_of_a_clip_are_decided_by_fewer_frames() -> None:
    alphas, agreements = smoothed(clip([255, 0, 0, 0, 255], [0.6, 1, 1, 1, 0.6]))
    assert alphas == [0] * 5
    assert agreements == [0.8, 1, 1, 1, 0.8]


def test_a_clip_of_one_frame_stays_as_it_is() -> None:
    assert smoothed(clip([200], [0.5])) == ([200], [0.5])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 9])
def test_order_and_number_of_frames_are_kept(count: int) -> None:
    frames = clip([10 * index for index in range(count)], [0.5] * count)
    assert [id(image) for image, _ in median_over_time(frames)] == [id(image) for image, _ in frames]


def test_no_more_frames_than_the_window_are_in_memory() -> None:
    images: list[weakref.ref[np.ndarray]] = []

    def read() -> Iterator[LabelledFrame]:
        for _ in range(12):
            image = view()[0]
            images.append(weakref.ref(image))
            label = Label(np.full(SHAPE, 255, np.uint8), np.full(SHAPE, 0.5, np.float32))
            yield image, label
            del image, label

    window = 2 * over_time.RADIUS + 1
    for _ in median_over_time(read()):
        assert sum(image() is not None for image in images) <= window
    assert len(images) == 12
