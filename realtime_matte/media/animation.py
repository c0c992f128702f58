"""An animated WebP, which FFmpeg does not decode: OpenCV does, all of it at once."""

from itertools import accumulate
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.errors import BadFile, MissingDependency
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.image import over_black, resize
from realtime_matte.paths import in_utf8

MOST_BYTES: Final = 128 << 20
SHORTEST_S: Final = 0.01


class Animation:
    """Its pictures and when each ends, going round.

    Raises:
        BadFile: no animation, or too long a one to hold.
        SpecError: its name is not in UTF-8.
        MissingDependency: OpenCV is older than 4.11.
    """

    def __init__(self, path: Path) -> None:
        self._pictures, seconds = _read(path)
        self._ends = list(accumulate(seconds))
        self._round = 0
        self._at = 0

    @property
    def until(self) -> float:
        """When the next picture is due, in seconds of the endless film."""
        return self._round * self._ends[-1] + self._ends[self._at]

    def step(self, *, hurry: bool) -> None:  # noqa: ARG002 - all are decoded already
        """Go on to the next picture."""
        self._at = (self._at + 1) % len(self._pictures)
        self._round += self._at == 0

    @property
    def size(self) -> Size:
        """Of the pictures."""
        return self._pictures[0].shape[1], self._pictures[0].shape[0]

    def pixels(self, size: Size) -> Pixels:
        """The picture now, stretched to ``size``."""
        picture = self._pictures[self._at]
        return resize(over_black(picture) if picture.shape[2] == 4 else picture, size)  # noqa: PLR2004 - BGRA

    def close(self) -> None:
        """Nothing is open."""


def _read(path: Path) -> tuple[list[Pixels], list[float]]:
    if not hasattr(cv2, "imreadanimation"):
        raise MissingDependency("an animated WebP needs opencv-python 4.11 or newer: pip install -U opencv-python")
    most = MOST_BYTES // _canvas_bytes(path)
    ok, animation = cv2.imreadanimation(in_utf8(path), 0, most + 1)
    if not ok or not animation.frames:
        raise BadFile(f"{str(path)!r} is no animation that OpenCV can read", hint="save it as an MP4")
    if len(animation.frames) > most:
        raise BadFile(
            f"{str(path)!r} is too long to hold ({most} of its pictures fit in memory)", hint="save it as an MP4"
        )
    seconds = [max(SHORTEST_S, milliseconds / 1000) for milliseconds in np.ravel(animation.durations)]
    return [np.asarray(picture, np.uint8) for picture in animation.frames], seconds


def _canvas_bytes(path: Path) -> int:
    with path.open("rb") as file:
        header = file.read(30)
    width, height = (1 + int.from_bytes(header[start : start + 3], "little") for start in (24, 27))
    return 4 * width * height
