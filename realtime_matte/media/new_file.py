"""What keeps an output from being written, and what would be lost by writing it."""

import errno
import os
from contextlib import suppress
from itertools import chain, count
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
    return SinkError(f"cannot write {str(path)!r}: {reason}", hint=f"{MENDS.get(code or 0, 'write to another place')}")


class NewFile:
    """A file made now, so that what keeps it from being written is told now and not at the first picture.

    One that is there is only written over if ``overwrite``; it is kept beside the new one until that is ``whole``.

    Raises:
        SinkError
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self._path = path
        self._before: Path | None = None
        try:
            if overwrite and is_file(path):
                before = _beside(path)
                path.replace(before)
                self._before = before
            path.open("xb" if overwrite or not path.exists() or is_file(path) else "wb").close()
        except FileExistsError as error:
            mend = "it is no file, so name another one"
            if not overwrite:
                mend = "add ?overwrite=yes to write over it, or name another file"
            raise SinkError(f"{str(path)!r} is there already", hint=f"{mend}") from error
        except OSError as error:
            self.take_away()
            raise unwritten(path, error.errno, error.strerror) from error

    @property
    def kept(self) -> str:
        """Where what was there before is now, to be told; empty where nothing was."""
        return f"; what was there before is kept as {str(self._before)!r}" if self._before else ""

    def whole(self) -> None:
        """It is finished: what was there before is given up."""
        if self._before:
            with suppress(OSError):
                self._before.unlink()
            self._before = None

    def take_away(self) -> None:
        """Nothing was written: what was there before is there again."""
        with suppress(OSError):
            if self._before:
                self._before.replace(self._path)
            else:
                self._path.unlink()
        self._before = None


def _beside(path: Path) -> Path:
    """A name beside it that nothing has yet."""
    names = (path.with_name(f"{path.name}.before{number}") for number in chain([""], count(2)))
    return next(name for name in names if not os.path.lexists(name))
