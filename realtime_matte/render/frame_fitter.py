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

    An I420 frame stays one, plane by plane, where ``size`` is even. Shrinking takes the mean over each pixel's area, so
    that fine stripes do not alias. Buffers are allocated for the first frame that needs them.
    """

    def __init__(self, size: Size, *, mirror: bool) -> None:
        self._size = size
        self._mirror = mirror
        self._fitted: Pixels | None = None
        self._mirrored: Pixels | None = None
        self._fittings: _Fittings | None = None

    def set_mirror(self, *, mirror: bool) -> None:
        """Set whether frames are mirrored, from the next one on."""
        if mirror != self._mirror:
            self._mirror, self._fittings = mirror, None

    def set_size(self, size: Size) -> None:
        """Set the output's size, from the next frame on."""
        if size != self._size:
            self._size = size
            self._fitted = self._mirrored = self._fittings = None

    def __call__(self, frame: Frame, out: Pixels | None = None) -> Frame:
        """The fitted frame.

        Args:
            frame: Of any size.
            out: Buffer to scale into, of a BGR frame; None: the fitter's own, overwritten by the next call.
        """
        if frame.size == self._size:
            return self._flipped(frame.pixels, frame) if self._mirror else frame
        if not i420.is_possible(self._size) or out is not None:
            frame = i420.bgr_frame(frame)
        planar = frame.pixel_format == "i420"
        out = self._own(planar=planar) if out is None else out
        if self._fittings is None or (self._fittings.size, self._fittings.planar) != (frame.size, planar):
            self._fittings = _Fittings(frame.size, self._size, mirror=self._mirror, planar=planar)
        self._fittings(frame.pixels, out)
        return Frame(out, frame.time, frame.index, frame.pixel_format)

    def _own(self, *, planar: bool) -> Pixels:
        dimensions = 2 if planar else 3
        if self._fitted is None or self._fitted.ndim != dimensions:
            self._fitted = i420.empty(self._size) if planar else np.empty((self._size[1], self._size[0], 3), np.uint8)
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


class _Fittings:
    """Fits frames of one ``size`` and format: BGR, or ``planar``."""

    def __init__(self, size: Size, to: Size, *, mirror: bool, planar: bool) -> None:
        self.size = size
        self.planar = planar
        corner, part = _place(size, to)
        if not planar:
            self._fittings = [_Fitting(corner, part, to, mirror=mirror, channels=3)]
            return
        (left, top), (width, height), (new_width, new_height) = corner, part, to
        half_corner = left // 2, top // 2
        half_part = (
            min((width + 1) // 2, size[0] // 2 - half_corner[0]),
            min((height + 1) // 2, size[1] // 2 - half_corner[1]),
        )
        corner, part = (2 * half_corner[0], 2 * half_corner[1]), (2 * half_part[0], 2 * half_part[1])
        luma = _Fitting(corner, part, to, mirror=mirror, channels=1)
        chroma = _Fitting(half_corner, half_part, (new_width // 2, new_height // 2), mirror=mirror, channels=1)
        self._fittings = [luma, chroma, chroma]

    def __call__(self, pixels: Pixels, out: Pixels) -> None:
        """Fit ``pixels`` into ``out``."""
        if not self.planar:
            self._fittings[0](pixels, out)
            return
        for fitting, plane, fitted in zip(self._fittings, i420.planes(pixels), i420.planes(out), strict=True):
            fitting(plane, fitted)


class _Fitting:
    """Scales the ``part`` at a ``corner`` of images, BGR or one plane, to the size ``to``, and may mirror it."""

    def __init__(self, corner: tuple[int, int], part: Size, to: Size, *, mirror: bool, channels: int) -> None:
        self._columns, self._rows = (slice(start, start + side) for start, side in zip(corner, part, strict=True))
        self._to = to
        self._mirror = mirror
        self._shrinking: _Shrinking | None = None
        if part != to and all(side >= new for side, new in zip(part, to, strict=True)):
            self._shrinking = _Shrinking(corner, part, to, mirror=mirror, channels=channels)
        self._scaled: Pixels | None = None  # before it is mirrored

    def __call__(self, pixels: Pixels, out: Pixels) -> None:
        """Scale the part of ``pixels`` into ``out``."""
        if self._shrinking and area_resize.ready():
            self._shrinking(pixels, out)
            return
        if self._mirror and self._scaled is None:
            self._scaled = np.empty_like(out)
        scaled = out if self._scaled is None else self._scaled
        slow = cv2.INTER_AREA if self._shrinking else cv2.INTER_LINEAR  # the former: while the kernels are compiled
        cv2.resize(pixels[self._rows, self._columns], self._to, dst=scaled, interpolation=slow)
        if self._mirror:
            cv2.flip(scaled, 1, dst=out)


class _Shrinking:
    """Shrinks a ``part`` of images: to a multiple of the size ``to``, which is then halved exactly."""

    def __init__(self, corner: tuple[int, int], part: Size, to: Size, *, mirror: bool, channels: int) -> None:
        sizes = [to]
        while all(side >= 2 * last for side, last in zip(part, sizes[-1], strict=True)):
            sizes.append((2 * sizes[-1][0], 2 * sizes[-1][1]))
        self._columns, self._rows = (slice(start, start + side) for start, side in zip(corner, part, strict=True))
        first = sizes[-1]
        self._flips = mirror and (first == part or channels == 1)  # a plane is copied faster in its own order
        self._resize = None
        if first != part:
            mirror = mirror and not self._flips
            self._resize = AreaResizer(part, first, corner=corner, mirror=mirror, channels=channels)
        between = sizes[::-1] if self._resize else sizes[-2::-1]
        pixel = (channels,) if channels > 1 else ()
        shapes = [(height, width, *pixel) for width, height in between]
        self._buffers = [np.empty(shape, np.uint8) for shape in shapes[: None if self._flips else -1]]

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
