"""The eight ways in which an image can be stored: turned, mirrored, or both."""

import struct
from typing import Final, NamedTuple

from realtime_matte.frame import Pixels, Size


class Orientation(NamedTuple):
    """The steps that make stored pixels upright: first exchange rows and columns, then mirror each axis."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def size(self, size: Size) -> Size:
        """The upright size of pixels stored at ``size``, and the stored size of upright ones."""
        return (size[1], size[0]) if self.transpose else size

    def upright(self, pixels: Pixels) -> Pixels:
        """A view of (H, W, C) pixels, upright."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        return pixels[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


UPRIGHT: Final = Orientation()

EXIF: Final = {
    2: Orientation(flip_x=True),
    3: Orientation(flip_x=True, flip_y=True),
    4: Orientation(flip_y=True),
    5: Orientation(transpose=True),
    6: Orientation(transpose=True, flip_x=True),
    7: Orientation(transpose=True, flip_x=True, flip_y=True),
    8: Orientation(transpose=True, flip_y=True),
}
"""EXIF 2.32, tag 0x0112; every other value is upright."""


def from_exif(value: object) -> Orientation:
    """The orientation of an EXIF value; upright if there is none, or no such value."""
    return EXIF.get(value, UPRIGHT) if isinstance(value, int) else UPRIGHT


def from_display_matrix(data: bytes) -> Orientation:
    """The orientation nearest to FFmpeg's display matrix: ((a, b, u), (c, d, v), (x, y, w)), 32-bit integers.

    A stored point (p, q) is shown at (a p + c q, b p + d q) (ISO/IEC 14496-12, 6.2.2).
    """
    a, b, _, c, d = struct.unpack_from("=5i", data)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(flip_x=a < 0, flip_y=d < 0)
    return Orientation(transpose=True, flip_x=c < 0, flip_y=b < 0)
