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
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer, Type
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime_matte.errors import BadFile, MissingFile, read_hint
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.animation import frame_duration
from realtime_matte.media.colors import FrameConverter
from realtime_matte.media.deinterlace import deinterlaced
from realtime_matte.media.fit import resize
from realtime_matte.media.image import MAX_MEGAPIXELS, too_large
from realtime_matte.media.orientation import UPRIGHT, Orientation, from_display_matrix
from realtime_matte.paths import open_regular

SUFFIXES: Final = frozenset(
    {".3gp", ".apng", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg"}
    | {".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)

DEFAULT_FPS: Final = 25.0
HIGHEST_FPS: Final = 240.0
"""A header with a higher rate holds the ticks of its clock, as in browsers' recordings, not the frames a second."""

JUMP_S: Final = 0.5
"""A time that goes back by more restarts the clock at 0: two recordings were joined in one file."""

MAX_ASPECT: Final = 16.0
"""Largest aspect ratio of a pixel; larger values in a file are damage, since no format has them, and are clipped."""

ALPHA_DECODERS: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these leave out the alpha, which WebM and Matroska keep beside the frames."""

ANIMATIONS: Final = frozenset({"apng", "gif"})
"""FFmpeg's names of containers in which a duration of almost 0 means no particular duration."""

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

    _decoder: VideoCodecContext | None  # None once it is closed
    _frames: Iterator[ClipFrame]

    def __init__(self, path: Path, *, skip_damage: bool = False, threads: int = 0) -> None:
        self._path = path
        self._skip_damage = skip_damage
        self._threads = threads
        self._converter = FrameConverter()
        self._start()

    @property
    def size(self) -> Size:
        """Size of the first frame as it is shown."""
        return self.shown_size(self._first)

    @property
    def first(self) -> ClipFrame:
        """The first frame, whatever was read since."""
        return self._first

    @property
    def start(self) -> float:
        """Time of the first frame on the clock of the file, s: what a stream of sound beside it counts from too."""
        return self._first.decoded.time or 0.0

    def next(self, *, hurry: bool = False) -> ClipFrame | None:
        """The next frame; None at the end. ``hurry``: leave out frames that no other frame needs."""
        if self._decoder is None:
            return None
        self._decoder.skip_frame = "NONREF" if hurry else "DEFAULT"
        return next(self._frames, None)

    def rewind(self) -> None:
        """Go back to the first frame. Opens the file again: not every format can seek."""
        self.close()
        self._start()

    def shown_size(self, frame: ClipFrame) -> Size:
        """Size of a frame as it is shown: upright, with square pixels. It may change within a file."""
        return _orientation(frame.decoded).size(self._square_size(frame.decoded))

    def draw(self, frame: ClipFrame, pixels: Pixels) -> None:
        """Write the frame into ``pixels``, (H, W, 3) BGR: upright, scaled to cover them, cropped at the sides.

        It is cropped before it is enlarged: a whole frame of 16000x2, enlarged to cover 1280x720, has 4 gigapixels.

        Raises:
            BadFile: It cannot be converted.
        """
        orientation = _orientation(frame.decoded)
        width, height = orientation.size((pixels.shape[1], pixels.shape[0]))
        own = self._square_size(frame.decoded)
        scale = max(width / own[0], height / own[1])
        scaled = max(width, round(own[0] * scale)), max(height, round(own[1] * scale))
        whole = min(scaled[0], frame.decoded.width), min(scaled[1], frame.decoded.height)
        part = _centre(self._bgr(frame, whole), width / scaled[0], height / scaled[1])
        np.copyto(pixels, orientation.upright(resize(part, (width, height))))

    def stretched(self, frame: ClipFrame, size: Size) -> Pixels:
        """The frame upright, with its alpha over black, stretched to ``size``: (H, W, 3) BGR.

        Raises:
            BadFile: It cannot be converted.
        """
        orientation = _orientation(frame.decoded)
        return np.ascontiguousarray(orientation.upright(self._bgr(frame, orientation.size(size))))

    def close(self) -> None:
        """Close the file and free the decoder. Idempotent."""
        self._container.close()
        self._decoder = None
        self._frames = iter(())

    def _bgr(self, frame: ClipFrame, size: Size) -> Pixels:
        try:
            return self._converter.bgr(frame.decoded, size)
        except (av.error.FFmpegError, ValueError) as error:
            raise BadFile(f"a frame of the video {str(self._path)!r} cannot be converted: {error}") from error

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
        self._decoder = decoder = _decoder(stream)
        decoder.thread_type = "AUTO"
        decoder.thread_count = self._threads
        decoded = _decoded(self._path, self._container, stream, decoder, skip_damage=self._skip_damage)
        animation = self._container.format.name in ANIMATIONS
        self._frames = timed(deinterlaced(decoded, stream), stream, animation=animation)
        first = self.next()
        if first is None:
            raise BadFile(f"the video {str(self._path)!r} has no frame that can be decoded", hint=NEW_COPY)
        self._frames = chain([first], self._frames)
        self._first = first
        self._aspect = min(max(float(stream.sample_aspect_ratio or 1), 1 / MAX_ASPECT), MAX_ASPECT)
        width, height = self.size
        if width * height > MAX_MEGAPIXELS * 1_000_000:
            raise too_large(self._path)
        self.fps = average_fps(stream)
        duration = (self._container.duration or 0) / av.time_base
        self.frames = _count(stream) or round(duration * self.fps) or None


class LoopedClip:
    """A clip that starts again at its end; one frame is decoded ahead. A single frame is shown without end.

    Decoded by two threads, to leave the CPU to the network.

    Raises:
        MissingFile, BadFile: also from ``step``, when the file cannot be opened again.
    """

    _shown: ClipFrame
    _ahead: ClipFrame | None

    def __init__(self, path: Path) -> None:
        self._clip = Clip(path, skip_damage=True, threads=2)
        try:
            self._read_first()
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

    def restart(self) -> None:
        """Open the file again: threads of its decoder then have the priority of the calling thread."""
        self._clip.rewind()
        self._read_first()

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

    def _read_first(self) -> None:
        first = self._clip.next()
        assert first is not None  # noqa: S101 - a clip without frames does not open
        self._shown = first
        self._ahead = self._clip.next()


def timed(frames: Iterable[VideoFrame], stream: VideoStream, *, animation: bool = False) -> Iterator[ClipFrame]:
    """Each frame with its time, which never goes back; one without a time starts where the one before it ends.

    So does the first frame of times that start again, and every frame of an animation, whose durations may be
    too short to be valid.
    """
    start: float | None = None
    time = end = 0.0
    for frame in frames:
        if frame.time is None or animation:
            time = end
        else:
            if start is None or frame.time - start < time - JUMP_S:
                start = frame.time - end
            time = max(time, frame.time - start)
        duration = _duration(frame, stream)
        if animation:
            duration = frame_duration(duration)
        yield ClipFrame(frame, time, duration)
        end = time + duration


def average_fps(stream: VideoStream) -> float:
    """Frames a second, on average."""
    fps = float(stream.average_rate or DEFAULT_FPS)
    return fps if fps <= HIGHEST_FPS else DEFAULT_FPS


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    """The file and the video stream that players show."""
    try:
        with open_regular(path) as file:
            empty = not file.read(1)
    except BadFile:
        raise
    except OSError as error:
        raise MissingFile(f"cannot read the video {str(path)!r}: {error.strerror}", hint=read_hint(error)) from error
    if empty:
        raise BadFile(f"{str(path)!r} is an empty file", hint="give a video such as an MP4")
    try:
        container = av.open(f"file:{path}", metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise BadFile(
            f"{str(path)!r} is not a video that FFmpeg can read ({error.strerror})", hint="save it as an MP4"
        ) from error
    streams = container.streams.video
    known = [stream for stream in streams if stream.codec_context is not None]
    if known:
        return container, max(known, key=_preference)
    container.close()
    if streams:
        raise BadFile(f"FFmpeg does not know the codec of the video {str(path)!r}", hint="save it as an H.264 MP4")
    raise BadFile(f"{str(path)!r} has no video stream", hint="name a file with a video in it")


def _preference(stream: VideoStream) -> tuple[bool, bool]:
    """Rank of a stream for display, higher is better: not a cover image, and marked as the default."""
    disposition = stream.disposition
    return not disposition & Disposition.attached_pic, bool(disposition & Disposition.default)


def _decoder(stream: VideoStream) -> VideoCodecContext:
    """The stream's own decoder, or one that decodes its alpha too."""
    name = ALPHA_DECODERS.get(stream.codec_context.name, "")
    has_alpha = any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())
    if not has_alpha or name not in av.codecs_available:
        return stream.codec_context
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)  # noqa: S101 - both are for video
    return decoder


def _decoded(
    path: Path, container: InputContainer, stream: VideoStream, decoder: VideoCodecContext, *, skip_damage: bool
) -> Iterator[VideoFrame]:
    """Every frame to the end of the file."""
    packets = container.demux(stream)
    count = 0
    while True:
        try:
            frames = decoder.decode(next(packets))
        except (StopIteration, av.error.EOFError):
            break
        except av.error.FFmpegError as error:
            if skip_damage and isinstance(error, av.error.InvalidDataError):
                continue
            raise BadFile(f"the video {str(path)!r} breaks off: {error.strerror}", hint=NEW_COPY) from error
        count += len(frames)
        yield from frames
    if not skip_damage and _is_cut(container, stream):
        message = f"the video {str(path)!r} is cut short: it has {count} of {_count(stream)} frames"
        raise BadFile(message, hint=NEW_COPY)


def _count(stream: VideoStream) -> int:
    """Number of frames in a file's header, without those outside its edit list; 0 if it is not stated."""
    indexed = sum(not entry.is_discard for entry in stream.index_entries)
    return indexed if stream.frames and indexed > 1 else stream.frames


def _is_cut(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the index of a file points past its end. Counts in headers are not used: many are wrong."""
    end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    return 0 < container.size < end


def _centre(pixels: Pixels, width: float, height: float) -> Pixels:
    """A centred view with these fractions of the width and height."""
    part_width = max(1, round(pixels.shape[1] * width))
    part_height = max(1, round(pixels.shape[0] * height))
    left, top = (pixels.shape[1] - part_width) // 2, (pixels.shape[0] - part_height) // 2
    return pixels[top : top + part_height, left : left + part_width]


def _duration(frame: VideoFrame, stream: VideoStream) -> float:
    duration = getattr(frame, "duration", 0)  # some versions of PyAV lack it
    return float(duration * frame.time_base) if duration and frame.time_base else 1 / average_fps(stream)


def _orientation(frame: VideoFrame) -> Orientation:
    """How a decoded frame is set upright.

    Not by ``frame.side_data``: frame and container would refer to each other, so that only Python's garbage collector
    frees the frame.
    """
    data = SideDataContainer(frame).get(Type.DISPLAYMATRIX)  # type: ignore[call-arg]
    return UPRIGHT if data is None else from_display_matrix(bytes(data))
