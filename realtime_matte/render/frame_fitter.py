"""Fitting camera frames to the output: cropped to its aspect ratio, scaled, mirrored."""

import cv2
import numpy as np

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import i420
from realtime_matte.media.fit import crop
from realtime_matte.render import area_resize
from realtime_matte.render.area_resize import AreaResizer


class FrameFitter:
    """Crops, scales and mirrors frames to ``size``, into its own buffers; a frame that fits is returned as it is.

    An I420 frame of another size becomes BGR.

    Shrinking takes the mean over each pixel's area, so that fine stripes do not alias. Buffers are allocated for the
    first frame that needs them.
    """

    def __init__(self, size: Size, *, mirror: bool) -> None:
        self._size = size
        self._mirror = mirror
        self._fitted: Pixels | None = None
        self._mirrored: Pixels | None = None
        self._shrinking: _Shrinking | None = None

    def set_mirror(self, *, mirror: bool) -> None:
        """Set whether frames are mirrored, from the next one on."""
        if mirror != self._mirror:
            self._mirror, self._shrinking = mirror, None

    def set_size(self, size: Size) -> None:
        """Set the output's size, from the next frame on."""
        if size != self._size:
            self._size = size
            self._fitted = self._mirrored = self._shrinking = None

    def __call__(self, frame: Frame, out: Pixels | None = None) -> Frame:
        """The fitted frame.

        Args:
            frame: Of any size.
            out: Buffer to scale into; None: the fitter's own, overwritten by the next call.
        """
        if frame.size == self._size:
            return self._flipped(frame.pixels, frame) if self._mirror else frame
        frame = i420.bgr_frame(frame)
        out = self._own() if out is None else out
        part = crop(frame.pixels, self._size)
        if not _shrinks(part.shape[1::-1], self._size):
            cv2.resize(part, self._size, dst=out, interpolation=cv2.INTER_LINEAR)
        elif area_resize.ready():
            if self._shrinking is None or self._shrinking.size != frame.size:
                self._shrinking = _Shrinking(frame.size, self._size, mirror=self._mirror)
            self._shrinking(frame.pixels, out)
            return Frame(out, frame.time, frame.index)
        else:  # the same, slower, while the kernels are compiled
            cv2.resize(part, self._size, dst=out, interpolation=cv2.INTER_AREA)
        return self._flipped(out, frame) if self._mirror else Frame(out, frame.time, frame.index)

    def _own(self) -> Pixels:
        if self._fitted is None:
            self._fitted = np.empty((self._size[1], self._size[0], 3), np.uint8)
        return self._fitted

    def _flipped(self, pixels: Pixels, frame: Frame) -> Frame:
        if self._mirrored is None or self._mirrored.shape != pixels.shape:
            self._mirrored = np.empty_like(pixels)
        if frame.pixel_format == "bgr":
            cv2.flip(pixels, 1, dst=self._mirrored)
        else:
            for plane, mirrored in zip(i420.planes(pixels), i420.planes(self._mirrored), strict=True):
                cv2.flip(plane, 1, dst=mirrored)
        return Frame(self._mirrored, frame.time, frame.index, frame.pixel_format)


class _Shrinking:
    """Shrinks frames of one ``size``: to a multiple of the output's size, which is then halved exactly."""

    def __init__(self, size: Size, to: Size, *, mirror: bool) -> None:
        self.size = size
        (left, top), part = _place(size, to)
        sizes = [to]
        while all(side >= 2 * last for side, last in zip(part, sizes[-1], strict=True)):
            sizes.append((2 * sizes[-1][0], 2 * sizes[-1][1]))
        self._rows, self._columns = slice(top, top + part[1]), slice(left, left + part[0])
        first = sizes[-1]
        self._resize = None if first == part else AreaResizer(part, first, corner=(left, top), mirror=mirror)
        self._flips = mirror and self._resize is None
        between = sizes[::-1] if self._resize else sizes[-2::-1]
        self._buffers = [np.empty((side[1], side[0], 3), np.uint8) for side in between[: None if self._flips else -1]]

    def __call__(self, pixels: Pixels, out: Pixels) -> None:
        """Shrink ``pixels`` to ``out``."""
        targets = [*self._buffers, out]
        if self._resize:
            self._resize(pixels, targets[0])
            pixels, targets = targets[0], targets[1:]
        else:
            pixels = pixels[self._rows, self._columns]
        for target in targets[: -1 if self._flips else None]:
            cv2.resize(pixels, target.shape[1::-1], dst=target, interpolation=cv2.INTER_LINEAR)  # the mean of four
            pixels = target
        if self._flips:
            cv2.flip(pixels, 1, dst=out)


def _place(size: Size, to: Size) -> tuple[tuple[int, int], Size]:
    """The corner and size of the part of a frame that is shown."""
    part = crop(np.broadcast_to(np.uint8(0), (size[1], size[0], 3)), to).shape[1::-1]
    return ((size[0] - part[0]) // 2, (size[1] - part[1]) // 2), part


def _shrinks(size: Size, to: Size) -> bool:
    return size != to and all(side >= new for side, new in zip(size, to, strict=True))
