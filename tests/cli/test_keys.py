"""Keys pressed in the terminal of a run, in real pseudo-terminals."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from fakes.scripted import wait_until

from realtime_matte.cli.keys import Keys

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)
else:
    import pty
    import termios

    from fakes.terminal import Session

POLL = """
import signal, time
from contextlib import closing
from realtime_matte.cli.keys import Keys
requested = []
with closing(Keys(requested.append, clock=lambda: time.perf_counter() * 10)) as keys:
    keys.poll()
    print("listens", *keys.notices, flush=True)
    while "quit" not in requested:
        keys.poll()
        time.sleep(0.001)
print(requested, flush=True)
"""


@pytest.mark.parametrize("keys", ["b x\n q", "B X\n Q"])
def test_keys_request_commands_and_the_terminal_is_restored(keys: str) -> None:
    with Session("-c", POLL) as session:
        session.wait_shown("listens keys in this terminal: b next background, space standby card, q quit")
        assert session.settings != session.before
        session.press(keys)
        session.wait_shown("['next_background', 'standby', 'standby', 'quit']")
        assert session.end() == 0
        assert session.settings == session.before
        assert not session.shows(keys[:3]), "keys are not echoed: they would break the progress line"


def test_keys_work_after_a_shell_has_reset_the_terminal() -> None:
    """As after Ctrl-Z and fg."""
    with Session("-c", POLL) as session:
        session.wait_shown("listens")
        termios.tcsetattr(session._theirs, termios.TCSANOW, session.before)
        wait_until(lambda: session.settings != session.before)
        session.press("q")
        session.wait_shown("['quit']")
        assert session.end() == 0
        assert session.settings == session.before


def test_a_background_process_leaves_the_terminal_alone() -> None:
    """Reading the terminal would stop the run."""
    background = """
import subprocess, sys
code = POLL.replace('while "quit" not in requested:', 'for _ in range(50):')
done = subprocess.run([sys.executable, "-c", code], process_group=0)
print("ended with", done.returncode, flush=True)
"""
    with Session("-c", f"POLL = {POLL!r}{background}") as session:
        session.press("q")
        session.wait_shown("ended with 0")
        assert session.shows("[]")
        assert session.end() == 0
        assert session.settings == session.before


@pytest.mark.parametrize("closed", [False, True])
def test_a_closed_terminal_is_not_an_error(monkeypatch: pytest.MonkeyPatch, *, closed: bool) -> None:
    with terminal() as number, os.fdopen(number, "rb", buffering=0, closefd=False) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        monkeypatch.setattr("os.tcgetpgrp", lambda _number: os.getpgrp())  # in the foreground
        requested: list[str] = []
        with closing(Keys(requested.append, clock=iter(range(100)).__next__)) as keys:
            keys.poll()
            assert keys.notices
            if closed:
                os.close(number)
                keys.poll()
                assert not keys.notices
                keys.poll()
        assert requested == []


@contextmanager
def terminal() -> Iterator[int]:
    ours, theirs = pty.openpty()
    try:
        yield theirs
    finally:
        os.close(ours)
        with suppress(OSError):  # closed by the test
            os.close(theirs)


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        for stream in (None, nothing):
            monkeypatch.setattr("sys.stdin", stream)
            keys = Keys([].append)
            keys.poll()
            assert not keys.notices
            keys.close()


def test_a_run_executes_the_commands() -> None:
    words = ["--camera", "demo", "--size", "320x180", "--output", "null", "--bg", "green"]
    with Session("-m", "realtime_matte", *words, "--provider", "cpu") as session:
        session.wait_shown("keys in this terminal")
        session.wait_shown("small")
        session.press(" ")
        session.wait_shown("standby: the camera is off")
        session.press(" ")
        session.wait_shown("standby is over")
        session.press("b")
        session.wait_shown("there is no other background to switch to")
        session.press("q")
        assert session.end() == 0
        assert session.settings == session.before
