"""Where the control sockets of running instances are, and how a client asks one of them. Imports nothing heavy."""

import json
import os
import socket
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from realtime_matte.errors import MatteError, SinkError

FOLDER: Final = "rtmatte"
SUFFIX: Final = ".sock"

USERS: Final = Path("/run/user")
"""Where systemd makes the runtime folder of each user, also for programs without XDG_RUNTIME_DIR."""

MAX_ANSWER: Final = 1 << 28
"""Bytes of the longest answer: a snapshot of the largest size, as PNG in base64, and more."""

TIMEOUT_S: Final = 75.0
"""Longer than the server waits for a command."""

CONNECT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A running rtmatte: its process number and its socket."""

    pid: int
    path: Path


def open_folder() -> Path:
    """The folder for the sockets of this user, which no other user can enter; made if it is not there.

    Raises:
        SinkError: It cannot be made, or is another user's, or open to others.
    """
    folder = _folders()[0]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot create {folder}: {error.strerror}", hint="set XDG_RUNTIME_DIR") from error
    if not _is_private(folder):
        raise SinkError(f"{folder} is not a folder of this user alone", hint=f"delete it, or: chmod 700 {folder}")
    return folder


def instances() -> list[Instance]:
    """The instances of this user that answer, by process number. Sockets that programs left behind are deleted."""
    found: dict[int, Instance] = {}
    for folder in _folders():
        if _is_private(folder):
            for path in folder.glob(f"*{SUFFIX}"):
                if path.stem.isdecimal() and not remove_stale(path):
                    found.setdefault(int(path.stem), Instance(int(path.stem), path))
    return [found[pid] for pid in sorted(found)]


def remove_stale(path: Path) -> bool:
    """Delete a socket that no program listens on. True if there is none any more."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CONNECT_S)
        try:
            connection.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            with suppress(OSError):
                path.unlink()
            return True
        except OSError:  # it exists, and does not answer now
            return False
    return False


def choose(pid: int | None) -> Instance:
    """The instance with this process number, or the only one there is.

    Raises:
        MatteError: There is none, or there are several.
    """
    found = instances()
    pids = ", ".join(str(instance.pid) for instance in found)
    if not found:
        raise MatteError("no rtmatte is running", hint="start it, without --no-control")
    if pid is not None:
        chosen = [instance for instance in found if instance.pid == pid]
        if not chosen:
            raise MatteError(f"no rtmatte with pid {pid}", hint=f"there are: {pids}")
        return chosen[0]
    if len(found) > 1:
        raise MatteError(f"{len(found)} instances of rtmatte are running: {pids}", hint="add --pid N")
    return found[0]


def ask(instance: Instance, key: str, value: object = None, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Send one command, or ``status``. Returns the answer: ``status``, and ``image`` of a snapshot.

    Raises:
        MatteError: It was refused, or there is no answer.
    """
    line = json.dumps({"key": key, "value": value}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(instance.path))
            connection.sendall(line)
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline(MAX_ANSWER) or b"{}")
    except (OSError, ValueError) as error:
        raise MatteError(f"rtmatte (pid {instance.pid}) does not answer: {error}", hint="try again") from error
    if "error" in answer:
        raise MatteError(answer["error"]["message"], hint=answer["error"]["hint"])
    if "status" not in answer:
        raise MatteError(f"rtmatte (pid {instance.pid}) ended without an answer", hint="start it again")
    return dict(answer)


def _folders() -> list[Path]:
    """Where sockets may be: first where this process makes its own.

    A login session and a service have XDG_RUNTIME_DIR; cron, sudo and macOS have not.
    """
    user = os.getuid()
    runtime = [Path(os.environ.get("XDG_RUNTIME_DIR", "")), USERS / str(user)]
    usable = [folder / FOLDER for folder in runtime if folder.is_absolute() and _is_own(folder)]
    return list(dict.fromkeys([*usable, Path(tempfile.gettempdir()) / f"{FOLDER}-{user}"]))


def _is_own(folder: Path) -> bool:
    """Whether it is a folder, not a link, of this user."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _is_private(folder: Path) -> bool:
    """Whether it is a folder of this user that no other user can enter."""
    return _is_own(folder) and not folder.lstat().st_mode & 0o077
