"""One person or object of a composite: its stills, where they lie in the frame, how they move and look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment.appearance import Appearance
from training.augment.camera_degradation import ColourGrade
from training.augment.head import Head
from training.augment.image_ops import Matrix, warp
from training.augment.motion import MotionPath, moved
from training.pack import Image, Still


@dataclass(frozen=True, slots=True)
class Layer:
    """``stills`` shown in turn, mapped into the frame by ``matrix``, moved along ``path``, with ``grade``'s colours.

    ``head``: of the first still, if it is a person whose head was found.
    """

    stills: Sequence[Still]
    matrix: Matrix
    path: MotionPath
    grade: ColourGrade
    appearance: Appearance | None = None
    head: Head | None = None

    def draw(self, index: int, *, width: int, height: int) -> tuple[Image, Image]:
        """Colours (H, W, 3) and alpha (H, W) in frame ``index``."""
        still = self.stills[index % len(self.stills)]
        matrix = moved(self.matrix, self.path.at(index), width=width, height=height)
        image = warp(still.foreground, matrix, (width, height), cv2.BORDER_REPLICATE)
        alpha = warp(still.alpha, matrix, (width, height), cv2.BORDER_CONSTANT)
        if self.appearance:
            image, alpha = self.appearance.draw(image, alpha, matrix)
        return self.grade(image), alpha

    def with_clothes_colour(self, colour: NDArray[np.float64]) -> "Layer":
        """The layer in clothes of one ``colour`` (3) BGR; unchanged if no head, and so no clothes, were found."""
        if self.head is None:
            return self
        appearance = self.appearance or Appearance(self.head)
        return replace(self, appearance=replace(appearance, clothes=colour.astype(np.float32)))

    def doubt(self, index: int, alpha: Image) -> Image | None:
        """How far ``alpha``, as drawn in frame ``index``, may be wrong: (H, W), 0 is certain; None if all is certain.

        In a composite only what was labelled as a person can be wrong: the rest of the still is not shown.
        """
        certainty = self.stills[index % len(self.stills)].certainty
        if certainty is None:
            return None
        height, width = alpha.shape
        matrix = moved(self.matrix, self.path.at(index), width=width, height=height)
        doubt = warp(255 - certainty, matrix, (width, height), cv2.BORDER_CONSTANT)
        return cv2.multiply(doubt, alpha, scale=1 / 255).astype(np.uint8)


def motion_blur(image: Image, alpha: Image, path: MotionPath, index: int) -> tuple[Image, Image]:
    """Colours and alpha blurred along the path by an exposure of half a frame, if that is at least two pixels."""
    x, y = path.velocity(index) * image.shape[1] * 0.5
    length = int(np.hypot(x, y))
    if length < 2:
        return image, alpha
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.uint8)
    centre = np.array([length, length])
    step = (np.array([x, y]) / 2).astype(int)
    cv2.line(kernel, tuple((centre - step).tolist()), tuple((centre + step).tolist()), 1)
    weights = kernel.astype(np.float32) / kernel.sum()
    return cv2.filter2D(image, -1, weights), cv2.filter2D(alpha, -1, weights)
