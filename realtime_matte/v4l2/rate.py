"""Tells v4l2loopback how many pictures a second come; else it says 30 to every program, whatever is sent."""

import fcntl
import os
import struct
from fractions import Fraction
from typing import Final

from realtime_matte.v4l2.ioctl import Ioctl, request

PARAMETERS: Final = struct.Struct("5I184x")
"""struct v4l2_streamparm: type, two of no use here, interval as a fraction of a second, and more."""

SET: Final = request(3, 22, PARAMETERS.size)  # VIDIOC_S_PARM
VIDEO_CAPTURE, VIDEO_OUTPUT = 1, 2


def set_rate(path: str, fps: float, *, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Set the rate of the device at ``path``. Raises OSError."""
    rate = Fraction(fps).limit_denominator(1001)
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        _set(device, VIDEO_OUTPUT, rate, ioctl)
    except OSError:  # with its first picture it became a camera and nothing else
        _set(device, VIDEO_CAPTURE, rate, ioctl)
    finally:
        os.close(device)


def _set(device: int, side: int, rate: Fraction, ioctl: Ioctl) -> None:
    ioctl(device, SET, bytearray(PARAMETERS.pack(side, 0, 0, rate.denominator, rate.numerator)))
