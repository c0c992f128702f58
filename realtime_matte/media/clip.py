"""The one reader of video files, for cameras, backgrounds and batches: FFmpeg by way of PyAV.

``close`` frees the decoder and its threads at once. They belong to a codec context that is freed only when nothing
refers to it: a closed container drops its streams, and no iterator here refers to the clip that holds it, so that
nothing waits for Python's garbage collector.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.fit import resize
from realtime_matte.media.image import over_black

SUFFIXES: Final = frozenset(
    {".3gp", ".apng", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg"}
    | {".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)

DEFAULT_FPS: Final = 25.0
HIGHEST_FPS: Final = 240.0
"""A header with a higher rate holds the ticks of its clock, as in browsers' recordings, not the frames a second."""

JUMP_S: Final = 0.5
"""Times that go back by more start again from 0: two recordings were joined in one file."""

COMPLETE: Final = 0.9
"""Part of the frames a header promises; a file with fewer was cut short. Some may lie outside the edit list."""

SD_MATRICES: Final = (4, 5, 6)  # AVColorSpace: FCC, BT.470BG and SMPTE 170M, all as BT.601
UNTAGGED: Final = (0, 2, 3)
HD_HEIGHT: Final = 720  # untagged files are taken as BT.709 from this height on, as players do
FULL_RANGE: Final = 2

ROTATIONS: Final = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
NEW_COPY: Final = "make a new copy of it"


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """A decoded frame. ``time``: seconds after the first frame of the file; ``duration``: how long it is shown, s."""

    decoded: VideoFrame
    time: float
    duration: float


class Clip:
    """A video file, decoded from its first frame to its last; used by one thread at a time.

    Args:
        path: The file.
        skip_damage: True leaves out what cannot be decoded; False raises, also at the end of a file that has fewer
            frames than its header promises.
        threads: How many threads decode; 0: as many as there are CPUs.

    Raises:
        MissingFile, BadFile: also from ``next`` and ``rewind``.
    """

    fps: float
    """Frames a second, on average."""

    frames: int | None
    """How many there are, by the header or by the duration; None where neither is known."""

    _stream: VideoStream | None  # None once it is closed
    _frames: Iterator[ClipFrame]

    def __init__(self, path: Path, *, skip_damage: bool = False, threads: int = 0) -> None:
        self._path = path
        self._skip_damage = skip_damage
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._start()

    @property
    def size(self) -> Size:
        """Size of the first frame as it is shown."""
        return self.shown_size(self._first)

    def next(self, *, hurry: bool = False) -> ClipFrame | None:
        """The next frame; None at the end. ``hurry``: leave out frames that no other frame needs."""
        if self._stream is None:
            return None
        self._stream.codec_context.skip_frame = "NONREF" if hurry else "DEFAULT"
        return next(self._frames, None)

    def rewind(self) -> None:
        """Go back to the first frame. Opens the file again: not every format can seek."""
        self.close()
        self._start()

    def shown_size(self, frame: ClipFrame) -> Size:
        """Size of a frame as it is shown: upright, with square pixels. It may change within a file."""
        width, height = self._square_size(frame.decoded)
        return (height, width) if _quarter_turns(frame.decoded) % 2 else (width, height)

    def draw(self, frame: ClipFrame, pixels: Pixels) -> None:
        """Write the frame into ``pixels``, (H, W, 3) BGR: upright, covering all of it, cut where it sticks out."""
        quarter_turns = _quarter_turns(frame.decoded)
        height, width = pixels.shape[1::-1] if quarter_turns % 2 else pixels.shape[:2]
        own = self._square_size(frame.decoded)
        scale = max(width / own[0], height / own[1])
        scaled = max(width, round(own[0] * scale)), max(height, round(own[1] * scale))
        left, top = (scaled[0] - width) // 2, (scaled[1] - height) // 2
        part = to_bgr(self._reformatter, frame.decoded, scaled)[top : top + height, left : left + width]
        if quarter_turns:
            cv2.rotate(part, ROTATIONS[quarter_turns], dst=pixels)
        else:
            np.copyto(pixels, part)

    def stretched(self, frame: ClipFrame, size: Size) -> Pixels:
        """The frame upright, with its alpha over black, stretched to ``size``: (H, W, 3) BGR."""
        quarter_turns = _quarter_turns(frame.decoded)
        unturned = (size[1], size[0]) if quarter_turns % 2 else size
        if any(component.is_alpha for component in frame.decoded.format.components):
            pixels = resize(over_black(np.asarray(frame.decoded.to_ndarray(format="bgra"), np.uint8)), unturned)
        else:
            pixels = to_bgr(self._reformatter, frame.decoded, unturned)
        return np.ascontiguousarray(np.rot90(pixels, quarter_turns))

    def close(self) -> None:
        """Close the file and free the decoder. Idempotent."""
        self._container.close()
        self._stream = None
        self._frames = iter(())

    def _square_size(self, decoded: VideoFrame) -> Size:
        """Size in square pixels, before it is turned."""
        return max(1, round(decoded.width * self._aspect)), decoded.height

    def _start(self) -> None:
        self._container, stream = _open(self._path)
        try:
            self._read_first(stream)
        except BaseException:
            self.close()
            raise

    def _read_first(self, stream: VideoStream) -> None:
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads
        self._stream = stream
        self._frames = timed(_decoded(self._path, self._container, stream, skip_damage=self._skip_damage), stream)
        first = self.next()
        if first is None:
            raise BadFile(f"the video {str(self._path)!r} has no frame that can be decoded", hint=NEW_COPY)
        self._frames = chain([first], self._frames)
        self._first = first
        self._aspect = float(stream.sample_aspect_ratio or 1)
        self.fps = average_fps(stream)
        duration = (self._container.duration or 0) / av.time_base
        self.frames = stream.frames or round(duration * self.fps) or None


class LoopedClip:
    """A clip that starts again at its end; one frame is decoded ahead. A single frame is shown without end.

    Decoded by two threads, to leave the CPU to the network.

    Raises:
        MissingFile, BadFile: also from ``step``, when the file cannot be opened again.
    """

    def __init__(self, path: Path) -> None:
        self._clip = Clip(path, skip_damage=True, threads=2)
        try:
            first = self._clip.next()
            assert first is not None  # noqa: S101 - a clip without frames does not open
            self._shown = first
            self._ahead = self._clip.next()
        except BaseException:
            self._clip.close()
            raise
        self._repetition_start = 0.0  # s

    @property
    def until(self) -> float:
        """When the next frame is due, in seconds since the first repetition began; inf for a single frame."""
        return inf if self._ahead is None else self._repetition_start + self._ahead.time

    @property
    def size(self) -> Size:
        """Size of the current frame as it is shown: upright, with square pixels."""
        return self._clip.shown_size(self._shown)

    notices = ()

    def step(self, *, hurry: bool) -> None:
        """Go on to the next frame. ``hurry``: leave out frames that no other frame needs."""
        if self._ahead is None:
            return
        self._shown, self._ahead = self._ahead, self._clip.next(hurry=hurry)
        if self._ahead is None:
            self._repetition_start += self._shown.time + self._shown.duration
            self._clip.rewind()
            self._ahead = self._clip.next()

    def pixels(self, size: Size) -> Pixels:
        """The current frame, upright, with its alpha over black, stretched to ``size``."""
        return self._clip.stretched(self._shown, size)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._clip.close()


def timed(frames: Iterable[VideoFrame], stream: VideoStream) -> Iterator[ClipFrame]:
    """Each frame with its time, which never goes back; one without a time starts where the one before it ends.

    So does the first frame of times that start again.
    """
    start: float | None = None
    time = end = 0.0
    for frame in frames:
        if frame.time is None:
            time = end
        else:
            if start is None or frame.time - start < time - JUMP_S:
                start = frame.time - end
            time = max(time, frame.time - start)
        duration = _duration(frame, stream)
        yield ClipFrame(frame, time, duration)
        end = time + duration


def average_fps(stream: VideoStream) -> float:
    """Frames a second, on average."""
    fps = float(stream.average_rate or DEFAULT_FPS)
    return fps if fps <= HIGHEST_FPS else DEFAULT_FPS


def to_bgr(reformatter: VideoReformatter, frame: VideoFrame, size: Size) -> Pixels:
    """The frame in BGR, not turned, stretched to ``size``; its matrix and range are those it was stored with."""
    untagged = frame.colorspace in UNTAGGED
    sd = frame.height < HD_HEIGHT if untagged else frame.colorspace in SD_MATRICES
    full = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    shrinks = size[0] < frame.width or size[1] < frame.height
    plane = reformatter.reformat(
        frame,
        *size,
        "bgr24",
        src_colorspace=Colorspace.ITU601 if sd else Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709 if sd else Colorspace.ITU601,  # BGR has none; older PyAV needs another one
        interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    ).planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: size[1], : 3 * size[0]].reshape(size[1], size[0], 3)


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    """The file and its first video stream."""
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
            f"{str(path)!r} is not a video that FFmpeg can read ({error.strerror})", hint="save it as an MP4"
        ) from error
    streams = container.streams.video
    if streams and streams[0].codec_context is not None:
        return container, streams[0]
    container.close()
    if streams:
        raise BadFile(f"FFmpeg does not know the codec of the video {str(path)!r}", hint="save it as an H.264 MP4")
    raise BadFile(f"{str(path)!r} has no video stream", hint="name a file with a video in it")


def _decoded(path: Path, container: InputContainer, stream: VideoStream, *, skip_damage: bool) -> Iterator[VideoFrame]:
    """Every frame to the end of the file."""
    packets = container.demux(stream)
    count = 0
    while True:
        try:
            frames = next(packets).decode()
        except (StopIteration, av.error.EOFError):
            break
        except av.error.FFmpegError as error:
            if skip_damage and isinstance(error, av.error.InvalidDataError):
                continue
            raise BadFile(f"the video {str(path)!r} breaks off: {error.strerror}", hint=NEW_COPY) from error
        count += len(frames)
        yield from frames
    if not skip_damage and count < COMPLETE * stream.frames:
        message = f"the video {str(path)!r} is cut short: it has {count} of {stream.frames} frames"
        raise BadFile(message, hint=NEW_COPY)


def _duration(frame: VideoFrame, stream: VideoStream) -> float:
    duration = getattr(frame, "duration", 0)  # some versions of PyAV lack it
    return float(duration * frame.time_base) if duration and frame.time_base else 1 / average_fps(stream)


def _quarter_turns(frame: VideoFrame) -> int:
    """Turns of 90 degrees to the left that set it upright."""
    return round(frame.rotation / 90) % 4
