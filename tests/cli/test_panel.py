"""``rtmatte panel`` and ``--panel``: the whole command, its limits, signals and refusals."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from realtime_matte.cli.main import main
from realtime_matte.control import sockets
from realtime_matte.panel import opening

SMALL = ["--camera", "demo?frames=3", "--size", "160x90", "--bg", "green", "--output", "null", "--no-control"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests send signals of POSIX")


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of the user's is read or written, and no program that runs here is found."""
    monkeypatch.setattr(sockets, "USERS", tmp_path / "users")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_beside_a_normal_run_it_ends_where_the_run_ends(
    capsys: pytest.CaptureFixture[str], ours: str, tmp_path: Path
) -> None:
    assert main(["--panel", *SMALL, "--model", f"{ours}?unverified"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("rtmatte: control panel: file://")
    assert lines[-1].startswith("rtmatte: 3 frames in")
    assert list((tmp_path / "run").rglob("*.html")) == [], "the file that leads to the page is deleted"


def test_limits_end_the_panel_too(ours: str) -> None:
    assert main(["panel", "--no-open", *SMALL, "--model", f"{ours}?unverified", "--frames", "2", "--quiet"]) == 0
    assert main(["panel", "--no-open", "--camera", "/dev/video99", "--seconds", "0.1", "--quiet"]) == 0


@pytest.mark.parametrize("wrong", [["--bg", "nosuch"], ["--output", "null:1:2?x=3"]])
def test_a_value_with_which_nothing_can_ever_run_is_status_2(wrong: list[str]) -> None:
    words = ["panel", "--no-open", "--seconds", "0.1", "--camera", "demo?frames=3", "--output", "null", *wrong]
    assert main([*words, "--no-control", "--quiet"]) == 2


def test_beside_a_normal_run_a_missing_camera_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--panel", "--camera", "/dev/video99", "--quiet"]) == 2
    assert "no camera at /dev/video99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--panel-host", "0.0.0.0"], "without --panel-password-file, --panel-cert, --panel-key"),  # noqa: S104
        (["--panel-port", "70000"], "--panel-port: '70000' is not a whole number from 1 to 65535"),
        (["--preset", "nothing"], "no preset called 'nothing'"),
        (["--preset", "../x"], "a preset cannot be called '../x'"),
        (["--preset", ""], "a preset cannot be called ''"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["panel", "--no-open", *words]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["panel", "--no-open", "--panel-port", str(port)]) == 2
    assert f"cannot open the panel at 127.0.0.1, port {port}: " in capsys.readouterr().err


@contextmanager
def started(*words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A new process of ``rtmatte panel`` without a camera, and the address of its page."""
    command = [sys.executable, "-m", "realtime_matte", "panel", "--no-open", "--camera", "/dev/video99", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))  # noqa: S603
    try:
        assert process.stderr is not None
        found = re.search(r"file://(\S+)", process.stderr.readline())
        assert found is not None
        address = re.search(r"url=(http://127\.0\.0\.1:\d+/)#token=", Path(found[1]).read_text("utf-8"))
        assert address is not None
        assert "no camera at /dev/video99" in process.stderr.readline()
        yield process, address[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_camera_it_serves_the_page_until_a_signal(number: signal.Signals) -> None:
    with started() as (process, url):
        with urllib.request.urlopen(url, timeout=30) as page:  # noqa: S310 - of this machine
            assert b"<html" in page.read()
        process.send_signal(number)
        assert process.wait(30) == 0


def page(address: str) -> bytes:
    """The page to which a file leads."""
    found = re.search(
        r"url=(http://127\.0\.0\.1:\d+/)#token=", Path(address.removeprefix("file://")).read_text("utf-8")
    )
    assert found is not None
    with urllib.request.urlopen(found[1], timeout=30) as answer:  # noqa: S310 - of this machine
        return bytes(answer.read())


OPENS_LONG = """
import sys, threading
from realtime_matte.cli.main import main
from realtime_matte.pipeline.pipeline import Pipeline

def open_long(**_options):
    print("opens", flush=True)
    threading.Event().wait()

Pipeline.open = open_long
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["panel", "--panel"])
def test_a_signal_during_the_opening_is_one_line_and_ends_it(command: str) -> None:
    """As without a panel."""
    words = [command, *(["--no-open"] if command == "panel" else []), *SMALL, "--quiet"]
    with subprocess.Popen(  # noqa: S603 - our own Python
        [sys.executable, "-c", OPENS_LONG, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "opens\n"
        process.terminate()
        _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [line for line in messages.splitlines() if "control panel" not in line] == ["rtmatte: ending ..."]


def test_a_second_one_opens_the_page_of_the_first_and_ctl_reaches_it_without_a_camera(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(opening, "open_browser", lambda address, *, opens: opened.append(f"{opens} {address}") or "")
    with started() as (process, url):
        assert main(["ctl", "status"]) == 0
        assert f"(pid {process.pid}): fault (no camera at /dev/video99" in capsys.readouterr().out
        assert main(["ctl", "panel"]) == 0
        address = capsys.readouterr().out.splitlines()[-1].removeprefix("control panel: ")
        assert page(address) == urllib.request.urlopen(url, timeout=30).read()  # noqa: S310 - of this machine
        assert main(["panel", "--camera", "/dev/video99"]) == 0
        first, second = capsys.readouterr().err.splitlines()
        assert (
            first == f"rtmatte: this camera is used by rtmatte (pid {process.pid}) already, so nothing else is started"
        )
        address = second.removeprefix("rtmatte: its control panel: ")
        assert opened == [f"page {address}"]
        assert b"<html" in page(address)
        assert main(["panel", "--no-open", "--camera", "/dev/video99"]) == 0
        assert len(opened) == 1
        assert "token" not in capsys.readouterr().err
        assert main(["panel", "--no-open", "--camera", "/dev/video98", "--seconds", "0.1", "--quiet"]) == 0
        assert "already" not in capsys.readouterr().err, "another camera is another run"
        assert main(["ctl", "quit"]) == 0
        assert "ended" in capsys.readouterr().out
        assert process.wait(30) == 0
