"""Three buffers that go round between two threads: one is written, one waits, one is in the reader's hands.

Nothing is allocated per frame.
"""

from collections import deque

import numpy as np

from realtime_matte.capture.latest import Latest
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media.fit import Framing


class Mailbox:
    """Hands frames of any size on as frames of ``size``; the newest wins. One thread puts, another takes."""

    def __init__(self, size: Size) -> None:
        self.dropped = 0  # frames replaced unread; this and the next three: the putting thread only
        self._writing = _buffer(size)
        self._other: Pixels | None = None
        self._framing = Framing(size, mirror=False)
        self._size = size
        self._latest = Latest[Frame]()
        self._spare = deque(_buffer(size) for _ in range(2))  # either thread appends, the putting one takes
        self._held: Pixels | None = None  # the taking thread only

    @property
    def ended(self) -> bool:
        """True when the last frame was taken."""
        return self._latest.ended

    def target(self, size: Size) -> Pixels:
        """Where to write a picture of ``size``; the same one until the next ``put``."""
        if size == self._size:
            return self._writing
        if self._other is None or self._other.shape[1::-1] != size:
            self._other = _buffer(size)
        return self._other

    def put(self, frame: Frame, index: int) -> None:
        """Offer a frame, fitted, under the number ``index``."""
        fitted = self._framing(frame)
        if fitted.pixels is not self._writing:
            np.copyto(self._writing, fitted.pixels)
        unread = self._latest.put(Frame(self._writing, frame.time, index))
        self._writing = unread.pixels if unread else self._spare.popleft()
        self.dropped += unread is not None

    def drop(self) -> None:
        """Forget the frame that waits, if any: it is of no use any more."""
        unread = self._latest.take(0)
        if unread:
            self._spare.append(unread.pixels)

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame, valid until the next call; None after the timeout, a ``call`` or the end."""
        self.give_back()
        frame = self._latest.take(timeout_s)
        self._held = frame.pixels if frame else None
        return frame

    def give_back(self) -> None:
        """The frame that was taken last is of no use any more."""
        if self._held is not None:
            self._spare.append(self._held)
            self._held = None

    def call(self) -> None:
        """Let the take that waits, or the next one, return at once."""
        self._latest.call()

    def end(self, error: Exception | None = None) -> None:
        """No more frames will come; every further take raises ``error``."""
        self._latest.end(error)


def _buffer(size: Size) -> Pixels:
    return np.empty((size[1], size[0], 3), np.uint8)
