"""The only file that uses ``cv2.VideoCapture``."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import cv2

from realtime_matte.frame import PixelFormat, Pixels, Size
from realtime_matte.media import jpeg
from realtime_matte.v4l2.cameras import CameraInfo
from realtime_matte.v4l2.capabilities import Mode

LOGGING: Any = getattr(cv2.utils, "logging", cv2)  # before OpenCV 4.13 its functions are in cv2 itself
LEVEL_SILENT = 0

BACKENDS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}

BUFFERS = 2
"""One to read, one for the driver to fill. With one buffer it drops every other frame; more only add age."""

COMPRESSED = "MJPG", "JPEG"
"""Formats that Video for Linux lets through undecoded."""

HIGHEST_FPS = 1000.0
"""Drivers that do not know their rate report 0, -1 or millions."""


class OpenCvReader:
    """A CameraReader on ``cv2.VideoCapture``. ``notices``: why no faster reader is used."""

    pixel_formats: Sequence[PixelFormat] = ("bgr",)

    def __init__(self, device: "Device", notices: Sequence[str] = ()) -> None:
        self.notices = notices
        self._device = device
        self._compressed = False

    @property
    def is_open(self) -> bool:
        """As ``CameraReader.is_open``."""
        return self._device.isOpened()

    def request_mode(self, size: Size, fps: float) -> None:
        """As ``CameraReader.request_mode``."""
        request_mode(self._device, size, fps)
        self._compressed = sys.platform == "linux" and fourcc(self._device) in COMPRESSED and undecoded(self._device)

    def is_ready(self, timeout_s: float) -> bool:
        """As ``CameraReader.is_ready``; True where OpenCV cannot know."""
        return ready(self._device, timeout_s)

    def grab(self) -> bool:
        """As ``CameraReader.grab``."""
        return self._device.grab()

    def retrieve(self, pixels: Pixels | None) -> Pixels | None:
        """As ``CameraReader.retrieve``. To be called only after a successful grab: else the last frame is repeated."""
        if not self._compressed:
            return retrieve(self._device, pixels)
        data = retrieve(self._device, None)
        return None if data is None else jpeg.decode(data.tobytes(), pixels)

    def timestamp_ms(self) -> float:
        """As ``CameraReader.timestamp_ms``."""
        return timestamp_ms(self._device)

    def actual_fps(self) -> float | None:
        """As ``CameraReader.actual_fps``."""
        return actual_fps(self._device)

    def fourcc(self) -> str:
        """As ``CameraReader.fourcc``."""
        return fourcc(self._device)

    def release(self) -> None:
        """As ``CameraReader.release``."""
        release(self._device)


class Device(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """True when it was opened."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """Request a setting."""

    def get(self, propId: int, /) -> float:  # noqa: N803
        """The actual setting."""

    def grab(self) -> bool:
        """Take the next frame without decoding it."""

    def retrieve(self, image: Pixels | None = None, /) -> tuple[bool, Pixels | None]:
        """Decode the grabbed frame, into ``image`` if it fits."""

    def release(self) -> None:
        """Close the device."""


def connect(camera: CameraInfo) -> Device:
    """The device; its ``isOpened`` says whether it could be opened."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")  # else a silent camera blocks OpenCV for 10 s
    address = int(camera.address) if camera.address.isdecimal() else camera.address
    with quiet():
        return cast("Device", cv2.VideoCapture(address, BACKENDS.get(sys.platform, cv2.CAP_ANY)))


def request_mode(device: Device, size: Size, fps: float) -> None:
    """Request a mode. MJPG comes first: without it, USB carries 720p at 10 frames a second."""
    with quiet():
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        device.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        device.set(cv2.CAP_PROP_FPS, fps)
        device.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)


def undecoded(device: Device) -> bool:
    """Let ``retrieve`` return JPEG data as (1, n) uint8, if the backend can: its own decoder prints damage."""
    with quiet():
        return device.set(cv2.CAP_PROP_CONVERT_RGB, 0) and not device.get(cv2.CAP_PROP_CONVERT_RGB)


def release(device: Device) -> None:
    """Close the device."""
    with quiet():
        device.release()


def ready(device: Device, timeout_s: float) -> bool:
    """True when ``grab`` will not wait; always where OpenCV cannot know."""
    if not isinstance(device, cv2.VideoCapture) or sys.platform != "linux":
        return True
    try:
        _, indices = cv2.VideoCapture.waitAny([device], timeoutNs=round(timeout_s * 1e9))
    except cv2.error:
        return False  # unplugged, or silent since it was opened
    return len(indices) > 0


def retrieve(device: Device, pixels: Pixels | None) -> Pixels | None:
    """The grabbed frame, decoded into ``pixels`` if it fits; None if the frame is incomplete or empty."""
    try:
        success, decoded = device.retrieve(pixels)
    except cv2.error:
        return None
    return decoded if success else None


def timestamp_ms(device: Device) -> float:
    """The driver's time of the grabbed frame, ms; 0 where there is none."""
    return device.get(cv2.CAP_PROP_POS_MSEC)


def actual_fps(device: Device) -> float | None:
    """Frames a second, where the driver knows."""
    fps = device.get(cv2.CAP_PROP_FPS)
    return fps if 0 < fps <= HIGHEST_FPS else None


def fourcc(device: Device) -> str:
    """The pixel format, such as MJPG; empty where it is not known."""
    code = int(device.get(cv2.CAP_PROP_FOURCC))
    text = code.to_bytes(4, "little").decode("ascii", "replace") if code > 0 else ""
    return text.strip() if text.isprintable() else ""


def probe(address: str) -> CameraInfo | None:
    """The camera of a number, with the mode it starts in; None when it cannot be opened."""
    device = connect(CameraInfo("", address))
    try:
        if not device.isOpened():
            return None
        size = int(device.get(cv2.CAP_PROP_FRAME_WIDTH)), int(device.get(cv2.CAP_PROP_FRAME_HEIGHT))
        return CameraInfo("", address, (Mode(fourcc(device), size, (actual_fps(device) or 0.0,)),))
    finally:
        release(device)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV's messages off the terminal: our errors report what fails."""
    level = LOGGING.getLogLevel()
    LOGGING.setLogLevel(LEVEL_SILENT)
    try:
        yield
    finally:
        LOGGING.setLogLevel(level)
