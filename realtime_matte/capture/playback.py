"""Playback of finite sources: every frame in the caller's thread, or in real time like a camera."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime_matte.capture.state import CaptureState
from realtime_matte.frame import Frame, PixelFormat, Pixels, check_frame
from realtime_matte.interfaces import Source
from realtime_matte.media import i420

LONGEST_WAIT_S = 1.0
"""Longest wait between two frames of a clip. The wait is cut to this: a longer one would count as a stall."""


class Playback:
    """A finite source read in the caller's thread: every frame, as fast as the pipeline takes them."""

    def __init__(self, source: Source, *, pixel_format: PixelFormat = "bgr") -> None:
        self.state = CaptureState(size=source.size, fps=source.fps, notices=tuple(source.notices))
        self._source = source
        self._pixels = np.empty((source.size[1], source.size[0], 3), np.uint8)
        if pixel_format == "i420":
            self._pixels = i420.empty(source.size)

    def take(self, timeout_s: float) -> Frame | None:  # noqa: ARG002  # a file is never waited for
        """The next frame, valid until the next call; None at the end. Raises SourceError for what is not a frame."""
        frame = self._source.read(self._pixels)
        if frame is None:
            self.state = replace(self.state, phase="ended")
        else:
            check_frame(frame)
        return frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class RealTimeSource:
    """A finite source whose frames come at their own time, as a camera's do: for outputs that are watched live."""

    live = True

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.size = source.size
        self.fps = source.fps
        self.notices = source.notices
        self.frames = source.frames
        self._source = source
        self._clock = clock
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._offset_s: float | None = None

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame, at its time; a late one at once. ``time`` is in this clock's seconds."""
        frame = self._source.read(pixels)
        if frame is None:
            return None
        if self._offset_s is None:
            self._offset_s = self._clock() - frame.time
        early_s = frame.time + self._offset_s - self._clock()
        if early_s > 0:
            self._wait(min(early_s, LONGEST_WAIT_S))
        return Frame(frame.pixels, self._clock(), frame.index, frame.pixel_format)

    def close(self) -> None:
        """Close the source, and end a wait in another thread."""
        self._closed.set()
        self._source.close()
