"""The endless film that a video file makes when it starts again at its end, one picture at a time."""

from collections.abc import Generator, Iterator
from itertools import chain, islice
from math import inf
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from realtime_matte.errors import BadFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.images import over_black, resize

SD_MATRICES: Final = (4, 5, 6)  # AVColorSpace: FCC, BT.470BG and SMPTE 170M, all as BT.601
UNSPECIFIED: Final = (0, 2, 3)
HD_HEIGHT: Final = 720  # untagged files are BT.709 from here on, as players take them
FULL_RANGE: Final = 2
USUAL_FPS: Final = 25


class Clip:
    """Decodes one picture ahead, in threads of FFmpeg's own that wait for nothing but to be asked.

    Raises:
        BadFile: it holds no video; from ``step`` too, when the file cannot be read any more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container, self._stream = _open(path)
        self._film = self._play()
        try:
            self._shown = next(self._film)[1]
            self._ahead = next(self._film, None)
        except BaseException:
            self.close()
            raise

    @property
    def until(self) -> float:
        """When the next picture is due, in seconds of the film; never, if there is but one."""
        return self._ahead[0] if self._ahead else inf

    def step(self, *, hurry: bool) -> None:
        """Go on to the next picture. ``hurry``: leave out those that no other picture needs."""
        if self._ahead:
            self._stream.codec_context.skip_frame = "NONREF" if hurry else "DEFAULT"
            self._shown = self._ahead[1]
            self._ahead = next(self._film, None)

    @property
    def size(self) -> Size:
        """Of the pictures as they are shown, upright."""
        frame = self._shown
        return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)

    def pixels(self, size: Size) -> Pixels:
        """The picture now, upright, as it looks on black, stretched to ``size``."""
        frame = self._shown
        lying = (size[1], size[0]) if frame.rotation % 180 else size
        if any(part.is_alpha for part in frame.format.components):
            pixels = resize(over_black(np.asarray(frame.to_ndarray(format="bgra"), np.uint8)), lying)
        else:
            pixels = bgr(frame, lying)
        return np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90 % 4))

    def close(self) -> None:
        """Close the file."""
        self._film.close()
        self._container.close()

    def _play(self) -> Generator[tuple[float, VideoFrame], None, None]:
        """Each picture with its place in the film, for ever; a single picture once."""
        start = 0.0
        while True:
            pictures = self._once()
            begin = list(islice(pictures, 2))
            if not begin:
                raise BadFile(f"no picture of the video {str(self._path)!r} can be decoded; save it anew as an MP4")
            for place, frame in chain(begin, pictures):
                yield start + place, frame
            if len(begin) == 1:
                return
            start += place + self._length(frame)
            self._rewind()

    def _once(self) -> Iterator[tuple[float, VideoFrame]]:
        """Each picture from the first to the last, with its place."""
        first: float | None = None
        place = 0.0
        for frame in self._decode():
            time = frame.time if frame.time is not None else place + self._length(frame)
            first = time if first is None else first
            place = max(place, time - first)
            yield place, frame

    def _decode(self) -> Iterator[VideoFrame]:
        """What can be decoded from here to the end; damaged parts are passed over."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                yield from next(packets).decode()
            except (StopIteration, av.error.EOFError):
                return
            except av.error.InvalidDataError:
                continue
            except av.error.FFmpegError as error:
                raise BadFile(f"the video {str(self._path)!r} cannot be read on: {error.strerror}") from error

    def _rewind(self) -> None:
        """Back to the first picture. Opened anew: it takes little more than seeking, which not every format can do."""
        self._container.close()
        self._container, self._stream = _open(self._path)

    def _length(self, frame: VideoFrame) -> float:
        """How long a picture is shown, in seconds."""
        duration = getattr(frame, "duration", 0)  # some versions of PyAV do not tell it
        if duration and frame.time_base:
            return float(duration * frame.time_base)
        return float(1 / (self._stream.average_rate or USUAL_FPS))


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    try:
        container = av.open(path)
    except av.error.FFmpegError as error:
        raise BadFile(f"{str(path)!r} is no video FFmpeg can read ({error.strerror}); save it as an MP4") from error
    if not container.streams.video:
        container.close()
        raise BadFile(f"{str(path)!r} holds no pictures; name a file with a video in it")
    stream = container.streams.video[0]
    stream.codec_context.thread_type = "FRAME"
    stream.codec_context.thread_count = 2
    return container, stream


def bgr(frame: VideoFrame, size: Size) -> Pixels:
    """The frame in BGR, by the matrix and range its colours are stored in, scaled in the same go."""
    untagged = frame.colorspace in UNSPECIFIED
    sd = frame.height < HD_HEIGHT if untagged else frame.colorspace in SD_MATRICES
    full = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    pixels = frame.to_ndarray(
        format="bgr24",
        width=size[0],
        height=size[1],
        interpolation=Interpolation.AREA if size[0] < frame.width else Interpolation.BICUBIC,
        src_colorspace=Colorspace.ITU601 if sd else Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709 if sd else Colorspace.ITU601,  # BGR has none: older PyAV wants another one
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    )
    return np.asarray(pixels, np.uint8)
