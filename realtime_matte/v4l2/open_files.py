"""Finds the programs that have a device or file open (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RTMATTE: Final = "rtmatte"


@dataclass(frozen=True, slots=True)
class Program:
    """A running program; ``name`` is RTMATTE for this one started a second time, else its command's."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def programs_using(path: Path, *, root: Path = Path("/")) -> list[Program]:
    """The programs that have it open, by process number, as far as this user may see; without this process.

    ``root`` is the folder with ``proc``.
    """
    pids = sorted(int(entry.name) for entry in (root / "proc").glob("[0-9]*"))
    using = [pid for pid in pids if pid != os.getpid() and _has_open(pid, path, root)]
    return [Program(_name(root / f"proc/{pid}"), pid) for pid in using]


def used_by_this_process(path: Path, *, root: Path = Path("/")) -> bool:
    """Whether this process has it open."""
    return _has_open(os.getpid(), path, root)


def _has_open(pid: int, path: Path, root: Path) -> bool:
    target = os.path.realpath(path)
    try:
        return any(_link(entry) == target for entry in (root / f"proc/{pid}/fd").iterdir())
    except OSError:
        return False  # another user's process, or one that has just ended


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed since it was listed


def _name(process: Path) -> str:
    words = _read(process / "cmdline").split("\0")
    if "realtime_matte" in words or any(Path(word).name == RTMATTE for word in words[:2]):
        return RTMATTE  # its comm is the name of the Python interpreter
    return _read(process / "comm").strip() or "a program"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # the process has just ended
