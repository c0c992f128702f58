"""A video file, decoded from its first picture to its last."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.sources._colors import bgr

USUAL_FPS: Final = 25.0

WHOLE: Final = 0.9
"""Of the pictures a file promises: with fewer it was cut short. Some may lie outside of what is to be shown."""

TURNS: Final = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded picture; ``place``: seconds behind the file's first one."""

    frame: VideoFrame
    place: float


class Clip:
    """Opens a file and looks at its first picture.

    Raises:
        MissingFile, BadFile: from ``next`` too, where the file breaks off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container, self._stream = _open(path)
        self._reformatter = VideoReformatter()
        self.fps = float(self._stream.average_rate or USUAL_FPS)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> Size:
        """As it is to be shown: upright, with square pixels."""
        frame = self._first.frame
        width, height = max(1, round(_width(frame, self._stream))), frame.height
        return (height, width) if _quarters(frame) % 2 else (width, height)

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
                f"the video {str(self._path)!r} breaks off: {error.strerror}; make a new copy of it"
            ) from error

    def rewind(self) -> None:
        """Back to the first picture. Opened anew: not every format can seek."""
        self.close()
        self._container, self._stream = _open(self._path)
        self._begin()

    def draw(self, shot: Shot, pixels: Pixels) -> None:
        """The picture in BGR, upright, filling ``pixels``: what sticks out is cut off."""
        quarters = _quarters(shot.frame)
        height, width = pixels.shape[1::-1] if quarters % 2 else pixels.shape[:2]
        scale = max(width / _width(shot.frame, self._stream), height / shot.frame.height)
        across = max(width, round(_width(shot.frame, self._stream) * scale))
        down = max(height, round(shot.frame.height * scale))
        plane = bgr(self._reformatter, shot.frame, (across, down)).planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:down, : across * 3]
        left, top = (across - width) // 2, (down - height) // 2
        part = rows.reshape(down, across, 3)[top : top + height, left : left + width]
        if quarters:
            cv2.rotate(part, TURNS[quarters], dst=pixels)
        else:
            np.copyto(pixels, part)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _begin(self) -> None:
        self._shots = self._decoded()
        first = self.next()
        if first is None:
            raise BadFile(f"the video {str(self._path)!r} has no picture that can be decoded; make a new copy of it")
        self._first = first
        self._shots = self._after(first, self._shots)

    @staticmethod
    def _after(first: Shot, rest: Iterator[Shot]) -> Iterator[Shot]:
        yield first
        yield from rest

    def _decoded(self) -> Iterator[Shot]:
        begin: float | None = None
        place, count = 0.0, 0
        for count, frame in enumerate(self._container.decode(self._stream), 1):
            time = frame.time if frame.time is not None else count / self.fps
            begin = time if begin is None else begin
            place = max(place, time - begin)
            yield Shot(frame, place)
        if count < WHOLE * self._stream.frames:
            raise BadFile(
                f"the video {str(self._path)!r} is cut short: it has {count} of {self._stream.frames} pictures; "
                "make a new copy of it"
            )


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise MissingFile(f"cannot read the video {str(path)!r}: {error.strerror}; name one that is there") from error
    if empty:
        raise BadFile(f"{str(path)!r} is an empty file; give a video such as an MP4")
    try:
        container = av.open(f"file:{path}")
    except av.error.FFmpegError as error:
        raise BadFile(f"{str(path)!r} is no video FFmpeg can read ({error.strerror}); save it as an MP4") from error
    if not container.streams.video:
        container.close()
        raise BadFile(f"{str(path)!r} holds no pictures; name a file with a video in it")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return container, stream


def _quarters(frame: VideoFrame) -> int:
    """Turns of 90 degrees to the left that set it upright."""
    return round(frame.rotation / 90) % 4


def _width(frame: VideoFrame, stream: VideoStream) -> float:
    """In square pixels, before it is turned."""
    return float(frame.width * (stream.sample_aspect_ratio or 1))
