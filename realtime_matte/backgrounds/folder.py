"""A slideshow: ``folder:pics``, or just the folder's name; ``folder:pics?seconds=10&fade=0`` sets its timing."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.backgrounds._read_ahead import TOLERANCE_S
from realtime_matte.backgrounds._slides import Slide, list_slides
from realtime_matte.config.specs import SpecOption, at_least_zero, parse, positive, split
from realtime_matte.errors import BadFile, MissingDependency, MissingFile, SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.paths import is_folder

OPTIONS: Final = {
    "seconds": SpecOption(positive, "time of each image or clip, s", default=30.0),
    "fade": SpecOption(at_least_zero, "time of the cross-fade into the next one, s", default=1.0),
}

LEFT_OUT: Final = "left out of the slideshow: "


def claims(spec: str) -> bool:
    """True for the path of an existing folder."""
    return bool(spec) and is_folder(split(spec, OPTIONS)[0])


def open(rest: str, /, *, size: Size, fit: Fit) -> "Slideshow":
    """Open the folder and read its first image or clip."""
    name, options = parse(rest, OPTIONS)
    if not name:
        raise SpecError("'folder:' needs a folder name", hint="such as folder:pics")
    seconds = options["seconds"]
    return Slideshow(list_slides(name), size, fit, seconds=seconds, fade_s=min(options["fade"], seconds))


class Slideshow:
    """Each image or clip for ``seconds``, cross-faded into the next; a clip that is shorter repeats.

    Opening a file takes longer than a frame may, and cannot be done in steps: one thread closes the previous slide and
    opens the next one while the current one is shown. When the time is over, ``image()`` waits until the next one is
    open, so that a recording is exact; in real time, and after ``next()``, the current one stays until then. It also
    stays while none can be read: they are tried again each time.
    """

    def __init__(self, paths: list[Path], size: Size, fit: Fit, *, seconds: float, fade_s: float) -> None:
        self._paths = paths
        self._index = 0  # of the next path to read; owned by the reading thread once there is one
        self._left_out: tuple[str, ...] = ()  # replaced by the reading thread
        self._stopped: tuple[str, ...] = ()
        self._stays: tuple[str, ...] = ()  # why the current one stays; replaced by the reading thread
        self._size = size
        self._fit: Fit = fit
        self._seconds = seconds
        self._fade_s = fade_s
        self._real_time = False
        self._start: float | None = None  # of the current slide
        self._requested = False  # the next slide, before its time
        self._current = self._read()
        self._mixed = np.empty((size[1], size[0], 3), np.uint8)
        self._executor = ThreadPoolExecutor(1, "slideshow")
        self._next = self._executor.submit(self._read_or_stay) if len(paths) > 1 else None

    @property
    def notices(self) -> tuple[str, ...]:
        """Messages to the user about the files."""
        return tuple(dict.fromkeys((*self._left_out, *self._stopped, *self._stays, *self._current.notices)))

    def set_real_time(self, *, real_time: bool) -> None:
        """Whether outputs are watched live, so that no frame may be held up; set before the first frame."""
        self._real_time = real_time
        self._current.set_real_time(real_time=real_time)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The image at that time, or two of them mixed."""
        if self._next is None:
            return self._only(frame, matte)
        self._start = frame.time if self._start is None else self._start
        ready = self._next.done()
        if self._real_time and not ready:  # its fade has not begun when it is open
            self._start = max(self._start, frame.time - self._seconds + self._fade_s)
            return self._current.image(frame, matte)
        elapsed_s = frame.time - self._start
        at_once = (self._requested and ready) or (self._current.error is not None and not self._stays)
        if elapsed_s >= self._seconds - TOLERANCE_S or at_once:
            late = at_once or elapsed_s >= 2 * self._seconds
            self._start = frame.time if late else self._start + self._seconds
            self._show_next(self._next)
            return self._current.image(frame, matte)
        return self._fade(elapsed_s - self._seconds + self._fade_s, self._next, frame, matte)

    def next(self) -> None:
        """Show the next image or clip as soon as it is open, for its full time."""
        self._requested = True

    def close(self) -> None:
        """Wait for the slide that is being opened, if any, and close all. Idempotent."""
        self._executor.shutdown()
        self._current.close()
        if self._next and not self._next.exception() and (slide := self._next.result()):
            slide.close()

    def _only(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The image of a folder's only file. Raises what ended its clip."""
        image = self._current.image(frame, matte)
        if self._current.error:
            raise self._current.error
        return image

    def _show_next(self, following: Future[Slide | None]) -> None:
        """Make it the current one, if there is one, and have the one after it opened."""
        previous, slide = self._current, following.result()
        if previous.error:
            self._stopped = _added(self._stopped, f"{LEFT_OUT}{previous.error}")
        self._requested = False
        if slide is None:
            self._next = self._executor.submit(self._read_or_stay)
            return
        self._current = slide
        self._current.set_real_time(real_time=self._real_time)
        self._next = self._executor.submit(self._replace, previous)

    def _fade(self, elapsed_s: float, following: Future[Slide | None], frame: Frame, matte: RefinedMatte) -> Pixels:
        image = self._current.image(frame, matte)
        if elapsed_s < -TOLERANCE_S:
            return image
        slide = following.result()
        if slide is None:
            return image
        slide.set_real_time(real_time=self._real_time)
        weight = max(elapsed_s, 0.0) / self._fade_s
        cv2.addWeighted(image, 1 - weight, slide.image(frame, matte), weight, 0, dst=self._mixed)
        return self._mixed

    def _replace(self, previous: Slide) -> Slide | None:
        previous.close()
        return self._read_or_stay()

    def _read_or_stay(self) -> Slide | None:
        """The next slide; None if there is none, such as after their drive was removed."""
        try:
            slide = self._read()
        except BadFile as error:
            self._stays = (f"{error.message}, and the slide that is shown stays; {error.hint}",)
            return None
        self._stays = ()
        return slide

    def _read(self) -> Slide:
        """The next slide that can be opened; the others are left out, and each is named once. Raises BadFile."""
        left_out = self._left_out
        missing = 0
        for _ in self._paths:
            path = self._paths[self._index]
            self._index = (self._index + 1) % len(self._paths)
            try:
                slide = Slide(path, self._size, self._fit)
            except (BadFile, MissingFile, MissingDependency) as error:
                left_out = _added(left_out, f"{LEFT_OUT}{error}")
                missing += isinstance(error, MissingFile)
            else:
                self._left_out = left_out
                return slide
        gone = missing == len(self._paths)
        raise BadFile(
            f"none of the {len(self._paths)} files in {str(path.parent)!r} can be read",
            hint="put them back, or choose another background" if gone else "save images as JPEGs, and clips as MP4s",
        )


def _added(notices: tuple[str, ...], notice: str) -> tuple[str, ...]:
    return notices if notice in notices else (*notices, notice)
