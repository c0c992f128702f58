"""What travels between the stages. Shapes, dtypes, ranges and colour order are written here, once."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8, BGR, C-contiguous."""

Alpha: TypeAlias = NDArray[np.float32]
"""(h, w) float32 in [0, 1]: 0 is background, 1 is foreground. Straight, never premultiplied."""

Size: TypeAlias = tuple[int, int]
"""(width, height) in pixels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the source.

    ``pixels``: (H, W, 3) uint8, BGR (OpenCV's order, which virtual cameras take as it is), C-contiguous. Nobody but
    the source writes into it, and the source may reuse the memory once the next frame has been taken: copy what must
    live longer. ``time``: when it was taken, in seconds of ``time.perf_counter()``, finer on Windows than ``monotonic``
    (a file's frames: start of the run plus their place in the file). ``index``: counted by the source from 0; a gap is
    a drop.
    """

    pixels: Pixels
    time: float
    index: int

    @property
    def size(self) -> Size:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, slots=True)
class Matte:
    """Who is in one frame.

    ``alpha``: float32 in [0, 1]; (h, w) on the network's grid before refining, (H, W) of the frame after.
    ``foreground``: (H, W, 3) uint8 BGR colours of the person free of the old background, straight, or None while
    they are unknown. ``guide``: (h, w, 3) uint8 BGR, the frame on the grid of a coarse ``alpha``, where the network
    made one anyway.
    """

    alpha: Alpha
    foreground: Pixels | None = None
    guide: Pixels | None = None


class RefinedMatte(Protocol):
    """Who is in one frame, at its size: what a background is told.

    Computed when it is asked for, so what nobody needs costs nothing; overwritten with the next frame.
    """

    @property
    def alpha(self) -> Alpha:
        """(H, W), straight."""

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3) colours of the person free of the old background, straight; black where alpha is 0."""
