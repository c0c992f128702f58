"""New output files that replace an old one only when they are complete, and errors of writing.

No link is followed: a new file is created (O_EXCL) and renamed when it is complete.
"""

import errno
import os
import stat
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Final

from realtime_matte.errors import SinkError
from realtime_matte.paths import is_file

NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

FREE_SPACE: Final = "free some space on that disk"
MAKE_FOLDER: Final = "create that folder first"
PERMISSION: Final = "choose a folder that you may write to"

HINTS: Final = {
    errno.ENOSPC: FREE_SPACE,
    getattr(errno, "EDQUOT", errno.ENOSPC): FREE_SPACE,
    errno.EFBIG: "that disk takes no larger file; choose another one",
    errno.ENOENT: MAKE_FOLDER,
    errno.ENOTDIR: MAKE_FOLDER,
    errno.EEXIST: "a file has that name; choose another one",
    errno.EACCES: PERMISSION,
    errno.EPERM: PERMISSION,
    errno.EROFS: PERMISSION,
    errno.ENOMEM: "not enough memory: close other programs, or choose a smaller --size",
    errno.EISDIR: "name a file in it",
}

SPECIAL: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""Names that are not regular files: opening one may block forever, and no file can be completed there."""


def write_error(path: Path, code: int | None, reason: object) -> SinkError:
    """The error for a path that cannot be written. ``code``: the errno of the system or of FFmpeg."""
    hint = HINTS.get(code or 0, "write to another place")
    return SinkError(f"cannot write {str(path)!r}: {reason}", hint=hint)


def write_whole(path: Path, data: bytes | memoryview, *, mode: int = 0o666) -> None:
    """Write a file that gets its final name only when it is complete; replaces an existing file, or a link to one.

    ``mode``: permissions of the new file, whatever those of the old one; the process's mask takes some away.

    Raises:
        SinkError: it cannot be written, or the name is one of a pipe, a socket or a device.
    """
    part = _part(path)
    try:
        _refuse_special(path)
        with os.fdopen(_new_part(part, mode), "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError as error:
        if isinstance(error, SinkError):
            raise
        with suppress(OSError):
            part.unlink()
        raise write_error(path, error.errno, error.strerror) from error


def check_folder(folder: Path, name: str) -> None:
    """Check that ``write_whole`` can write a file ``name`` into the folder, by creating and deleting its part.

    Only trying shows it: a read-only disk has permissions to write, and root needs none. Raises SinkError.
    """
    part = _part(folder / name)
    try:
        os.close(_new_part(part, 0o666))
        part.unlink()
    except OSError as error:
        raise write_error(folder, error.errno, error.strerror) from error


def check_writable(path: Path) -> None:
    """Check that ``write_whole`` can write there, for data that takes long to make. Raises SinkError."""
    _refuse_special(path)
    folder = path.parent
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            code = errno.ENOTDIR
        elif not os.access(folder, os.W_OK | os.X_OK):
            code = errno.EACCES
        else:
            code = errno.EISDIR if path.is_dir() else 0
    except OSError as error:
        raise write_error(path, error.errno, error.strerror) from error
    if code:
        raise write_error(path, code, os.strerror(code))


class NewFile:
    """Creates the file at once, so that an error is reported now and not at the first frame.

    An existing file is replaced only if ``overwrite``; it is kept beside the new one until ``complete``. The new one is
    locked until it is complete or the process ends, so that no other NewFile replaces it (not on Windows, where open
    files cannot be renamed).

    Raises:
        SinkError
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self._path = path
        self._backup: Path | None = None
        self._descriptor: int | None = None
        _refuse_special(path)
        replaced = _lock_existing(path) if overwrite and is_file(path) else None
        try:
            if overwrite and is_file(path):
                backup = _free_name(path)
                path.replace(backup)
                self._backup = backup
            self._descriptor = os.open(path, NEW, 0o666)
            _lock(self._descriptor)
        except FileExistsError as error:
            raise _exists(path, overwrite=overwrite) from error
        except OSError as error:
            self.discard()
            raise write_error(path, error.errno, error.strerror) from error
        finally:
            _close(replaced)

    @property
    def backup_note(self) -> str:
        """Where the replaced file is kept, to be added to an error; empty where there is none."""
        return f"; the file that was there before is kept as {str(self._backup)!r}" if self._backup else ""

    def complete(self) -> None:
        """The new file is whole: delete the one it replaces."""
        if self._backup:
            with suppress(OSError):
                self._backup.unlink()
            self._backup = None
        self.release()

    def discard(self) -> None:
        """Delete the new file, and restore the one it would replace; ``backup_note`` is empty if that succeeds."""
        with suppress(OSError):
            if self._backup:
                self._backup.replace(self._path)
                self._backup = None
            elif self._descriptor is not None:  # else the file there, if any, is not ours
                self._path.unlink()
        self.release()

    def release(self) -> None:
        """Let others replace the file, also one that is incomplete. Idempotent."""
        _close(self._descriptor)
        self._descriptor = None


class FolderLock:
    """Keeps other FolderLocks off a folder that files are written into, until ``release`` or the end of the process.

    Nothing is written for it. Without effect on Windows, where folders cannot be locked.

    Raises:
        SinkError: another program has it locked.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        if os.name != "posix":
            return
        with suppress(OSError):  # a folder that may not be read is written without a lock
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        if self._descriptor is not None and not _lock(self._descriptor):
            self.release()
            raise _busy(folder, "folder")

    def release(self) -> None:
        """Let others write there. Idempotent."""
        _close(self._descriptor)
        self._descriptor = None


def _part(path: Path) -> Path:
    return path.with_suffix(f"{path.suffix}.part")


def _new_part(part: Path, mode: int) -> int:
    """A descriptor of the part, in place of one that a killed run left, or of a link of another user."""
    with suppress(FileNotFoundError):
        part.unlink()
    return os.open(part, NEW, mode)


def _refuse_special(path: Path) -> None:
    """Raise SinkError for a pipe, a socket or a device, also behind a link."""
    try:
        kind = SPECIAL.get(stat.S_IFMT(path.stat().st_mode))
    except OSError:
        return  # does not exist; other errors are reported when the file is created
    if kind:
        raise SinkError(f"cannot write {str(path)!r}: it is {kind}, not a file", hint="name a file that is not there")


def _lock_existing(path: Path) -> int | None:
    """A locked descriptor of a file that is to be replaced, to be closed; None where it cannot be locked.

    Raises SinkError if another program writes it.
    """
    if os.name != "posix":
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None  # it may be renamed all the same
    with suppress(OSError):
        if _lock(descriptor) and os.path.samestat(os.fstat(descriptor), path.stat()):  # else it was replaced just now
            return descriptor
    _close(descriptor)
    raise _busy(path, "file")


def _busy(path: Path, kind: str) -> SinkError:
    return SinkError(
        f"cannot write {str(path)!r}: another program is writing it", hint=f"end that program, or name another {kind}"
    )


def _lock(descriptor: int) -> bool:
    """Lock the file or folder until its descriptor is closed; False if another one has it locked."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX only
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a drive without locks
    return True


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)


def _exists(path: Path, *, overwrite: bool) -> SinkError:
    if overwrite:
        return SinkError(f"{str(path)!r} already exists", hint="it is not a file; name another one")
    if path.is_dir():
        return write_error(path, errno.EISDIR, os.strerror(errno.EISDIR))
    return SinkError(f"{str(path)!r} already exists", hint="add ?overwrite=yes to replace it, or name another file")


def _free_name(path: Path) -> Path:
    """A name beside it that does not exist yet."""
    names = (path.with_name(f"{path.name}.before{number}") for number in chain([""], count(2)))
    return next(name for name in names if not os.path.lexists(name))
