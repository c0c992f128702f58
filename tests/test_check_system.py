"""`make` names what a minimal system lacks, with the command of that system, before it installs anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts/check_system.sh"

pytestmark = pytest.mark.skipif(os.name == "nt" or not shutil.which("sh"), reason="needs sh")

PROGRAMS = ("sh", "uname", "id")


def system(
    folder: Path, *, release: str, python: str | None = None, git: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the script on a system with ``release`` as /etc/os-release; ``python``: what its python3 does."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in (*PROGRAMS, *(["git"] if git else [])):
        found = shutil.which(name)
        assert found
        (bin_folder / name).symlink_to(found)
    if python is not None:
        (bin_folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (bin_folder / "python3").chmod(0o755)
    (folder / "os-release").write_text(release)
    environment = {"PATH": str(bin_folder), "OS_RELEASE": str(folder / "os-release")}
    return subprocess.run(  # noqa: S603 - our own script
        [str(bin_folder / "sh"), str(SCRIPT), "python3", "git"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


OLD = 'case "$2" in *exit*) exit 1;; *print*) echo 3.9;; esac'
NO_VENV = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.13;; esac'
NO_GL = 'case "$2" in *libGL*) exit 1;; *print*) echo 3.13;; esac'


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux distributions")
@pytest.mark.parametrize(
    ("release", "python", "lines"),
    [
        ("ID=debian", None, ["python3 is missing", "apt-get install python3 python3-venv", "apt-get install git"]),
        ("ID=ubuntu\nID_LIKE=debian", NO_VENV, ["module venv is missing", "apt-get install python3.13-venv"]),
        ("ID=fedora", None, ["python3 is missing", "dnf install python3", "dnf install git"]),
        ('ID=rocky\nID_LIKE="rhel centos fedora"', OLD, ["python3 is Python 3.9, too old", "dnf install python3.12"]),
        ("ID=arch", NO_GL, ["libGL.so.1 is missing", "pacman -S --needed libglvnd"]),
        ("ID=opensuse-tumbleweed\nID_LIKE='opensuse suse'", NO_GL, ["libGL.so.1", "zypper install Mesa-libGL1"]),
        ("ID=unknown", None, ["python3 is missing", "install it with the package manager of this system"]),
        ("ID=alpine", "exit 0", ["Alpine Linux is not supported"]),
    ],
)
def test_what_is_missing_is_named_with_the_command(
    tmp_path: Path, release: str, python: str | None, lines: list[str]
) -> None:
    done = system(tmp_path, release=release, python=python)
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line for line in lines if line not in done.stderr] == []
    assert "not found" not in done.stderr


def test_a_newer_python_of_another_name_is_suggested(tmp_path: Path) -> None:
    done = system(tmp_path, release="ID=debian", python=OLD)
    assert "is installed too" not in done.stderr
    (tmp_path / "bin/python3.12").symlink_to("/bin/true")
    done = subprocess.run(  # noqa: S603 - our own script
        [str(tmp_path / "bin/sh"), str(SCRIPT), "python3"],
        env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "-> make PYTHON=python3.12, as python3.12 is installed too" in done.stderr


def test_a_complete_system_prints_nothing(tmp_path: Path) -> None:
    done = system(tmp_path, release="ID=debian", python='case "$2" in *print*) echo 3.13;; esac', git=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
