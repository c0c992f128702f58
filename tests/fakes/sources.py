"""Reading from a source."""

import numpy as np

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Source


def buffer(size: Size) -> Pixels:
    """What a source writes a frame of ``size`` into."""
    return np.empty((size[1], size[0], 3), np.uint8)


def read(source: Source) -> Frame:
    """The next frame; there must be one, of the size and dtype that the source promises."""
    frame = source.read(buffer(source.size))
    assert frame is not None
    assert frame.pixels.shape == (source.size[1], source.size[0], 3)
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels.flags.c_contiguous
    return frame
