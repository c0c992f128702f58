"""The only file that uses ``cv2.VideoCapture``."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import cv2

from realtime_matte.frame import Pixels, Size
from realtime_matte.v4l2.cameras import CameraInfo
from realtime_matte.v4l2.capabilities import Mode

LOGGING: Any = getattr(cv2.utils, "logging", cv2)  # before OpenCV 4.13 its functions are in cv2 itself
LEVEL_SILENT = 0

BACKENDS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}

BUFFERS = 2
"""One to read, one for the driver to fill. With one buffer it drops every other frame; more only add age."""

HIGHEST_FPS = 1000.0
"""Drivers that do not know their rate report 0, -1 or millions."""


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


def describe_mode(
    device: Device, camera: CameraInfo, *, requested: tuple[Size, float], actual: tuple[Size, float]
) -> str:
    """The notice of the actual mode (size, fps), and if it is not the requested one, why."""
    mode = f"{camera.title}: {_text(*actual)} {fourcc(device)}".rstrip()
    if requested[0] == actual[0] and abs(requested[1] - actual[1]) < 1:
        return mode
    return f"{mode}, not the requested {_text(*requested)}{_reason(camera.modes, *requested)}"


def _reason(modes: tuple[Mode, ...], size: Size, fps: float) -> str:
    if not modes:
        return ""
    rates = [rate for mode in modes if mode.size == size for rate in mode.fps]
    if not rates:
        largest = max((mode.size for mode in modes), key=lambda each: each[0] * each[1])
        return f": it has no such size (its largest is {largest[0]}x{largest[1]}); rtmatte devices lists its modes"
    if all(abs(rate - fps) >= 1 for rate in rates):
        return f": its rates at that size are {', '.join(f'{rate:g}' for rate in sorted(set(rates), reverse=True))}"
    return "; another program may have set its mode"


def _text(size: Size, fps: float) -> str:
    return f"{size[0]}x{size[1]} at {fps:g} fps"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV's messages off the terminal: our errors report what fails."""
    level = LOGGING.getLogLevel()
    LOGGING.setLogLevel(LEVEL_SILENT)
    try:
        yield
    finally:
        LOGGING.setLogLevel(level)
