"""A video file, decoded from its first picture to its last."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from realtime_matte.errors import BadFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import clip as clips
from realtime_matte.media.clip import Shot

WHOLE: Final = 0.9
"""Of the pictures a file promises: with fewer it was cut short. Some may lie outside of what is to be shown."""

TURNS: Final = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


class Clip:
    """Opens a file and looks at its first picture.

    Raises:
        MissingFile, BadFile: from ``next`` too, where the file breaks off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shots: Iterator[Shot]
        self._connect()
        self._reformatter = VideoReformatter()
        self.fps = clips.rate(self._stream)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> Size:
        """As it is to be shown: upright, with square pixels."""
        frame = self._first.frame
        width, height = clips.shape(frame, self._stream)
        return (height, width) if clips.quarters(frame) % 2 else (width, height)

    @property
    def frames(self) -> int | None:
        """How many pictures, by the file's own word or by its length."""
        length = (self._container.duration or 0) / av.time_base
        return self._stream.frames or round(length * self.fps) or None

    def next(self) -> Shot | None:
        """The next picture; None at the end."""
        try:
            return next(self._shots, None)
        except av.error.FFmpegError as error:
            raise BadFile(
                f"the video {str(self._path)!r} breaks off: {error.strerror}", hint="make a new copy of it"
            ) from error

    def rewind(self) -> None:
        """Back to the first picture. Opened anew: not every format can seek."""
        self.close()
        self._connect()
        self._begin()

    def draw(self, shot: Shot, pixels: Pixels) -> None:
        """The picture in BGR, upright, filling ``pixels``: what sticks out is cut off."""
        quarters = clips.quarters(shot.frame)
        height, width = pixels.shape[1::-1] if quarters % 2 else pixels.shape[:2]
        own = clips.shape(shot.frame, self._stream)
        scale = max(width / own[0], height / own[1])
        across, down = max(width, round(own[0] * scale)), max(height, round(own[1] * scale))
        left, top = (across - width) // 2, (down - height) // 2
        whole = clips.bgr(self._reformatter, shot.frame, (across, down))
        part = whole[top : top + height, left : left + width]
        if quarters:
            cv2.rotate(part, TURNS[quarters], dst=pixels)
        else:
            np.copyto(pixels, part)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _connect(self) -> None:
        self._container, self._stream = clips.connect(self._path)
        self._stream.thread_type = "AUTO"

    def _begin(self) -> None:
        self._shots = clips.placed(self._decoded(), self._stream)
        first = self.next()
        if first is None:
            raise BadFile(
                f"the video {str(self._path)!r} has no picture that can be decoded", hint="make a new copy of it"
            )
        self._first = first
        self._shots = chain([first], self._shots)

    def _decoded(self) -> Iterator[VideoFrame]:
        count = 0
        for count, frame in enumerate(self._container.decode(self._stream), 1):  # noqa: B007 - counted to the end
            yield frame
        if count < WHOLE * self._stream.frames:
            raise BadFile(
                f"the video {str(self._path)!r} is cut short: it has {count} of {self._stream.frames} pictures",
                hint="make a new copy of it",
            )
