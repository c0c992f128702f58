"""Signals of the process: quit (Ctrl-C, SIGTERM, a closed terminal), standby, next background.

This module and the packages above it import nothing that takes time. A signal that is not caught yet ends the program
without a word, and Ctrl-C prints a traceback.
"""

import _signal  # type: ignore[import-not-found] # of signal.py, which takes as long to import as Python to start
import os
import sys
import time

TYPE_CHECKING = False  # typing takes long to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Final, Self

    from realtime_matte.interfaces import Action

COMMANDS: "Final[dict[str, Action]]" = {
    "SIGINT": "quit",
    "SIGTERM": "quit",
    "SIGHUP": "quit",
    "SIGBREAK": "quit",
    "SIGUSR1": "standby",
    "SIGUSR2": "next_background",
}
"""The command of each signal. A platform has some of them."""

INTERRUPTED: "Final" = 130
"""Exit status of a program that a signal ended before its end."""


class Signals:
    """Turns signals into commands, from the first line of the program to the last.

    A signal to quit ends the process at once while nothing is open (``catch``), then raises KeyboardInterrupt
    (``raise_interrupts``), then becomes a command (``forward_to``), of which a second one raises KeyboardInterrupt
    again, as does one that comes while parts are opened again (``start_opening``). A callback of a C library that it
    ends, such as one of llvmlite's, discards it: then ``forward_to`` raises it. Other commands that come before
    ``forward_to`` are kept, each once: those who press a key twice because nothing happens want to be hidden. A signal
    that was ignored before stays ignored, as after nohup. Works in the main thread only; does nothing in another.

    As a context manager, it catches signals and raises KeyboardInterrupt within it, and restores the handlers.
    """

    def __init__(self) -> None:
        self.quit_at = float("-inf")  # of the last signal to quit that had an effect, time.monotonic()
        self.end_process = True  # False within a ``with``, where others of the process continue
        self.interrupted = False  # whether KeyboardInterrupt was raised
        self._request: Callable[[Action], object] | None = None
        self._opens_again = False
        self._kept: list[Action] = []
        self._ends_at_once = True
        self._quitting = False
        self._names: dict[int, str] = {}
        self._previous: dict[int, object] = {}
        self._report_discarded = sys.unraisablehook

    def catch(self) -> None:
        """Catch every signal of COMMANDS."""
        self._names = {getattr(_signal, name): name for name in COMMANDS if hasattr(_signal, name)}
        for number, name in self._names.items():
            handler = self._quit if COMMANDS[name] == "quit" else self._other
            try:
                if _signal.getsignal(number) != _signal.SIG_IGN:
                    self._previous[number] = _signal.signal(number, handler)
            except ValueError:  # not the main thread
                return
        self._report_discarded, sys.unraisablehook = sys.unraisablehook, self._discarded

    @property
    def opening(self) -> bool:
        """True until ``forward_to``, and between ``start_opening`` and ``end_opening``.

        A signal to quit raises KeyboardInterrupt then.
        """
        return self._request is None or self._opens_again

    def raise_interrupts(self) -> None:
        """From now on something is open that must be closed: a signal to quit raises KeyboardInterrupt."""
        self._ends_at_once = False

    def forward_to(self, request: "Callable[[Action], object]") -> None:
        """Request the commands that were kept, and that of every signal from now on.

        ``request`` is called in the signal handler: it may only store the command.

        Raises:
            KeyboardInterrupt: A signal to quit came before, and a library discarded its KeyboardInterrupt.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        self._request = request
        for command in self._kept:
            request(command)

    def start_opening(self) -> None:
        """Parts are opened in a call that nothing but KeyboardInterrupt ends."""
        self._opens_again = True

    def end_opening(self) -> None:
        """They are open: a signal to quit is a command again. After an interrupt nothing changes: the program ends."""
        self._opens_again = self.interrupted

    def finish(self) -> None:
        """Nothing is open any more. Ignores every signal: as Python ends, it restores the defaults, which kill."""
        self._ends_at_once = True
        for number in self._previous:
            _signal.signal(number, _signal.SIG_IGN)

    def __enter__(self) -> "Self":
        self.end_process = False
        self.catch()
        self.raise_interrupts()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        for number, handler in self._previous.items():
            _signal.signal(number, handler)
        if sys.unraisablehook == self._discarded:
            sys.unraisablehook = self._report_discarded

    def _discarded(self, raised: "sys.UnraisableHookArgs") -> None:
        """Report an exception that a library discarded, unless it is that of a signal."""
        if not (self.interrupted and issubclass(raised.exc_type, KeyboardInterrupt)):
            self._report_discarded(raised)

    def _quit(self, _number: int, _frame: "FrameType | None") -> None:
        if self._ends_at_once:
            os._exit(INTERRUPTED)
        self.quit_at = time.monotonic()
        if self._quitting or self._request is None or self._opens_again:
            self.interrupted = True
            raise KeyboardInterrupt
        self._quitting = True
        self._request("quit")

    def _other(self, number: int, _frame: "FrameType | None") -> None:
        command = COMMANDS[self._names[number]]
        if self._request:
            self._request(command)
        elif command not in self._kept:
            self._kept.append(command)
