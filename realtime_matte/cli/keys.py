"""Keys pressed in the terminal of a run; a window has its own."""

import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from realtime_matte.cli.job_control import in_foreground
from realtime_matte.interfaces import KEYS, Action

POLL_INTERVAL_S: Final = 0.1


class Terminal(Protocol):
    """Where keys are pressed."""

    def read(self) -> str:
        """The keys pressed since the last call. Raises OSError when the terminal is gone."""

    def close(self) -> None:
        """Restore its settings. The next ``read`` changes them again."""


class Keys:
    """Requests the command of each key of KEYS until it is closed. Does nothing without a terminal.

    Args:
        request: Receives each command.
        enabled: False keeps the terminal as it is.
        clock: Seconds; replaced in tests.
    """

    def __init__(
        self,
        request: Callable[[Action], None],
        *,
        enabled: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._request = request
        self._clock = clock
        self._due = clock()
        self._terminal = _open_terminal() if enabled else None

    @property
    def notices(self) -> Sequence[str]:
        """The list of keys, if there is a terminal."""
        return ["keys in this terminal: b next background, space standby card, q quit"] if self._terminal else []

    def poll(self) -> None:
        """Request the commands of the keys pressed. Reads the terminal every POLL_INTERVAL_S at most."""
        now = self._clock()
        if self._terminal is None or now < self._due:
            return
        self._due = now + POLL_INTERVAL_S
        try:
            pressed = self._terminal.read()
        except OSError:
            self._terminal = None
            return
        for key in pressed:
            if command := KEYS.get(key.lower()):
                self._request(command)

    def suspend(self) -> None:
        """Restore the terminal until the next ``poll``; may be called in a signal handler."""
        if self._terminal:
            with suppress(OSError):
                self._terminal.close()

    def close(self) -> None:
        """Restore the terminal. Idempotent."""
        self.suspend()
        self._terminal = None


if sys.platform == "win32":
    import msvcrt

    class WindowsTerminal:
        """The console of Windows, which passes on each key at once."""

        def read(self) -> str:
            """The keys pressed since the last call."""
            pressed = ""
            while msvcrt.kbhit():
                pressed += msvcrt.getwch()
            return pressed

        def close(self) -> None:
            """Nothing was changed."""

    def _open_terminal() -> Terminal | None:
        return WindowsTerminal() if sys.stdin and sys.stdin.isatty() else None

else:
    import termios
    import tty

    class PosixTerminal:
        """A terminal switched to cbreak mode, in which keys arrive without Enter and are not shown.

        A process in the background is stopped when it reads or changes the terminal, so nothing is done then. A shell
        may reset the mode before this process is in the foreground again, so the mode is checked at every read.
        """

        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor
            self._saved: list[Any] | None = None

        def read(self) -> str:
            """The keys pressed since the last call, 64 at most. Raises OSError when the terminal is gone."""
            if not in_foreground(self._descriptor):
                return ""
            try:
                settings = termios.tcgetattr(self._descriptor)
                if settings[3] & termios.ICANON:
                    self._saved = settings
                    tty.setcbreak(self._descriptor, termios.TCSANOW)
            except termios.error as error:
                raise OSError(*error.args) from error
            ready, _, _ = select.select([self._descriptor], [], [], 0)
            return os.read(self._descriptor, 64).decode("ascii", "ignore") if ready else ""

        def close(self) -> None:
            """Restore the settings."""
            if self._saved and in_foreground(self._descriptor):
                with suppress(termios.error):
                    termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._saved)

    def _open_terminal() -> Terminal | None:
        """The controlling terminal, if stdin is that; else None."""
        try:
            os.tcgetpgrp(sys.stdin.fileno())
        except (AttributeError, ValueError, OSError):  # no stdin, closed, not a terminal, or not the controlling one
            return None
        return PosixTerminal(sys.stdin.fileno())
