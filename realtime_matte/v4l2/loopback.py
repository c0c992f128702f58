"""v4l2loopback devices, the virtual cameras of Linux: list and choose one, set its rate and its timeout image.

``RULES`` has the versions of the kernel module that are refused, or used with a restriction.
"""

import mmap
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import SinkError
from realtime_matte.frame import Size, size_text
from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.capabilities import capability
from realtime_matte.v4l2.ioctl import Ioctl, kernel_ioctl
from realtime_matte.v4l2.open_files import Program, programs_using

LOAD: Final = "sudo modprobe v4l2loopback exclusive_caps=1 card_label='Virtual Camera'"
INSTALL: Final = "if it finds no module, install it (Debian and Ubuntu: sudo apt install v4l2loopback-dkms)"

HAS_WRITER: Final = "capture"
"""The driver's state of a device that a program sends to."""

FOURCC: Final = "YU12"
"""The pixel format that is sent."""

TIMEOUT_MS: Final = 2000
"""Longer than any pause between two frames or standby cards of a pipeline that runs."""

CONTROLS: Final = 0x0098_F900  # v4l2loopback's own: V4L2_CID_USER_BASE | 0xf000
TIMEOUT: Final = CONTROLS + 2
TIMEOUT_IMAGE_IO: Final = CONTROLS + 3
"""The next program that opens the device writes its timeout image instead of a frame."""

Version: TypeAlias = tuple[int, ...]

UNREPORTED: Final = (0, 12)
"""Taken for the version of a module that reports none: 0.12.7 and older have no MODULE_VERSION, 0.13.0 and newer do."""

SAFE_TIMEOUT_IMAGE: Final = (0, 13)
REPORTS_WRITERS: Final = (0, 13)
"""Older ones have no attribute ``state``, and stay a camera after a writer that does not stream has closed them."""
RECOMMENDED: Final = (0, 15, 4)
UPGRADE: Final = f"install v4l2loopback {'.'.join(map(str, RECOMMENDED))} or later: https://github.com/v4l2loopback"


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault of versions of the module before ``below``, in kernels from ``kernel`` on.

    ``refused``: the device is not opened. ``warning``: it is used, with a notice. ``advice``: only `doctor` reports it.
    """

    below: Version
    kernel: Version
    verdict: Literal["refused", "warning", "advice"]
    reason: str


RULES: Final = (
    Rule((0, 13), (6, 18), "refused", "it crashes the whole machine as soon as a program reads it"),
    Rule(
        SAFE_TIMEOUT_IMAGE,
        (),
        "warning",
        "a timeout image can crash the kernel, so none is set: if this program is killed, the virtual camera keeps its "
        "last frame instead of the standby card",
    ),
    Rule((0, 15, 3), (6, 18), "warning", "it is not made for kernels from 6.18 on, which need 0.15.3"),
    Rule(RECOMMENDED, (), "advice", "programs can be shown torn frames"),
)
"""By module and kernel. Sources: issues of v4l2loopback 670 (freeze, 3 of 3 tries with 0.12.7 in kernel 7.0), 350
(crash with 0.12.5, fixed in 0.13.0) and 653 (kernel 6.18), NEWS of 0.15.4 (a frame is locked while it is copied).

From 6.18 on the kernel passes NULL where a module before 0.15.3 expects its file handle. One before 0.13 that was only
made to compile crashes at a reader's first request (seen with 0.12.7 in 7.2.13). A newer one crashes at the first
program that lists it (seen with 0.15.0), which is udev while it is loaded: one that rtmatte finds was corrected."""


@dataclass(frozen=True, slots=True)
class LoopbackModule:
    """The loaded kernel module: its version, None if it reports none, and the release of the running kernel."""

    version: str | None
    release: str

    @property
    def title(self) -> str:
        """Name and version, for messages."""
        return f"v4l2loopback {self.version or 'before 0.13'}"

    @property
    def safe_timeout_image(self) -> bool:
        """True if a timeout image can be set twice without a crash of the kernel."""
        return self._number >= SAFE_TIMEOUT_IMAGE

    @property
    def reports_writers(self) -> bool:
        """True if the driver reports that a program sends, and notices when it stops."""
        return self._number >= REPORTS_WRITERS

    @property
    def rules(self) -> list[Rule]:
        """The rules that apply, the most severe first."""
        kernel = _number(self.release)
        return [rule for rule in RULES if self._number < rule.below and kernel >= rule.kernel]

    @property
    def _number(self) -> Version:
        return _number(self.version or "") or UNREPORTED


@dataclass(frozen=True, slots=True)
class LoopbackDevice:
    """A v4l2loopback device: its path, the name that programs show, and whether a program sends to it."""

    path: str
    name: str
    busy: bool

    @property
    def title(self) -> str:
        """Path and name, for messages."""
        return f"{self.path} ({self.name})"


@dataclass(frozen=True, slots=True)
class LoopbackDevices:
    """The v4l2loopback devices of this machine. Tests pass another ``root`` and ``release`` of the kernel."""

    root: Path = Path("/")
    release: str = field(default_factory=platform.release)

    @property
    def module(self) -> LoopbackModule:
        """The loaded kernel module."""
        return LoopbackModule(_read(self.root / "sys/module/v4l2loopback/version") or None, self.release)

    def list_devices(self) -> list[LoopbackDevice]:
        """All of them, by number."""
        nodes = (self.root / "sys/class/video4linux").glob("video*")
        loopbacks = [node for node in nodes if (node / "max_openers").exists()]  # an attribute of no other driver
        return [self._device(node) for node in sorted(loopbacks, key=lambda node: int(node.name.removeprefix("video")))]

    def choose(self, rest: str) -> LoopbackDevice:
        """The device that ``rest`` means: a path, a number or a part of the name; if empty, the first free one.

        Raises:
            SinkError: there is no such device, it is in use, this user may not write to it, or the module is refused.
        """
        devices = self.list_devices()
        if not devices:
            raise self._no_device()
        self._require_module()
        matching = [device for device in devices if self._matches(rest, device)]
        if not matching:
            titles = ", ".join(device.title for device in devices)
            raise SinkError(f"no virtual camera {rest!r}", hint=f"available: {titles}")
        free = next((device for device in matching if not device.busy), None)
        if free is None:
            raise self._in_use(matching[0])
        self._require_writable(free)
        return free

    def reopen_output(self, device: LoopbackDevice, *, ioctl: Ioctl = kernel_ioctl) -> None:
        """Call ``accept_writer`` if a module before 0.13 left the device neither camera nor output, as after a kill."""
        if self.module.reports_writers:
            return
        with suppress(OSError):  # opening it for frames gives the better message
            with _opened(device.path, os.O_RDWR | os.O_NONBLOCK) as opened:
                stuck = not capability(opened, ioctl=ioctl).flags & (v4l2.CAPTURE_FLAGS | v4l2.OUTPUT_FLAG)
            if stuck:  # so no program sends to it
                accept_writer(device.path, ioctl=ioctl)

    def check_format(self, device: LoopbackDevice, size: Size) -> None:
        """Raise if a reader uses the device with another format: the driver accepts any, and frames would be torn.

        Raises:
            SinkError
        """
        fourcc, held = self._format(device)
        if held and held != size_text(size):
            raise self.open_error(device, size, f"a reader holds it at {held}")
        if held and fourcc != FOURCC:
            raise self.open_error(device, size, f"a reader holds it at {held} in {fourcc}, not {FOURCC}")

    def open_error(self, device: LoopbackDevice, size: Size, reason: str) -> SinkError:
        """Why a device that ``choose`` accepted cannot be sent to."""
        _, held = self._format(device)
        or_size = f", or use --size {held}" if held and held != size_text(size) else ""
        programs = _join(self._programs(device)) or "the program that reads it"
        return SinkError(
            f"the virtual camera {device.title} does not accept {size_text(size)}: {reason}",
            hint=f"turn the camera off in {programs}, start rtmatte, and turn it on again{or_size}",
        )

    def _matches(self, rest: str, device: LoopbackDevice) -> bool:
        if rest.isdecimal():
            return device.path == str(self.root / f"dev/video{int(rest)}")
        if rest.startswith("/"):
            return os.path.realpath(rest) == os.path.realpath(device.path)
        return rest.lower() in device.name.lower()

    def _no_device(self) -> SinkError:
        if (self.root / "sys/module/v4l2loopback").exists():
            message = "no virtual camera: the kernel module v4l2loopback has no device"
            return SinkError(message, hint=f"sudo modprobe -r v4l2loopback, then {LOAD}")
        message = "no virtual camera: the kernel module v4l2loopback is not loaded"
        return SinkError(message, hint=f"{LOAD}; {INSTALL}")

    def _require_module(self) -> None:
        for rule in self.module.rules:
            if rule.verdict == "refused":
                message = f"{self.module.title} is refused in kernel {self.release}: {rule.reason}"
                raise SinkError(message, hint=f"{UPGRADE}, or start an older kernel")

    def _in_use(self, device: LoopbackDevice) -> SinkError:
        programs = self._programs(device)
        users = _join(programs) or "this program, or one of another user,"
        return SinkError(
            f"the virtual camera {device.title} is in use: {users} sends to it",
            hint="close that program, or make more devices: sudo modprobe -r v4l2loopback, "
            f"then {LOAD.replace('=1', '=1,1')} devices=2",
            used_by=[program.name for program in programs],
        )

    def _require_writable(self, device: LoopbackDevice) -> None:
        if not Path(device.path).exists():
            raise SinkError(
                f"the virtual camera {device.title} is not in this container", hint="pass the device into it"
            )
        if not os.access(device.path, os.W_OK):
            raise SinkError(
                f"cannot write to the virtual camera {device.title}: permission denied",
                hint="sudo usermod -aG video $USER, then log out and in again",
            )

    def _programs(self, device: LoopbackDevice) -> list[Program]:
        return programs_using(Path(device.path), root=self.root)

    def _device(self, node: Path) -> LoopbackDevice:
        busy = _read(node / "state") == HAS_WRITER
        return LoopbackDevice(str(self.root / "dev" / node.name), _read(node / "name"), busy)

    def _format(self, device: LoopbackDevice) -> tuple[str, str]:
        """The format set in the driver, such as ``YU12`` and ``1280x720``; empty if it does not report one."""
        text = _read(self.root / "sys/class/video4linux" / Path(device.path).name / "format")
        found = re.match(r"(.{4}):(\d+x\d+)", text)
        return (found[1], found[2]) if found else ("", "")


def list_virtual_cameras() -> list[LoopbackDevice]:
    """The virtual cameras of this machine, which are listed on Linux only: elsewhere the list is empty.

    Example:
        >>> all(camera.path.startswith("/dev/video") for camera in list_virtual_cameras())
        True
    """
    return LoopbackDevices().list_devices()


def set_rate(path: str, fps: float, *, ioctl: Ioctl = kernel_ioctl) -> None:
    """Set the rate that readers of the device are given; without this it is 30, whatever is sent. Raises OSError."""
    rate = Fraction(fps).limit_denominator(1001)
    with _opened(path, os.O_RDWR | os.O_NONBLOCK) as device:
        try:
            _set_rate(device, v4l2.VIDEO_OUTPUT, rate, ioctl)
        except OSError:  # with exclusive_caps, after its first frame it is only a camera
            _set_rate(device, v4l2.VIDEO_CAPTURE, rate, ioctl)


def accept_writer(path: str, *, ioctl: Ioctl = kernel_ioctl) -> None:
    """Make a device of a module before 0.13 accept a writer again. No program may be sending to it.

    With exclusive_caps=1 such a device is no output from the first frame that is written to it until a writer that
    streams has closed it. LoopbackWriter calls write() and does not stream: the second start would be refused until the
    module is loaded again. So this function is a writer that streams, and closes the device.

    Raises:
        OSError: it cannot be opened.
    """
    with _opened(path, os.O_RDWR | os.O_NONBLOCK) as device, suppress(OSError):  # it refuses: there are no buffers yet
        ioctl(device, v4l2.STREAMON, bytearray(v4l2.INTEGER.pack(v4l2.VIDEO_OUTPUT)))


def set_timeout_image(path: str, image: NDArray[np.uint8], *, ioctl: Ioctl = kernel_ioctl) -> None:
    """Make the driver show ``image`` to readers whenever no frame was sent for TIMEOUT_MS.

    Image and timeout stay when the writer is killed. ``image``: bytes in the device's pixel format. A frame must have
    been sent before: the driver allocates its buffers then.

    Raises:
        OSError: the driver does not support it, or the image is too large.
    """
    with _opened(path, os.O_RDWR | os.O_NONBLOCK) as device:
        _set_control(device, TIMEOUT_IMAGE_IO, 1, ioctl)
        _write_timeout_image(path, image.tobytes(), ioctl)
        _set_control(device, TIMEOUT, TIMEOUT_MS, ioctl)


def remove_timeout_image(path: str, *, ioctl: Ioctl = kernel_ioctl) -> None:
    """Make readers wait until a frame is sent, as before. Raises OSError."""
    with _opened(path, os.O_RDWR | os.O_NONBLOCK) as device:
        _set_control(device, TIMEOUT, 0, ioctl)


def _write_timeout_image(path: str, image: bytes, ioctl: Ioctl) -> None:
    with _opened(path, os.O_RDWR) as device:
        ioctl(device, v4l2.REQBUFS, bytearray(v4l2.REQUEST_BUFFERS.pack(1, v4l2.VIDEO_OUTPUT, v4l2.MMAP)))
        buffer = bytearray(v4l2.BUFFER.pack(0, v4l2.VIDEO_OUTPUT, v4l2.MMAP, 0, 0))
        ioctl(device, v4l2.QUERYBUF, buffer)
        *_, offset, length = v4l2.BUFFER.unpack(buffer)
        if length < len(image):
            raise OSError(0, f"its images have {length} bytes, not {len(image)}")
        with mmap.mmap(device, length, offset=offset) as mapped:
            mapped[: len(image)] = image


def _set_rate(device: int, side: int, rate: Fraction, ioctl: Ioctl) -> None:
    parameters = v4l2.STREAM_PARAMETERS.pack(side, 0, 0, rate.denominator, rate.numerator)
    ioctl(device, v4l2.S_PARM, bytearray(parameters))


def _set_control(device: int, control: int, value: int, ioctl: Ioctl) -> None:
    ioctl(device, v4l2.S_CTRL, bytearray(v4l2.CONTROL.pack(control, value)))


@contextmanager
def _opened(path: str, flags: int) -> Iterator[int]:
    device = os.open(path, flags)
    try:
        yield device
    finally:
        os.close(device)


def _number(text: str) -> Version:
    """The numbers that a version begins with: ``0.12.7-53-gaabb`` is (0, 12, 7)."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(map(int, found[1].split("."))) if found else ()


def _join(programs: list[Program]) -> str:
    return ", ".join(map(str, programs))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""  # a version of the driver without this attribute
