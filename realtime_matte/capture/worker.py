"""Capture worker: one thread that reads a live source, opens it again after a loss, and pauses and resumes it.

The thread owns the source. The pipeline's thread takes the newest frame from the mailbox and reads the CaptureState.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Final

from realtime_matte.capture.mailbox import Mailbox
from realtime_matte.capture.state import CaptureState
from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, PixelFormat, check_frame
from realtime_matte.interfaces import CountsDamagedFrames, HasPixelFormats, Source

RETRY_S: Final = (0.25, 0.5, 1.0, 2.0)
"""Seconds to wait before each attempt to open a lost source again; the last value repeats."""

STALL_S: Final = 1.0
"""A running source counts as lost after this time, and that of STALL_FRAMES frames at its rate, without a frame."""

STALL_FRAMES: Final = 5

CLOSE_TIMEOUT_S: Final = 1.0
"""How long ``close`` waits for a read that does not return."""

HANGS: Final = "the camera does not respond; it is closed as soon as its driver returns"


class CaptureWorker:
    """Frames of a live source, newest first, all of the size that the source had at first.

    Args:
        open_source: Opens the source. Called here for the first time, so that its errors reach the caller; after a
            loss or a pause, called in the capture thread.
        stall_s: Seconds without a frame after which the source counts as lost; None derives them from its rate.
        ahead: Start reading now, as a camera needs time to adjust; otherwise with the first ``take``.
        retry_s: See RETRY_S.
        clock: Seconds, monotonic.
        pixel_format: Of the frames that ``take`` returns, whatever the source gives.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        stall_s: float | None = None,
        ahead: bool = True,
        retry_s: tuple[float, ...] = RETRY_S,
        clock: Callable[[], float] = time.perf_counter,
        pixel_format: PixelFormat = "bgr",
    ) -> None:
        source = open_source()
        self._open_source = open_source
        self._stall_s = STALL_S + STALL_FRAMES / source.fps if stall_s is None else stall_s
        self._retry_s = retry_s
        self._clock = clock
        self._mailbox = Mailbox(source.size, pixel_format)
        self._wanted = threading.Event()  # cleared while the source is paused
        self._wanted.set()
        self._closing = threading.Event()
        self._released = threading.Event()  # set while the source is closed for a pause
        self._pausers: set[object] = set()  # this and the next: the caller's thread only
        self._hangs = False
        self._next_index = 0  # this and the next: the capture thread only
        self._failures = 0
        # Replaced whole, by the capture thread alone once it runs.
        self._state = CaptureState(size=source.size, fps=source.fps, notices=tuple(source.notices), since=self._clock())
        self._thread = threading.Thread(target=self._run, args=(source,), name="capture", daemon=True)
        if ahead:
            self._start()

    # The pipeline's thread

    @property
    def state(self) -> CaptureState:
        """The state now. A source that is silent for ``stall_s`` counts as lost."""
        state = self._state
        if self._hangs:
            state = replace(state, notices=(*state.notices, HANGS))
        if self._closing.is_set() or self._mailbox.ended:
            return replace(state, phase="ended")
        if state.phase == "running" and self._clock() - state.since >= self._stall_s:
            reason = f"camera stalled: no frame for {self._stall_s:.1f} s; waiting for it"
            return replace(state, phase="lost", reason=reason)
        return state

    def take(self, timeout_s: float) -> Frame | None:
        """The newest unread frame, valid until the next call.

        None means that the source is lost, paused, starting or at its end, never just "not yet": a running source is
        waited for until it counts as stalled. ``timeout_s`` limits the wait for one that is not running.

        Raises:
            Exception: an error of the capture thread, except the loss of the source.
        """
        if self._closing.is_set():
            return None
        self._start()
        state = self.state
        if state.phase == "running":
            timeout_s = state.since + self._stall_s - self._clock()
        return self._mailbox.take(timeout_s)

    def pause(self, owner: object) -> None:
        """Close the source until every ``owner`` that paused it has resumed it. Does not wait for it."""
        self._pausers.add(owner)
        self._wanted.clear()

    def resume(self, owner: object) -> None:
        """Open the source again, unless another owner paused it too. Frames from before the pause are discarded."""
        self._pausers.discard(owner)
        if not self._pausers:
            self._wanted.set()

    def wait_released(self, timeout_s: float) -> bool:
        """Wait until the source is closed after ``pause``; False if it is not in time. Any thread."""
        return self._released.wait(timeout_s)

    def close(self) -> None:
        """Close the source. Idempotent; after ``CLOSE_TIMEOUT_S`` a read that hangs is left to end by itself."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wanted.set()
        self._start()  # the thread owns the source, so it closes it
        self._thread.join(CLOSE_TIMEOUT_S)
        self._hangs = self._thread.is_alive()

    def _start(self) -> None:
        if self._thread.ident is None:  # not started yet
            self._state = replace(self._state, since=self._clock())
            self._thread.start()

    # The capture thread

    def _run(self, source: Source | None) -> None:
        try:
            while source:
                source = self._read_or_reopen(source)
        except Exception as error:  # noqa: BLE001 - the top of a thread: raised again in the caller's
            self._mailbox.end(error)
        except BaseException as error:  # noqa: BLE001 - SystemExit and the like: they must not end the caller's thread
            self._mailbox.end(_thread_ended(error))
        else:
            self._mailbox.end()
        self._released.set()

    def _read_or_reopen(self, source: Source) -> Source | None:
        """Read the source until it ends, is lost or is paused. Returns it opened again, or None at the end."""
        try:
            with closing(source):
                ended = self._read(source)
        except SourceError as error:
            return self._reopen(error)
        return None if ended else self._reopen(None)

    def _read(self, source: Source) -> bool:
        """Put every frame into the mailbox; True at the source's end, False at a pause. Raises SourceLost."""
        shot_start, damaged_before = self._next_index, self._state.damaged
        self._state = replace(self._state, shot_start=shot_start, notices=self._all_notices(source))
        formats = source.pixel_formats if isinstance(source, HasPixelFormats) else ("bgr",)
        while self._wanted.is_set() and not self._closing.is_set():
            frame = source.read(self._mailbox.target(source.size, formats))
            if frame is None:
                return True
            check_frame(frame)
            if isinstance(source, CountsDamagedFrames) and damaged_before + source.damaged != self._state.damaged:
                damaged = damaged_before + source.damaged
                self._state = replace(self._state, damaged=damaged, notices=self._all_notices(source))
            self._put(frame, shot_start + frame.index)
        return False

    def _put(self, frame: Frame, index: int) -> None:
        dropped = self._mailbox.put(frame, index)
        self._next_index = index + 1
        self._failures = 0
        self._state = replace(self._state, phase="running", reason="", since=self._clock(), dropped=dropped)

    def _all_notices(self, source: Source) -> tuple[str, ...]:
        """The notices so far and those of the source just opened, each once."""
        notices = [*self._state.notices, *source.notices]
        if source.size != self._state.size:
            (width, height), (to_width, to_height) = source.size, self._state.size
            notices.append(
                f"the camera came back with {width}x{height}; its frames are fitted to {to_width}x{to_height}"
            )
        return tuple(dict.fromkeys(notices))

    def _reopen(self, loss: SourceError | None) -> Source | None:
        """The source, once it is needed and can be opened; None if the worker is closed. ``loss``: None at a pause."""
        if loss is None:
            self._mailbox.clear()
            self._state = replace(self._state, phase="paused")
        while True:
            if loss:
                self._state = replace(self._state, phase="lost", reason=f"camera lost: {loss}; trying again")
                self._mailbox.interrupt()
            if self._closing.wait(self._next_retry_s() if loss else 0) or not self._wait_until_wanted():
                return None
            try:
                return self._open_source()
            except SourceError as error:
                loss = error

    def _wait_until_wanted(self) -> bool:
        """True once the source is needed, False if the worker is closed. A wait discards the unread frame."""
        if not self._wanted.is_set():
            self._mailbox.clear()
            self._mailbox.interrupt()
        while not self._wanted.is_set():  # in a loop: it may have been paused again before this thread woke up
            self._released.set()
            self._wanted.wait()
            self._released.clear()
        if self._state.phase == "paused":
            self._state = replace(self._state, phase="starting")
        return not self._closing.is_set()

    def _next_retry_s(self) -> float:
        self._failures += 1
        return self._retry_s[min(self._failures, len(self._retry_s)) - 1]


def _thread_ended(cause: BaseException) -> SourceError:
    """The error of a plug-in that raised what ends a thread, such as SystemExit."""
    error = SourceError(f"the source raised {cause!r}", hint="a source raises SourceError, or returns None at its end")
    error.__cause__ = cause
    return error
