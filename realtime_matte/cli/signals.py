"""What a run is told by signals: stop (Ctrl-C, SIGTERM, a closed terminal), stand by, the next background."""

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
"""What each asks for; of these, those that the platform has."""

Handler = Callable[[int, FrameType | None], object]


class Signals:
    """While it is entered, signals ask for what COMMANDS says; a second one to stop insists, as KeyboardInterrupt.

    Before ``hand_to`` there is nobody to ask: the first one to stop is a KeyboardInterrupt too, others are lost. One
    that was ignored before stays so, as after nohup. Main thread only; in any other one it does nothing.
    """

    def __init__(self) -> None:
        self._ask: Callable[[Command], None] | None = None
        self._stopping = False
        self._before: dict[int, signal.Handlers | int | Handler | None] = {}

    def hand_to(self, ask: Callable[[Command], None]) -> None:
        """Call ``ask`` at every signal from now on; it must only leave a wish behind."""
        self._ask = ask

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name, command in COMMANDS.items():
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._stop if command == "quit" else self._other)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stopping or self._ask is None:
            raise KeyboardInterrupt
        self._stopping = True
        self._ask("quit")

    def _other(self, number: int, _frame: FrameType | None) -> None:
        if self._ask:
            self._ask(COMMANDS[signal.Signals(number).name])
