"""Slides of a folder: its images and clips in their order, and one of them while it is shown."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from realtime_matte.backgrounds import video
from realtime_matte.backgrounds.image import StillBackground
from realtime_matte.errors import BadFile, MatteError, MissingFile, read_hint
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media import clip, image
from realtime_matte.media.fit import fit_image
from realtime_matte.paths import named

SUFFIXES: Final = image.SUFFIXES | clip.SUFFIXES

EXAMPLES: Final = ".jpg, .png, .webp, .heic, .gif, .mp4, .mov, .webm"
"""Of SUFFIXES, those that most files have."""


class Slide:
    """A file that is shown for a while. Opened in one thread, then used by another.

    Raises:
        MissingFile, BadFile, MissingDependency

    Attributes:
        error: Why a clip cannot go on; its last image is shown from then on.
    """

    def __init__(self, path: Path, size: Size, fit: Fit) -> None:
        self.error: MatteError | None = None
        self._background = _open(path, size, fit)

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user about the file."""
        return self._background.notices

    def set_real_time(self, *, real_time: bool) -> None:
        """Whether nothing may wait for a clip; set before the first image."""
        if isinstance(self._background, video.VideoBackground):
            self._background.set_real_time(real_time=real_time)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """Its image at ``frame.time``; a clip begins with the first call."""
        if isinstance(self._background, StillBackground):
            return self._background.image(frame, matte)
        if self.error is None:
            try:
                return self._background.image(frame, matte)
            except (BadFile, MissingFile) as error:
                self.error = error
        return self._background.shown

    def close(self) -> None:
        """Close the file. Idempotent; may wait for a frame that is being decoded."""
        self._background.close()


def list_slides(name: str) -> list[Path]:
    """The images and clips in a folder in their natural order, not hidden ones, nor those in its subfolders.

    Raises:
        MissingFile: It cannot be listed.
        BadFile: There are none.
    """
    try:
        entries = sorted(named(name).iterdir(), key=natural_order)
    except OSError as error:
        raise MissingFile(
            f"cannot list the folder {name!r}: {error.strerror}", hint=read_hint(error, "name an existing folder")
        ) from error
    named_so = (entry for entry in entries if entry.suffix.lower() in SUFFIXES)
    paths = [entry for entry in named_so if not is_hidden(entry) and not entry.is_dir()]
    if not paths:
        raise BadFile(f"no images or clips in the folder {name!r}", hint=f"put files in it such as {EXAMPLES}")
    return paths


def natural_order(path: Path) -> tuple[list[str | int], str]:
    """A sorting key with which 2.jpg comes before 10.jpg."""
    parts = re.split("([0-9]+)", path.name.casefold())
    return [int(part) if position % 2 else part for position, part in enumerate(parts)], path.name


def is_hidden(path: Path) -> bool:
    """Whether file managers hide it. Android calls deleted photographs .trashed-..., and keeps them for a month."""
    if path.name.startswith("."):
        return True
    try:
        status = path.stat()
    except OSError:
        return False
    windows, macos = getattr(status, "st_file_attributes", 0), getattr(status, "st_flags", 0)
    return bool(windows & stat.FILE_ATTRIBUTE_HIDDEN or macos & stat.UF_HIDDEN)


def _open(path: Path, size: Size, fit: Fit) -> StillBackground | video.VideoBackground:
    if video.claims(str(path)):
        return video.open_clip(path, size=size, fit=fit)
    loaded = image.load(path)
    return StillBackground(fit_image(loaded.pixels, size, fit), loaded.notices)
