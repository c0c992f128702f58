"""Newest-wins hand-off of frames from the capture thread to the pipeline's thread, in three preallocated buffers.

One buffer is written, one waits to be taken, one is used by the reader. Nothing is allocated per frame.
"""

import threading
from collections.abc import Sequence

import numpy as np

from realtime_matte.frame import Frame, PixelFormat, Pixels, Size
from realtime_matte.media import i420
from realtime_matte.render.frame_fitter import FrameFitter


class Mailbox:
    """Passes frames on, fitted to ``size``; an unread frame is replaced. One thread puts, another takes."""

    def __init__(self, size: Size, pixel_format: PixelFormat = "bgr") -> None:
        self._size = size
        self._format: PixelFormat = pixel_format
        self._fitter = FrameFitter(size, mirror=False)  # this and the next two: used by the putting thread only
        self._writing = _buffer(size, pixel_format)
        self._other_buffer: Pixels | None = None
        self._changed = threading.Condition()
        self._spare = [
            _buffer(size, pixel_format),
            _buffer(size, pixel_format),
        ]  # this and the rest: guarded by _changed
        self._unread: Frame | None = None
        self._taken: Pixels | None = None
        self._reader_started = False
        self._dropped = 0
        self._interrupted = False
        self._closed = False
        self._error: Exception | None = None

    def target(self, size: Size, formats: Sequence[PixelFormat] = ("bgr",)) -> Pixels:
        """The buffer to write a frame of ``size`` into; the same one until the next ``put``.

        It is BGR where the source, which can write ``formats``, cannot write the mailbox's own format.
        """
        if size == self._size and self._format in formats:
            return self._writing
        if self._other_buffer is None or self._other_buffer.shape[1::-1] != size:
            self._other_buffer = _buffer(size, "bgr")
        return self._other_buffer

    def put(self, frame: Frame, index: int) -> int:
        """Offer a frame, scaled to the mailbox's size, with its index set to ``index``.

        Returns:
            Frames replaced unread so far, not counting those before the first ``take`` that returned a frame.
        """
        self._write(frame)
        with self._changed:
            replaced, self._unread = self._unread, Frame(self._writing, frame.time, index, self._format)
            self._writing = replaced.pixels if replaced else self._spare.pop()
            self._dropped += replaced is not None and self._reader_started
            self._changed.notify()
            return self._dropped

    def _write(self, frame: Frame) -> None:
        """Write a frame into the buffer, unless the source has done so."""
        if frame.pixels is self._writing:
            return
        if self._format == "bgr":
            fitted = self._fitter(i420.bgr_frame(frame), self._writing)
            if fitted.pixels is not self._writing:
                np.copyto(self._writing, fitted.pixels)
        elif frame.pixel_format == self._format and frame.size == self._size:
            np.copyto(self._writing, frame.pixels)
        else:
            i420.from_bgr(self._fitter(i420.bgr_frame(frame)).pixels, self._writing)

    def clear(self) -> None:
        """Discard the unread frame, if there is one."""
        with self._changed:
            if self._unread:
                self._spare.append(self._unread.pixels)
                self._unread = None

    def take(self, timeout_s: float) -> Frame | None:
        """The newest unread frame; waits for one. Valid until the next call.

        Returns:
            None after the timeout, an ``interrupt`` or the end.

        Raises:
            Exception: the error that ``end`` was called with.
        """
        with self._changed:
            if self._taken is not None:
                self._spare.append(self._taken)
                self._taken = None
            self._changed.wait_for(lambda: self._unread or self._interrupted or self._closed, timeout_s)
            if self._error:
                raise self._error
            self._interrupted = False
            frame, self._unread = self._unread, None
            if frame:
                self._taken = frame.pixels
                self._reader_started = True
            return frame

    def interrupt(self) -> None:
        """Let the ``take`` that waits now, or else the next one, return at once."""
        with self._changed:
            self._interrupted = True
            self._changed.notify()

    def end(self, error: Exception | None = None) -> None:
        """Accept no more frames. With an ``error``, every further ``take`` raises it."""
        with self._changed:
            self._closed = True
            self._error = error
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """True when ``end`` was called without an error and the last frame was taken."""
        with self._changed:
            return self._closed and self._unread is None and self._error is None


def _buffer(size: Size, pixel_format: PixelFormat) -> Pixels:
    return i420.empty(size) if pixel_format == "i420" else np.empty((size[1], size[0], 3), np.uint8)
