"""A live source behind a thread that keeps its newest frame, and opens it again when it goes away.

The capture thread owns the source; all the rest belongs to the caller's thread.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing

from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, Size
from realtime_matte.line.exchange import Exchange
from realtime_matte.stages import Source

PAUSES_S = (0.25, 0.5, 1.0, 2.0)
"""Waits before each try to open a lost source again; the last one stays."""

PATIENCE_S = 1.0
"""So long ``close`` waits for a read that does not return."""


class Capture:
    """Frames of a live source, newest first, all of the size it first had.

    ``open_source`` is called here for the first time, so that its errors reach the caller; after a loss or a rest it
    is called in the capture thread. A source silent for ``stall_s`` counts as away; None: as its rate suggests.
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
        self._open = open_source
        self._stall_s = 1 + 5 / source.fps if stall_s is None else stall_s
        self._pauses_s = pauses_s
        self._clock = clock
        self._exchange = Exchange(source.size)
        self._stopping = threading.Event()
        self._wanted = threading.Event()  # cleared while the source rests
        self._wanted.set()
        self._index = 0  # this and the next one: capture thread only
        self._failures = 0
        self._seen = clock()  # when a frame came last; this and the rest: written by the capture thread
        self._lost: str | None = None
        self._dark = False
        self._thread = threading.Thread(target=self._run, args=(source,), name="capture", daemon=True)
        self._thread.start()

    @property
    def status(self) -> str | None:
        """Why frames are missing now; None when all is well."""
        if self._lost or self.ended or self._dark or self._clock() - self._seen < self._stall_s:
            return self._lost
        return f"camera stalled: no picture for {self._stall_s:.1f} s; waiting for it"

    @property
    def ended(self) -> bool:
        """True when the source is at its end and its last frame taken."""
        return self._stopping.is_set() or self._exchange.ended

    @property
    def dark(self) -> bool:
        """True from when a rest has begun until the first frame after it."""
        return self._dark

    @property
    def dropped(self) -> int:
        """Frames overwritten unread."""
        return self._exchange.dropped

    def take(self, timeout_s: float) -> Frame | None:
        """The newest unread frame, valid until the next call.

        None means that the camera is away (``status`` says why), ``dark`` or at its end (``ended``), never just "not
        yet": a camera that is well is waited for, as long as it may be silent; ``timeout_s`` is for one that is not.
        Raises what broke in the capture thread; a loss of the camera does not.
        """
        if self._stopping.is_set():
            self._exchange.give_back()
            return None
        away = self._dark or self.status
        return self._exchange.take(timeout_s if away else self._seen + self._stall_s - self._clock())

    def rest(self) -> None:
        """Let go of the source until ``wake``; nothing is to be taken meanwhile. Does not wait for it."""
        self._wanted.clear()

    def wake(self) -> None:
        """Open the source again. What it still held from before is not shown."""
        self._wanted.set()

    def close(self) -> None:
        """Let go of the source. Idempotent; a read that hangs is left to end by itself after a second."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._wanted.set()
        self._thread.join(PATIENCE_S)
        if self._thread.is_alive():
            self.notes += ("the camera hangs; it is let go of as soon as its driver answers",)

    def _run(self, source: Source) -> None:
        try:
            self._serve(source)
        except Exception as error:  # noqa: BLE001 - the top of a thread: handed on to the caller
            self._exchange.end(error)
        else:
            self._exchange.end()

    def _serve(self, source: Source | None) -> None:
        while source:
            try:
                with closing(source):
                    ended = self._pump(source)
            except SourceError as error:
                source = self._opened_again(error)
            else:
                source = None if ended else self._opened_again(None)

    def _pump(self, source: Source) -> bool:
        """Hand on every frame while they are wanted; True at the source's end. Raises SourceLost."""
        first = self._index
        if source.size != self.size:
            self._note(f"the camera came back with {_text(source.size)}; its pictures are fitted to {_text(self.size)}")
        while self._wanted.is_set() and not self._stopping.is_set():
            frame = source.read(self._exchange.target(source.size))
            if frame is None:
                return True
            self._hand_on(frame, first + frame.index)
        return False

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes += (note,)

    def _hand_on(self, frame: Frame, index: int) -> None:
        self._exchange.put(frame, index)
        self._index = index + 1
        self._failures = 0
        self._seen = self._clock()
        self._lost = None
        self._dark = False

    def _opened_again(self, loss: SourceError | None) -> Source | None:
        """The source, once it is wanted and can be opened; None when it never will be. Without a ``loss`` it rested."""
        if loss is None:
            self._dark = True
            self._exchange.drop()
        while True:
            if loss:
                self._lost = f"camera lost: {loss}; trying again"
                self._exchange.call()
            if self._stopping.wait(self._pause() if loss else 0) or not self._awaited():
                return None
            try:
                return self._open()
            except SourceError as error:
                loss = error

    def _awaited(self) -> bool:
        """True as soon as the source is wanted, False when it never will be. What waited unread is too old then."""
        if not self._wanted.is_set():
            self._exchange.drop()
            self._wanted.wait()
        return not self._stopping.is_set()

    def _pause(self) -> float:
        self._failures += 1
        return self._pauses_s[min(self._failures, len(self._pauses_s)) - 1]


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
