"""Signals of the process, from its first line to its last."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import networks as tiny_networks

from realtime_matte.cli.main import COMMANDS, main
from realtime_matte.cli.signals import Signals
from realtime_matte.config import toml_file
from realtime_matte.pipeline.pipeline import Pipeline

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="signals are sent as on Linux")


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@LINUX
def test_the_first_signal_requests_the_end_and_the_second_interrupts() -> None:
    requested: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        signals.forward_to(requested.append)
        send(signal.SIGTERM)
        assert requested == ["quit"]
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before


@LINUX
def test_a_signal_before_the_run_interrupts() -> None:
    with Signals(), pytest.raises(KeyboardInterrupt):
        send(signal.SIGTERM)


@LINUX
def test_a_signal_while_parts_are_opened_again_interrupts() -> None:
    requested: list[str] = []
    with Signals() as signals:
        signals.forward_to(requested.append)
        signals.start_opening()
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
        signals.end_opening()
        assert signals.opening, "the thread that reports it may look later"
    assert requested == []


@LINUX
def test_a_signal_after_parts_were_opened_again_requests_the_end() -> None:
    requested: list[str] = []
    with Signals() as signals:
        signals.forward_to(requested.append)
        signals.start_opening()
        assert signals.opening
        signals.end_opening()
        assert not signals.opening
        send(signal.SIGTERM)
    assert requested == ["quit"]


@LINUX
def test_signals_request_standby_and_the_next_background() -> None:
    requested: list[str] = []
    with Signals() as signals:
        signals.forward_to(requested.append)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
            send(number)
    assert requested == ["standby", "next_background", "standby"]


@LINUX
def test_an_ignored_signal_stays_ignored() -> None:
    """As after nohup, so that a run outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals():
            send(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_changes_no_signal() -> None:
    handlers: list[object] = []

    def enter() -> None:
        with Signals():
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert handlers == [before]


@LINUX
def test_commands_before_the_run_are_kept_each_once() -> None:
    requested: list[str] = []
    with Signals() as signals:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
            send(number)
        signals.forward_to(requested.append)
    assert requested == ["standby", "next_background"]


START = """
import atexit, os, signal, sys
from realtime_matte.__main__ import main
import realtime_matte.cli.main as command_line

def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)

"""


def run_process(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run Python code after START in a process that ignores no signal."""
    return subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", START + code, *words], capture_output=True, text=True, check=False, timeout=120
    )


def test_nothing_slow_is_imported_before_signals_are_caught() -> None:
    code = "import sys; before = set(sys.modules); import realtime_matte.cli.signals; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert set(done.stdout.split()) <= {"realtime_matte", "realtime_matte.cli", "realtime_matte.cli.signals"}


@LINUX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_quit_before_anything_is_open_ends_with_130(name: str) -> None:
    done = run_process(f"command_line._call = lambda *_: send(signal.{name})\nsys.exit(main())")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


IMPORT = """
def interrupted_import(_words, signals):
    signals.raise_interrupts()
    try:
        send(signal.SIGINT)
    except KeyboardInterrupt as interrupt:
        {end}

command_line._call = interrupted_import
sys.exit(main())
"""


@LINUX
@pytest.mark.parametrize(
    "end",
    [
        "raise ImportError('initialization failed') from interrupt",
        "raise SystemError('initialization of _pybind11 raised unreported exception')",
        "raise command_line.MissingDependency('cannot load ONNX Runtime') from ImportError()",
        "pass\n    raise ImportError('numpy._core.multiarray failed to import')",
    ],
)
def test_an_interrupt_that_an_import_hides_is_no_broken_installation(end: str) -> None:
    """A C extension makes an ImportError or a SystemError of it; NumPy's leaves no trace of it."""
    done = run_process(IMPORT.replace("{end}", end))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


CALLBACK = """
import ctypes

def open_parts(_words, signals):
    signals.raise_interrupts()
    ctypes.CFUNCTYPE(None)(lambda: send(signal.SIGTERM))()
    {end}
    return 0

command_line._call = open_parts
sys.exit(main())
"""


@LINUX
@pytest.mark.parametrize(
    "end",
    [
        "raise RuntimeError('no compiled object yet')",
        "raise command_line.SpecError('no')",
        "signals.forward_to(print)",
    ],
)
def test_an_interrupt_that_a_callback_of_a_library_discards_ends_the_opening(end: str) -> None:
    """As llvmlite's do while a kernel is compiled: what fails next is of another type, and means nothing."""
    done = run_process(CALLBACK.replace("{end}", end))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@LINUX
@pytest.mark.parametrize("before", ["", "signals.forward_to(print); send(signal.SIGTERM)"])
def test_a_bug_without_an_interrupt_keeps_its_traceback(before: str) -> None:
    code = f"""
def failing(_words, signals):
    signals.raise_interrupts()
    {before}
    raise RuntimeError('a bug')

command_line._call = failing
sys.exit(main())
"""
    done = run_process(code)
    assert done.returncode == 1
    assert done.stderr.endswith("RuntimeError: a bug\n")


@LINUX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_quit_after_the_end_changes_no_exit_status(name: str) -> None:
    """Sent after the last line, and when Python ends, which restores the defaults: a service manager sends it twice."""
    code = f"atexit.register(send, signal.{name})\nstatus = main()\nsend(signal.{name})\nsys.exit(status)"
    assert run_process(code, "models").returncode == 0


@LINUX
@pytest.mark.parametrize("command", COMMANDS)
def test_command_signals_end_no_command(command: str) -> None:
    """Sent before its first line, after its last, and when Python ends, which restores the defaults."""
    code = """
class LastLine:
    def __del__(self):
        send(signal.SIGUSR1, signal.SIGUSR2)
class Command:
    @staticmethod
    def main(*_, signals, **__):
        signals.raise_interrupts()
        send(signal.SIGUSR1, signal.SIGUSR2)
        return 7
command_line.import_module = lambda _name: send(signal.SIGUSR1, signal.SIGUSR2) or Command
last = LastLine()
atexit.register(send, signal.SIGUSR1, signal.SIGUSR2)
sys.exit(main())
"""
    done = run_process(code, command)
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A run of three frames with a network whose alpha is the brightness, without the user's options file."""
    monkeypatch.setattr(toml_file, "user_config_path", lambda *_names, **_more: tmp_path / "nowhere")
    model = tiny_networks.unverified(tiny_networks.recurrent(tmp_path / "tiny.onnx"))
    return ["--camera", "demo?frames=3", "--size", "96x64", "--output", "null", "--model", model]


@LINUX
@pytest.mark.parametrize("times", [1, 2])
def test_standby_requested_during_the_start_hides_the_first_frame(
    times: int, words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    resolve = toml_file.resolve

    def signalled(*values: object, **named: object) -> object:
        for _ in range(times):
            send(signal.SIGUSR1)
        return resolve(*values, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(toml_file, "resolve", signalled)
    assert main(words) == 0
    assert "rtmatte: 0 frames and 3 standby cards in " in capfd.readouterr().err


@LINUX
def test_command_signals_change_nothing_in_the_demo(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Pipeline.step

    def signalled(pipeline: Pipeline) -> bool:
        send(signal.SIGUSR1)
        send(signal.SIGUSR2)
        return step(pipeline)

    monkeypatch.setattr(Pipeline, "step", signalled)
    assert main(["demo", "--seconds", "0.1", "--out", str(tmp_path), *words[-2:], "--quiet"]) == 0
