"""Every frame made the output's size, and mirrored if asked, before anything looks at it."""

import cv2
import numpy as np

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media.image import middle


class Framing:
    """Cuts, scales and mirrors frames to ``size`` in buffers of its own; a frame that already fits passes as it is."""

    def __init__(self, size: Size, *, mirror: bool) -> None:
        self._size = size
        self._mirror = mirror
        self._fitted = np.empty((size[1], size[0], 3), np.uint8)
        self._mirrored = np.empty((size[1], size[0], 3), np.uint8) if mirror else self._fitted

    def __call__(self, frame: Frame) -> Frame:
        """The frame to work on; overwritten by the next call."""
        pixels = frame.pixels
        if frame.size != self._size:
            pixels = self._fit(pixels)
        if self._mirror:
            cv2.flip(pixels, 1, dst=self._mirrored)
            pixels = self._mirrored
        return frame if pixels is frame.pixels else Frame(pixels, frame.time, frame.index)

    def _fit(self, pixels: Pixels) -> Pixels:
        part = middle(pixels, self._size)
        shrinks = part.shape[1] > self._size[0]
        cv2.resize(part, self._size, dst=self._fitted, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return self._fitted
