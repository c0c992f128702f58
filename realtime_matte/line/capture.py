"""A live source behind a thread that keeps its newest frame, and opens it again when it goes away.

The capture thread owns the source; all the rest belongs to the caller's thread. Three buffers go round: one is
written, one waits, one is in the caller's hands; nothing is allocated per frame.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing

import numpy as np

from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.line.framing import Framing
from realtime_matte.line.latest import Latest
from realtime_matte.stages import Source

PAUSES_S = (0.25, 0.5, 1.0, 2.0)
"""Waits before each try to open a lost source again; the last one stays."""

PATIENCE_S = 1.0
"""So long ``close`` waits for a read that does not return."""


class Capture:
    """Frames of a live source, newest first, all of the size it first had.

    ``open_source`` is called here for the first time, so that its errors reach the caller; after a loss it is called
    in the capture thread. A source silent for ``stall_s`` counts as away; None: as its rate suggests.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        stall_s: float | None = None,
        pauses_s: tuple[float, ...] = PAUSES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        source = open_source()
        self.size = source.size
        self.fps = source.fps
        self.notes = tuple(source.notes)  # replaced whole
        self.dropped = 0  # frames overwritten unread; written by the capture thread
        self._open = open_source
        self._stall_s = 1 + 5 / source.fps if stall_s is None else stall_s
        self._pauses_s = pauses_s
        self._clock = clock
        self._latest = Latest[Frame]()
        self._stopping = threading.Event()
        self._held: Pixels | None = None  # caller's thread only
        self._writing = _buffer(self.size)  # this and the next three: capture thread only
        self._framing = Framing(self.size, mirror=False)
        self._index = 0
        self._failures = 0
        self._spare = deque(_buffer(self.size) for _ in range(2))  # the caller appends, the capture thread takes
        self._seen = clock()  # when a frame came last; this and the next: written by the capture thread
        self._lost: str | None = None
        self._thread = threading.Thread(target=self._run, args=(source,), name="capture", daemon=True)
        self._thread.start()

    @property
    def status(self) -> str | None:
        """Why frames are missing now; None when all is well."""
        if self._lost or self.ended or self._clock() - self._seen < self._stall_s:
            return self._lost
        return f"camera stalled: no picture for {self._stall_s:.1f} s; waiting for it"

    @property
    def ended(self) -> bool:
        """True when the source is at its end and its last frame taken."""
        return self._stopping.is_set() or self._latest.ended

    def take(self, timeout_s: float) -> Frame | None:
        """The newest unread frame, valid until the next call.

        None means that the camera is away (``status`` says why) or at its end (``ended``), never just "not yet": a
        camera that is well is waited for, as long as it may be silent; ``timeout_s`` is for one that is away. Raises
        what broke in the capture thread; a loss of the camera does not.
        """
        if self._held is not None:
            self._spare.append(self._held)
            self._held = None
        if self._stopping.is_set():
            return None
        frame = self._latest.take(timeout_s if self.status else self._seen + self._stall_s - self._clock())
        self._held = frame.pixels if frame else None
        return frame

    def close(self) -> None:
        """Let go of the source. Idempotent; a read that hangs is left to end by itself after a second."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        if self._thread.is_alive():
            self.notes += ("the camera hangs; it is let go of as soon as its driver answers",)

    def _run(self, source: Source) -> None:
        try:
            self._serve(source)
        except Exception as error:  # noqa: BLE001 - the top of a thread: handed on to the caller
            self._latest.end(error)
        else:
            self._latest.end()

    def _serve(self, source: Source | None) -> None:
        while source:
            try:
                with closing(source):
                    self._pump(source)
            except SourceError as error:
                source = self._opened_again(error)
            else:
                return

    def _pump(self, source: Source) -> None:
        """Hand on every frame until the source ends. Raises SourceLost."""
        first = self._index
        other = None if source.size == self.size else self._other(source.size)
        while not self._stopping.is_set() and (frame := source.read(self._writing if other is None else other)):
            self._hand_on(frame, first + frame.index)

    def _other(self, size: Size) -> Pixels:
        """A buffer for a source that came back with another size."""
        note = f"the camera came back with {_text(size)}; its pictures are fitted to {_text(self.size)}"
        if note not in self.notes:
            self.notes += (note,)
        return _buffer(size)

    def _hand_on(self, frame: Frame, index: int) -> None:
        fitted = self._framing(frame)
        if fitted.pixels is not self._writing:
            np.copyto(self._writing, fitted.pixels)
        unread = self._latest.put(Frame(self._writing, frame.time, index))
        self._writing = unread.pixels if unread else self._spare.popleft()
        self.dropped += unread is not None
        self._index = index + 1
        self._failures = 0
        self._seen = self._clock()
        self._lost = None

    def _opened_again(self, error: SourceError) -> Source | None:
        """The source, as soon as it can be opened; None when it is not wanted any more."""
        while True:
            self._lost = f"camera lost: {error}; trying again"
            self._latest.call()
            if self._stopping.wait(self._pause()):
                return None
            try:
                return self._open()
            except SourceError as again:
                error = again

    def _pause(self) -> float:
        self._failures += 1
        return self._pauses_s[min(self._failures, len(self._pauses_s)) - 1]


def _buffer(size: Size) -> Pixels:
    return np.empty((size[1], size[0], 3), np.uint8)


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
