"""Which programs have a device open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_matte.v4l2.open_files import holders


def process(root: Path, pid: int, name: str | None, *targets: Path) -> None:
    """A program in a made-up /proc."""
    descriptors = root / f"proc/{pid}/fd"
    descriptors.mkdir(parents=True)
    for number, target in enumerate(targets):
        (descriptors / str(number)).symlink_to(target)
    if name is not None:
        (root / f"proc/{pid}/comm").write_text(f"{name}\n")


def test_programs_are_named_by_number(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    process(tmp_path, 200, "zoom", Path("/dev/null"), device)
    process(tmp_path, 30, "chrome", device, device)
    process(tmp_path, 31, "bash", Path("/dev/null"))
    assert holders(device, root=tmp_path) == "chrome (process 30), zoom (process 200)"


@pytest.mark.parametrize("words", ["python3\0-m\0realtime_matte\0run", "/usr/bin/python3\0/home/me/bin/rtmatte\0--bg"])
def test_ours_is_called_by_its_name(tmp_path: Path, words: str) -> None:
    process(tmp_path, 30, "python3", tmp_path / "video10")
    (tmp_path / "proc/30/cmdline").write_text(words)
    assert holders(tmp_path / "video10", root=tmp_path) == "rtmatte (process 30)"


def test_a_link_to_the_device_is_the_device(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    (tmp_path / "mycam").symlink_to(device)
    process(tmp_path, 30, "chrome", device)
    assert holders(tmp_path / "mycam", root=tmp_path) == "chrome (process 30)"


def test_we_are_not_named(tmp_path: Path) -> None:
    process(tmp_path, os.getpid(), "rtmatte", tmp_path / "video10")
    assert holders(tmp_path / "video10", root=tmp_path) == ""


def test_what_we_may_not_see_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "proc/40").mkdir(parents=True)  # no fd folder: another user's
    process(tmp_path, 41, None, tmp_path / "video10")
    assert holders(tmp_path / "video10", root=tmp_path) == "a program (process 41)"


def test_without_proc_nobody_is_named(tmp_path: Path) -> None:
    assert holders(tmp_path / "video10", root=tmp_path) == ""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc on this system")
def test_a_real_program(tmp_path: Path) -> None:
    path = tmp_path / "held"
    path.touch()
    code = f"file = open({str(path)!r}); print('open', flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:  # noqa: S603 - our own
        assert program.stdout is not None
        program.stdout.readline()
        assert holders(path, root=Path("/")).endswith(f"(process {program.pid})")
        program.communicate(b"\n")
