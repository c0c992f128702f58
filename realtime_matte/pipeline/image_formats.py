"""One output frame in the formats that sinks carry, converted once for all of them."""

import cv2
import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.render.jit import is_ready


class ImageFormats:
    """The newest output frame as BGR and as I420. Buffers are made when one of them is needed."""

    def __init__(self) -> None:
        self._image: Pixels | None = None
        self._converted: Pixels | None = None  # _image in the other format; in one of the next two
        self._bgr: Pixels | None = None
        self._i420: Pixels | None = None
        self._is_still = False

    def set(self, image: Pixels) -> None:
        """Take an output frame: (H, W, 3) BGR, (H, W, 4) BGRA, or I420."""
        self._image = image
        self._converted = None
        self._is_still = False

    def set_still(self, image: Pixels) -> None:
        """As ``set``, an image whose pixels never change: it is converted once, however often it is sent."""
        if image is not self._image or not self._is_still:
            self.set(image)
            self._is_still = True

    @property
    def size(self) -> Size:
        """(width, height)."""
        assert self._image is not None  # noqa: S101 - of an image that was set
        rows, width = self._image.shape[:2]
        return width, rows * 2 // 3 if self._is_i420 else rows

    @property
    def can_be_i420(self) -> bool:
        """True for an image of even size without alpha."""
        return self._image is not None and self._image.shape[2:] != (4,) and i420.is_possible(self.size)

    @property
    def bgr(self) -> Pixels:
        """BGR, or BGRA."""
        assert self._image is not None  # noqa: S101 - as above
        if not self._is_i420:
            return self._image
        if self._converted is None:
            if self._bgr is not None and self._bgr.shape[1::-1] != self.size:
                self._bgr = None
            self._bgr = self._converted = i420.to_bgr(self._image, self._bgr)
        return self._converted

    @property
    def i420(self) -> Pixels:
        """I420; if ``can_be_i420``."""
        assert self._image is not None  # noqa: S101 - as above
        if self._is_i420:
            return self._image
        if self._converted is None:
            if self._i420 is None or self._i420.shape != (self.size[1] * 3 // 2, self.size[0]):
                self._i420 = i420.empty(self.size)
            self._convert(self._image, self._i420)
            self._converted = self._i420
        return self._converted

    def _convert(self, image: Pixels, out: Pixels) -> None:
        """By a kernel, if it is compiled and frames follow; a card is shown before kernels are loaded."""
        if not self._is_still:
            from realtime_matte.render.convert_i420 import bgr_to_i420, to_i420  # noqa: PLC0415 - composites load it

            if is_ready(bgr_to_i420):
                to_i420(image, out)
                return
        i420.from_bgr(image, out)

    @property
    def _is_i420(self) -> bool:
        return self._image is not None and self._image.ndim == 2  # noqa: PLR2004 - planes


def small_copy(image: Pixels, width: int) -> Pixels:
    """A copy of an output frame at most of this even width, in its format: BGR, BGRA or I420.

    Scaling by a half costs less than to copy the whole image for another thread, and I420 less than BGR.
    """
    if width >= image.shape[1]:
        return image.copy()
    planar = image.ndim == 2  # noqa: PLR2004 - planes
    rows = image.shape[0] * 2 // 3 if planar else image.shape[0]
    size = width, max(2, 2 * round(rows * width / image.shape[1] / 2))
    if not planar:
        return _shrink(image, size)
    out = i420.empty(size)
    for plane, small in zip(i420.planes(image), i420.planes(out), strict=True):
        np.copyto(small, _shrink(plane, (small.shape[1], small.shape[0])))
    return out


def _shrink(image: Pixels, size: Size) -> Pixels:
    """Means of 2 x 2 pixels, then bilinear: INTER_AREA of other sizes takes up to ten times as long."""
    while all(old % 2 == 0 and old >= 2 * new for old, new in zip(image.shape[1::-1], size, strict=True)):
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    if image.shape[1::-1] == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
