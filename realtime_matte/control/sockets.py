"""Control sockets of Linux and macOS: where they are, and one request over one of them. Imports nothing heavy."""

import os
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from realtime_matte.errors import SinkError

FOLDER: Final = "rtmatte"
SUFFIX: Final = ".sock"

USERS: Final = Path("/run/user")
"""Where systemd makes the runtime folder of each user, also for programs without XDG_RUNTIME_DIR."""

CONNECT_S: Final = 2.0


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


def sockets() -> dict[int, Path]:
    """The sockets of this user on which an instance answers, by process number. Those left behind are deleted."""
    found: dict[int, Path] = {}
    for folder in _folders():
        if _is_private(folder):
            for path in folder.glob(f"*{SUFFIX}"):
                if path.stem.isdecimal() and not remove_stale(path):
                    found.setdefault(int(path.stem), path)
    return found


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


def exchange(address: str, line: bytes, *, timeout_s: float, most: int) -> bytes:
    """The answer to one request. Raises OSError.

    Args:
        address: Path of the socket.
        line: The request.
        timeout_s: For each step.
        most: Bytes of the longest answer.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        connection.connect(address)
        connection.sendall(line)
        with connection.makefile("rb") as lines:
            return lines.readline(most)


def listen(path: Path, *, connections: int) -> socket.socket:
    """A listening socket at ``path``, for this user only.

    It is renamed to ``path`` only after ``listen()``: a client that found it earlier would delete it as stale.

    Raises:
        OSError
    """
    if not remove_stale(path):
        raise OSError("it is in use")
    new = path.with_name(f".{path.name}")
    new.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(new))
        new.chmod(0o600)
        listener.listen(connections)
        new.replace(path)
    except OSError:
        listener.close()
        raise
    return listener


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
