"""Raw frames of a camera by memory-mapped buffers (Linux kernel documentation, V4L2 API, 3.2)."""

import errno
import mmap
import os
import select
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Size
from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.capabilities import capability
from realtime_matte.v4l2.ioctl import Ioctl, kernel_ioctl

BUFFERS: Final = 3
"""One to read, one for the driver to fill, and one that is full. More only add age: the newest is taken."""

Bytes: TypeAlias = NDArray[np.uint8]


class NotSupported(OSError):
    """The device can be used, but not by this reader."""


@dataclass(frozen=True, slots=True)
class StreamMode:
    """The actual mode of a stream.

    Attributes:
        fourcc: The pixel format.
        size: (width, height).
        stride: Bytes from one row to the next; 0 for compressed formats.
        fps: Frames a second; None where the driver does not know.
        full_range: Luma is 0 to 255 instead of 16 to 235.
        bt709: Colours follow ITU-R BT.709 instead of BT.601.
    """

    fourcc: str
    size: Size
    stride: int
    fps: float | None
    full_range: bool
    bt709: bool


class Stream:
    """Frames of an open camera. Used by one thread.

    Args:
        path: The device.
        fourccs: The pixel formats that can be read, the best first; one that the driver gives instead is taken too.
        size: Requested size.
        fps: Requested frame rate.

    Raises:
        NotSupported: the device has no such pixel format, or no memory-mapped buffers.
        OSError: it cannot be opened; EBUSY where another program reads it.
    """

    def __init__(
        self, path: str, fourccs: tuple[str, ...], *, size: Size, fps: float, ioctl: Ioctl = kernel_ioctl
    ) -> None:
        self._ioctl = ioctl
        self._held: int | None = None
        self._maps: list[mmap.mmap] = []
        self._buffers: list[Bytes] = []
        self._device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.timestamp_s = 0.0
        try:
            _require_streaming(self._device, ioctl)
            self.mode = _request_mode(self._device, fourccs, size, fps, ioctl)
            self._start()
        except BaseException:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._device, select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """True when a frame is ready, or the device is gone, within the time."""
        return bool(self._poll.poll(timeout_s * 1000))

    def take(self) -> Bytes | None:
        """The bytes of the newest frame, valid until the next call; empty if it is damaged; None if there is none.

        Raises:
            OSError: the device is gone.
        """
        newest = None
        while filled := self._dequeue():
            newest = filled
        if newest is None:
            return None
        index, used, flags, seconds, microseconds = newest
        self.timestamp_s = seconds + microseconds / 1e6
        return self._buffers[index][: 0 if flags & v4l2.ERROR_FLAG else used]

    def close(self) -> None:
        """Stop the stream and close the device. Idempotent."""
        if self._device < 0:
            return
        with suppress(OSError):  # it is gone
            self._ioctl(self._device, v4l2.STREAMOFF, bytearray(v4l2.INTEGER.pack(v4l2.VIDEO_CAPTURE)))
        self._buffers.clear()
        for mapped in self._maps:
            with suppress(BufferError):  # the last frame is still referred to, and frees it
                mapped.close()
        self._maps.clear()
        os.close(self._device)
        self._device = -1

    def _start(self) -> None:
        request = bytearray(v4l2.REQUEST_BUFFERS.pack(BUFFERS, v4l2.VIDEO_CAPTURE, v4l2.MMAP))
        self._ioctl(self._device, v4l2.REQBUFS, request)
        count = v4l2.REQUEST_BUFFERS.unpack(request)[0]
        for index in range(count):
            buffer = self._buffer(index)
            self._ioctl(self._device, v4l2.QUERYBUF, buffer)
            *_, offset, length = v4l2.BUFFER.unpack(buffer)
            self._maps.append(mmap.mmap(self._device, length, offset=offset))
            self._buffers.append(np.frombuffer(self._maps[-1], np.uint8))
            self._queue(index)
        if not count:
            raise NotSupported(0, "it has no buffers")
        self._ioctl(self._device, v4l2.STREAMON, bytearray(v4l2.INTEGER.pack(v4l2.VIDEO_CAPTURE)))

    def _dequeue(self) -> tuple[int, int, int, int, int] | None:
        """The next full buffer: index, bytes used, flags, seconds and microseconds. Gives the previous one back."""
        buffer = self._buffer(0)
        try:
            self._ioctl(self._device, v4l2.DQBUF, buffer)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise
        index, _, used, flags, _, seconds, microseconds, *_ = v4l2.FILLED_BUFFER.unpack(buffer)
        if self._held is not None:
            self._queue(self._held)
        self._held = index
        return index, used, flags, seconds, microseconds

    def _queue(self, index: int) -> None:
        self._ioctl(self._device, v4l2.QBUF, self._buffer(index))

    def _buffer(self, index: int) -> bytearray:
        return bytearray(v4l2.BUFFER.pack(index, v4l2.VIDEO_CAPTURE, v4l2.MMAP, 0, 0))


def _require_streaming(device: int, ioctl: Ioctl) -> None:
    found = capability(device, ioctl=ioctl)
    if found.buffer_type != v4l2.VIDEO_CAPTURE:
        raise NotSupported(0, "it is a multi-planar device")
    if not found.flags & v4l2.STREAMING_FLAG:
        raise NotSupported(0, "its driver has no memory-mapped buffers")


def _request_mode(device: int, fourccs: tuple[str, ...], size: Size, fps: float, ioctl: Ioctl) -> StreamMode:
    """Set the mode. The driver takes the nearest one, which may be of another format and size."""
    given = ""
    for fourcc in fourccs:
        mode = _set_format(device, fourcc, size, ioctl)
        given = given or mode.fourcc
        if mode.fourcc in fourccs:
            actual_fps = _set_rate(device, fps, ioctl)
            return StreamMode(mode.fourcc, mode.size, mode.stride, actual_fps, mode.full_range, mode.bt709)
    raise NotSupported(0, f"its pixel format is {given}")


def _set_format(device: int, fourcc: str, size: Size, ioctl: Ioctl) -> StreamMode:
    code = int.from_bytes(fourcc.encode(), "little")
    fields = (*size, code, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    buffer = bytearray(v4l2.PIXEL_FORMAT.pack(v4l2.VIDEO_CAPTURE, *fields))
    ioctl(device, v4l2.S_FMT, buffer)
    _, width, height, code, _, stride, _, colors, _, _, encoding, quantization, _ = v4l2.PIXEL_FORMAT.unpack(buffer)
    name = code.to_bytes(4, "little").decode("ascii", "replace").strip()
    full = quantization == v4l2.FULL_RANGE or (not quantization and colors == v4l2.JPEG_COLORS)
    return StreamMode(name, (width, height), stride, None, full, encoding == v4l2.BT709)


def _set_rate(device: int, fps: float, ioctl: Ioctl) -> float | None:
    """Request a frame rate. Returns the actual one, if the driver knows."""
    rate = Fraction(fps).limit_denominator(1001)
    buffer = bytearray(v4l2.STREAM_PARAMETERS.pack(v4l2.VIDEO_CAPTURE, 0, 0, rate.denominator, rate.numerator))
    try:
        ioctl(device, v4l2.S_PARM, buffer)
    except OSError:
        return None
    _, flags, _, numerator, denominator = v4l2.STREAM_PARAMETERS.unpack(buffer)
    known = flags & v4l2.TIME_PER_FRAME_FLAG and numerator
    return denominator / numerator if known else None
