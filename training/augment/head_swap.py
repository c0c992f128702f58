"""Heads of other people on a person: a few thousand people have few combinations of faces, clothes and backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from training.augment.head import Head, find_head
from training.augment.image_ops import Matrix, compose, composite, similarity, warp
from training.pack import Image, Still


@dataclass(frozen=True, slots=True)
class SwappedHead:
    """Colours and alpha of another person's head; ``matrix`` maps them into the still."""

    image: Image
    alpha: Image
    matrix: Matrix

    def draw(self, image: Image, alpha: Image, matrix: Matrix) -> tuple[Image, Image]:
        """Colours and alpha of the person with it; ``matrix`` maps the still into the frame."""
        mapped, size = compose(matrix, self.matrix), (alpha.shape[1], alpha.shape[0])
        mask = warp(self.alpha, mapped, size, cv2.BORDER_CONSTANT)
        return composite(warp(self.image, mapped, size, cv2.BORDER_REPLICATE), mask, image), cv2.max(alpha, mask)


def random_head_swap(random: Generator, head: Head, people: Sequence[Still]) -> SwappedHead | None:
    """A random person's head over ``head``, no smaller than it; None if one of the two is not a whole head."""
    other = people[random.integers(len(people))]
    found = find_head(other.alpha)
    if found is None or not (_is_whole(found) and _is_whole(head)):
        return None
    scale = max(head.height / found.height, head.width / found.width) * random.uniform(1, 1.15)
    matrix = similarity(
        scale, scale, random.normal(0, 0.06),
        source=np.array([found.centre, found.neck]), target=np.array([head.centre, head.neck]),
    )  # fmt: skip
    rows = np.arange(len(other.alpha), dtype=np.float32)[:, None]
    fade = 0.12 * found.height  # a soft end on the wearer's neck
    above = np.clip((found.neck + fade - rows) / fade, 0, 1)
    return SwappedHead(other.foreground, (other.alpha * above).astype(np.uint8), matrix)


def _is_whole(head: Head) -> bool:
    """Whether its proportions are a head's: not a forehead alone, not a whole body."""
    return 0.95 < head.height / head.width < 1.7
