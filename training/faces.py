"""Heads of others: a few thousand people have few faces, clothes and rooms, but any of these may go with any other."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from training.faults import Picture
from training.head import Head, head_of
from training.motion import Matrix, similarity, through
from training.pack import Person
from training.pictures import over, warp


@dataclass(frozen=True, slots=True)
class Face:
    """A head of somebody else, ``colours`` and ``alpha``, which lies in the wearer's still by ``laid`` (2, 3)."""

    colours: Picture
    alpha: Picture
    laid: Matrix

    def put_on(self, colours: Picture, alpha: Picture, matrix: Matrix) -> tuple[Picture, Picture]:
        """Colours and alpha of the person in the frame, whose still lies there by ``matrix``."""
        there, size = through(matrix, self.laid), (alpha.shape[1], alpha.shape[0])
        shape = warp(self.alpha, there, size, cv2.BORDER_CONSTANT)
        return over(warp(self.colours, there, size, cv2.BORDER_REPLICATE), shape, colours), cv2.max(alpha, shape)


def face(random: Generator, head: Head, people: Sequence[Person]) -> Face | None:
    """Anybody's head over ``head``, no smaller than it; None where either is no whole head."""
    other = people[random.integers(len(people))]
    own = head_of(other.alpha)
    if own is None or not (_whole(own) and _whole(head)):
        return None
    tall = own.neck - own.top
    scale = max((head.neck - head.top) / tall, head.width / own.width) * random.uniform(1, 1.15)
    laid = similarity(
        scale, scale, random.normal(0, 0.06),
        source=np.array([own.middle, own.neck]), target=np.array([head.middle, head.neck]),
    )  # fmt: skip
    rows = np.arange(len(other.alpha), dtype=np.float32)[:, None]
    above = np.clip((own.neck + 0.12 * tall - rows) / (0.12 * tall), 0, 1)  # it ends softly on the wearer's neck
    return Face(other.foreground, (other.alpha * above).astype(np.uint8), laid)


def _whole(head: Head) -> bool:
    """Whether it is as tall as heads are, not a forehead alone, not a body taken for a head."""
    return 0.95 < (head.neck - head.top) / head.width < 1.7
