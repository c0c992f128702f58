"""JPEG to planes or BGR by libjpeg-turbo's own interface, TurboJPEG (turbojpeg.h, version 2.1 or later).

Called through ctypes: the library is the system's, and four functions are used. It is found at run time. Decoding to
planes leaves out the conversion to BGR, and damaged data is an error of the call, not a line on the terminal.
"""

import ctypes
import ctypes.util
import sys
from functools import cache
from typing import Final

import cv2
import numpy as np

from realtime_matte.errors import MissingDependency
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420

NAMES: Final = {
    "linux": ("libturbojpeg.so.0",),
    "darwin": ("libturbojpeg.dylib", "/opt/homebrew/lib/libturbojpeg.dylib", "/usr/local/lib/libturbojpeg.dylib"),
    "win32": ("turbojpeg.dll",),
}
"""File names of the library, by system."""

HINT: Final = "sudo apt install libturbojpeg0 (Ubuntu: libturbojpeg, Fedora: turbojpeg, Arch: libjpeg-turbo)"

BGR: Final = 1  # TJPF_BGR

CHROMA: Final = ((1, 1), (2, 1), (2, 2), None, (1, 2), (4, 1), (1, 4))
"""Luma pixels per chroma pixel, across and down, by TJSAMP: 4:4:4, 4:2:2, 4:2:0, gray, 4:4:0, 4:1:1, 4:4:1."""

HARMLESS: Final = b"extraneous bytes before marker"
"""The warning for bytes between two segments, which some cameras send in every frame; every pixel was decoded."""

Data = np.ndarray[tuple[int], np.dtype[np.uint8]]
"""A compressed image, (n,) uint8."""


class JpegDecoder:
    """Decodes JPEG images one after the other. Used by one thread at a time.

    Raises:
        MissingDependency: there is no libjpeg-turbo 2.1 or later.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._handle = ctypes.c_void_p(self._library.tjInitDecompress())
        self._planes = np.empty(0, np.uint8)
        self._numbers = [ctypes.c_int() for _ in range(4)]

    def size(self, data: Data) -> Size | None:
        """(width, height) from the header; None if that is damaged."""
        header = self._header(data)
        return header[0] if header else None

    def decode(self, data: Data, pixels: Pixels) -> bool:
        """Decode into ``pixels``, of the image's size: (H, W, 3) BGR, or (H * 3 / 2, W) I420 as ``media.i420`` has it.

        Returns:
            False for an image that is damaged, or of another size. ``pixels`` are undefined then.
        """
        header = self._header(data)
        if header is None:
            return False
        size, subsampling = header
        height = pixels.shape[0] if pixels.ndim == 3 else pixels.shape[0] * 2 // 3  # noqa: PLR2004 - colours
        if size != (pixels.shape[1], height):
            return False
        decode = self._decode_bgr if pixels.ndim == 3 else self._decode_i420  # noqa: PLR2004 - as above
        return decode(data, pixels, subsampling)

    def close(self) -> None:
        """Free the decoder. Idempotent."""
        if self._handle:
            self._library.tjDestroy(self._handle)
            self._handle = ctypes.c_void_p()

    def _header(self, data: Data) -> tuple[Size, int] | None:
        width, height, subsampling, colours = self._numbers
        code = self._library.tjDecompressHeader3(
            self._handle, data.ctypes.data, data.size, *map(ctypes.byref, (width, height, subsampling, colours))
        )
        if (code and not self._harmless()) or not 0 <= subsampling.value < len(CHROMA):
            return None
        return (width.value, height.value), subsampling.value

    def _decode_bgr(self, data: Data, pixels: Pixels, _subsampling: int) -> bool:
        height, width, _ = pixels.shape
        code = self._library.tjDecompress2(
            self._handle, data.ctypes.data, data.size, pixels.ctypes.data, width, 3 * width, height, BGR, 0
        )
        return not code or self._harmless()

    def _decode_i420(self, data: Data, pixels: Pixels, subsampling: int) -> bool:
        """Luma is decoded in place; chroma beside it, from where it is averaged to 4:2:0."""
        luma, u, v = i420.planes(pixels)
        height, width = luma.shape
        across, down = CHROMA[subsampling] or (1, 1)
        shape = -(-height // down), -(-width // across)
        if self._planes.size < 2 * shape[0] * shape[1]:
            self._planes = np.empty(2 * shape[0] * shape[1], np.uint8)
        chroma = self._planes[: 2 * shape[0] * shape[1]].reshape(2, *shape)
        pointers = (ctypes.c_void_p * 3)(luma.ctypes.data, chroma[0].ctypes.data, chroma[1].ctypes.data)
        strides = (ctypes.c_int * 3)(width, shape[1], shape[1])
        code = self._library.tjDecompressToYUVPlanes(
            self._handle, data.ctypes.data, data.size, pointers, width, strides, height, 0
        )
        if code and not self._harmless():
            return False
        cv2.convertScaleAbs(luma, dst=luma, alpha=i420.LUMA_SCALE, beta=i420.BLACK)
        for plane, out in zip(chroma, (u, v), strict=True):
            if CHROMA[subsampling] is None:
                out[:] = i420.GREY
            else:
                i420.shrink_chroma(plane, out, full_range=True)
        return True

    def _harmless(self) -> bool:
        """Whether the last call, which failed, decoded the whole image."""
        return HARMLESS in self._library.tjGetErrorStr2(self._handle)


@cache
def _library() -> ctypes.CDLL:
    """The loaded library. Raises MissingDependency."""
    for name in NAMES.get(sys.platform, ()):
        try:
            library = ctypes.CDLL(name)
            _declare(library)
        except (OSError, AttributeError):  # missing, or older than 2.1
            continue
        return library
    raise MissingDependency("libjpeg-turbo is not installed", hint=HINT)


def _declare(library: ctypes.CDLL) -> None:
    """Declare the functions that are used. Raises AttributeError if one is missing."""
    handle, integer, size, numbers = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulong, ctypes.POINTER(ctypes.c_int)
    library.tjInitDecompress.restype = handle
    library.tjDestroy.argtypes = [handle]
    library.tjGetErrorStr2.argtypes, library.tjGetErrorStr2.restype = [handle], ctypes.c_char_p
    library.tjDecompressHeader3.argtypes = [handle, handle, size, numbers, numbers, numbers, numbers]
    library.tjDecompress2.argtypes = [handle, handle, size, handle, integer, integer, integer, integer, integer]
    library.tjDecompressToYUVPlanes.argtypes = [handle, handle, size, handle, integer, handle, integer, integer]
