"""A node of PipeWire that is a camera. Its readers get the newest frame; it knows whether there is one."""

import ctypes
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.pipewire import library, pods
from realtime_matte.pipewire.pods import VideoFormat

START_S: Final = 5.0
"""Longest wait for PipeWire to accept the camera."""


class CameraNode:
    """One camera, from ``connect`` on until PipeWire stops or ``close``.

    PipeWire's thread calls the methods ``_on_...`` under the lock of its loop. The other methods take that lock, and
    are for one thread. Beside each attribute that both use is its lock.

    Args:
        properties: As ``media.class``.
        size: (width, height) of the frames, even.
        fps: Nominal frame rate.
    """

    def __init__(self, properties: Mapping[str, str], *, size: Size, fps: float) -> None:
        self._library = library.load()
        self._properties = properties
        self._size = size
        self._formats = [pods.enum_format(name, size, fps) for name in pods.formats(size)]
        self._frame = i420.empty(size)  # under the lock
        self._has_frame = False  # under the lock
        self._time_ns = 0  # under the lock
        self._count = 0  # under the lock
        self._format: VideoFormat | None = None  # PipeWire's thread
        self._changed = threading.Condition()
        self._state = library.UNCONNECTED  # under ``_changed``, as is the next one
        self._error = ""
        self._stream: int | None = None
        self._events = library.Events(
            version=2,
            state_changed=library.StateChanged(self._on_state),
            param_changed=library.ParamChanged(self._on_param),
            process=library.Process(self._on_process),
        )
        self._loop = self._library.pw_thread_loop_new(b"rtmatte-pipewire", None)
        if not self._loop or self._library.pw_thread_loop_start(self._loop) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    @property
    def is_lost(self) -> bool:
        """True after PipeWire has stopped, or removed the camera."""
        with self._changed:
            return self._state <= library.UNCONNECTED

    def connect(self) -> None:
        """Make the camera known to PipeWire, for the first time or again, without waiting. Raises OSError."""
        with self._locked():
            self._disconnect()
            self._set_state(library.CONNECTING)
            self._open_stream()

    def wait_connected(self) -> None:
        """Wait until PipeWire has the camera. Raises OSError with the reason if it does not accept it."""
        with self._changed:
            self._changed.wait_for(lambda: self._state != library.CONNECTING, START_S)
            if self._state < library.PAUSED:
                raise OSError(0, self._error or "it does not answer")

    def show(self, frame: Pixels) -> None:
        """Give readers this I420 frame; it is copied."""
        with self._locked():
            np.copyto(self._frame, frame)
            self._has_frame = True
            self._time_ns = time.monotonic_ns()
            self._count += 1
            if self._stream and self._state == library.STREAMING:
                self._library.pw_stream_trigger_process(self._stream)

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether a program reads it now; waits up to ``timeout_s`` for one."""
        with self._changed:
            return self._changed.wait_for(lambda: self._state == library.STREAMING, timeout_s)

    def close(self) -> None:
        """Remove the camera. Idempotent."""
        if not self._loop:
            return
        with self._locked():
            self._disconnect()
        self._library.pw_thread_loop_stop(self._loop)
        self._library.pw_thread_loop_destroy(self._loop)
        self._loop = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._library.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self._library.pw_thread_loop_unlock(self._loop)

    def _open_stream(self) -> None:
        """Create and connect the stream. Raises OSError."""
        properties = self._library.pw_properties_new(None)
        for key, value in self._properties.items():
            self._library.pw_properties_set(properties, key.encode(), value.encode())
        loop = self._library.pw_thread_loop_get_loop(self._loop)
        self._stream = self._library.pw_stream_new_simple(loop, b"rtmatte", properties, self._events, None)
        if not self._stream:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        offered = library.Pods(*self._formats)
        flags = library.DRIVER | library.MAP_BUFFERS
        status = self._library.pw_stream_connect(
            self._stream, library.OUTPUT, library.ANY_ID, flags, offered.pointers, offered.count
        )
        if status < 0:
            self._disconnect()
            raise OSError(-status, os.strerror(-status))

    def _disconnect(self) -> None:
        if self._stream:
            self._library.pw_stream_destroy(self._stream)
        self._stream = None
        self._format = None
        self._set_state(library.UNCONNECTED)

    def _set_state(self, state: int, error: str = "") -> None:
        with self._changed:
            self._state, self._error = state, error
            self._changed.notify_all()

    def _on_state(self, _data: int, _old: int, state: int, error: bytes | None) -> None:
        self._set_state(state, (error or b"").decode("utf-8", "replace"))

    def _on_param(self, _data: int, param: int, pod: int | None) -> None:
        """The format was chosen, or is no longer needed: ask for buffers that fit it."""
        if param != pods.PARAM_FORMAT:
            return
        self._format = pods.chosen_format(library.read_pod(pod)) if pod else None
        if self._format:
            needed = library.Pods(pods.buffers(self._format, self._size), pods.header_meta())
            self._library.pw_stream_update_params(self._stream, needed.pointers, needed.count)

    def _on_process(self, _data: int) -> None:
        """A reader can take a frame: fill a buffer with the newest one."""
        if not self._has_frame or not self._format:
            return
        buffer = self._library.pw_stream_dequeue_buffer(self._stream)
        if not buffer:
            return  # the reader has them all, and gets a later frame
        self._fill(buffer.contents.buffer.contents, self._format)
        self._library.pw_stream_queue_buffer(self._stream, buffer)

    def _fill(self, buffer: library.SpaBuffer, video_format: VideoFormat) -> None:
        block, size = buffer.datas[0], pods.byte_size(video_format, self._size)
        fits = bool(block.data) and block.maxsize >= size
        if fits:
            memory = np.frombuffer(memoryview((ctypes.c_uint8 * size).from_address(block.data)), np.uint8)
            if video_format == "I420":
                memory[:] = self._frame.reshape(-1)
            else:
                i420.to_yuyv(self._frame, memory.reshape(self._size[1], self._size[0], 2))
        chunk = block.chunk.contents
        chunk.offset, chunk.size, chunk.flags = 0, size if fits else 0, 0
        chunk.stride = pods.stride(video_format, self._size)
        for meta in buffer.metas[: buffer.n_metas]:
            if meta.type == pods.HEADER_META and meta.size >= pods.HEADER_SIZE:
                header = library.Header.from_address(meta.data)
                header.flags = header.offset = header.dts_offset = 0
                header.pts, header.seq = self._time_ns, self._count
