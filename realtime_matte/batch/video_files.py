"""Results of one file: encoded frame by frame at the clip's own times, with its colour tags and its sound."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
import cv2
import numpy as np
from av.container import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from realtime_matte.batch import pixels
from realtime_matte.batch.formats import Write
from realtime_matte.batch.reading import InputFrame, Reader
from realtime_matte.batch.sound import Sound
from realtime_matte.errors import SinkError
from realtime_matte.frame import Matte, Pixels
from realtime_matte.media.colors import BT709, LIMITED, MATRICES, ColorTags
from realtime_matte.media.new_file import write_error

THREADS: Final = 1
"""Of an encoder: with two, x264 writes other bytes in about one of ten runs, by the timing of its threads."""

BITEXACT: Final[int] = cast("int", Flags.bitexact.value)
"""No random numbers and no dates: equal runs write equal files."""

KEY_FRAME_EVERY_S: Final = 2

SRGB: Final = ColorTags(BT709, int(LIMITED), BT709, 13)
"""Of images in a video: primaries and matrix of BT.709, the curve of sRGB (ITU-T H.273)."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one kind of result is stored: container, encoder, pixel format, options of both."""

    container: str
    encoder: str
    pixel_format: str
    options: Mapping[str, str]
    container_options: Mapping[str, str] = field(default_factory=dict)


H264: Final = {"preset": "veryfast", "crf": "16", "bf": "0", "x264-params": "mbtree=0:weightp=0"}
"""Without mbtree and weightp, which x264 decides otherwise in about one of twenty equal runs, also with one thread."""

VP9: Final = {"deadline": "good", "cpu-used": "4", "row-mt": "1", "crf": "22", "b": "0", "auto-alt-ref": "0"}
FAST_START: Final = {"movflags": "faststart"}

_MP4: Final = Encoding("mp4", "libx264", "yuv420p", H264, FAST_START)
_HQ: Final = Encoding("mov", "prores_aw", "yuv422p10le", {"profile": "3"})
_WEBM: Final = Encoding("webm", "libvpx-vp9", "yuv420p", VP9)

ENCODINGS: Final[Mapping[tuple[str, Write], Encoding]] = {
    ("mp4", "alpha"): _MP4,
    ("mp4", "composite"): _MP4,
    ("prores", "alpha"): _HQ,
    ("prores", "composite"): _HQ,
    ("prores", "foreground"): Encoding("mov", "prores_aw", "yuva444p10le", {"profile": "4"}),
    ("webm", "alpha"): _WEBM,
    ("webm", "composite"): _WEBM,
    ("webm", "foreground"): Encoding("webm", "libvpx-vp9", "yuva420p", VP9),
}


class VideoResult:
    """The file of one clip.

    Args:
        path: Of the part; it is created.
        name: The format's.
        write: What is written.
        reader: The clip.
        sound_of: The clip whose sound is added; None: none is.

    Raises:
        SinkError: also from the methods.
    """

    def __init__(self, path: Path, name: str, write: Write, reader: Reader, *, sound_of: Path | None) -> None:
        self._path = path
        self._write = write
        self._encoding = ENCODINGS[name, write]
        self._deep = name == "prores"
        self._reader = reader
        self._tags = reader.tags or SRGB
        self._time_base = reader.time_base
        self._size = reader.size[0] + reader.size[0] % 2, reader.size[1] + reader.size[1] % 2
        self._reformatter = VideoReformatter()
        self._sound: Sound | None = None
        self._sound_of = sound_of
        self._start: float | None = None  # of the first frame that is written
        self._durations: dict[int, int] = {}
        self._ticks = -1
        try:
            self._open()
        except av.error.FFmpegError as error:
            raise write_error(path, error.errno, error.strerror) from error

    @property
    def notices(self) -> tuple[str, ...]:
        """The padded size, where the clip's is odd."""
        if self._size == self._reader.size:
            return ()
        return (f"padded to {self._size[0]}x{self._size[1]}, as the encoder needs even sides",)

    def add(self, frame: InputFrame, matte: Matte, composite: Pixels | None) -> None:
        """Encode one frame."""
        encoded = self._picture(matte, composite)
        if self._start is None:
            self._start = frame.time
            self._open_sound(frame.time)
        time = frame.time - self._start
        self._ticks = max(self._ticks + 1, round(time / self._time_base))
        encoded.pts, encoded.time_base = self._ticks, self._time_base
        self._durations[self._ticks] = max(1, round(frame.duration / self._time_base))
        self._mux(encoded, until=time + frame.duration)

    def finish(self) -> None:
        """Complete the file."""
        self._mux(None, until=0.0)
        try:
            if self._sound:
                self._sound.finish()
            self._container.close()
        except av.error.FFmpegError as error:
            raise write_error(self._path, error.errno, error.strerror) from error

    def close(self) -> None:
        """Free encoder and files, also of an incomplete result. Idempotent."""
        if self._sound:
            self._sound.close()
        with suppress(av.error.FFmpegError):
            self._container.close()
        if hasattr(self, "_stream"):
            del self._stream  # the encoder's threads end when nothing refers to it

    def _open(self) -> None:
        encoding = self._encoding
        if encoding.encoder not in av.codecs_available:
            raise SinkError(f"this FFmpeg has no encoder {encoding.encoder}", hint="pip install --force-reinstall av")
        self._container = av.open(
            f"file:{self._path}", "w", format=encoding.container, options=dict(encoding.container_options)
        )
        self._container.flags |= BITEXACT
        rate = Fraction(self._reader.fps).limit_denominator(1001)
        stream = self._container.add_stream(encoding.encoder, rate=rate, options=dict(encoding.options))
        assert isinstance(stream, VideoStream)  # noqa: S101 - all encoders here are for video
        self._stream = stream
        context = stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = encoding.pixel_format
        context.time_base = stream.time_base = self._time_base
        context.gop_size = max(1, round(KEY_FRAME_EVERY_S * self._reader.fps))
        context.thread_count, context.thread_type = THREADS, "AUTO"
        context.color_primaries, context.color_trc = self._tags.primaries, self._tags.transfer
        context.colorspace, context.color_range = self._tags.matrix, self._range
        context.open(strict=False)

    def _open_sound(self, time: float) -> None:
        if self._sound_of is None:
            return
        try:
            self._sound = Sound(self._sound_of, self._container, start=self._reader.start + time)
        except (av.error.FFmpegError, ValueError) as error:
            raise SinkError(
                f"the sound of {str(self._sound_of)!r} cannot be kept: {error}", hint="remove it"
            ) from error

    @property
    def _range(self) -> int:
        """Of the levels. Alpha, and what ProRes and VP9 store, is limited: few programs read the flag."""
        return int(self._tags.range) if self._encoding.encoder == "libx264" and self._write != "alpha" else int(LIMITED)

    def _picture(self, matte: Matte, composite: Pixels | None) -> VideoFrame:
        """The frame in the encoder's format."""
        if composite is not None:
            return self._from_rgb(composite, "bgr24")
        if self._write == "alpha":
            return self._from_alpha(matte)
        if self._deep:
            return self._from_rgb(pixels.bgra16(matte)[..., [2, 1, 0, 3]], "rgba64le")
        return self._from_rgb(pixels.bgra8(matte), "bgra")

    def _from_rgb(self, samples: NDArray[Any], name: str) -> VideoFrame:
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(self._padded(samples)), format=name)
        target = MATRICES[self._tags.matrix]
        converted = self._reformatter.reformat(
            frame,
            format=self._encoding.pixel_format,
            # RGB has none; where both are the same, older versions of FFmpeg take the matrix as not given
            src_colorspace=Colorspace.ITU601 if target == Colorspace.ITU709 else Colorspace.ITU709,
            dst_colorspace=target,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange(self._range),
        )
        converted.colorspace, converted.color_range = self._tags.matrix, self._range
        return converted

    def _from_alpha(self, matte: Matte) -> VideoFrame:
        """Alpha as limited-range luma without colour, exact to the encoder's bits."""
        bits = 2 if self._deep else 0
        luma = np.asarray(self._padded(matte.alpha) * np.float32(219 << bits) + np.float32((16 << bits) + 0.5))
        frame = VideoFrame(*self._size, self._encoding.pixel_format)
        kind = np.dtype("<u2") if self._deep else np.dtype(np.uint8)
        for plane, values in zip(frame.planes, (luma, None, None), strict=True):
            rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)
            rows[:, : plane.width] = (128 << bits) if values is None else values.astype(kind)
        return frame

    def _padded(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Extended to even sides with its own edge."""
        rows, columns = self._size[1] - samples.shape[0], self._size[0] - samples.shape[1]
        if not rows and not columns:
            return samples
        return np.asarray(cv2.copyMakeBorder(samples, 0, rows, 0, columns, cv2.BORDER_REPLICATE))

    def _mux(self, frame: VideoFrame | None, *, until: float) -> None:
        try:
            for packet in self._stream.encode(frame):
                if packet.pts in self._durations:
                    packet.duration = self._durations.pop(packet.pts)
                self._container.mux(packet)
            if self._sound:
                self._sound.write_until(until)
        except av.error.FFmpegError as error:
            raise write_error(self._path, error.errno, error.strerror) from error
