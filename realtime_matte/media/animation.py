"""Animated GIF, PNG, WebP and AVIF as a clip that repeats without end, decoded by Pillow a frame at a time."""

from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Final

from realtime_matte.errors import BadFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.fit import resize
from realtime_matte.media.image import damage_reported, make_reader, open_image

MIN_DURATION_S: Final = 0.010
DEFAULT_DURATION_S: Final = 0.1
"""Duration that browsers use for a frame of MIN_DURATION_S or less: such values mean "at the usual speed"."""


def frame_duration(duration_s: float) -> float:
    """How long a frame of an animation is shown, s."""
    return duration_s if duration_s > MIN_DURATION_S else DEFAULT_DURATION_S


class Animation:
    """An animated image file. An incomplete file repeats the frames that can be read, and has a notice.

    Raises:
        MissingFile, BadFile: also from ``step``, when the file can no longer be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cut = False
        self._index = 0
        self._end = 0.0  # of the current frame, s since the first repetition began
        with ExitStack() as stack:
            self._image = stack.enter_context(open_image(path))
            with damage_reported(path):
                self._image.load()
                self._to_pixels, self.notices = make_reader(path, self._image)
            self._single = not getattr(self._image, "is_animated", False)
            self._show(0)
            self._file = stack.pop_all()

    @property
    def until(self) -> float:
        """When the next frame is due, in seconds since the first repetition began; inf for a single frame."""
        return inf if self._single else self._end

    @property
    def size(self) -> Size:
        """Size of the frames."""
        return self._pixels.shape[1], self._pixels.shape[0]

    def restart(self) -> None:
        """Nothing: Pillow has no threads."""

    def step(self, *, hurry: bool) -> None:  # noqa: ARG002 - each frame builds on the one before it
        """Decode the next frame."""
        try:
            following = self._show(self._index + 1)
        except BadFile:
            if not self._cut:
                self.notices += (f"{str(self._path)!r} is cut short or damaged: the images before that are shown",)
            self._cut, following = True, False
        if not following:
            self._show(0)

    def pixels(self, size: Size) -> Pixels:
        """The current frame, with its alpha over black, stretched to ``size``."""
        return resize(self._pixels, size)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()

    def _show(self, index: int) -> bool:
        """Decode a frame. False after the last one."""
        with damage_reported(self._path):
            try:
                self._image.seek(index)
            except EOFError:
                return False
            self._image.load()
            self._pixels = self._to_pixels(self._image)
            self._end += frame_duration(float(self._image.info.get("duration", 0)) / 1000)
        self._index = index
        return True
