"""Cuts: found where the view changes at once, not where light or the person does."""

import cv2
import numpy as np
from fakes.batch import shade

from realtime_matte.batch.cuts import HISTORY, CutDetector
from realtime_matte.frame import Pixels
from realtime_matte.portrait import sample_portrait

SIZE = (320, 180)


def cuts(images: list[Pixels]) -> list[int]:
    detector = CutDetector()
    return [index for index, image in enumerate(images) if detector.is_cut(image)]


def pan(image: Pixels, count: int, step: int) -> list[Pixels]:
    return [
        np.ascontiguousarray(image[100 : 100 + SIZE[1], step * index : step * index + SIZE[0]])
        for index in range(count)
    ]


def test_a_cut_is_found_at_its_frame() -> None:
    portrait = pan(sample_portrait(), 10, 4)
    assert cuts([*portrait, *[shade(index, SIZE) for index in range(10)], *portrait]) == [10, 20]


def test_fast_motion_is_no_cut() -> None:
    assert cuts(pan(sample_portrait(), 12, 14)) == []


def test_a_lamp_that_is_switched_is_no_cut() -> None:
    dark, light = sample_portrait() // 3, sample_portrait()
    assert cuts([dark, dark, light, light, dark]) == []


def test_noise_in_the_dark_is_no_cut() -> None:
    random = np.random.default_rng(1)
    assert cuts([random.integers(0, 4, (180, 320, 3), np.uint8) for _ in range(20)]) == []


def test_a_cut_to_black_and_back_is_found() -> None:
    black, portrait = np.zeros((512, 512, 3), np.uint8), sample_portrait()
    assert cuts([portrait, portrait, black, black, portrait]) == [2, 4]


def test_a_run_that_starts_before_a_cut_finds_the_same_cut() -> None:
    images = [*pan(sample_portrait(), 20, 5), *[cv2.flip(image, 0) for image in pan(sample_portrait(), 5, 5)]]
    assert cuts(images) == [20]
    assert cuts(images[20 - HISTORY :]) == [HISTORY]
