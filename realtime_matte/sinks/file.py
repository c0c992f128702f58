"""A video file: ``file:out.mp4``, or just ``out.mp4``, ``.m4v``, ``.mov``, ``.mkv``, ``.webm``.

One that is there already is not written over unless asked to: ``out.mp4?overwrite=yes``.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from realtime_matte.config.specs import parse, split, switch
from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.encoder import FORMATS, TICKS, Encoder, Format, choose, start
from realtime_matte.media.new_file import NewFile, unwritten
from realtime_matte.paths import named

OPTIONS: Final = {"overwrite": switch}


def claims(spec: str) -> bool:
    """Names that end like one of the kinds of video file."""
    return Path(split(spec, OPTIONS)[0]).suffix.lower() in FORMATS


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Recording":
    """Start the file."""
    name, options = parse(rest, OPTIONS)
    if not name:
        raise SpecError("no file is named after 'file:'", hint="name one, as in file:out.mp4")
    path = named(name)
    kind, encoder = choose(path.suffix, alpha=alpha)
    file = NewFile(path, overwrite=options.get("overwrite", False))
    try:
        return Recording(path, file, kind, encoder, size=size, fps=fps, alpha=alpha)
    except BaseException:
        file.take_away()
        raise


class Recording:
    """Encodes each picture at its own time; FFmpeg's threads go on with it while the next one is made."""

    live: Final = False

    def __init__(
        self, path: Path, file: NewFile, kind: Format, encoder: Encoder, *, size: Size, fps: float, alpha: bool
    ) -> None:
        even = size[0] + size[0] % 2, size[1] + size[1] % 2  # encoders store every other pixel's colour
        self.alpha = alpha
        self._path = path
        self._file = file
        self._pixels = encoder.pixels
        self._grown = None if even == size else np.empty((even[1], even[0], 4 if alpha else 3), np.uint8)
        self._convert = VideoReformatter()
        self._begin: float | None = None  # time of the first picture
        self._ticks = -1  # of the last one
        self._closed = False
        self._failed = False
        try:
            self._container, self._stream = start(path, kind, encoder, size=even, fps=fps)
        except av.error.FFmpegError as error:
            raise unwritten(path, error.errno, f"{encoder.name} says {error.strerror}") from error
        self._notes = [f"{path}: {encoder.title} ({encoder.name}), {even[0]}x{even[1]}"]

    @property
    def notices(self) -> Sequence[str]:
        """The encoder, and the size of the video."""
        return self._notes

    def send(self, picture: Pixels, time: float) -> None:
        """Encode the picture."""
        frame = self._frame(picture)
        if self._begin is None:
            self._begin = time
        self._ticks = max(self._ticks + 1, round((time - self._begin) * TICKS))
        frame.pts = self._ticks
        self._write(frame)

    def close(self) -> None:
        """Write what the encoder still holds, and finish the file; one without pictures is taken away."""
        if self._closed:
            return
        self._closed = True
        if self._failed:
            with suppress(av.error.FFmpegError):  # the error was told when it happened
                self._container.close()
            return
        self._write(None)
        self._finish()
        if self._begin is None:
            self._file.take_away()
        else:
            self._file.whole()

    def _frame(self, picture: Pixels) -> VideoFrame:
        """The picture in the encoder's format, by BT.709."""
        if self._grown is not None:
            rows, columns = (grown - own for grown, own in zip(self._grown.shape, picture.shape[:2], strict=False))
            cv2.copyMakeBorder(picture, 0, rows, 0, columns, cv2.BORDER_REPLICATE, dst=self._grown)
            picture = self._grown
        frame = VideoFrame.from_numpy_buffer(picture, format="bgra" if self.alpha else "bgr24")
        return self._convert.reformat(frame, format=self._pixels, dst_colorspace=Colorspace.ITU709)

    def _write(self, frame: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except av.error.FFmpegError as error:
            self._failed = True
            with suppress(av.error.FFmpegError):
                self._container.close()
            raise unwritten(self._path, error.errno, f"{error.strerror}{self._file.kept}") from error

    def _finish(self) -> None:
        try:
            self._container.close()
        except av.error.FFmpegError as error:
            raise unwritten(self._path, error.errno, f"{error.strerror}{self._file.kept}") from error
