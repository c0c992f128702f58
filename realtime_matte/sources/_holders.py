"""Which programs have a file or device open (Linux)."""

import os
from pathlib import Path


def holders(path: Path, *, proc: Path) -> dict[int, str]:
    """Process number and name of each, as far as we may look."""
    target = os.path.realpath(path)
    numbers = sorted(int(entry.name) for entry in proc.glob("[0-9]*"))
    return {number: _name(proc / str(number)) for number in numbers if _holds(proc / str(number), target)}


def _holds(process: Path, target: str) -> bool:
    try:
        return any(_link(entry) == target for entry in (process / "fd").iterdir())
    except OSError:
        return False  # another user's process, or one that has just ended


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed since it was listed


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:
        return "a process"
