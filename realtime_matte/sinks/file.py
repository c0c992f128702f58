"""A video file: ``file:out.mp4``, or just ``out.mp4``, ``.m4v``, ``.mov``, ``.mkv``, ``.webm``.

An existing file is refused; ``out.mp4?overwrite=yes`` replaces it, and deletes it when the new one is complete. If the
new one fails, such as on a full disk, both are kept; if nothing of the new one plays, it is deleted, and the old one is
restored.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from realtime_matte.config.specs import SpecOption, parse, split, switch
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels, Size, size_text
from realtime_matte.media.cut_mp4 import cut_to_whole_frames
from realtime_matte.media.encoder import FRAGMENTED, TICKS_PER_S, Encoder, Format, choose, start
from realtime_matte.media.new_file import HINTS, NewFile, write_error
from realtime_matte.paths import named

OPTIONS: Final = {"overwrite": SpecOption(switch, "replace an existing file", default=False)}

RESTORED: Final = "; nothing of the new file plays, so the file that was there before was restored"
DELETED: Final = "; nothing of the file plays, so it was deleted"

FILE_SUFFIX: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")


def claims(spec: str) -> bool:
    """True for names that end like a file's; ``open`` refuses those that are no video format."""
    return FILE_SUFFIX.fullmatch(Path(split(spec, OPTIONS)[0]).suffix) is not None


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Recording":
    """Start the file."""
    name, options = parse(rest, OPTIONS)
    if not name:
        raise SpecError("'file:' needs a file name", hint="such as file:out.mp4")
    return record(named(name), size=size, fps=fps, alpha=alpha, overwrite=options["overwrite"])


def record(path: Path, *, size: Size, fps: float, alpha: bool, overwrite: bool) -> "Recording":
    """Start the file at ``path``, an existing one only if ``overwrite``. Raises SpecError, SinkError."""
    file_format, encoder = choose(path.suffix, alpha=alpha)
    file = NewFile(path, overwrite=overwrite)
    try:
        return Recording(path, file, file_format, encoder, size=size, fps=fps, alpha=alpha)
    except BaseException:
        file.discard()
        raise


class Recording:
    """Encodes each output frame at its own time; FFmpeg's threads encode it while the next one is made."""

    live: Final = False

    def __init__(
        self, path: Path, file: NewFile, file_format: Format, encoder: Encoder, *, size: Size, fps: float, alpha: bool
    ) -> None:
        even = size[0] + size[0] % 2, size[1] + size[1] % 2  # encoders store the colour of every other pixel
        self.alpha = alpha
        self._path = path
        self._file = file
        self._pixel_format = encoder.pixel_format
        self._padded = None if even == size else np.empty((even[1], even[0], 4 if alpha else 3), np.uint8)
        self._reformatter = VideoReformatter()
        self._first_time: float | None = None
        self._ticks = -1  # time of the last frame
        self._closed = False
        self._failed = False
        try:
            self._container, self._stream = start(path, file_format, encoder, size=even, fps=fps)
        except av.error.FFmpegError as error:
            reason = f"{encoder.name} reports {error.strerror}"
            if error.errno in HINTS:
                raise write_error(path, error.errno, reason) from error
            message = f"cannot write {str(path)!r}: {reason} ({size_text(even)})"
            raise SinkError(message, hint="choose a smaller --size, or another file format") from error
        reason = "" if even == size else f", as {encoder.title} needs even sides"
        self._notices = [f"{path}: {encoder.title} ({encoder.name}), {even[0]}x{even[1]}{reason}"]

    @property
    def notices(self) -> Sequence[str]:
        """The encoder, and the size of the video."""
        return self._notices

    def send(self, image: Pixels, time: float) -> None:
        """Encode the output frame."""
        frame = self._to_encoder_format(image)
        if self._first_time is None:
            self._first_time = time
        self._ticks = max(self._ticks + 1, round((time - self._first_time) * TICKS_PER_S))
        frame.pts = self._ticks
        self._write(frame)

    def close(self) -> None:
        """Write what the encoder still holds, and complete the file; one without frames is deleted."""
        if self._closed:
            return
        self._closed = True
        try:
            self._finish()
        finally:
            del self._stream  # the encoder's threads end when nothing refers to it
            self._file.release()

    def _finish(self) -> None:
        if self._failed:
            return
        self._write(None)
        try:
            self._container.close()
        except av.error.FFmpegError as error:
            self._cut()
            raise self._write_error(error) from error
        if self._first_time is None:
            self._file.discard()
        else:
            self._file.complete()

    def _to_encoder_format(self, image: Pixels) -> VideoFrame:
        """The image by BT.709, padded to even sizes with its own edge."""
        if self._padded is not None:
            rows, columns = (padded - own for padded, own in zip(self._padded.shape, image.shape[:2], strict=False))
            cv2.copyMakeBorder(image, 0, rows, 0, columns, cv2.BORDER_REPLICATE, dst=self._padded)
            image = self._padded
        frame = VideoFrame.from_numpy_buffer(image, format="bgra" if self.alpha else "bgr24")
        return self._reformatter.reformat(frame, format=self._pixel_format, dst_colorspace=Colorspace.ITU709)

    def _write(self, frame: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except av.error.FFmpegError as error:
            self._failed = True
            with suppress(av.error.FFmpegError):  # it fails for the same reason
                self._container.close()
            self._cut()
            raise self._write_error(error) from error

    def _cut(self) -> None:
        """Take off the frame that a full disk cut; other formats have none, as players leave it out."""
        if self._path.suffix.lower() in FRAGMENTED:
            with suppress(OSError):
                cut_to_whole_frames(self._path)

    def _write_error(self, error: av.error.FFmpegError) -> SinkError:
        return write_error(self._path, error.errno, f"{error.strerror}{self._replaced()}")

    def _replaced(self) -> str:
        """What became of the new file and of a replaced one, for the error: what does not play is deleted."""
        if _plays(self._path):
            return self._file.backup_note
        replaces = bool(self._file.backup_note)
        self._file.discard()
        return self._file.backup_note or (RESTORED if replaces else DELETED)


def _plays(path: Path) -> bool:
    """Whether the file has a frame, which may be incomplete. True where that cannot be found out."""
    try:
        with av.open(f"file:{path}") as container:
            return next(container.decode(video=0), None) is not None
    except (av.error.InvalidDataError, av.error.EOFError, IndexError):  # IndexError: it has no video yet
        return False
    except (av.error.FFmpegError, MemoryError):
        return True
