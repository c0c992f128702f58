"""What keeps an output from being written, and what would be lost by writing it."""

import errno
from pathlib import Path
from typing import Final

from realtime_matte.errors import SinkError
from realtime_matte.paths import is_file

ROOM: Final = "make room on that disk"
FOLDER: Final = "make that folder first"
PERMIT: Final = "take a folder that you may write to"

MENDS: Final = {
    errno.ENOSPC: ROOM,
    getattr(errno, "EDQUOT", errno.ENOSPC): ROOM,
    errno.EFBIG: "that disk takes no larger file; take another one",
    errno.ENOENT: FOLDER,
    errno.ENOTDIR: FOLDER,
    errno.EEXIST: "a file has that name; take another one",
    errno.EACCES: PERMIT,
    errno.EPERM: PERMIT,
    errno.EROFS: PERMIT,
    errno.EISDIR: "that is a folder; name a file in it",
}


def unwritten(path: Path, code: int | None, reason: object) -> SinkError:
    """What to tell when the system, or FFmpeg, cannot write there."""
    return SinkError(f"cannot write {str(path)!r}: {reason}; {MENDS.get(code or 0, 'write to another place')}")


def refuse_to_overwrite(path: Path, *, overwrite: bool) -> None:
    """Raise SinkError where something is there already."""
    if not overwrite and is_file(path) and path.stat().st_size:
        raise SinkError(f"{str(path)!r} is there already; add ?overwrite=yes to write over it, or name another file")


def make_file(path: Path) -> None:
    """Make the file, or empty it. Raises SinkError, now and not at the first picture."""
    try:
        path.open("wb").close()
    except OSError as error:
        raise unwritten(path, error.errno, error.strerror) from error
