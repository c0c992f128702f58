"""Where a head is, told from the outline alone."""

from dataclasses import dataclass

import numpy as np

from training.faults import Picture


@dataclass(frozen=True, slots=True)
class Head:
    """A head in a still, in its pixels: ``middle`` column, ``top`` and ``neck`` rows, ``width``."""

    middle: float
    top: float
    neck: float
    width: float


def head_of(alpha: Picture) -> Head | None:
    """The head of a cut-out person: from the top to where the outline is narrowest; None where that finds none."""
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
