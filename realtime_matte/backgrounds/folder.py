"""A slideshow: ``folder:pics``, or just the folder's name; ``folder:pics?seconds=10&fade=0`` sets its timing."""

import re
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.config.specs import SpecOption, at_least_zero, parse, positive, split
from realtime_matte.errors import BadFile, MissingDependency, MissingFile, SpecError, read_hint
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media.fit import fit_image
from realtime_matte.media.image import SUFFIXES, load
from realtime_matte.paths import is_folder, named

OPTIONS: Final = {
    "seconds": SpecOption(positive, "time of each image, s", default=30.0),
    "fade": SpecOption(at_least_zero, "time of the cross-fade into the next image, s", default=1.0),
}


def claims(spec: str) -> bool:
    """True for the path of an existing folder."""
    return bool(spec) and is_folder(split(spec, OPTIONS)[0])


def open(rest: str, /, *, size: Size, fit: Fit) -> "Slideshow":
    """Open the folder and read its first image."""
    name, options = parse(rest, OPTIONS)
    if not name:
        raise SpecError("'folder:' needs a folder name", hint="such as folder:pics")
    seconds = options["seconds"]
    return Slideshow(_list_images(name), size, fit, seconds=seconds, fade_s=min(options["fade"], seconds))


class Slideshow:
    """Each image for ``seconds``, cross-faded into the next.

    Decoding an image takes longer than a frame may, and cannot be done in steps: one thread reads the next image while
    the current one is shown. When the time is over, ``image()`` blocks until the next image is read; after ``next()``
    the current image stays until then.
    """

    def __init__(self, paths: list[Path], size: Size, fit: Fit, *, seconds: float, fade_s: float) -> None:
        self._paths = paths
        self._index = 0  # of the next path to read; owned by the reading thread once there is one
        self.notices: tuple[str, ...] = ()  # replaced by the reading thread
        self._size = size
        self._fit: Fit = fit
        self._seconds = seconds
        self._fade_s = fade_s
        self._start: float | None = None  # of the current image
        self._requested = False  # the next image, before its time
        self._current = self._read()
        self._mixed = np.empty_like(self._current)
        self._executor = ThreadPoolExecutor(1, "slideshow")
        self._next = self._executor.submit(self._read) if len(paths) > 1 else None

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - depends on the time alone
        """The image at that time, or two of them mixed."""
        if self._next is None:
            return self._current
        self._start = frame.time if self._start is None else self._start
        elapsed_s = frame.time - self._start
        requested = self._requested and self._next.done()
        if elapsed_s >= self._seconds or requested:
            late = requested or elapsed_s >= 2 * self._seconds
            self._current = self._next.result()
            self._next = self._executor.submit(self._read)
            self._start = frame.time if late else self._start + self._seconds
            self._requested = False
            return self._current
        return self._fade(elapsed_s - self._seconds + self._fade_s, self._next)

    def next(self) -> None:
        """Show the next image as soon as it is read, for its full time."""
        self._requested = True

    def close(self) -> None:
        """Wait for the image that is being read, if any. Idempotent."""
        self._executor.shutdown(cancel_futures=True)

    def _fade(self, elapsed_s: float, following: Future[Pixels]) -> Pixels:
        if elapsed_s <= 0:
            return self._current
        weight = elapsed_s / self._fade_s
        cv2.addWeighted(self._current, 1 - weight, following.result(), weight, 0, dst=self._mixed)
        return self._mixed

    def _read(self) -> Pixels:
        """The next image that can be read; the others are left out, and each is named once."""
        for _ in self._paths:
            path = self._paths[self._index]
            self._index = (self._index + 1) % len(self._paths)
            try:
                loaded = load(path)
            except (BadFile, MissingFile, MissingDependency) as error:
                self._add_notices(f"left out of the slideshow: {error}")
            else:
                self._add_notices(*loaded.notices)
                return fit_image(loaded.pixels, self._size, self._fit)
        raise BadFile(
            f"none of the {len(self._paths)} images in {str(path.parent)!r} can be read", hint="save them as JPEGs"
        )

    def _add_notices(self, *notices: str) -> None:
        self.notices = tuple(dict.fromkeys([*self.notices, *notices]))


def _list_images(name: str) -> list[Path]:
    """The image files in a folder in their natural order, not hidden ones, nor those in its subfolders."""
    try:
        entries = sorted(named(name).iterdir(), key=_natural_order)
    except OSError as error:
        raise MissingFile(
            f"cannot list the folder {name!r}: {error.strerror}", hint=read_hint(error, "name an existing folder")
        ) from error
    paths = [entry for entry in entries if entry.suffix.lower() in SUFFIXES and not _is_hidden(entry)]
    if not paths:
        raise BadFile(
            f"no images in the folder {name!r}", hint=f"put files in it such as {', '.join(sorted(SUFFIXES))}"
        )
    return paths


def _natural_order(path: Path) -> tuple[list[str | int], str]:
    """A sorting key with which 2.jpg comes before 10.jpg."""
    parts = re.split("([0-9]+)", path.name.casefold())
    return [int(part) if position % 2 else part for position, part in enumerate(parts)], path.name


def _is_hidden(path: Path) -> bool:
    """Whether file managers hide it. Android calls deleted photographs .trashed-..., and keeps them for a month."""
    if path.name.startswith("."):
        return True
    try:
        status = path.stat()
    except OSError:
        return False
    windows, macos = getattr(status, "st_file_attributes", 0), getattr(status, "st_flags", 0)
    return bool(windows & stat.FILE_ATTRIBUTE_HIDDEN or macos & stat.UF_HIDDEN)
