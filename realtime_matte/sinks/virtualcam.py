"""A camera that other programs can choose: ``virtualcam``, or ``virtualcam:/dev/video10`` (or its number, or name)."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final, Protocol

from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Readers
from realtime_matte.media import i420
from realtime_matte.v4l2 import readers
from realtime_matte.v4l2.loopback import (
    LoopbackDevices,
    LoopbackModule,
    accept_writer,
    remove_timeout_image,
    set_rate,
    set_timeout_image,
)
from realtime_matte.v4l2.writer import LoopbackWriter

HINTS: Final = {
    "darwin": (
        "install OBS 30 or newer, start its virtual camera once and stop it again, allow its extension in "
        "System Settings, and restart the Mac if asked to; no other program may send to it"
    ),
    "win32": (
        "install OBS 26 or newer, or Unity Capture, and name the one to use, as in 'virtualcam:OBS Virtual Camera' or "
        "'virtualcam:Unity Video Capture'; stop the virtual camera in OBS itself"
    ),
}


class Camera(Protocol):
    """An open virtual camera: of ``v4l2.writer``, or of pyvirtualcam on macOS and Windows."""

    @property
    def device(self) -> str:
        """Its path or name."""
        ...

    def send(self, image: Pixels, /) -> None:
        """Show the image. Raises OSError or RuntimeError."""

    def close(self) -> None:
        """Stop sending. Idempotent."""


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "VirtualCamera":
    """Start sending to the virtual camera that ``rest`` means; if empty, to the first one that is free."""
    if alpha:
        raise SpecError(
            "a virtual camera cannot carry alpha (background 'none')",
            hint="choose a background, or another output such as out.webm, out.mov or frames:folder",
        )
    even = size[0] & ~1, size[1] & ~1  # libyuv writes past its buffer at odd sizes
    if not all(even):
        message = f"a virtual camera cannot be {size[0]}x{size[1]}"
        raise SpecError(message, hint="use at least 2x2, as in --size 1280x720")
    if sys.platform == "linux":
        return _open_loopback(LoopbackDevices(), rest, size=size, even=even, fps=fps)
    try:
        camera = _other_system(rest or None, size=even, fps=fps)
    except RuntimeError as error:
        hint = HINTS.get(sys.platform, "there is none for this system; choose another output")
        raise SinkError(f"no virtual camera{(f' {rest!r}' if rest else '')}: {_one_line(error)}", hint=hint) from error
    return VirtualCamera(camera, camera.device, size=size, even=even)


class VirtualCamera:
    """Hands each output frame to the driver, which gives readers the newest.

    ``size``: of the output frames; ``even``: of the camera, the upper left part of them.
    """

    alpha: Final = False
    live: Final = True

    def __init__(self, camera: Camera, title: str, *, size: Size, even: Size) -> None:
        self._camera = camera
        self._cut = slice(even[1]), slice(even[0])
        cut = "" if size == even else f" (virtual cameras have even sizes, {size[0]}x{size[1]} is cut)"
        self._notices = [f"virtual camera {title}, {even[0]}x{even[1]}{cut}"]

    @property
    def notices(self) -> Sequence[str]:
        """The device and its size."""
        return self._notices

    def send(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown at once
        """Show the output frame to the readers."""
        self._send(image[self._cut])

    def _send(self, image: Pixels) -> None:
        try:
            self._camera.send(image)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"the virtual camera {self._camera.device} accepts no more frames: {reason}") from error

    def close(self) -> None:
        """Stop sending."""
        self._camera.close()


class LoopbackCamera(VirtualCamera):
    """A v4l2loopback device: its driver reports readers, and shows an image of ours after this program has ended.

    ``camera``: takes I420 images, which are what the device carries.
    """

    def __init__(
        self, camera: Camera, title: str, *, size: Size, even: Size, fps: float, module: LoopbackModule
    ) -> None:
        super().__init__(camera, title, size=size, even=even)
        self._on_close = ExitStack()
        self._after_close = ExitStack()
        if not module.reports_writers:
            self._after_close.callback(accept_writer, camera.device)
        self._planes = i420.empty(even)
        self._safe_timeout_image = module.safe_timeout_image
        self._notices += [f"{module.title}: {rule.reason}" for rule in module.rules if rule.verdict == "warning"]
        try:
            set_rate(camera.device, fps)
        except OSError as error:
            self._notices[0] += f"; its readers are given another rate than {fps:g} fps ({error.strerror})"

    @property
    def device(self) -> str:
        """Path of the device."""
        return str(self._camera.device)

    def send(self, image: Pixels, time: float) -> None:
        """Show the standby card, or another BGR image, to the readers."""
        self.send_i420(i420.from_bgr(image[self._cut], self._planes), time)

    def send_i420(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown at once
        """Show the output frame, as it is, to the readers."""
        self._send(image)

    def open_readers(self) -> Readers:
        """Start watching who reads it."""
        try:
            return readers.open_readers(self._camera.device)
        except OSError as error:
            raise SinkError(
                f"cannot see who reads the virtual camera {self._camera.device}: {error.strerror}"
            ) from error

    def set_timeout_image(self, image: Pixels) -> None:
        """Make the driver show this image whenever no frame was sent for two seconds, unless that may crash it."""
        if not self._safe_timeout_image:
            return
        raw = i420.from_bgr(image[self._cut])
        try:
            set_timeout_image(self._camera.device, raw)
        except OSError as error:
            self._notices.append(
                f"if this program is killed, {self._camera.device} keeps its last frame instead of the standby card: "
                f"v4l2loopback did not accept a timeout image ({error.strerror})"
            )
        else:
            self._on_close.callback(remove_timeout_image, self._camera.device)

    def close(self) -> None:
        """Stop sending, and remove the timeout image."""
        with suppress(OSError):  # the device is gone, and its timeout image with it
            self._on_close.close()
        super().close()
        with suppress(OSError):
            self._after_close.close()


def _open_loopback(devices: LoopbackDevices, rest: str, *, size: Size, even: Size, fps: float) -> LoopbackCamera:
    device = devices.choose(rest)
    devices.reopen_output(device)
    try:
        camera = LoopbackWriter(device.path, even)
    except OSError as error:
        devices.check_format(device, even)  # it names the reader, which is the usual reason
        raise devices.open_error(device, even, error.strerror or str(error)) from error
    try:
        devices.check_format(device, even)
    except SinkError:
        camera.close()
        raise
    return LoopbackCamera(camera, device.title, size=size, even=even, fps=fps, module=devices.module)


def _other_system(device: str | None, *, size: Size, fps: float) -> Camera:
    try:
        import pyvirtualcam  # noqa: PLC0415 - a native library that is not installed on Linux
    except ImportError as error:
        raise MissingDependency(
            f"virtual cameras need pyvirtualcam ({error})", hint="pip install pyvirtualcam"
        ) from error
    camera: Camera = pyvirtualcam.Camera(*size, fps, fmt=pyvirtualcam.PixelFormat.BGR, device=device)
    return camera


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).splitlines()) or "pyvirtualcam does not know this system"
