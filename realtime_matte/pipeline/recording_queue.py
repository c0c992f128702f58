"""A recording behind a bounded queue: its thread encodes and writes, so that a slow disk delays no other output."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from realtime_matte.errors import SinkError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Sink

QUEUE_S: Final = 0.5
"""Longest pause of the disk without a lost frame; a longer one would lose some at any affordable size."""

QUEUE_BYTES: Final = 128 << 20
FEWEST_FRAMES: Final = 3

REPORT_S: Final = 1.0
"""After this time, ``close`` reports what it waits for."""

CLOSE_TIMEOUT_S: Final = 15.0
"""How long ``close`` waits for the rest to be written: a slow encoder needs a few seconds for QUEUE_S of frames."""


class RecordingQueue:
    """A sink that hands each frame to the thread of ``sink``; a frame is dropped if the queue is full.

    A dropped frame is missing in the recording; the others keep their times. All buffers are allocated here. The first
    drop is reported at once, and their number when the recording is closed.

    Args:
        sink: The recording; used by the thread only from here on.
        name: Its name, for messages.
        size: (width, height) of the output frames.
        fps: Nominal frames per second.
        alpha: The output frames are BGRA.
        notify: Gets the messages about dropped frames, in the caller's thread.
        close_timeout_s: See CLOSE_TIMEOUT_S.
    """

    live: Final = False

    def __init__(
        self,
        sink: Sink,
        name: str,
        *,
        size: Size,
        fps: float,
        alpha: bool,
        notify: Callable[[str], None],
        close_timeout_s: float = CLOSE_TIMEOUT_S,
    ) -> None:
        self.alpha = sink.alpha
        self.dropped = 0
        self._sink = sink
        self._name = name
        self._notify = notify
        self._close_timeout_s = close_timeout_s
        self._sent = 0
        self._changed = threading.Condition()  # guards the next four
        self._free = _buffers(size, fps, channels=4 if alpha else 3)  # a stack: memory is touched when it is used
        self._queued: deque[tuple[Pixels, float]] = deque()
        self._error: BaseException | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def notices(self) -> Sequence[str]:
        """The notices of the recording."""
        return self._sink.notices

    def send(self, image: Pixels, time: float) -> None:
        """Queue a copy of the output frame, or drop it. Never waits. Raises the thread's error, if it failed."""
        with self._changed:
            self._raise_error()
            pixels = self._free.pop() if self._free else None
        self._sent += 1
        if pixels is None:
            self._drop()
            return
        np.copyto(pixels, image)
        with self._changed:
            self._queued.append((pixels, time))
            self._changed.notify()

    def close(self) -> None:
        """Wait until everything in the queue is written and the recording is complete. Idempotent.

        Raises:
            SinkError: It was not complete after ``close_timeout_s``, or the thread failed.
        """
        with self._changed:
            first, self._closing = not self._closing, True
            self._changed.notify()
        if first:
            self._wait()
        if first and self.dropped:
            self._notify(f"{self._name}: {self.dropped} of {self._sent} frames were dropped, it was written too slowly")
        if first and self._thread.is_alive():
            raise SinkError(
                f"{self._name} is not complete: its disk did not respond for {self._close_timeout_s:g} s",
                hint="it plays up to there; choose another disk",
            )
        with self._changed:
            self._raise_error()

    def _wait(self) -> None:
        """Wait for the thread to end, CLOSE_TIMEOUT_S at most; a signal can end it."""
        self._thread.join(min(REPORT_S, self._close_timeout_s))
        if self._thread.is_alive():
            self._notify(f"waiting for {self._name} to be written, {self._close_timeout_s:g} s at most")
            self._thread.join(max(0.0, self._close_timeout_s - REPORT_S))

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped == 1:
            self._notify(f"{self._name} is written too slowly: frames are dropped there, all else continues")

    def _raise_error(self) -> None:
        """Raise the thread's error, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    # The recording's thread

    def _run(self) -> None:
        try:
            while item := self._next():
                self._sink.send(*item)
                with self._changed:
                    self._free.append(item[0])
        except BaseException as error:  # noqa: BLE001 - the top of a thread: raised again in the caller's
            self._fail(error)
        try:
            self._sink.close()
        except BaseException as error:  # noqa: BLE001
            self._fail(error)

    def _next(self) -> tuple[Pixels, float] | None:
        """The oldest frame, as soon as there is one; None when all are written and the queue is closed."""
        with self._changed:
            while not self._queued and not self._closing:
                self._changed.wait()
            return self._queued.popleft() if self._queued else None

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            if self._error is None:
                self._error = error
            else:
                self._error.add_note(str(error))


def _buffers(size: Size, fps: float, *, channels: int) -> list[Pixels]:
    most = QUEUE_BYTES // (size[0] * size[1] * channels)
    count = max(FEWEST_FRAMES, min(round(QUEUE_S * fps), most))
    return [np.empty((size[1], size[0], channels), np.uint8) for _ in range(count)]
