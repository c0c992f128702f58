"""A slideshow: ``folder:pics``, or just the folder's name; ``folder:pics?seconds=10&fade=0`` for the pace."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.config.specs import at_least_zero, parse, positive, split
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media.image import SUFFIXES, fill, read
from realtime_matte.paths import is_folder, named

SECONDS: Final = 30.0
FADE_S: Final = 1.0
OPTIONS: Final = {"seconds": positive, "fade": at_least_zero}


def claims(spec: str) -> bool:
    """Names of folders that are there."""
    return bool(spec) and is_folder(split(spec, OPTIONS)[0])


def open(rest: str, /, *, size: Size, fit: Fit) -> "Slideshow":
    """Open the folder and read its first picture."""
    name, options = parse(rest, OPTIONS)
    if not name:
        raise SpecError("no folder is named after 'folder:'", hint="name one, as in folder:pics")
    seconds = options.get("seconds", SECONDS)
    return Slideshow(_pictures(name), size, fit, seconds=seconds, fade_s=min(options.get("fade", FADE_S), seconds))


class Slideshow:
    """Each picture for ``seconds``, cross-faded into the next.

    A picture takes longer to decode than a frame may, and cannot be decoded in steps: one thread reads the next one
    while this one is shown, and does nothing else. It is waited for when its time has come,
    but not when somebody asks for it before.
    """

    def __init__(self, paths: list[Path], size: Size, fit: Fit, *, seconds: float, fade_s: float) -> None:
        self._paths = paths
        self._place = 0  # of the picture to read next; reading thread only, once there is one
        self._size = size
        self._fit: Fit = fit
        self._seconds = seconds
        self._fade_s = fade_s
        self._since: float | None = None  # when the shown picture came
        self._asked = False  # for the next one, before its time
        self._shown = self._read()
        self._mixed = np.empty_like(self._shown)
        self._reader = ThreadPoolExecutor(1, "slideshow")
        self._coming = self._reader.submit(self._read) if len(paths) > 1 else None

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - a slideshow minds the time alone
        """The picture of that time, or two of them mixed."""
        if self._coming is None:
            return self._shown
        self._since = frame.time if self._since is None else self._since
        passed = frame.time - self._since
        asked = self._asked and self._coming.done()
        if passed >= self._seconds or asked:
            late = asked or passed >= 2 * self._seconds
            self._shown = self._coming.result()
            self._coming = self._reader.submit(self._read)
            self._since = frame.time if late else self._since + self._seconds
            self._asked = False
            return self._shown
        return self._fade(passed - self._seconds + self._fade_s, self._coming)

    def next(self) -> None:
        """Show the next picture as soon as it is read, for its full time."""
        self._asked = True

    def close(self) -> None:
        """Wait for the picture that is being read, if any."""
        self._reader.shutdown(cancel_futures=True)

    def _fade(self, passed: float, coming: Future[Pixels]) -> Pixels:
        if passed <= 0:
            return self._shown
        share = passed / self._fade_s
        cv2.addWeighted(self._shown, 1 - share, coming.result(), share, 0, dst=self._mixed)
        return self._mixed

    def _read(self) -> Pixels:
        """The next picture that can be read; those that cannot are passed over."""
        for _ in self._paths:
            path = self._paths[self._place]
            self._place = (self._place + 1) % len(self._paths)
            try:
                return fill(read(path), self._size, self._fit)
            except (BadFile, MissingFile):
                continue
        raise BadFile(
            f"none of the {len(self._paths)} pictures in {str(path.parent)!r} can be read", hint="save them as JPEGs"
        )


def _pictures(name: str) -> list[Path]:
    """Its pictures by name, not those of folders inside."""
    try:
        entries = sorted(named(name).iterdir())
    except OSError as error:
        raise MissingFile(
            f"cannot list the folder {name!r}: {error.strerror}", hint="name one that is there"
        ) from error
    paths = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    if not paths:
        raise BadFile(
            f"no pictures in the folder {name!r}", hint=f"put files in it such as {', '.join(sorted(SUFFIXES))}"
        )
    return paths
