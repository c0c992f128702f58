"""Numbered PNGs in a folder, with alpha: ``frames:folder`` writes ``folder/000000.png`` and so on.

A folder that already has such images is refused. ``frames:folder?overwrite=yes`` replaces all of them. A folder into
which another program is writing frames is refused in any case.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2

from realtime_matte.config.specs import SpecOption, parse, switch
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.new_file import FolderLock, check_folder, write_error, write_whole
from realtime_matte.paths import named

OPTIONS: Final = {"overwrite": SpecOption(switch, "replace existing numbered images", default=False)}

FAST_PNG: Final = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Frames":  # noqa: ARG001 - PNGs are of any size
    """Create the folder where it is missing. Raises SpecError; SinkError: it cannot be written."""
    name, options = parse(rest, OPTIONS)
    if not name:
        raise SpecError("'frames:' needs a folder name", hint="such as frames:out")
    folder = named(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error.errno, error.strerror) from error
    lock = FolderLock(folder)
    try:
        _check(folder, overwrite=options["overwrite"])
    except BaseException:
        lock.release()
        raise
    return Frames(folder, lock, alpha=alpha)


def _check(folder: Path, *, overwrite: bool) -> None:
    """Check before the first frame that the images can be written. Raises SinkError."""
    existing = sum(1 for _ in folder.glob("[0-9]*.png"))
    if existing and not overwrite:
        raise SinkError(
            f"{str(folder)!r} already has {existing} numbered images",
            hint="add ?overwrite=yes to replace them, or name another folder",
        )
    check_folder(folder, _name(0))


class Frames:
    """Writes each output frame under its number. A file with its final name is complete."""

    live: Final = False

    def __init__(self, folder: Path, lock: FolderLock, *, alpha: bool) -> None:
        self.alpha = alpha
        self._folder = folder
        self._lock = lock
        self._number = 0

    @property
    def notices(self) -> Sequence[str]:
        """The folder."""
        return [f"{self._folder}: numbered PNGs{' with alpha' if self.alpha else ''}"]

    def send(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - the numbers give the order alone
        """Write the output frame."""
        data = cv2.imencode(".png", image, FAST_PNG)[1]
        write_whole(self._path(self._number), data.data)
        self._number += 1

    def close(self) -> None:
        """Delete the images after the last one, which an earlier, longer run left. Idempotent."""
        while self._number and (old := self._path(self._number)).is_file():
            with suppress(OSError):
                old.unlink()
            self._number += 1
        self._lock.release()

    def _path(self, number: int) -> Path:
        return self._folder / _name(number)


def _name(number: int) -> str:
    return f"{number:06}.png"
