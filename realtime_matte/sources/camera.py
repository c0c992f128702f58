"""``camera:0``, ``camera:/dev/video2``, ``camera:<part of its name>``; ``camera`` alone is the first one there is."""

import sys
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial

from realtime_matte.errors import MissingDependency, SourceLost
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.sources import _opencv
from realtime_matte.sources._opencv import OpenCvReader
from realtime_matte.sources._other_systems import NumberedCameras, System
from realtime_matte.sources._reader import CameraReader, describe_mode
from realtime_matte.sources._v4l2 import V4l2Reader
from realtime_matte.v4l2.cameras import CameraInfo, LinuxCameras
from realtime_matte.v4l2.capabilities import Mode
from realtime_matte.v4l2.streaming import NotSupported

__all__ = ["Camera", "CameraInfo", "Mode", "list_cameras", "open"]

DEFAULT_SIZE = (1280, 720)
DEFAULT_FPS = 30.0

SILENCE_S = 2.0
"""A camera that gives no new frame for so long is lost."""

FIRST_FRAME_S = 5.0
"""A camera may take so long for its first frame: some focus and measure the light first."""

WAIT_S = 0.25
"""The longest single wait; after each, the camera may have been unplugged or closed."""

RETRY_S = 0.01
"""Pause between two tries: a camera that fails at once must not make a busy loop."""

MAX_AGE_S = 1.0
"""A frame with an older timestamp was stamped by another clock."""

NOISY_FRAMES = 30
"""After so many different frames in a row the sensor is taken as noisy: no two of its frames are equal."""

ONLY_DAMAGED = 3
"""Damaged frames in a row after which they are the reason of a loss."""

CABLE = "use another cable or USB port, without a hub"

CHECKED_ROWS = 16
"""Rows of a frame that go into its checksum."""


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Camera":
    """Open a camera, and read its first frame to know that it works."""
    system = _system()
    camera = system.choose(rest)
    choice = system.choice(rest, camera)
    start = partial(_start, camera, system, size=size or DEFAULT_SIZE, fps=fps or DEFAULT_FPS, choice=choice)
    if sys.platform != "linux":
        return start(OpenCvReader(_opencv.connect(camera)))
    try:
        return start(V4l2Reader(camera.address))
    except MissingDependency as error:
        reason = str(error)
    except NotSupported as error:
        reason = str(error.strerror)
    notice = f"{camera.title} is read by OpenCV, which takes more processor time: {reason}"
    return start(OpenCvReader(_opencv.connect(camera), (notice,)))


def _start(
    camera: CameraInfo, system: System, reader: CameraReader, *, size: Size, fps: float, choice: str
) -> "Camera":
    try:
        return Camera(reader, camera, system, size=size, fps=fps, choice=choice)
    except BaseException:
        reader.release()
        raise


def list_cameras() -> list[CameraInfo]:
    """Every camera of this machine; on macOS and Windows the free ones only, which are opened for a moment.

    Example:
        >>> addresses = [camera.address for camera in list_cameras()]
    """
    return _system().list_cameras()


class Camera:
    """A running camera. ``close`` may be called from another thread: a read that waits then ends within WAIT_S."""

    live = True
    frames = None

    def __init__(
        self,
        reader: CameraReader,
        camera: CameraInfo,
        system: System,
        *,
        size: Size,
        fps: float,
        choice: str = "",
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._reader = reader
        self._camera = camera
        self._system = system
        self._clock = clock
        self._sleep = sleep
        self._repeats = RepeatDetector()
        self._reading = threading.Lock()  # guards _reader: OpenCV crashes when it is released during a read
        self._closed = False
        self._index = 0
        self._time = float("-inf")
        self.damaged = 0
        self._damaged_in_a_row = 0
        first = self._start(size, fps)
        self.size = first.shape[1], first.shape[0]
        self.fps = reader.actual_fps() or fps
        self.pixel_formats = reader.pixel_formats
        mode = describe_mode(reader.fourcc(), camera, requested=(size, fps), actual=(self.size, self.fps))
        self.notices: tuple[str, ...] = (mode, *([choice] if choice else []), *reader.notices)

    def read(self, pixels: Pixels) -> Frame:
        """The next new frame."""
        try:
            with self._reading:
                return self._read(pixels)
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Switch the camera off; during a read, the reading thread does it."""
        self._closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._reader.release()
            finally:
                self._reading.release()

    def _start(self, size: Size, fps: float) -> Pixels:
        first = None
        if self._reader.is_open:
            self._reader.request_mode(size, fps)
            with _opencv.quiet():
                first = self._next(None, FIRST_FRAME_S)
        if first is None and self._damaged_in_a_row and not isinstance(self._reader, OpenCvReader):
            raise NotSupported(0, "its frames cannot be decoded")
        if first is None:
            self.close()  # first, or else open_error finds the device busy because of this program
            raise self._system.open_error(self._camera)
        return first

    def _read(self, pixels: Pixels) -> Frame:
        decoded = self._next(pixels, SILENCE_S)
        if decoded is None:
            raise self._loss()
        if decoded is not pixels:  # the reader makes a new array for a frame of another size
            size = f"{decoded.shape[1]}x{decoded.shape[0]}"
            raise SourceLost(f"{self._camera.title} now gives frames of {size}", hint="it has to be opened again")
        self._index += 1
        return Frame(pixels, self._frame_time(), self._index - 1, "bgr" if pixels.ndim == 3 else "i420")  # noqa: PLR2004

    def _next(self, pixels: Pixels | None, timeout_s: float) -> Pixels | None:
        deadline = self._clock() + timeout_s
        while not self._is_gone() and (left := deadline - self._clock()) > 0:
            # Only after a successful grab: otherwise OpenCV returns the last frame again, as a success.
            if self._reader.is_ready(min(left, WAIT_S)) and self._reader.grab():
                decoded = self._reader.retrieve(pixels)
                self._count_damaged(damaged=decoded is None)
                if decoded is not None and self._repeats.is_new(decoded, self._reader.timestamp_ms()):
                    return decoded
            self._sleep(RETRY_S)
        return None

    def _count_damaged(self, *, damaged: bool) -> None:
        """Count a frame that cannot be decoded; the first one of a camera that runs adds a notice."""
        self._damaged_in_a_row = self._damaged_in_a_row + 1 if damaged else 0
        if damaged and self._index:
            self.damaged += 1
        if self.damaged == 1 and damaged:
            self.notices = (*self.notices, f"{self._camera.title} sends damaged frames, which are left out: {CABLE}")

    def _is_gone(self) -> bool:
        return self._closed or self._system.is_gone(self._camera)

    def _loss(self) -> SourceLost:
        if self._closed:
            return SourceLost(f"{self._camera.title} was closed")
        if self._system.is_gone(self._camera):
            return SourceLost(f"{self._camera.title} was unplugged", hint="plug it in again")
        if self._damaged_in_a_row >= ONLY_DAMAGED:
            return SourceLost(f"{self._camera.title} gave only damaged frames for {SILENCE_S:g} s", hint=CABLE)
        return SourceLost(
            f"{self._camera.title} gave no new frame for {SILENCE_S:g} s",
            hint="close other programs that use it, or plug it in again",
        )

    def _frame_time(self) -> float:
        """The driver's time of the frame, where it uses this program's clock; else now."""
        now = self._clock()
        stamp = self._reader.timestamp_ms() / 1000
        self._time = max(self._time, stamp if now - MAX_AGE_S < stamp <= now else now)
        return self._time


class RepeatDetector:
    """Distinguishes new frames of one camera from an old one that the driver returns again as a success.

    Where the driver stamps its frames, the same stamp is the same frame and a new stamp is a new one, however still the
    scene (a test camera, a drawing). Without stamps, an equal frame is a repeat only if the camera has been noisy: one
    that has been still since it was opened may show a drawing, or have its shutter closed.
    """

    def __init__(self) -> None:
        self._stamp: float | None = None
        self._stamped = False
        self._checksum = 0
        self._changes = 0

    def is_new(self, pixels: Pixels, stamp: float) -> bool:
        """False for a frame that was seen before. ``stamp``: the driver's time, in any unit."""
        moved = self._stamp is not None and stamp != self._stamp
        self._stamp = stamp
        self._stamped = self._stamped or moved
        return moved if self._stamped else self._changed(pixels)

    def _changed(self, pixels: Pixels) -> bool:
        checksum = 0
        for row in pixels[:: max(1, len(pixels) // CHECKED_ROWS)]:
            checksum = zlib.crc32(row, checksum)
        changed = checksum != self._checksum
        self._checksum = checksum
        noisy = self._changes >= NOISY_FRAMES
        if not noisy:
            self._changes = self._changes + 1 if changed else 0
        return changed or not noisy


def _system() -> System:
    return LinuxCameras() if sys.platform == "linux" else NumberedCameras(sys.platform, _opencv.probe)
