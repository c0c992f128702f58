r"""Ctrl-Z and Ctrl-\ in a terminal whose cursor and echo are off: restored first, and taken back after ``fg``."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGTSTP", "SIGQUIT") if hasattr(signal, name))


@contextmanager
def job_control(*, suspend: Sequence[Callable[[], None]], resume: Callable[[], None]) -> Iterator[None]:
    """Within it, the process is stopped or killed by its terminal after all of ``suspend``; ``resume`` follows a stop.

    They are called in a signal handler, so they may not print to buffered streams. For the main thread only.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        for restore in suspend:
            restore()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)  # to this thread: stops or ends the process before it returns
        signal.signal(number, handle)
        resume()

    caught = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in caught:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)


def in_foreground(descriptor: int) -> bool:
    """Whether this process may read and change the terminal; one in the background is stopped when it does."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except (AttributeError, OSError):  # Windows has no process groups; or this is not the controlling terminal
        return False
