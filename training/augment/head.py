"""The position of a person's head, found from alpha alone."""

from dataclasses import dataclass

import cv2
import numpy as np

from training.pack import Image


@dataclass(frozen=True, slots=True)
class Head:
    """A head in a still, in its pixels: ``centre`` column, ``top`` and ``neck`` rows, ``width``."""

    centre: float
    top: float
    neck: float
    width: float

    @property
    def height(self) -> float:
        """Rows from the top to the neck."""
        return self.neck - self.top


def find_head(alpha: Image) -> Head | None:
    """The head of a person, from the top to the narrowest row of the outline; None if its proportions are no head's."""
    inside = alpha > 127
    widths = inside.sum(1)
    rows = np.flatnonzero(widths)
    if len(rows) < 40 or rows[0] < 4:
        return None
    top, height = int(rows[0]), int(rows[-1] - rows[0])
    first, last = top + height // 8, top + int(height * 0.6)
    neck = first + int(widths[first:last].argmin())
    columns = np.flatnonzero(inside[(top + neck) // 2])
    if neck - top < 12 or len(columns) < 12 or not 0.4 < (neck - top) / (columns[-1] - columns[0] + 1) < 2.5:
        return None
    return Head((columns[0] + columns[-1]) / 2, top, neck, float(columns[-1] - columns[0] + 1))


def approximate_head(alpha: Image) -> Head | None:
    """A guess from the bounding box, for people without a whole visible head; None if the box is below 24 pixels."""
    left, top, width, height = cv2.boundingRect((alpha > 127).astype(np.uint8))
    if min(width, height) < 24:
        return None
    head_width = min(0.4 * width, 0.5 * height)
    return Head(left + width / 2, top, top + min(1.3 * head_width, 0.6 * height), head_width)
