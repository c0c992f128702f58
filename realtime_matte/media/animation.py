"""Animated WebP, which FFmpeg does not decode: OpenCV does, all frames at once."""

from itertools import accumulate
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.errors import BadFile, MissingDependency
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.fit import resize
from realtime_matte.media.image import over_black
from realtime_matte.paths import in_utf8

MAX_BYTES: Final = 128 << 20
"""Of all decoded frames."""

MIN_DURATION_S: Final = 0.01
"""Of a frame: some files give 0."""

HEADER_SIZE: Final = 32
FLAGS: Final = 20
"""Position of the flags in a WebP file that starts with a VP8X chunk."""

ANIMATED: Final = 0x02

CANVAS_WIDTH, CANVAS_HEIGHT = 24, 27
"""Positions of the canvas' size minus 1, three bytes each, little-endian."""


class Animation:
    """The frames of an animation that repeats without end.

    Raises:
        BadFile: Not an animation, or too long to hold in memory.
        SpecError: The file's name is not in UTF-8.
        MissingDependency: OpenCV is older than 4.11.
    """

    def __init__(self, path: Path) -> None:
        self._frames, durations = _read(path)
        self._ends = list(accumulate(durations))  # of each frame, in seconds from the start
        self._repetition = 0
        self._index = 0

    @property
    def until(self) -> float:
        """When the next frame is due, in seconds since the first repetition began."""
        return self._repetition * self._ends[-1] + self._ends[self._index]

    @property
    def size(self) -> Size:
        """Size of the frames."""
        return self._frames[0].shape[1], self._frames[0].shape[0]

    def step(self, *, hurry: bool) -> None:  # noqa: ARG002 - all frames are decoded already
        """Go on to the next frame."""
        self._index = (self._index + 1) % len(self._frames)
        self._repetition += self._index == 0

    def pixels(self, size: Size) -> Pixels:
        """The current frame, with its alpha over black, stretched to ``size``."""
        pixels = self._frames[self._index]
        return resize(over_black(pixels) if pixels.shape[2] == 4 else pixels, size)  # noqa: PLR2004 - BGRA

    def close(self) -> None:
        """Nothing is open."""


def is_animated_webp(path: Path) -> bool:
    """Whether a file is an animated WebP; False if it cannot be read."""
    try:
        header = _header(path.expanduser())
    except (OSError, RuntimeError, ValueError):  # no such file, or a name that no file can have
        return False
    return header[8:16] == b"WEBPVP8X" and len(header) > FLAGS and bool(header[FLAGS] & ANIMATED)


def _read(path: Path) -> tuple[list[Pixels], list[float]]:
    """The frames, and the duration of each in seconds."""
    if not hasattr(cv2, "imreadanimation"):
        raise MissingDependency(
            "an animated WebP needs opencv-python 4.11 or newer", hint="run pip install -U opencv-python"
        )
    max_frames = MAX_BYTES // _frame_bytes(path)
    ok, animation = cv2.imreadanimation(in_utf8(path), 0, max_frames + 1)
    if not ok or not animation.frames:
        raise BadFile(f"{str(path)!r} is not an animation that OpenCV can read", hint="save it as an MP4")
    if len(animation.frames) > max_frames:
        raise BadFile(
            f"{str(path)!r} is too long to hold in memory ({max_frames} of its frames fit)", hint="save it as an MP4"
        )
    durations = [max(MIN_DURATION_S, milliseconds / 1000) for milliseconds in np.ravel(animation.durations)]
    return [np.asarray(frame, np.uint8) for frame in animation.frames], durations


def _frame_bytes(path: Path) -> int:
    header = _header(path)
    width, height = (1 + int.from_bytes(header[at : at + 3], "little") for at in (CANVAS_WIDTH, CANVAS_HEIGHT))
    return 4 * width * height


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_SIZE)
