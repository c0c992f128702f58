"""Frames held in memory as a source, so that a measurement contains nothing but the pipeline."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final

import numpy as np

from realtime_matte import plugins
from realtime_matte.frame import Frame, Pixels, Size

MAX_FRAMES: Final = 16
"""Frames held; fewer at large sizes, within MAX_BYTES."""

MAX_BYTES: Final = 100e6
MIN_FRAMES: Final = 3


class MemorySource:
    """An endless source of frames in memory.

    Plays them forwards and backwards in turn, so that movement is continuous. The object is its own ``open``: it can be
    given where a pipeline expects a source's ``open``.

    Args:
        frames: Arrays (H, W, 3) uint8 BGR of one size, at least one.
    """

    live = False
    frames = None
    notices: Sequence[str] = ()

    fps = 30.0

    def __init__(self, frames: Sequence[Pixels]) -> None:
        self.size = frames[0].shape[1], frames[0].shape[0]
        self._order = [*frames, *frames[-2:0:-1]]
        self._index = -1

    def __call__(self, _rest: str, /, *, size: Size | None, fps: float | None) -> "MemorySource":  # noqa: ARG002
        """Return the source itself, which is open already."""
        return self

    def read(self, pixels: Pixels) -> Frame:  # noqa: ARG002  # returns its own arrays
        """The next frame."""
        self._index += 1
        return Frame(self._order[self._index % len(self._order)], self._index / self.fps, self._index)

    def close(self) -> None:
        """Do nothing: there is no device."""


def demo_frames(size: Size) -> list[Pixels]:
    """The first frames of the source ``demo`` in this size; the same on every machine."""
    count = max(MIN_FRAMES, min(MAX_FRAMES, int(MAX_BYTES / (size[0] * size[1] * 3))))
    plugin = plugins.source("demo")
    with closing(plugin.open(f"?frames={count}", size=size, fps=None)) as source:
        pixels = np.empty((size[1], size[0], 3), np.uint8)
        return [frame.pixels.copy() for _ in range(count) if (frame := source.read(pixels))]
