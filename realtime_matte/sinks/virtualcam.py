"""A camera that other programs can choose: ``virtualcam``, or ``virtualcam:/dev/video10`` (or its number, or name)."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Readers
from realtime_matte.v4l2.loopback import Loopbacks

if TYPE_CHECKING:
    from pyvirtualcam import Camera

MENDS: Final = {
    "darwin": (
        "install OBS 30 or newer, start its virtual camera once and stop it again, allow its extension in "
        "System Settings, and restart the Mac if asked to; no other program may be sending to it"
    ),
    "win32": (
        "install OBS 26 or newer, or Unity Capture, and name the one to use, as in 'virtualcam:OBS Virtual Camera' or "
        "'virtualcam:Unity Video Capture'; stop the virtual camera in OBS itself"
    ),
}


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "VirtualCamera":
    """Start sending to the virtual camera that ``rest`` means, or to the first one that nobody sends to."""
    if alpha:
        raise SpecError(
            "a virtual camera cannot carry alpha (background 'none')",
            hint="choose a background, or another output such as out.webm, out.mov or frames:folder",
        )
    even = size[0] & ~1, size[1] & ~1  # libyuv writes past its buffer at odd sizes
    if not all(even):
        raise SpecError(
            f"a virtual camera cannot be {size[0]}x{size[1]}", hint="take at least 2x2, as in --size 1280x720"
        )
    if sys.platform == "linux":
        return LoopbackCamera(*_on_linux(Loopbacks(), rest, size=even, fps=fps), size=size, even=even)
    return VirtualCamera(*_elsewhere(rest, size=even, fps=fps), size=size, even=even)


class VirtualCamera:
    """Hands each picture to the driver; who watches gets the newest."""

    alpha: Final = False
    live: Final = True

    def __init__(self, camera: "Camera", title: str, rate: str = "", *, size: Size, even: Size) -> None:
        self._camera = camera
        self._cut = slice(even[1]), slice(even[0])
        cut = "" if size == even else f" (virtual cameras have even sizes, {size[0]}x{size[1]} is cut)"
        self._notes = [f"virtual camera {title}, {even[0]}x{even[1]}{cut}{rate}"]

    @property
    def notices(self) -> Sequence[str]:
        """Which device it is."""
        return self._notes

    def send(self, picture: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown as soon as it is there
        """Show the picture to whoever watches."""
        try:
            self._camera.send(picture[self._cut])
        except RuntimeError as error:
            raise SinkError(f"the virtual camera {self._camera.device} takes no more pictures: {error}") from error

    def close(self) -> None:
        """Stop sending."""
        self._camera.close()


class LoopbackCamera(VirtualCamera):
    """One of Linux, whose driver tells who reads it and shows a last picture of ours when we are gone."""

    def __init__(self, camera: "Camera", title: str, rate: str, *, size: Size, even: Size) -> None:
        super().__init__(camera, title, rate, size=size, even=even)
        self._left = ExitStack()

    def open_readers(self) -> Readers:
        """Begin to look who reads it."""
        from realtime_matte.v4l2 import readers as _readers  # noqa: PLC0415 - needs fcntl, which only Unix has

        try:
            return _readers.readers(self._camera.device)
        except OSError as error:
            raise SinkError(
                f"the virtual camera {self._camera.device} cannot be looked at: {error.strerror}"
            ) from error

    def set_timeout_image(self, picture: Pixels) -> None:
        """Let the driver show ``picture`` whenever nothing was sent for two seconds."""
        from realtime_matte.v4l2 import timeout_image as _last_picture  # noqa: PLC0415 - needs fcntl, which only Unix has

        raw = np.asarray(cv2.cvtColor(picture[self._cut], cv2.COLOR_BGR2YUV_I420), np.uint8)
        try:
            _last_picture.set_timeout_image(self._camera.device, raw)
        except OSError as error:
            self._notes.append(
                f"if this program is killed, {self._camera.device} stays with its last picture instead of the standby "
                f"card: v4l2loopback does not take one ({error.strerror})"
            )
        else:
            self._left.callback(_last_picture.withdraw, self._camera.device)

    def close(self) -> None:
        """Stop sending, and leave nothing behind."""
        with suppress(OSError):  # the device is gone, and what was left to it as well
            self._left.close()
        super().close()


def _on_linux(loopbacks: Loopbacks, rest: str, *, size: Size, fps: float) -> "tuple[Camera, str, str]":
    loopback = loopbacks.choose(rest)
    try:
        camera = _camera(loopback.path, size=size, fps=fps)
    except RuntimeError as error:
        raise loopbacks.refusal(loopback, size, str(error)) from error
    try:
        loopbacks.check(loopback, size)
    except SinkError:
        camera.close()
        raise
    return camera, f"{loopback.path} ({loopback.name})", _rate_told(loopback.path, fps)


def _rate_told(path: str, fps: float) -> str:
    """Nothing when the driver took it, else what to know of that."""
    from realtime_matte.v4l2 import rate as _rate  # noqa: PLC0415 - needs fcntl, which only Unix has

    try:
        _rate.set_rate(path, fps)
    except OSError as error:
        return f"; programs are told another rate than {fps:g} a second ({error.strerror})"
    return ""


def _elsewhere(rest: str, *, size: Size, fps: float) -> "tuple[Camera, str]":
    try:
        camera = _camera(rest or None, size=size, fps=fps)
    except RuntimeError as error:
        mend = MENDS.get(sys.platform, "there is none for this system; choose another output")
        raise SinkError(f"no virtual camera{(f' {rest!r}' if rest else '')}: {_line(error)}", hint=f"{mend}") from error
    return camera, camera.device


def _camera(device: str | None, *, size: Size, fps: float) -> "Camera":
    try:
        import pyvirtualcam  # noqa: PLC0415 - a native library that other outputs do not need
    except ImportError as error:
        raise MissingDependency(
            f"virtual cameras need pyvirtualcam ({error})", hint="pip install pyvirtualcam"
        ) from error
    return pyvirtualcam.Camera(*size, fps, fmt=pyvirtualcam.PixelFormat.BGR, device=device)


def _line(error: Exception) -> str:
    return "; ".join(str(error).splitlines()) or "the system is unknown to pyvirtualcam"
