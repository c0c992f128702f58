"""A crash of the program leaves a trace, which the next start names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_matte.cli import crash_trace
from realtime_matte.cli.crash_trace import earlier_crash

CRASH = """
import os, signal
from realtime_matte.cli.crash_trace import log_crashes
def in_a_native_library():
    os.kill(os.getpid(), signal.{name})
log_crashes()
in_a_native_library()
"""


@pytest.fixture
def log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state" / "rtmatte" / "log"
    monkeypatch.setattr(crash_trace, "user_log_path", lambda *_names, **_more: folder)
    return folder


def crash(folder: Path, name: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"XDG_STATE_HOME": str(folder), "HOME": str(folder)}
    environment.pop("PYTHONFAULTHANDLER", None)
    return subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", CRASH.format(name=name)], env=environment, check=False, capture_output=True, text=True
    )


@pytest.mark.skipif(sys.platform != "linux", reason="signals and folders are those of Linux")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"])
def test_a_crash_is_named_once_at_the_next_start(name: str, tmp_path: Path, log_folder: Path) -> None:
    assert crash(tmp_path / "state", name).returncode < 0
    kept = log_folder / "last-crash.txt"
    assert earlier_crash() == [f"an earlier run crashed; its trace is in {kept}: please report it with that file"]
    assert "in_a_native_library" in kept.read_text()
    assert earlier_crash() == []


@pytest.mark.skipif(sys.platform != "linux", reason="a path below a file cannot be a folder")
def test_without_a_log_folder_the_trace_is_printed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "in_a_native_library" in crash(tmp_path / "file" / "below", "SIGSEGV").stderr


def test_a_run_without_a_crash_leaves_nothing_to_name(log_folder: Path) -> None:
    assert earlier_crash() == []
    log_folder.mkdir(parents=True)
    (log_folder / "crash.txt").touch()
    assert earlier_crash() == []


def test_without_a_home_folder_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(*_names: object, **_more: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(crash_trace, "user_log_path", no_home)
    assert earlier_crash() == []
