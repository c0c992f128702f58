"""Signals to quit while the main thread is in a call that does not return, such as a write to a disk that is gone.

Python runs signal handlers between two of its instructions, so none runs then, and Ctrl-C would do nothing.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from realtime_matte.cli.signals import COMMANDS, INTERRUPTED, Signals
from realtime_matte.errors import printable

REPORT_S: Final = 3.0
"""Longer than any call of a run that goes well; the longest open a camera or a network."""

END_S: Final = 2.0
"""A process that a signal interrupts while parts are opened may take so long to close those that are open."""

ORDER_S: Final = 0.5
"""A handler that ran so long before its signal was read here belongs to that signal: the two are not ordered."""


@contextmanager
def reported(
    signals: Signals,
    waits_for: str,
    *,
    keeps_files: Callable[[], bool] = lambda: True,
    report_s: float = REPORT_S,
    end_s: float = END_S,
) -> Iterator[None]:
    """Within it, a signal to quit that has no effect for ``report_s`` is reported; the next one ends the process.

    One that comes while parts are opened is reported at once, and ends the process after ``end_s``: a library may load
    for many seconds, and nothing interrupts it.

    Does nothing outside the main thread, and on Windows, which ends a program with Ctrl-Break.

    Args:
        signals: Those of the process.
        waits_for: What may not respond, for the message.
        keeps_files: Whether outputs write files: the process is then not ended before they are closed. Called in
            another thread when a signal comes.
        report_s: Seconds.
        end_s: Seconds.
    """
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    previous = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    closed = threading.Event()

    def end_soon() -> None:
        _report("ending ...")
        if not keeps_files():
            closed.set()
        if signals.end_process:
            threading.Thread(target=_end, args=(closed, end_s), daemon=True).start()

    thread = threading.Thread(target=_watch, args=(signals, read_end, waits_for, report_s, end_soon), daemon=True)
    thread.start()
    try:
        yield
    finally:
        closed.set()
        signal.set_wakeup_fd(previous)
        os.close(write_end)  # ends the thread
        thread.join()
        os.close(read_end)


def _end(closed: threading.Event, end_s: float) -> None:
    """End the process ``end_s`` from now, once ``closed`` is set."""
    time.sleep(end_s)
    closed.wait()
    os._exit(INTERRUPTED)


def _watch(signals: Signals, read_end: int, waits_for: str, report_s: float, end_soon: Callable[[], None]) -> None:
    """The thread: reads the number of each signal as it arrives, until the other end is closed.

    ``end_soon``: is called once, at the first signal to quit that comes while parts are opened.
    """
    quits = {getattr(signal, name) for name, command in COMMANDS.items() if command == "quit" and hasattr(signal, name)}
    came_at: float | None = None  # of a signal to quit that had no effect yet
    is_reported = is_ending = False
    while True:
        readable, _, _ = select.select([read_end], [], [], None if came_at is None or is_reported else report_s)
        blocked = came_at is not None and signals.quit_at < came_at - ORDER_S
        if not readable:
            if blocked:
                _report(
                    f"waiting for {waits_for}; Ctrl-C or SIGTERM once more ends at once, and a file stays incomplete"
                )
            came_at, is_reported = (came_at, True) if blocked else (None, False)
            continue
        numbers = os.read(read_end, 64)
        if not numbers:
            return
        if quits.isdisjoint(numbers):
            continue
        if blocked and is_reported:
            os._exit(INTERRUPTED)
        if signals.opening and not is_ending:
            end_soon()
            is_ending = True
        came_at, is_reported = time.monotonic(), False


def _report(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"rtmatte: {printable(text)}\n")
        sys.stderr.flush()
