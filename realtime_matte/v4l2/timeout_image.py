"""What v4l2loopback goes on showing when nothing is sent any more, be it that the sender was killed.

After ``timeout`` without a picture the driver gives its readers the ``timeout_image``; both outlive the sender.
"""

import fcntl
import mmap
import os
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.v4l2.ioctl import Ioctl, request

TIMEOUT_MS: Final = 2000
"""Longer than any pause between two pictures or cards of a line that is well."""

CONTROLS: Final = 0x0098_F900
"""v4l2loopback's own (V4L2_CID_USER_BASE | 0xf000) ..."""
TIMEOUT: Final = CONTROLS + 2
IMAGE_IO: Final = CONTROLS + 3
"""... of which this one says that the next to open the device means the timeout image."""

CONTROL: Final = struct.Struct("Ii")
BUFFERS: Final = struct.Struct("3I8x")
BUFFER: Final = struct.Struct("2I52xI I4xI12x")
"""struct v4l2_buffer: index, type; memory, offset, length."""

SET_CONTROL: Final = request(3, 28, CONTROL.size)
REQUEST_BUFFERS: Final = request(3, 8, BUFFERS.size)
QUERY_BUFFER: Final = request(3, 9, BUFFER.size)
VIDEO_OUTPUT, MMAP = 2, 1


def set_timeout_image(path: str, picture: NDArray[np.uint8], *, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Let the device show ``picture``, in its own format, whenever nothing was sent for TIMEOUT_MS.

    Something must have been sent before: the driver's buffers are made then. Raises OSError.
    """
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        _set(device, IMAGE_IO, 1, ioctl)
        _write(path, picture.tobytes(), ioctl)
        _set(device, TIMEOUT, TIMEOUT_MS, ioctl)
    finally:
        os.close(device)


def withdraw(path: str, *, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Let the device be as it was: readers wait until something is sent. Raises OSError."""
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        _set(device, TIMEOUT, 0, ioctl)
    finally:
        os.close(device)


def _write(path: str, picture: bytes, ioctl: Ioctl) -> None:
    image = os.open(path, os.O_RDWR)
    try:
        ioctl(image, REQUEST_BUFFERS, bytearray(BUFFERS.pack(1, VIDEO_OUTPUT, MMAP)))
        buffer = bytearray(BUFFER.pack(0, VIDEO_OUTPUT, MMAP, 0, 0))
        ioctl(image, QUERY_BUFFER, buffer)
        *_, offset, length = BUFFER.unpack(buffer)
        if length < len(picture):
            raise OSError(0, f"its pictures have {length} bytes, not {len(picture)}")
        with mmap.mmap(image, length, offset=offset) as shown:
            shown[: len(picture)] = picture
    finally:
        os.close(image)


def _set(device: int, control: int, value: int, ioctl: Ioctl) -> None:
    ioctl(device, SET_CONTROL, bytearray(CONTROL.pack(control, value)))
