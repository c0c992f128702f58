"""A training shot: frames with alpha and certainty, and operations that treat all of its frames alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from training.pack import Image

ELASTIC_KNOTS = (4, 5)
"""Rows and columns of the points that are displaced; between them the displacement is interpolated."""

ELASTIC_SIGMA = 0.03
"""Standard deviation of a displacement, in widths and heights of the frame: lengths change by up to about 20 %."""


@dataclass(frozen=True, slots=True)
class Shot:
    """``frames`` (T, H, W, 3) BGR, ``alpha`` (T, H, W), ``certainty`` (T, H, W) of alpha (255: known), all uint8.

    ``plate``: (1, H, W, 4) uint8, the clean plate of the whole shot, BGR and its validity (0: never seen); None if no
    network asks for it.
    """

    frames: Image
    alpha: Image
    certainty: Image
    plate: Image | None = None

    def map(self, change: Callable[[Image], Image]) -> "Shot":
        """The shot with each of its arrays changed."""
        plate = None if self.plate is None else change(self.plate)
        return Shot(change(self.frames), change(self.alpha), change(self.certainty), plate)


def concatenate(shots: Sequence[Shot]) -> Shot:
    """One shot after the other: a cut between each two. A cut ends what is known of the background."""
    plate = shots[0].plate
    return Shot(
        np.concatenate([shot.frames for shot in shots]),
        np.concatenate([shot.alpha for shot in shots]),
        np.concatenate([shot.certainty for shot in shots]),
        None if plate is None else np.zeros_like(plate),
    )


def mirror(shot: Shot) -> Shot:
    """The shot with left and right exchanged."""
    return shot.map(lambda images: np.ascontiguousarray(images[:, :, ::-1]))


def elastic_distortion(random: Generator, shot: Shot) -> Shot:
    """The shot with one smooth random deformation of all frames: other builds and faces (Simard et al. 2003)."""
    height, width = shot.alpha.shape[1:]
    displacement = random.normal(0, ELASTIC_SIGMA, (*ELASTIC_KNOTS, 2)) * random.uniform(0.3, 1) * (width, height)
    x, y = (
        cv2.resize(axis.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for axis in displacement.transpose(2, 0, 1)
    )
    x += np.arange(width, dtype=np.float32)
    y += np.arange(height, dtype=np.float32)[:, None]

    def remap(images: Image) -> Image:
        remapped = [cv2.remap(each, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101) for each in images]
        return np.stack(remapped).astype(np.uint8)

    return shot.map(remap)
