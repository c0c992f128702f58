"""A kernel with one camera that streams, simulated at the ioctl calls; its buffers are in a file that is mapped."""

import errno
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from realtime_matte.v4l2 import ioctl as v4l2

LENGTH = 1 << 20
"""Of a buffer: a whole number of pages."""

Event: TypeAlias = bytes | int | None
"""A frame; an error number; None: nothing is ready now. A frame of no bytes is marked as damaged."""


class StreamingCamera:
    """A camera with one pixel format and size, whatever is requested."""

    def __init__(
        self, path: Path, events: Iterable[Event] = (), *, fourcc: str = "MJPG", size: tuple[int, int] = (160, 96)
    ) -> None:
        self.path = str(path)
        self.fourcc = fourcc
        self.size = size
        self.stride = 0
        self.colors = self.encoding = self.quantization = 0
        self.flags = v4l2.SINGLE_PLANAR_FLAG | v4l2.STREAMING_FLAG
        self.errors: dict[int, int] = {}  # by request
        self.requested: list[tuple[str, int, int, float]] = []
        self.streaming = False
        self.queued: deque[int] = deque()
        self._events = deque(events)
        self._time = 100.0
        path.touch()

    def add(self, *events: Event) -> None:
        """Let these happen next."""
        self._events.extend(events)

    def ioctl(self, device: int, request: int, buffer: bytearray) -> None:
        if request in self.errors:
            raise OSError(self.errors[request], os.strerror(self.errors[request]))
        answers = {
            v4l2.QUERYCAP: self._capability,
            v4l2.S_FMT: self._format,
            v4l2.S_PARM: self._rate,
            v4l2.REQBUFS: self._allocate,
            v4l2.QUERYBUF: self._describe,
            v4l2.QBUF: self._queue,
            v4l2.DQBUF: self._dequeue,
            v4l2.STREAMON: self._on,
            v4l2.STREAMOFF: self._off,
        }
        answer = answers[request](device, bytes(buffer))
        if answer:
            assert len(answer) == len(buffer)
            buffer[:] = answer

    def _capability(self, _device: int, _buffer: bytes) -> bytes:
        return v4l2.CAPABILITY.pack(b"uvcvideo", b"Cam", b"usb-1", 0, self.flags, 0)

    def _format(self, _device: int, buffer: bytes) -> bytes:
        kind, width, height, code, *_ = v4l2.PIXEL_FORMAT.unpack(buffer)
        self.requested.append((code.to_bytes(4, "little").decode(), width, height, 0.0))
        code = int.from_bytes(self.fourcc.ljust(4).encode(), "little")
        size = self.size
        return v4l2.PIXEL_FORMAT.pack(
            kind, *size, code, 1, self.stride, LENGTH, self.colors, 0, 0, self.encoding, self.quantization, 0
        )

    def _rate(self, _device: int, buffer: bytes) -> bytes:
        kind, _, _, numerator, denominator = v4l2.STREAM_PARAMETERS.unpack(buffer)
        self.requested[-1] = (*self.requested[-1][:3], denominator / numerator)
        return v4l2.STREAM_PARAMETERS.pack(kind, v4l2.TIME_PER_FRAME_FLAG, 0, 1, 25)

    def _allocate(self, device: int, buffer: bytes) -> bytes:
        count, kind, memory = v4l2.REQUEST_BUFFERS.unpack(buffer)
        os.truncate(device, count * LENGTH)
        return v4l2.REQUEST_BUFFERS.pack(count, kind, memory)

    def _describe(self, _device: int, buffer: bytes) -> bytes:
        index, kind, memory, *_ = v4l2.BUFFER.unpack(buffer)
        return v4l2.BUFFER.pack(index, kind, memory, index * LENGTH, LENGTH)

    def _queue(self, _device: int, buffer: bytes) -> None:
        index = v4l2.BUFFER.unpack(buffer)[0]
        assert index not in self.queued
        self.queued.append(index)

    def _dequeue(self, device: int, _buffer: bytes) -> bytes:
        event = self._events.popleft() if self._events else None
        if not isinstance(event, bytes):
            raise OSError(event or errno.EAGAIN, "none")
        index = self.queued.popleft()
        self._time += 1 / 25
        os.pwrite(device, event, index * LENGTH)
        flags = 0 if event else v4l2.ERROR_FLAG
        seconds, fraction = divmod(self._time, 1)
        stamp = int(seconds), int(fraction * 1e6)
        return v4l2.FILLED_BUFFER.pack(index, 1, len(event) or 9, flags, 1, *stamp, 0, 1, 0, LENGTH)

    def _on(self, _device: int, _buffer: bytes) -> None:
        self.streaming = True

    def _off(self, _device: int, _buffer: bytes) -> None:
        self.streaming = False
