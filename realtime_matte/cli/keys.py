"""What a run is told by keys in its terminal: a window has its own."""

import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from realtime_matte.interfaces import KEYS, Command

LOOKED_EVERY_S: Final = 0.1


class Terminal(Protocol):
    """Where keys are pressed."""

    def read(self) -> str:
        """What was pressed since the last call. Raises OSError when the terminal is gone."""

    def close(self) -> None:
        """Leave it as it was found."""


class Keys:
    """Asks for what KEYS says, until it is closed. Without a terminal, or if not ``wanted``, it does nothing."""

    def __init__(
        self, ask: Callable[[Command], None], *, wanted: bool = True, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._due = clock()
        self._terminal = _terminal() if wanted else None

    @property
    def notices(self) -> Sequence[str]:
        """The keys."""
        return ["keys in this terminal: b next background, space standby card, q quit"] if self._terminal else []

    def look(self) -> None:
        """Ask for what was pressed; looks only now and then."""
        now = self._clock()
        if self._terminal is None or now < self._due:
            return
        self._due = now + LOOKED_EVERY_S
        try:
            pressed = self._terminal.read()
        except OSError:
            self._terminal = None
            return
        for key in pressed:
            if key in KEYS:
                self._ask(KEYS[key])

    def close(self) -> None:
        """Idempotent."""
        if self._terminal:
            with suppress(OSError):
                self._terminal.close()
        self._terminal = None


if sys.platform == "win32":
    import msvcrt

    class Console:
        """Of Windows: it hands on keys as they are."""

        def read(self) -> str:
            """As Terminal."""
            pressed = ""
            while msvcrt.kbhit():
                pressed += msvcrt.getwch()
            return pressed

        def close(self) -> None:
            """Nothing was changed."""

    def _terminal() -> Terminal | None:
        return Console() if sys.stdin and sys.stdin.isatty() else None

else:
    import termios
    import tty

    class Tty:
        """A terminal that keeps lines back and shows what is typed, until it is told not to.

        It stops a program in the background that reads it, so it is left alone then; and a shell may set it anew
        before this program is in the foreground again.
        """

        def __init__(self, number: int) -> None:
            self._number = number
            self._found: list[Any] | None = None

        def read(self) -> str:
            """As Terminal."""
            if not self._ours():
                return ""
            try:
                found = termios.tcgetattr(self._number)
                if found[3] & termios.ICANON:
                    self._found = found
                    tty.setcbreak(self._number, termios.TCSANOW)
            except termios.error as error:
                raise OSError(*error.args) from error
            ready, _, _ = select.select([self._number], [], [], 0)
            return os.read(self._number, 64).decode("ascii", "ignore") if ready else ""

        def close(self) -> None:
            """As Terminal."""
            if self._found and self._ours():
                with suppress(termios.error):
                    termios.tcsetattr(self._number, termios.TCSADRAIN, self._found)

        def _ours(self) -> bool:
            return os.tcgetpgrp(self._number) == os.getpgrp()

    def _terminal() -> Terminal | None:
        """The one that commands this program; None where there is none."""
        try:
            os.tcgetpgrp(sys.stdin.fileno())
        except (AttributeError, ValueError, OSError):  # no stdin, a closed one, one that is no terminal or another's
            return None
        return Tty(sys.stdin.fileno())
