"""Keys pressed in the terminal of a run."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from realtime_matte.cli.keys import Keys

if sys.platform == "win32":
    pytest.skip("a terminal as Linux and macOS have it", allow_module_level=True)
else:
    import pty
    import termios

LIMIT_S = 60

IN_IT = """
import os, sys
number = os.open(sys.argv[1], os.O_RDWR)  # a session without a terminal is given the first that it opens
for stream in (0, 1, 2):
    os.dup2(number, stream)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""

ASKS = """
import signal, time
from contextlib import closing
from realtime_matte.cli.keys import Keys
asked = []
with closing(Keys(asked.append, clock=lambda: time.perf_counter() * 10)) as keys:
    keys.look()
    print("listens", *keys.notices, flush=True)
    while "quit" not in asked:
        keys.look()
        time.sleep(0.001)
print(asked, flush=True)
"""


class Session:
    """Python with a terminal of its own, and all that it showed there."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._shown = b""  # guarded by _changed
        self._changed = threading.Condition()
        command = [sys.executable, "-c", IN_IT, os.ttyname(theirs), *words]
        self._process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own interpreter
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_shown(self, text: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: text.encode() in self._shown, LIMIT_S), self._shown.decode()

    def shows(self, text: str) -> bool:
        with self._changed:
            return text.encode() in self._shown

    @property
    def now(self) -> list[object]:
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
        with suppress(OSError):  # nobody has the terminal open any more
            while piece := os.read(self._ours, 4096):
                with self._changed:
                    self._shown += piece
                    self._changed.notify_all()


def test_keys_ask_as_they_are_pressed_and_the_terminal_is_left_as_it_was() -> None:
    with Session("-c", ASKS) as session:
        session.wait_shown("listens keys in this terminal: b next background, space standby card, q quit")
        assert session.now != session.before
        session.press("b x\n q")
        session.wait_shown("['next_background', 'standby', 'standby', 'quit']")
        assert session.end() == 0
        assert session.now == session.before
        assert not session.shows("b x"), "what is pressed is not shown: it would tear the live line"


def test_a_shell_that_sets_the_terminal_anew_changes_nothing() -> None:
    """As after Ctrl-Z and fg."""
    with Session("-c", ASKS) as session:
        session.wait_shown("listens")
        termios.tcsetattr(session._theirs, termios.TCSANOW, session.before)
        while session.now == session.before:
            pass
        session.press("q")
        session.wait_shown("['quit']")
        assert session.end() == 0
        assert session.now == session.before


def test_in_the_background_the_terminal_is_left_alone() -> None:
    """Reading it would stop the run."""
    behind = """
import subprocess, sys
code = ASKS.replace('while "quit" not in asked:', 'for _ in range(50):')
done = subprocess.run([sys.executable, "-c", code], process_group=0)
print("ended with", done.returncode, flush=True)
"""
    with Session("-c", f"ASKS = {ASKS!r}{behind}") as session:
        session.press("q")
        session.wait_shown("ended with 0")
        assert session.shows("[]")
        assert session.end() == 0
        assert session.now == session.before


@pytest.mark.parametrize("hurt", [False, True])
def test_a_terminal_that_goes_away_is_no_fault(monkeypatch: pytest.MonkeyPatch, *, hurt: bool) -> None:
    with terminal() as number, os.fdopen(number, "rb", buffering=0, closefd=False) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        monkeypatch.setattr("os.tcgetpgrp", lambda _number: os.getpgrp())  # as if it were ours
        asked: list[str] = []
        with closing(Keys(asked.append, clock=iter(range(100)).__next__)) as keys:
            keys.look()
            assert keys.notices
            if hurt:
                os.close(number)
                keys.look()
                assert not keys.notices
                keys.look()
        assert asked == []


@contextmanager
def terminal() -> Iterator[int]:
    ours, theirs = pty.openpty()
    try:
        yield theirs
    finally:
        os.close(ours)
        with suppress(OSError):  # the test did
            os.close(theirs)


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        for stream in (None, nothing):
            monkeypatch.setattr("sys.stdin", stream)
            keys = Keys([].append)
            keys.look()
            assert not keys.notices
            keys.close()


def test_a_whole_run_obeys() -> None:
    words = ["--camera", "demo", "--size", "320x180", "--output", "null", "--bg", "green"]
    with Session("-m", "realtime_matte", *words, "--provider", "cpu") as session:
        session.wait_shown("keys in this terminal")
        session.wait_shown("small")
        session.press(" ")
        session.wait_shown("standby: the camera is off")
        session.press(" ")
        session.wait_shown("standby is over")
        session.press("b")
        session.wait_shown("there is no other background to go on to")
        session.press("q")
        assert session.end() == 0
        assert session.now == session.before
