"""Pictures held in memory as a source, so that what is measured after it is the line alone."""

from collections.abc import Sequence
from contextlib import closing

import numpy as np

from realtime_matte import plugins
from realtime_matte.frame import Frame, Pixels, Size

MOST = 16
"""Pictures held; fewer at large sizes, as memory allows."""

MOST_BYTES = 100e6
LEAST = 3


class Held:
    """A source of pictures in memory, without end: to and fro, so that movement goes on and never jumps."""

    live = False
    frames = None
    notices: Sequence[str] = ()

    fps = 30.0

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self.size = pictures[0].shape[1], pictures[0].shape[0]
        self._order = [*pictures, *pictures[-2:0:-1]]
        self._index = -1

    def __call__(self, _rest: str, /, *, size: Size | None, fps: float | None) -> "Held":  # noqa: ARG002
        """Already open: it stands for its own ``open``."""
        return self

    def read(self, pixels: Pixels) -> Frame:  # noqa: ARG002  # it holds its pictures
        """The next one."""
        self._index += 1
        return Frame(self._order[self._index % len(self._order)], self._index / self.fps, self._index)

    def close(self) -> None:
        """Nothing to close."""


def pictures(size: Size) -> list[Pixels]:
    """The first pictures of the demo camera: the same on every machine."""
    count = max(LEAST, min(MOST, int(MOST_BYTES / (size[0] * size[1] * 3))))
    plugin = plugins.source("demo")
    with closing(plugin.open(f"?frames={count}", size=size, fps=None)) as source:
        pixels = np.empty((size[1], size[0], 3), np.uint8)
        return [frame.pixels.copy() for _ in range(count) if (frame := source.read(pixels))]
