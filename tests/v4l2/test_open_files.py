"""Which programs have a device open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_matte.v4l2.open_files import Program, programs_using


def add_process(root: Path, pid: int, name: str | None, *targets: Path) -> None:
    """Add a program to a /proc under ``root``."""
    descriptors = root / f"proc/{pid}/fd"
    descriptors.mkdir(parents=True)
    for number, target in enumerate(targets):
        (descriptors / str(number)).symlink_to(target)
    if name is not None:
        (root / f"proc/{pid}/comm").write_text(f"{name}\n")


def test_programs_are_listed_by_number(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    add_process(tmp_path, 200, "zoom", Path("/dev/null"), device)
    add_process(tmp_path, 30, "chrome", device, device)
    add_process(tmp_path, 31, "bash", Path("/dev/null"))
    assert programs_using(device, root=tmp_path) == [Program("chrome", 30), Program("zoom", 200)]


@pytest.mark.parametrize("words", ["python3\0-m\0realtime_matte\0run", "/usr/bin/python3\0/home/me/bin/rtmatte\0--bg"])
def test_rtmatte_has_its_own_name_not_that_of_python(tmp_path: Path, words: str) -> None:
    add_process(tmp_path, 30, "python3", tmp_path / "video10")
    (tmp_path / "proc/30/cmdline").write_text(words)
    assert list(map(str, programs_using(tmp_path / "video10", root=tmp_path))) == ["rtmatte (pid 30)"]


def test_a_link_to_the_device_is_the_device(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    (tmp_path / "mycam").symlink_to(device)
    add_process(tmp_path, 30, "chrome", device)
    assert programs_using(tmp_path / "mycam", root=tmp_path) == [Program("chrome", 30)]


def test_this_process_is_not_listed(tmp_path: Path) -> None:
    add_process(tmp_path, os.getpid(), "rtmatte", tmp_path / "video10")
    assert programs_using(tmp_path / "video10", root=tmp_path) == []


def test_processes_without_permission_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "proc/40").mkdir(parents=True)  # no fd folder: another user's
    add_process(tmp_path, 41, None, tmp_path / "video10")
    assert programs_using(tmp_path / "video10", root=tmp_path) == [Program("a program", 41)]


def test_without_proc_no_program_is_listed(tmp_path: Path) -> None:
    assert programs_using(tmp_path / "video10", root=tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc on this system")
def test_a_real_program_is_found(tmp_path: Path) -> None:
    path = tmp_path / "open"
    path.touch()
    code = f"file = open({str(path)!r}); print('open', flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:  # noqa: S603 - our own
        assert program.stdout is not None
        program.stdout.readline()
        assert [found.pid for found in programs_using(path)] == [program.pid]
        program.communicate(b"\n")
