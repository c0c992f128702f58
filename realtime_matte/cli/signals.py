"""Signals as commands of a run: stop (Ctrl-C, SIGTERM, a closed terminal), standby, next background."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

from realtime_matte.interfaces import Command

COMMANDS: Final[dict[str, Command]] = {
    "SIGINT": "quit",
    "SIGTERM": "quit",
    "SIGHUP": "quit",
    "SIGBREAK": "quit",
    "SIGUSR1": "standby",
    "SIGUSR2": "next_background",
}
"""The command of each signal. A platform has some of them."""

Handler = Callable[[int, FrameType | None], object]


class Signals:
    """Context manager in which signals become commands. A second signal to quit raises KeyboardInterrupt.

    Before ``forward_to``, the first signal to quit raises KeyboardInterrupt too, and others are lost. A signal that was
    ignored before stays ignored, as after nohup. Works in the main thread only; does nothing in another.
    """

    def __init__(self) -> None:
        self._request: Callable[[Command], None] | None = None
        self._quitting = False
        self._previous: dict[int, signal.Handlers | int | Handler | None] = {}

    def forward_to(self, request: Callable[[Command], None]) -> None:
        """Call ``request`` for every signal from now on, in the signal handler: it may only store the command."""
        self._request = request

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name, command in COMMANDS.items():
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    handler = self._quit if command == "quit" else self._other
                    self._previous[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _quit(self, _number: int, _frame: FrameType | None) -> None:
        if self._quitting or self._request is None:
            raise KeyboardInterrupt
        self._quitting = True
        self._request("quit")

    def _other(self, number: int, _frame: FrameType | None) -> None:
        if self._request:
            self._request(COMMANDS[signal.Signals(number).name])
