"""A program in a pseudo-terminal of its own."""

import os
import pty
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from typing import Self

LIMIT_S = 60

START = """
import os, signal, sys
for ignored in (signal.SIGINT, signal.SIGQUIT):  # by a script that started the tests with "&"
    signal.signal(ignored, signal.SIG_DFL)
number = os.open(sys.argv[1], os.O_RDWR)  # becomes the controlling terminal of this new session
for stream in (0, 1, 2):
    os.dup2(number, stream)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class Session:
    """A Python process with its own terminal, and all text that it printed there."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._shown = b""  # guarded by _changed
        self._changed = threading.Condition()
        command = [sys.executable, "-c", START, os.ttyname(theirs), *words]
        self._process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own interpreter
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_shown(self, text: str, *, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._shown.count(text.encode()) >= times, LIMIT_S), self._shown

    @property
    def shown(self) -> str:
        with self._changed:
            return self._shown.decode(errors="replace")

    def shows(self, text: str) -> bool:
        with self._changed:
            return text.encode() in self._shown

    @property
    def settings(self) -> list[object]:
        return termios.tcgetattr(self._theirs)

    def end(self) -> int:
        return self._process.wait(LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)
        os.close(self._theirs)
        self._thread.join(LIMIT_S)
        os.close(self._ours)

    def _listen(self) -> None:
        with suppress(OSError):  # the terminal is closed
            while piece := os.read(self._ours, 4096):
                with self._changed:
                    self._shown += piece
                    self._changed.notify_all()
