"""A phone or an IP camera by URL: ``http://host:8080/video``, ``rtsp://user:password@host/live``, ``udp://:5000``.

A URL of one of these protocols needs no word before it; with one it is ``stream:http://host:8080/video``.
Read by FFmpeg with as little delay as it allows. A stream that ends, breaks off or is silent is lost like a camera that
was unplugged: the capture worker opens it again.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime_matte.errors import SourceError, SourceLost, SpecError, masked
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media.clip import average_fps
from realtime_matte.media.colors import FrameConverter

SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtp", "udp", "tcp", "rtmp", "srt")
URL: Final = re.compile(rf"({'|'.join(SCHEMES)})://", re.IGNORECASE)

OPEN_S: Final = 10.0
"""The longest wait for the first frame: cameras send a key frame, which all others need, every 1 to 10 s."""

SILENCE_S: Final = 2.0
"""A stream that gives no new frame for so long is lost, as a camera is."""

MOST_PIXELS: Final = 8192 * 8192
"""Most pixels of a frame: no camera sends a larger one, and a hostile server could fill the memory."""

FFMPEG: Final = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "1000000",  # microseconds; like probesize, in bytes, enough for the header of every codec
    "probesize": "1000000",
    "max_delay": "200000",  # microseconds for which UDP packets that are late are waited for
    "rtsp_transport": "tcp",  # over UDP, Wi-Fi loses parts of frames
    "protocol_whitelist": "http,https,httpproxy,rtsp,rtp,srtp,udp,tcp,tls,rtmp,srt,crypto",  # no file of this machine
}

LATE: Final = "it does not answer in time"
HINT: Final = "check that the camera sends, and that its address opens in a browser or in VLC on this machine"
HINTS: Final = (
    (av.error.ConnectionRefusedError, "start the camera's server, and check host and port"),
    (av.error.HTTPUnauthorizedError, "give user and password, as in rtsp://user:password@host"),
    (av.error.HTTPForbiddenError, "give user and password, as in rtsp://user:password@host"),
    (av.error.HTTPNotFoundError, "check the path after the host: the camera's app or manual has it"),
    (av.error.ProtocolNotFoundError, "this FFmpeg does not have that protocol; use http or rtsp"),
)


def claims(spec: str) -> bool:
    """True for a URL of a protocol that cameras speak."""
    return URL.match(spec) is not None


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Stream":  # noqa: ARG001 - the camera decides both
    """Connect, and read the first frame to know the size.

    Raises:
        SpecError: it is no URL.
        SourceError: it cannot be reached, or sends no video.
    """
    if not claims(rest):
        raise SpecError(f"{masked(rest)!r} is not the URL of a camera", hint=f"begin with {'://, '.join(SCHEMES)}://")
    scheme, address = rest.split("://", 1)
    return Stream(f"{scheme.lower()}://{address}")


class Stream:
    """A video stream from the network, used by one thread at a time."""

    live: Final = True
    frames: Final = None

    def __init__(self, url: str, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._title = f"the camera {masked(url)}"
        self._clock = clock
        self._converter = FrameConverter()
        self._index = 0
        self._decoded: list[VideoFrame] = []  # frames that ``read`` has not returned yet
        self._container = self._connect(url)
        try:
            stream = self._video_stream()
            self.fps = average_fps(stream)
            self._packets: Iterator[Packet[VideoStream]] = self._container.demux(stream)
            first = self._next(OPEN_S)
        except BaseException:
            self._container.close()
            raise
        self._decoded.insert(0, first)
        self.size = first.width, first.height
        self.notices = (f"{self._title}: {first.width}x{first.height} {stream.codec_context.name}",)

    def read(self, pixels: Pixels) -> Frame:
        """The next frame. Raises SourceLost."""
        frame = self._next(SILENCE_S)
        if (frame.width, frame.height) != self.size:
            size = f"{frame.width}x{frame.height}"
            raise SourceLost(f"{self._title} now sends frames of {size}", hint="it has to be opened again")
        try:
            np.copyto(pixels, self._converter.bgr(frame, self.size))
        except av.error.FFmpegError as error:
            raise SourceLost(f"{self._title} sent a frame that cannot be shown: {_reason(error)}", hint=HINT) from error
        self._index += 1
        return Frame(pixels, self._clock(), self._index - 1)

    def close(self) -> None:
        """Disconnect, and end the threads of the decoder and the converter. Idempotent."""
        self._packets = iter(())  # it refers to the decoder
        self._converter = FrameConverter()
        self._decoded.clear()
        self._container.close()

    def _connect(self, url: str) -> InputContainer:
        deadline = self._clock() + OPEN_S
        try:
            return av.open(url, options=dict(FFMPEG), timeout=(OPEN_S, SILENCE_S))
        except (av.error.FFmpegError, ValueError) as error:  # ValueError: a URL with a null character
            hint = next((hint for kind, hint in HINTS if isinstance(error, kind)), HINT)
            reason = LATE if self._clock() >= deadline else _reason(error)
            raise SourceError(f"cannot connect to {self._title}: {reason}", hint=hint) from error

    def _video_stream(self) -> VideoStream:
        streams = self._container.streams.video
        if not streams or streams[0].codec_context is None:
            raise SourceError(
                f"{self._title} sends no video that FFmpeg can decode", hint="choose MJPEG or H.264 there"
            )
        context = streams[0].codec_context
        if context.width * context.height > MOST_PIXELS:
            size = f"{context.width}x{context.height}"
            raise SourceError(f"{self._title} sends frames of {size}", hint="choose a smaller size there")
        context.options = {**context.options, "max_pixels": str(MOST_PIXELS)}
        return streams[0]

    def _next(self, timeout_s: float) -> VideoFrame:
        deadline = self._clock() + timeout_s
        while not self._decoded:
            try:
                self._decoded += next(self._packets).decode()
            except (StopIteration, av.error.EOFError) as error:
                raise SourceLost(f"{self._title} ended the stream", hint=HINT) from error
            except av.error.InvalidDataError:
                pass  # a damaged frame, or one that needs a key frame
            except av.error.FFmpegError as error:
                raise SourceLost(f"{self._title} broke off: {_reason(error)}", hint=HINT) from error
            if not self._decoded and self._clock() > deadline:
                raise SourceLost(f"{self._title} gave no frame for {timeout_s:g} s", hint=HINT)
        return self._decoded.pop(0)


def _reason(error: Exception) -> str:
    """The reason in FFmpeg's words, which never contain the URL; of a timeout in ours."""
    if isinstance(error, av.error.ExitError):
        return LATE
    return getattr(error, "strerror", None) or "it is no valid URL"
