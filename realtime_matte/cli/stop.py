"""Ctrl-C, SIGTERM and a closed terminal as a wish to stop."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Those of them that the platform has."""


class Stop:
    """While it is entered, the first signal asks for an end and a second one insists, as KeyboardInterrupt.

    Before ``hand_to`` there is nobody to ask, so the first one is a KeyboardInterrupt too. Main thread only; in any
    other one it does nothing.
    """

    def __init__(self) -> None:
        self.insisted = False
        self._ask: Callable[[], None] | None = None
        self._asked = False
        self._before: dict[int, signal.Handlers | int | Callable[[int, FrameType | None], object] | None] = {}

    def hand_to(self, ask: Callable[[], None]) -> None:
        """Call ``ask`` at the first signal from now on; it must only leave a wish behind."""
        self._ask = ask

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
            self._before = {number: signal.signal(number, self._signalled) for number in numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self.insisted = self._asked
        if self._asked or self._ask is None:
            raise KeyboardInterrupt
        self._asked = True
        self._ask()
