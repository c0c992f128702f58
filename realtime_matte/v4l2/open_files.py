"""Which programs have a file or device open (Linux)."""

import os
from pathlib import Path

OURS = "rtmatte"


def holders(path: Path, *, root: Path) -> str:
    """Name and process number of each but ours, as far as we may look: ``chrome (process 7), zoom (process 9)``.

    ``root`` is where ``proc`` is mounted.
    """
    return ", ".join(f"{_name(root / f'proc/{number}')} (process {number})" for number in _found(path, root))


def holder_names(path: Path, *, root: Path) -> tuple[str, ...]:
    """Names of the same programs, for ``MatteError.used_by``; OURS for another rtmatte."""
    return tuple(_name(root / f"proc/{number}") for number in _found(path, root))


def held_by_us(path: Path, *, root: Path) -> bool:
    """Whether this program has it open."""
    return _holds(os.getpid(), path, root)


def _found(path: Path, root: Path) -> list[int]:
    numbers = sorted(int(entry.name) for entry in (root / "proc").glob("[0-9]*"))
    return [number for number in numbers if number != os.getpid() and _holds(number, path, root)]


def _holds(number: int, path: Path, root: Path) -> bool:
    target = os.path.realpath(path)
    try:
        return any(_link(entry) == target for entry in (root / f"proc/{number}/fd").iterdir())
    except OSError:
        return False  # another user's process, or one that has just ended


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed since it was listed


def _name(process: Path) -> str:
    words = _read(process / "cmdline").split("\0")
    if "realtime_matte" in words or any(Path(word).name == OURS for word in words[:2]):
        return OURS  # else it would be called after its Python
    return _read(process / "comm").strip() or "a program"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # it has just ended
