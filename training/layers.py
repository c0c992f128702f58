"""What a shot is laid out of: pictures with an alpha, each on its own way through the frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training.dress import Dress
from training.faults import Grade, Picture
from training.head import Head
from training.motion import Matrix, Path, place
from training.pack import Person
from training.pictures import warp


@dataclass(frozen=True, slots=True)
class Shot:
    """``frames`` (T, H, W, 3) BGR, their ``alpha`` (T, H, W), its ``certainty`` (T, H, W, 255 is known), all uint8."""

    frames: Picture
    alpha: Picture
    certainty: Picture


@dataclass(frozen=True, slots=True)
class Layer:
    """One person or thing in a shot: the pictures shown in turn, where they lie, and their colours.

    ``head``: in the first still, where it is a person's and was found.
    """

    stills: Sequence[Person]
    matrix: Matrix
    path: Path
    grade: Grade
    dress: Dress | None = None
    head: Head | None = None

    def draw(self, moment: int, *, width: int, height: int) -> tuple[Picture, Picture]:
        """Colours (H, W, 3) and alpha (H, W) at a moment."""
        still = self.stills[moment % len(self.stills)]
        matrix = place(self.matrix, self.path.at(moment), width=width, height=height)
        colours = warp(still.foreground, matrix, (width, height), cv2.BORDER_REPLICATE)
        alpha = warp(still.alpha, matrix, (width, height), cv2.BORDER_CONSTANT)
        if self.dress:
            colours, alpha = self.dress.put_on(colours, alpha, matrix)
        return self.grade(colours), alpha


    def clothed(self, colour: NDArray[np.float64]) -> "Layer":
        """The same in clothes of a ``colour`` (3) BGR, where a head, and so clothes, were found."""
        if self.head is None:
            return self
        dress = self.dress or Dress(self.head)
        return replace(self, dress=replace(dress, clothes=colour.astype(np.float32)))

    def unknown(self, moment: int, alpha: Picture) -> Picture | None:
        """Where ``alpha``, as drawn at a moment, may be wrong: (H, W), 0 is known; None where all is known.

        What was cut away is not seen, so only what was taken for a person can be wrong.
        """
        certainty = self.stills[moment % len(self.stills)].certainty
        if certainty is None:
            return None
        height, width = alpha.shape
        matrix = place(self.matrix, self.path.at(moment), width=width, height=height)
        doubt = warp(255 - certainty, matrix, (width, height), cv2.BORDER_CONSTANT)
        return cv2.multiply(doubt, alpha, scale=1 / 255).astype(np.uint8)


def motion_blurred(colours: Picture, alpha: Picture, way: Path, moment: int) -> tuple[Picture, Picture]:
    """Smeared along the way by half a frame's exposure, where that is visible at all."""
    x, y = way.speed(moment) * colours.shape[1] * 0.5
    length = int(np.hypot(x, y))
    if length < 2:
        return colours, alpha
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.uint8)
    middle = np.array([length, length])
    step = (np.array([x, y]) / 2).astype(int)
    cv2.line(kernel, tuple((middle - step).tolist()), tuple((middle + step).tolist()), 1)
    weights = kernel.astype(np.float32) / kernel.sum()
    return cv2.filter2D(colours, -1, weights), cv2.filter2D(alpha, -1, weights)
