r"""Ctrl-Z and Ctrl-\ in the terminal of a run, started by a shell with job control."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fakes.scripted import wait_until

from realtime_matte.cli.job_control import SIGNALS, job_control

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)
else:
    import termios

    from fakes.terminal import Session

SHELL = """
import os, resource, signal, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.environ["TERM"] = "xterm"
job = os.fork()
if not job:
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    os.tcsetpgrp(0, os.getpid())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
while True:
    status = os.waitpid(job, os.WUNTRACED)[1]
    os.tcsetpgrp(0, os.getpgrp())
    if not os.WIFSTOPPED(status):
        break
    print("shell: stopped", flush=True)
    command = sys.stdin.readline()
    if command == "fg\\n":
        os.tcsetpgrp(0, job)
    os.killpg(job, signal.SIGCONT)
print("shell: ended by", os.waitstatus_to_exitcode(status), flush=True)
sys.stdin.readline()
"""

RUN = """
import os, time
from contextlib import closing
from types import SimpleNamespace
from rich.console import Console
from realtime_matte.cli.console import ProgressLine
from realtime_matte.cli.job_control import job_control
from realtime_matte.cli.keys import Keys
requested, shell = [], os.getppid()
pipeline = SimpleNamespace(camera_off_reason="runs", stats=SimpleNamespace(composites=0, standby_cards=0))
line = ProgressLine(Console(stderr=True), verbose=False)
with (
    closing(Keys(requested.append)) as keys,
    closing(line),
    job_control(suspend=(line.suspend, keys.suspend), resume=line.resume),
):
    line.start(pipeline, frames=None)
    keys.poll()
    print("listens", flush=True)
    while "quit" not in requested and os.getppid() == shell:
        keys.poll()
        line.update(pipeline)
        time.sleep(0.01)
"""

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
CTRL_Z, CTRL_BACKSLASH = "\x1a", "\x1c"
ECHO_AND_LINES = termios.ECHO | termios.ICANON


@pytest.fixture
def session() -> Iterator[Session]:
    with Session("-c", SHELL, RUN) as opened:
        opened.wait_shown("listens")
        assert not echoes(opened)
        yield opened


def echoes(session: Session) -> bool:
    flags = session.settings[3]
    assert isinstance(flags, int)
    return flags & ECHO_AND_LINES == ECHO_AND_LINES


def test_ctrl_z_restores_the_terminal_and_fg_takes_it_back(session: Session) -> None:
    for times in (1, 2):
        session.press(CTRL_Z)
        session.wait_shown("shell: stopped", times=times)
        assert session.settings == session.before
        assert session.shown.rfind(SHOW) > session.shown.rfind(HIDE)
        session.press("fg\n")
        session.wait_shown(HIDE, times=times + 1)
        wait_until(lambda: not echoes(session))
    session.press("q")
    session.wait_shown("shell: ended by 0")
    assert session.settings == session.before
    assert session.shown.rfind(SHOW) > session.shown.rfind(HIDE)


def test_ctrl_backslash_restores_the_terminal_before_it_kills(session: Session) -> None:
    session.press(CTRL_BACKSLASH)
    session.wait_shown(f"shell: ended by -{int(signal.SIGQUIT)}")
    assert session.settings == session.before
    assert session.shown.rfind(SHOW) > session.shown.rfind(HIDE)


def test_a_job_that_goes_on_in_the_background_leaves_the_terminal_alone(session: Session) -> None:
    session.press(CTRL_Z)
    session.wait_shown("shell: stopped")
    session.press("bg\n")
    session.wait_shown("runs", times=3)
    assert echoes(session)
    assert session.shown.rfind(SHOW) > session.shown.rfind(HIDE)


@contextmanager
def handled_by(handler: signal.Handlers) -> Iterator[None]:
    before = [signal.signal(number, handler) for number in SIGNALS]
    try:
        yield
    finally:
        for number, earlier in zip(SIGNALS, before, strict=True):
            signal.signal(number, earlier)


@handled_by(signal.SIG_IGN)
def test_signals_that_are_ignored_stay_ignored() -> None:
    with job_control(suspend=(), resume=lambda: None):
        assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_IGN}


@handled_by(signal.SIG_DFL)
def test_the_handlers_are_gone_after_the_run() -> None:
    with job_control(suspend=(), resume=lambda: None):
        assert all(callable(signal.getsignal(number)) for number in SIGNALS)
    assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_DFL}
