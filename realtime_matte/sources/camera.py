"""``camera:0``, ``camera:/dev/video2``, ``camera:<part of its name>``; ``camera`` alone is the first one there is."""

import sys
import threading
import time
from collections.abc import Callable

import cv2

from realtime_matte.errors import SourceLost
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.sources import _opencv as _device
from realtime_matte.sources._camera_info import CameraInfo, Mode, System
from realtime_matte.sources._opencv import Device
from realtime_matte.sources._other_systems import Elsewhere
from realtime_matte.sources._repeat import Repeats

__all__ = ["Camera", "CameraInfo", "Mode", "list_cameras", "open"]

DEFAULT_SIZE = (1280, 720)
DEFAULT_FPS = 30.0

SILENCE_S = 2.0
"""A camera that gives nothing new for so long is lost."""

START_S = 5.0
"""So long a camera may take for its first picture: some focus and measure the light before."""

SLICE_S = 0.25
"""So often a camera that is waited for is looked at: is it still there, is it still wanted?"""

PAUSE_S = 0.01
"""Between two tries: a camera that fails at once must not become a busy loop."""

OLDEST_S = 1.0
"""A picture older than that was stamped by another clock."""


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Camera":
    """Open a camera, and take its first picture to know that it runs."""
    system = _system()
    camera = system.choose(rest)
    device = _device.connect(camera)
    try:
        return Camera(device, camera, system, size=size or DEFAULT_SIZE, fps=fps or DEFAULT_FPS)
    except BaseException:
        _device.release(device)
        raise


def list_cameras() -> list[CameraInfo]:
    """Every camera there is; on macOS and Windows those that are free, which are switched on for a moment."""
    return _system().cameras()


class Camera:
    """A camera that is running. ``close`` may come from another thread: a read that waits then ends soon."""

    live = True
    frames = None

    def __init__(
        self,
        device: Device,
        camera: CameraInfo,
        system: System,
        *,
        size: Size,
        fps: float,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._device = device
        self._camera = camera
        self._system = system
        self._clock = clock
        self._sleep = sleep
        self._repeats = Repeats()
        self._reading = threading.Lock()  # guards _device: OpenCV does not bear a release while it reads
        self._closed = False
        self._index = 0
        self._time = float("-inf")
        first = self._start(size, fps)
        self.size = first.shape[1], first.shape[0]
        self.fps = _device.rate(device) or fps
        self.notices = (_device.granted(device, camera, asked=(size, fps), given=(self.size, self.fps)),)

    def read(self, pixels: Pixels) -> Frame:
        """The next new picture."""
        try:
            with self._reading:
                return self._read(pixels)
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Switch the camera off; if it is being read, the reader does so."""
        self._closed = True
        if self._reading.acquire(blocking=False):
            try:
                _device.release(self._device)
            finally:
                self._reading.release()

    def _start(self, size: Size, fps: float) -> Pixels:
        picture = None
        if self._device.isOpened():
            _device.ask(self._device, size, fps)
            with _device.quiet():
                picture = self._next(None, START_S)
        if picture is None:
            self.close()  # else the system would find us using it
            raise self._system.refusal(self._camera)
        return picture

    def _read(self, pixels: Pixels) -> Frame:
        picture = self._next(pixels, SILENCE_S)
        if picture is None:
            raise SourceLost(f"{self._camera.title} {self._loss()}")
        if picture is not pixels:  # OpenCV makes its own array for a picture that does not fit
            size = f"{picture.shape[1]}x{picture.shape[0]}"
            raise SourceLost(f"{self._camera.title} now gives pictures of {size}", hint="it has to be opened again")
        self._index += 1
        return Frame(pixels, self._taken(), self._index - 1)

    def _next(self, pixels: Pixels | None, patience_s: float) -> Pixels | None:
        deadline = self._clock() + patience_s
        while not self._gone() and (left := deadline - self._clock()) > 0:
            if _device.ready(self._device, min(left, SLICE_S)) and self._device.grab():
                # Never without a grab that went well: OpenCV then gives the last picture again, and calls it a success.
                picture = _device.retrieve(self._device, pixels)
                if picture is not None and self._repeats.fresh(picture, self._device.get(cv2.CAP_PROP_POS_MSEC)):
                    return picture
            self._sleep(PAUSE_S)
        return None

    def _gone(self) -> bool:
        return self._closed or self._system.gone(self._camera)

    def _loss(self) -> str:
        if self._closed:
            return "was closed"
        if self._system.gone(self._camera):
            return "was unplugged; plug it in again"
        return f"has given nothing new for {SILENCE_S:g} s; close what else uses it, or plug it in again"

    def _taken(self) -> float:
        """The driver's time of the picture, where it goes by our clock; else now."""
        now = self._clock()
        stamp = self._device.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._time = max(self._time, stamp if now - OLDEST_S < stamp <= now else now)
        return self._time


def _system() -> System:
    if sys.platform == "linux":
        from realtime_matte.sources._linux import Linux  # noqa: PLC0415 - needs fcntl, which only Unix has

        return Linux()
    return Elsewhere(sys.platform, _device.probe)
