"""Video files, by FFmpeg: which they are, opened, and their pictures in time, upright, in BGR."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels, Size

SUFFIXES: Final = frozenset(
    {".3gp", ".apng", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg"}
    | {".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)

USUAL_FPS: Final = 25.0
FASTEST_FPS: Final = 240.0
"""A header that claims more tells the ticks of its clock, as browsers' recordings do, not the pictures a second."""

JUMP_S: Final = 0.5
"""Times that go back by more begin anew: files that were put one behind the other."""

SD_MATRICES: Final = (4, 5, 6)  # AVColorSpace: FCC, BT.470BG and SMPTE 170M, all as BT.601
UNTAGGED: Final = (0, 2, 3)
HD_HEIGHT: Final = 720  # untagged files are taken for BT.709 from here on, as players do
FULL_RANGE: Final = 2


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded picture; ``place``: seconds behind the file's first one."""

    frame: VideoFrame
    place: float


def connect(path: Path) -> tuple[InputContainer, VideoStream]:
    """The file and its first video, opened.

    Raises:
        MissingFile, BadFile
    """
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise MissingFile(
            f"cannot read the video {str(path)!r}: {error.strerror}", hint="name one that is there"
        ) from error
    if empty:
        raise BadFile(f"{str(path)!r} is an empty file", hint="give a video such as an MP4")
    try:
        container = av.open(f"file:{path}")
    except av.error.FFmpegError as error:
        raise BadFile(
            f"{str(path)!r} is no video FFmpeg can read ({error.strerror})", hint="save it as an MP4"
        ) from error
    if not container.streams.video:
        container.close()
        raise BadFile(f"{str(path)!r} holds no pictures", hint="name a file with a video in it")
    return container, container.streams.video[0]


def placed(frames: Iterable[VideoFrame], stream: VideoStream) -> Iterator[Shot]:
    """Each picture with its place, which never goes back; one without a time stands where the one before it ends.

    So does the first one of times that begin anew.
    """
    begin: float | None = None
    place = end = 0.0
    for frame in frames:
        if frame.time is None:
            place = end
        else:
            if begin is None or frame.time - begin < place - JUMP_S:
                begin = frame.time - end
            place = max(place, frame.time - begin)
        yield Shot(frame, place)
        end = place + length(frame, stream)


def length(frame: VideoFrame, stream: VideoStream) -> float:
    """How long a picture is shown, in seconds."""
    duration = getattr(frame, "duration", 0)  # some versions of PyAV do not tell it
    return float(duration * frame.time_base) if duration and frame.time_base else 1 / rate(stream)


def rate(stream: VideoStream) -> float:
    """Pictures a second, on the average."""
    told = float(stream.average_rate or USUAL_FPS)
    return told if told <= FASTEST_FPS else USUAL_FPS


def shape(frame: VideoFrame, stream: VideoStream) -> Size:
    """Size in square pixels, before it is turned."""
    return max(1, round(frame.width * (stream.sample_aspect_ratio or 1))), frame.height


def quarters(frame: VideoFrame) -> int:
    """Turns of 90 degrees to the left that set it upright."""
    return round(frame.rotation / 90) % 4


def bgr(reformatter: VideoReformatter, frame: VideoFrame, size: Size) -> Pixels:
    """The picture in BGR, not turned, stretched to ``size``, by the matrix and range its colours are stored in."""
    untagged = frame.colorspace in UNTAGGED
    sd = frame.height < HD_HEIGHT if untagged else frame.colorspace in SD_MATRICES
    full = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    shrinks = size[0] < frame.width or size[1] < frame.height
    plane = reformatter.reformat(
        frame,
        *size,
        "bgr24",
        src_colorspace=Colorspace.ITU601 if sd else Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709 if sd else Colorspace.ITU601,  # BGR has none: older PyAV wants another one
        interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    ).planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: size[1], : 3 * size[0]].reshape(size[1], size[0], 3)
