"""The gate to ``cv2.VideoCapture``."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import cv2

from realtime_matte.frame import Pixels, Size
from realtime_matte.sources._camera_info import CameraInfo, Mode

LOG: Any = getattr(cv2.utils, "logging", cv2)  # before OpenCV 4.13 its calls are cv2's own
SILENT = 0

BACKENDS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}

BUFFERS = 2
"""One that we read, one that the driver fills. With a single one it drops every other picture; more only grow old."""

HIGHEST_FPS = 1000.0
"""Drivers that do not know their rate say 0, -1 or millions."""


class Device(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """True when it was opened."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """Ask for a setting."""

    def get(self, propId: int, /) -> float:  # noqa: N803
        """The setting as it is."""

    def grab(self) -> bool:
        """Take the next picture, undecoded."""

    def retrieve(self, image: Pixels | None = None, /) -> tuple[bool, Pixels | None]:
        """Decode it, into ``image`` if it fits."""

    def release(self) -> None:
        """Close the device."""


def connect(camera: CameraInfo) -> Device:
    """The device, open if ``isOpened`` says so."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")  # else a silent camera blocks OpenCV for 10 s
    address = int(camera.address) if camera.address.isdecimal() else camera.address
    with quiet():
        return cast("Device", cv2.VideoCapture(address, BACKENDS.get(sys.platform, cv2.CAP_ANY)))


def ask(device: Device, size: Size, fps: float) -> None:
    """Ask for a mode. MJPG comes first: without it USB carries 720p at 10 pictures a second."""
    with quiet():
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        device.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        device.set(cv2.CAP_PROP_FPS, fps)
        device.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)


def release(device: Device) -> None:
    """Close it."""
    with quiet():
        device.release()


def ready(device: Device, timeout_s: float) -> bool:
    """True when ``grab`` will not wait; where OpenCV cannot tell, always."""
    if not isinstance(device, cv2.VideoCapture) or sys.platform != "linux":
        return True
    try:
        _, which = cv2.VideoCapture.waitAny([device], timeoutNs=round(timeout_s * 1e9))
    except cv2.error:
        return False  # unplugged, or silent since it was opened
    return len(which) > 0


def retrieve(device: Device, pixels: Pixels | None) -> Pixels | None:
    """What was grabbed, decoded into ``pixels`` if it fits; None where the camera sent it torn or empty."""
    try:
        done, found = device.retrieve(pixels)
    except cv2.error:
        return None
    return found if done else None


def rate(device: Device) -> float | None:
    """Pictures a second, where the driver knows."""
    fps = device.get(cv2.CAP_PROP_FPS)
    return fps if 0 < fps <= HIGHEST_FPS else None


def fourcc(device: Device) -> str:
    """The pixel format, such as MJPG; empty where it is not known."""
    code = int(device.get(cv2.CAP_PROP_FOURCC))
    text = code.to_bytes(4, "little").decode("ascii", "replace") if code > 0 else ""
    return text.strip() if text.isprintable() else ""


def probe(address: str) -> CameraInfo | None:
    """A camera known by number only, with the mode it comes up in; None when it cannot be opened."""
    device = connect(CameraInfo("", address))
    try:
        if not device.isOpened():
            return None
        size = int(device.get(cv2.CAP_PROP_FRAME_WIDTH)), int(device.get(cv2.CAP_PROP_FRAME_HEIGHT))
        return CameraInfo("", address, (Mode(fourcc(device), size, (rate(device) or 0.0,)),))
    finally:
        release(device)


def granted(device: Device, camera: CameraInfo, *, asked: tuple[Size, float], given: tuple[Size, float]) -> str:
    """Which mode it really runs in, and if that is not the one asked for, why."""
    mode = f"{camera.title}: {_mode(*given)} {fourcc(device)}".rstrip()
    if asked[0] == given[0] and abs(asked[1] - given[1]) < 1:
        return mode
    return f"{mode}, not the {_mode(*asked)} asked for{_reason(camera.modes, *asked)}"


def _reason(modes: tuple[Mode, ...], size: Size, fps: float) -> str:
    if not modes:
        return ""
    rates = [rate for mode in modes if mode.size == size for rate in mode.fps]
    if not rates:
        largest = max((mode.size for mode in modes), key=lambda each: each[0] * each[1])
        return f": it has no such size (its largest is {largest[0]}x{largest[1]}); rtmatte devices lists its modes"
    if all(abs(rate - fps) >= 1 for rate in rates):
        return f": in that size it has {', '.join(f'{rate:g}' for rate in sorted(set(rates), reverse=True))} a second"
    return "; another program may have set its mode"


def _mode(size: Size, fps: float) -> str:
    return f"{size[0]}x{size[1]} at {fps:g}"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV's own complaints off the terminal: what fails is told by our errors."""
    level = LOG.getLogLevel()
    LOG.setLogLevel(SILENT)
    try:
        yield
    finally:
        LOG.setLogLevel(level)
