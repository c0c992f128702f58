"""The capture thread's side: a source kept open while it is wanted, and opened again when it goes away."""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Final

from realtime_matte.capture.mailbox import Mailbox
from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Source

PAUSES_S: Final = (0.25, 0.5, 1.0, 2.0)
"""Waits before each try to open a lost source again; the last one stays."""


class Keeper:
    """Hands the frames of a source on until it ends or ``stop`` is called.

    ``run`` and what is private belong to the capture thread; the caller's looks at the rest.
    """

    def __init__(
        self,
        source: Source,
        open_again: Callable[[], Source],
        exchange: Mailbox,
        *,
        pauses_s: tuple[float, ...],
        clock: Callable[[], float],
    ) -> None:
        self.notices = tuple(source.notices)  # replaced whole
        self.seen = clock()  # when a frame came last
        self.lost: str | None = None
        self.dark = False  # from when a rest began until the first frame after it
        self.began = 0  # the number of the first frame since the source was opened
        self.stopping = threading.Event()
        self.wanted = threading.Event()  # cleared while the source rests
        self.wanted.set()
        self.pauses_s = pauses_s
        self._size = source.size
        self._source = source
        self._open = open_again
        self._exchange = exchange
        self._clock = clock
        self._index = 0
        self._failures = 0

    def stop(self) -> None:
        """Let the thread end as soon as it can."""
        self.stopping.set()
        self.wanted.set()

    def run(self) -> None:
        """The thread."""
        try:
            self._serve(self._source)
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
        first = self.began = self._index
        for note in source.notices:
            self._note(note)
        if source.size != self._size:
            came, kept = _text(source.size), _text(self._size)
            self._note(f"the camera came back with {came}; its pictures are fitted to {kept}")
        while self.wanted.is_set() and not self.stopping.is_set():
            frame = source.read(self._exchange.target(source.size))
            if frame is None:
                return True
            self._hand_on(frame, first + frame.index)
        return False

    def _note(self, note: str) -> None:
        if note not in self.notices:
            self.notices += (note,)

    def _hand_on(self, frame: Frame, index: int) -> None:
        self._exchange.put(frame, index)
        self._index = index + 1
        self._failures = 0
        self.seen = self._clock()
        self.lost = None
        self.dark = False

    def _opened_again(self, loss: SourceError | None) -> Source | None:
        """The source, once it is wanted and can be opened; None when it never will be. Without a ``loss`` it rested."""
        if loss is None:
            self.dark = True
            self._exchange.drop()
        while True:
            if loss:
                self.lost = f"camera lost: {loss}; trying again"
                self._exchange.call()
            if self.stopping.wait(self._pause() if loss else 0) or not self._awaited():
                return None
            try:
                return self._open()
            except SourceError as error:
                loss = error

    def _awaited(self) -> bool:
        """True as soon as the source is wanted, False when it never will be. What waited unread is too old then."""
        if not self.wanted.is_set():
            self._exchange.drop()
            self._exchange.call()
        while not self.wanted.is_set():  # again: it may have been wanted for less than a moment
            self.wanted.wait()
        return not self.stopping.is_set()

    def _pause(self) -> float:
        self._failures += 1
        return self.pauses_s[min(self._failures, len(self.pauses_s)) - 1]


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
