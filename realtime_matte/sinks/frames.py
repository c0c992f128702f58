"""Numbered PNGs in a folder, alpha kept: ``frames:folder`` writes ``folder/000000.png`` and on.

A folder that holds such pictures already is not written into unless asked to: ``frames:folder?overwrite=yes``, which
leaves none of the old ones.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2

from realtime_matte.config.specs import parse, switch
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.new_file import unwritten
from realtime_matte.paths import named

QUICKLY: Final = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Frames":  # noqa: ARG001 - PNGs are of any size
    """Make the folder where it is missing."""
    name, options = parse(rest, {"overwrite": switch})
    if not name:
        raise SpecError("no folder is named after 'frames:'", hint="name one, as in frames:out")
    folder = named(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten(folder, error.errno, error.strerror) from error
    there = sum(1 for _ in folder.glob("[0-9]*.png"))
    if there and not options.get("overwrite", False):
        raise SinkError(
            f"{str(folder)!r} holds {there} numbered pictures already",
            hint="add ?overwrite=yes to write over them, or name another folder",
        )
    return Frames(folder, alpha=alpha)


class Frames:
    """Writes each picture under its number; one that is there under its name is whole."""

    live: Final = False

    def __init__(self, folder: Path, *, alpha: bool) -> None:
        self.alpha = alpha
        self._folder = folder
        self._number = 0

    @property
    def notices(self) -> Sequence[str]:
        """Which folder it is."""
        return [f"{self._folder}: numbered PNGs{' with alpha' if self.alpha else ''}"]

    def send(self, picture: Pixels, time: float) -> None:  # noqa: ARG002 - numbers tell the order alone
        """Write the picture."""
        path = self._path(self._number)
        part = path.with_suffix(".part")
        data = cv2.imencode(".png", picture, QUICKLY)[1]
        try:
            part.write_bytes(data.data)
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise unwritten(path, error.errno, error.strerror) from error
        self._number += 1

    def close(self) -> None:
        """Take away what an earlier, longer run left behind the last picture: it is none of this one."""
        while self._number and (old := self._path(self._number)).is_file():
            with suppress(OSError):
                old.unlink()
            self._number += 1

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.png"
