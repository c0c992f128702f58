"""Frames to a v4l2loopback device by ``write`` (its README, and the Linux kernel documentation, V4L2 API, 3.1)."""

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Size
from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.capabilities import capability
from realtime_matte.v4l2.ioctl import Ioctl, kernel_ioctl

PIXEL_FORMAT: Final = int.from_bytes(b"YU12", "little")
"""I420 in the kernel's names."""

MOST_BUFFERS: Final = 32
"""The driver has at most so many for one device."""


class LoopbackWriter:
    """Sends I420 images to a device. Used by one thread.

    The first image fills all buffers of the device: the driver gives a new reader any of them, also one that another
    program wrote before.

    Args:
        path: The device.
        size: (width, height), both even.
        sysfs: Where the kernel's attributes of video devices are.

    Raises:
        OSError: It cannot be opened, is no output, or does not accept the size or the pixel format.
    """

    def __init__(
        self,
        path: str,
        size: Size,
        *,
        ioctl: Ioctl = kernel_ioctl,
        sysfs: Path = Path("/sys/class/video4linux"),
    ) -> None:
        self.device: Final = path
        self._attributes = sysfs / Path(os.path.realpath(path)).name
        self._has_sent = False
        self._file = os.open(path, os.O_RDWR)
        try:
            _require_output(self._file, ioctl)
            _set_format(self._file, size, ioctl)
        except BaseException:
            self.close()
            raise

    def send(self, image: NDArray[np.uint8]) -> None:
        """Show ``image``, C-contiguous (H * 3 / 2, W), to the readers. The driver copies it.

        Raises:
            OSError: The device is gone, or took a part of the image only.
        """
        self._write(image)
        if not self._has_sent:
            for _ in range(self._buffers() - 1):  # known only after the first image
                self._write(image)
            self._has_sent = True

    def _write(self, image: NDArray[np.uint8]) -> None:
        written = os.write(self._file, image.data)
        if written != image.nbytes:
            raise OSError(0, f"it took {written} of {image.nbytes} bytes")

    def _buffers(self) -> int:
        """How many buffers the device has; the most that are possible if the kernel does not tell."""
        try:
            return min(int((self._attributes / "buffers").read_text()), MOST_BUFFERS) or MOST_BUFFERS
        except (OSError, ValueError):
            return MOST_BUFFERS

    def close(self) -> None:
        """Stop sending. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _require_output(device: int, ioctl: Ioctl) -> None:
    if not capability(device, ioctl=ioctl).flags & v4l2.OUTPUT_FLAG:
        raise OSError(0, "it accepts no writer")


def _set_format(device: int, size: Size, ioctl: Ioctl) -> None:
    """Set size and pixel format. The driver fills in the rest; it may answer with another size or format instead."""
    buffer = bytearray(v4l2.PIXEL_FORMAT.pack(v4l2.VIDEO_OUTPUT, *size, PIXEL_FORMAT, *[0] * 9))
    ioctl(device, v4l2.S_FMT, buffer)
    _, width, height, code, *_ = v4l2.PIXEL_FORMAT.unpack(buffer)
    if (width, height, code) != (*size, PIXEL_FORMAT):
        fourcc = code.to_bytes(4, "little").decode("ascii", "replace")
        raise OSError(0, f"it keeps {width}x{height} in {fourcc}")
