"""Signals to quit during a call that does not return: a lock of the C library that is never released."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from realtime_matte.cli import blocked_signals
from realtime_matte.cli.blocked_signals import reported
from realtime_matte.cli.signals import Signals

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals are sent as on Linux")

BLOCKED = """
import ctypes
from realtime_matte.cli.blocked_signals import reported
from realtime_matte.cli.signals import Signals

signals = Signals()
signals.catch()
signals.raise_interrupts()
with reported(signals, "the output 'out.mkv'", report_s=0.05):
    signals.forward_to(lambda command: None)
    libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    print("blocks", flush=True)
    for _ in range(2):
        libc.pthread_mutex_lock(mutex)
"""
REPORT = (
    "rtmatte: waiting for the output 'out.mkv'; Ctrl-C or SIGTERM once more ends at once, and a file stays incomplete\n"
)

OPENING = """
import signal, threading
from realtime_matte.cli.blocked_signals import reported
from realtime_matte.cli.signals import Signals

signals = Signals()
signals.catch()
signals.raise_interrupts()
signal.signal(signal.SIGTERM, lambda *_: None)  # as if no handler ran, which is so within a library
with reported(signals, "the output 'out.mkv'", {options}):
    print("blocks", flush=True)
    while True:
        threading.Event().wait()
"""

LOADING = """
import threading
from realtime_matte.cli.blocked_signals import reported
from realtime_matte.cli.signals import Signals

signals = Signals()
signals.catch()
signals.raise_interrupts()
try:
    with reported(signals, "the output 'out.mkv'", end_s=0.05):
        threading.Thread(target=threading.Event().wait).start()
        print("blocks", flush=True)
        threading.Event().wait()
finally:
    print("closed", flush=True)
"""


@contextmanager
def blocked_process(program: str = BLOCKED) -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        assert process.stdout.readline() == "blocks\n"
        try:
            yield process
        finally:
            process.kill()


def report(process: "subprocess.Popen[str]", number: int) -> str:
    """What it prints about the signal, which may come a moment before it blocks: then it has an effect."""
    assert process.stderr
    for _ in range(30):
        process.send_signal(number)
        if select.select([process.stderr], [], [], 1.0)[0]:
            return process.stderr.readline()
    return ""


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_without_effect_is_reported_and_the_next_one_ends(first: int, second: int) -> None:
    with blocked_process() as process:
        assert report(process, first) == REPORT
        process.send_signal(second)
        assert process.wait(30) == 130
        assert process.stderr
        assert process.stderr.read() == ""


def test_a_signal_during_the_opening_is_reported_and_ends_though_nothing_returns() -> None:
    with blocked_process(OPENING.format(options="keeps_files=lambda: False, end_s=0.05")) as process:
        assert report(process, signal.SIGTERM) == "rtmatte: ending ...\n"
        assert process.wait(30) == 130


def test_a_signal_during_the_opening_ends_no_process_whose_files_are_open() -> None:
    with blocked_process(OPENING.format(options="report_s=0.3, end_s=0.0")) as process:
        assert report(process, signal.SIGTERM) == "rtmatte: ending ...\n"
        assert process.stderr
        assert process.stderr.readline() == REPORT
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130


def test_a_signal_during_the_opening_waits_for_no_thread_when_files_are_closed() -> None:
    with blocked_process(LOADING) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130
        assert process.stdout
        assert process.stdout.read() == "closed\n"


def test_other_signals_are_not_counted() -> None:
    with blocked_process() as process:
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            process.send_signal(number)
        assert report(process, signal.SIGINT) == REPORT
        process.send_signal(signal.SIGUSR1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


@pytest.mark.parametrize(("had_effect_at", "printed"), [(float("inf"), ""), (float("-inf"), REPORT)])
def test_a_signal_with_effect_is_not_reported(
    had_effect_at: float, printed: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Judged when the wait for its effect is over."""
    read_end, write_end = os.pipe()
    os.write(write_end, bytes([signal.SIGTERM]))
    waits = iter(["it came", "no other", "end"])

    def wait(read: list[int], *_: object) -> tuple[list[int], list[int], list[int]]:
        happens = next(waits)
        if happens == "end":
            os.close(write_end)
        return [] if happens == "no other" else read, [], []

    monkeypatch.setattr(blocked_signals, "select", SimpleNamespace(select=wait))
    signals = Signals()
    signals.forward_to(print)
    signals.quit_at = had_effect_at
    blocked_signals._watch(signals, read_end, "the output 'out.mkv'", 3.0, pytest.fail)
    os.close(read_end)
    assert capfd.readouterr().err == printed


def test_signals_have_their_effect_while_they_are_watched() -> None:
    commands: list[str] = []
    came = threading.Event()
    with Signals() as signals, reported(signals, "the output"):
        signals.forward_to(lambda command: (commands.append(command), came.set()))
        os.kill(os.getpid(), signal.SIGTERM)
        assert came.wait(30)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert commands == ["quit"]


def test_the_wakeup_descriptor_is_restored() -> None:
    with Signals() as signals, reported(signals, "the output"):
        pass
    assert signal.set_wakeup_fd(-1) == -1


def test_it_does_nothing_in_another_thread() -> None:
    done = threading.Event()

    def run() -> None:
        with reported(Signals(), "the output"):
            done.set()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert done.is_set()
