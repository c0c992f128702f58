"""A live source behind a thread that keeps its newest frame, and opens it again when it goes away.

The capture thread owns the source; all the rest belongs to the caller's thread.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from realtime_matte.capture.keeper import PAUSES_S, Keeper
from realtime_matte.capture.mailbox import Mailbox
from realtime_matte.frame import Frame
from realtime_matte.interfaces import Source

PATIENCE_S: Final = 1.0
"""So long ``close`` waits for a read that does not return."""


class CaptureWorker:
    """Frames of a live source, newest first, all of the size it first had.

    ``open_source`` is called here for the first time, so that its errors reach the caller; after a loss or a rest it
    is called in the capture thread. A source silent for ``stall_s`` counts as away; None: as its rate suggests.
    ``ahead``: it runs from now on, as a camera has to; else from the first ``take``.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        stall_s: float | None = None,
        ahead: bool = True,
        pauses_s: tuple[float, ...] = PAUSES_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        source = open_source()
        self.size = source.size
        self.fps = source.fps
        self._stall_s = 1 + 5 / source.fps if stall_s is None else stall_s
        self._clock = clock
        self._hung: tuple[str, ...] = ()
        self._at_rest_for: set[object] = set()
        self._exchange = Mailbox(source.size)
        self._keeper = Keeper(source, open_source, self._exchange, pauses_s=pauses_s, clock=clock)
        self._thread = threading.Thread(target=self._keeper.run, name="capture", daemon=True)
        if ahead:
            self._begin()

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know of the source."""
        return self._keeper.notices + self._hung

    @property
    def status(self) -> str | None:
        """Why frames are missing now; None when all is well."""
        lost = self._keeper.lost
        if lost or self.ended or self.dark or self._clock() - self._keeper.seen < self._stall_s:
            return lost
        return f"camera stalled: no picture for {self._stall_s:.1f} s; waiting for it"

    @property
    def ended(self) -> bool:
        """True when the source is at its end and its last frame taken."""
        return self._keeper.stopping.is_set() or self._exchange.ended

    @property
    def dark(self) -> bool:
        """True from when a rest has begun until the first frame after it."""
        return self._keeper.dark

    @property
    def began(self) -> int:
        """The number of the first frame since the source was opened last."""
        return self._keeper.began

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
        if self._keeper.stopping.is_set():
            self._exchange.give_back()
            return None
        self._begin()
        away = self.dark or self.status
        return self._exchange.take(timeout_s if away else self._keeper.seen + self._stall_s - self._clock())

    def rest(self, whom: object) -> None:
        """Let go of the source until everybody for whom it rests woke it. Does not wait for it."""
        self._at_rest_for.add(whom)
        self._keeper.wanted.clear()

    def wake(self, whom: object) -> None:
        """Open the source again, unless it rests for another. What it still held from before is not shown."""
        self._at_rest_for.discard(whom)
        if not self._at_rest_for:
            self._keeper.wanted.set()

    def close(self) -> None:
        """Let go of the source. Idempotent; a read that hangs is left to end by itself after a second."""
        if self._keeper.stopping.is_set():
            return
        self._keeper.stop()
        self._begin()  # the thread owns the source, and closes it
        self._thread.join(PATIENCE_S)
        if self._thread.is_alive():
            self._hung = ("the camera hangs; it is let go of as soon as its driver answers",)

    def _begin(self) -> None:
        if self._thread.ident is None:  # not begun yet
            self._keeper.seen = self._clock()
            self._thread.start()
