"""Frames for the line, whether they come from a camera's thread or straight from a file."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Source

LONGEST_PAUSE_S = 1.0
"""A clip that shows one frame for longer goes on early: a source that is silent for a little more counts as stalled."""


class Feed(Protocol):
    """Where the line takes its frames: a Capture, or a finite source read directly."""

    @property
    def size(self) -> Size:
        """Size of the frames; a camera may come back with another."""

    @property
    def fps(self) -> float:
        """Frames a second."""

    @property
    def notices(self) -> Sequence[str]:
        """What the user should know of the source."""

    @property
    def dropped(self) -> int:
        """Frames that came and were never taken."""

    @property
    def status(self) -> str | None:
        """Why there are no frames just now; None while there are."""

    @property
    def dark(self) -> bool:
        """True while the camera is off by our own wish, or on its way back from that."""

    @property
    def began(self) -> int:
        """The number of the first frame of this shot: a camera that was opened again begins another."""

    @property
    def ended(self) -> bool:
        """True when there is nothing more to take."""

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame, valid until the next call; None while there is none to give."""

    def close(self) -> None:
        """Let go of the source. Idempotent."""


class Direct:
    """A finite source read in the caller's thread: every frame, at the line's own speed."""

    dropped = 0
    status = None
    dark = False
    began = 0

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self.fps = source.fps
        self.notices = source.notices
        self.ended = False
        self._source = source
        self._pixels = np.empty((source.size[1], source.size[0], 3), np.uint8)

    def take(self, timeout_s: float) -> Frame | None:  # noqa: ARG002  # a file never keeps us waiting
        """The next frame; None at the end."""
        frame = self._source.read(self._pixels)
        self.ended = frame is None
        return frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class Paced:
    """A finite source that gives its frames at their time, as a camera does: for outputs that are watched live."""

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
        self._shift: float | None = None

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame, not before its time; late ones at once."""
        frame = self._source.read(pixels)
        if frame is None:
            return None
        if self._shift is None:
            self._shift = self._clock() - frame.time
        due = frame.time + self._shift
        early = due - self._clock()
        if early > 0:
            self._wait(min(early, LONGEST_PAUSE_S))
        return Frame(frame.pixels, self._clock(), frame.index)

    def close(self) -> None:
        """Close the source, and end a wait that another thread is in."""
        self._closed.set()
        self._source.close()
