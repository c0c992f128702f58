"""The endless film that a video file makes when it starts again at its end, one picture at a time."""

from collections.abc import Generator, Iterator
from itertools import chain, islice
from math import inf
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from realtime_matte.errors import BadFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import clip as clips
from realtime_matte.media.clip import Shot
from realtime_matte.media.image import over_black, resize


class Clip:
    """Decodes one picture ahead, in threads of FFmpeg's own that wait for nothing but to be asked.

    Raises:
        MissingFile, BadFile: from ``step`` too, when the file cannot be read any more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connect()
        self._reformatter = VideoReformatter()
        self._film = self._play()
        try:
            self._shown = next(self._film).frame
            self._ahead = next(self._film, None)
        except BaseException:
            self.close()
            raise

    @property
    def until(self) -> float:
        """When the next picture is due, in seconds of the film; never, if there is but one."""
        return self._ahead.place if self._ahead else inf

    def step(self, *, hurry: bool) -> None:
        """Go on to the next picture. ``hurry``: leave out those that no other picture needs."""
        if self._ahead:
            self._stream.codec_context.skip_frame = "NONREF" if hurry else "DEFAULT"
            self._shown = self._ahead.frame
            self._ahead = next(self._film, None)

    @property
    def size(self) -> Size:
        """Of the pictures as they are shown: upright, with square pixels."""
        width, height = clips.shape(self._shown, self._stream)
        return (height, width) if clips.quarters(self._shown) % 2 else (width, height)

    def pixels(self, size: Size) -> Pixels:
        """The picture now, upright, as it looks on black, stretched to ``size``."""
        frame, turns = self._shown, clips.quarters(self._shown)
        lying = (size[1], size[0]) if turns % 2 else size
        if any(part.is_alpha for part in frame.format.components):
            pixels = resize(over_black(np.asarray(frame.to_ndarray(format="bgra"), np.uint8)), lying)
        else:
            pixels = clips.bgr(self._reformatter, frame, lying)
        return np.ascontiguousarray(np.rot90(pixels, turns))

    def close(self) -> None:
        """Close the file."""
        self._film.close()
        self._container.close()

    def _play(self) -> Generator[Shot, None, None]:
        """Each picture with its place in the film, for ever; a single picture once."""
        start = 0.0
        while True:
            shots = clips.placed(self._decode(), self._stream)
            begin = list(islice(shots, 2))
            if not begin:
                raise BadFile(
                    f"no picture of the video {str(self._path)!r} can be decoded", hint="save it anew as an MP4"
                )
            for shot in chain(begin, shots):
                yield Shot(shot.frame, start + shot.place)
            if len(begin) == 1:
                return
            start += shot.place + clips.length(shot.frame, self._stream)
            self._rewind()

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
        self._connect()

    def _connect(self) -> None:
        self._container, self._stream = clips.connect(self._path)
        self._stream.codec_context.thread_type = "FRAME"
        self._stream.codec_context.thread_count = 2
