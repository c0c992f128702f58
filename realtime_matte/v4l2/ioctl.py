"""Requests to Video for Linux drivers and the kernel structs they carry (linux/videodev2.h, laid out as on 64 bits).

Written by hand on purpose: a handful of fixed structs is no reason for a dependency, and the tests replace the driver
at this line.
"""

import struct
from collections.abc import Callable
from typing import Final, TypeAlias

Ioctl: TypeAlias = Callable[[int, int, bytearray], object]
"""Called with a file descriptor, a request and a buffer that it fills; raises OSError."""


def kernel_ioctl(device: int, request: int, buffer: bytearray, /) -> object:
    """The kernel's own."""
    import fcntl  # noqa: PLC0415 - only Unix has it, and these modules are imported on every system

    return fcntl.ioctl(device, request, buffer)


CAPABILITY: Final = struct.Struct("16s32s32s3I12x")
"""v4l2_capability: driver, card, bus, version, capabilities of all nodes, capabilities of this node."""
FORMAT: Final = struct.Struct("3I32x2I12x")
"""v4l2_fmtdesc: index, type, flags, pixel format, bus code."""
FRAME_SIZE: Final = struct.Struct("3I6I8x")
"""v4l2_frmsizeenum: index, pixel format, kind; width and height, or least, largest and step of both."""
FRAME_INTERVAL: Final = struct.Struct("5I6I8x")
"""v4l2_frmivalenum: index, pixel format, width, height, kind; one fraction of a second, or least, largest and step."""
PIXEL_FORMAT: Final = struct.Struct("I4x12I152x")
"""v4l2_format: type; of its v4l2_pix_format: width, height, pixel format, field, bytes per line, size, colour space,
magic number of the private part, flags, YCbCr encoding, quantization, transfer function."""
REQUEST_BUFFERS: Final = struct.Struct("3I8x")
"""v4l2_requestbuffers: count, type, memory."""
BUFFER: Final = struct.Struct("2I52xI I4xI12x")
"""v4l2_buffer: index, type, memory, offset, length."""
FILLED_BUFFER: Final = struct.Struct("5I4x2q16x3I4xI12x")
"""v4l2_buffer as the driver returns it: index, type, bytes used, flags, field, seconds, microseconds, sequence, memory,
offset, length."""
STREAM_PARAMETERS: Final = struct.Struct("5I184x")
"""v4l2_streamparm: type, two that are not used here, interval between frames as a fraction of a second."""
CONTROL: Final = struct.Struct("Ii")
"""v4l2_control: id, value."""
EVENT: Final = struct.Struct("I4xI124x")
"""v4l2_event: type, the first word of its data."""
EVENT_SUBSCRIPTION: Final = struct.Struct("3I20x")
"""v4l2_event_subscription: type, id, flags."""

# Members of enumerations and flags
SINGLE_PLANAR_FLAG: Final = 0x0000_0001  # V4L2_CAP_VIDEO_CAPTURE
CAPTURE_FLAGS: Final = SINGLE_PLANAR_FLAG | 0x0000_1000  # V4L2_CAP_VIDEO_CAPTURE_MPLANE
OUTPUT_FLAG: Final = 0x0000_0002  # V4L2_CAP_VIDEO_OUTPUT
DEVICE_CAPS_FLAG: Final = 0x8000_0000  # V4L2_CAP_DEVICE_CAPS
VIDEO_CAPTURE: Final = 1  # v4l2_buf_type
VIDEO_OUTPUT: Final = 2
VIDEO_CAPTURE_MPLANE: Final = 9
MMAP: Final = 1  # v4l2_memory
EXPOSURE_ABSOLUTE: Final = 0x009A_0902  # V4L2_CID_EXPOSURE_ABSOLUTE
DISCRETE: Final = 1  # v4l2_frmsizetypes, v4l2_frmivaltypes
FULL_RANGE: Final = 1  # V4L2_QUANTIZATION_FULL_RANGE
BT709: Final = 2  # V4L2_YCBCR_ENC_709
JPEG_COLORS: Final = 7  # V4L2_COLORSPACE_JPEG
TIME_PER_FRAME_FLAG: Final = 0x1000  # V4L2_CAP_TIMEPERFRAME
STREAMING_FLAG: Final = 0x0400_0000  # V4L2_CAP_STREAMING
ERROR_FLAG: Final = 0x40  # V4L2_BUF_FLAG_ERROR
SEND_INITIAL: Final = 1  # V4L2_EVENT_SUB_FL_SEND_INITIAL

INTEGER: Final = struct.Struct("i")

WRITE, READ = 1, 2


def _request(direction: int, number: int, layout: struct.Struct) -> int:
    """The number of an ioctl of the letter V (_IOC of asm-generic/ioctl.h)."""
    return direction << 30 | layout.size << 16 | ord("V") << 8 | number


QUERYCAP: Final = _request(READ, 0, CAPABILITY)
ENUM_FMT: Final = _request(READ | WRITE, 2, FORMAT)
S_FMT: Final = _request(READ | WRITE, 5, PIXEL_FORMAT)
REQBUFS: Final = _request(READ | WRITE, 8, REQUEST_BUFFERS)
QUERYBUF: Final = _request(READ | WRITE, 9, BUFFER)
QBUF: Final = _request(READ | WRITE, 15, BUFFER)
DQBUF: Final = _request(READ | WRITE, 17, BUFFER)
STREAMON: Final = _request(WRITE, 18, INTEGER)
STREAMOFF: Final = _request(WRITE, 19, INTEGER)
S_PARM: Final = _request(READ | WRITE, 22, STREAM_PARAMETERS)
G_CTRL: Final = _request(READ | WRITE, 27, CONTROL)
S_CTRL: Final = _request(READ | WRITE, 28, CONTROL)
ENUM_FRAMESIZES: Final = _request(READ | WRITE, 74, FRAME_SIZE)
ENUM_FRAMEINTERVALS: Final = _request(READ | WRITE, 75, FRAME_INTERVAL)
DQEVENT: Final = _request(READ, 89, EVENT)
SUBSCRIBE_EVENT: Final = _request(WRITE, 90, EVENT_SUBSCRIPTION)
UNSUBSCRIBE_EVENT: Final = _request(WRITE, 91, EVENT_SUBSCRIPTION)
