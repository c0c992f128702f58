"""Labels of a clip, over time: where the votes on a frame disagree, the median of the frames around it in its shot.

A moving person is not smeared: a neighbour counts in a pixel only where its image looks like that of the frame, and
elsewhere the alpha and the votes of the frame itself take its place.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.batch.cuts import CutDetector
from training.consensus import CERTAINTY_SCALE, Label
from training.pack import Image

RADIUS = 2
"""Frames before and after a frame that count. Not tuned."""

LOW_CERTAINTY = 0.85
"""Share of agreeing votes below which time decides. Where 13 of 16 votes agree, 22 % of the pixels are wrong."""

SAME_COLOUR = 10
"""Largest difference in levels, of the mean colours of 4 x 4 pixels, at which images look the same. Not tuned."""

STEADY = 128
"""Difference of the neighbours' alphas, in levels, from which on something moved there."""

LabelledFrame: TypeAlias = tuple[Image, Label]
"""(H, W, 3) BGR and its label."""


def split_shots(images: Iterable[Image]) -> Iterator[Iterator[Image]]:
    """The images of a clip, (H, W, 3) BGR, by shot; each is read to its end before the next."""
    detector, cuts = CutDetector(), 0

    def shot(image: Image) -> int:
        nonlocal cuts
        cuts += detector.is_cut(image)
        return cuts

    return (images_of_shot for _, images_of_shot in groupby(images, shot))


def median_over_time(frames: Iterable[LabelledFrame]) -> Iterator[LabelledFrame]:
    """The frames of a shot in the same order; in memory are never more than 2 * RADIUS + 1 of them.

    Pixels of LOW_CERTAINTY get the median alpha of the frames around, at most RADIUS away.
    """
    window: list[LabelledFrame] = []
    position = 0  # in the window, of the next frame that is returned
    for frame in frames:
        window.append(frame)
        if len(window) > position + RADIUS:
            yield _decide(window, position)
            if position == RADIUS:
                del window[0]
            else:
                position += 1
    for last in range(position, len(window)):
        first = max(0, last - RADIUS)
        yield _decide(window[first:], last - first)


def _decide(window: Sequence[LabelledFrame], position: int) -> LabelledFrame:
    """The frame at ``position``, with the median over the window where its certainty is low.

    The agreement becomes the share of all votes of the window that agree with the median: the mean of the agreements
    would count votes against it as if they agreed. It rises only where nothing moves in the whole window.
    """
    image, label = window[position]
    low = label.agreement < LOW_CERTAINTY
    if len(window) == 1 or not low.any():
        return image, label
    counts = np.stack([_looks_same(image, other)[low] for other, _ in window])
    alphas = np.where(counts, np.stack([other.alpha[low] for _, other in window]), label.alpha[low])
    persons = np.where(counts, np.stack([_person_share(other, low) for _, other in window]), _person_share(label, low))
    median = np.rint(np.median(alphas, axis=0)).astype(np.uint8)
    share = persons.mean(axis=0)
    share = np.where(median >= 128, share, 1 - share)
    still = counts.all(axis=0) & (np.ptp(np.delete(alphas, position, axis=0), axis=0) < STEADY)
    alpha, agreement = label.alpha.copy(), label.agreement.copy()
    alpha[low] = median
    agreement[low] = np.where(still, share, np.minimum(share, label.agreement[low]))
    return image, Label(alpha, agreement)


def _person_share(label: Label, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The share of the votes for a person."""
    agreement = label.agreement[where]
    return np.where(label.alpha[where] >= 128, agreement, 1 - agreement)


def _looks_same(first: Image, second: Image) -> NDArray[np.bool_]:
    """Whether the neighbourhood of a pixel (H, W) has the same colour in both images."""
    height, width = first.shape[:2]
    size = (max(1, width // CERTAINTY_SCALE), max(1, height // CERTAINTY_SCALE))
    small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (first, second)]
    same = cv2.absdiff(*small).max(axis=2) <= SAME_COLOUR
    return cv2.resize(same.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
