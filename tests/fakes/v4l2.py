"""A kernel with cameras, simulated at the ioctl calls: devices are empty files in a folder that stands for ``/``."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from realtime_matte.v4l2 import ioctl
from realtime_matte.v4l2.cameras import LinuxCameras
from realtime_matte.v4l2.capabilities import Mode

Entry = TypeVar("Entry")

CAPTURE, OUTPUT, METADATA, MULTI_PLANAR = 0x1, 0x2, 0x0080_0000, 0x1000


@dataclass
class FakeCamera:
    """One device; ``ranged``: its modes are the ends of a range of sizes; ``requests``: the ioctl calls it received.

    ``exposure``: None if it has no such control.
    """

    card: str
    driver: str = "uvcvideo"
    flags: int = CAPTURE
    modes: tuple[Mode, ...] = ()
    ranged: bool = False
    busy: bool = False
    exposure: int | None = None
    requests: list[int] = field(default_factory=list)


class FakeKernel:
    """Answers ioctl calls for every device that was added."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._devices: dict[int, FakeCamera] = {}
        for folder in ("dev", "sys/class/video4linux", "proc"):
            (root / folder).mkdir(parents=True)

    @property
    def cameras(self) -> LinuxCameras:
        return LinuxCameras(self.root, self.ioctl)

    def add(self, number: int, camera: FakeCamera) -> Path:
        path = self.root / f"dev/video{number}"
        path.touch()
        self._devices[path.stat().st_ino] = camera
        sysfs = self.root / f"sys/class/video4linux/video{number}"
        sysfs.mkdir()
        (sysfs / "name").write_text(camera.card + "\n")
        return path

    def open_in(self, path: Path, pid: int, name: str) -> None:
        """Let a process have the device open."""
        folder = self.root / f"proc/{pid}"
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(name + "\n")
        (folder / "fd/3").symlink_to(path)

    def ioctl(self, device: int, request: int, buffer: bytearray) -> None:
        camera = self._devices.get(os.fstat(device).st_ino)
        if camera is None:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        camera.requests.append(request)
        answer = {
            ioctl.QUERYCAP: _capability,
            ioctl.ENUM_FMT: _format,
            ioctl.ENUM_FRAMESIZES: _size,
            ioctl.ENUM_FRAMEINTERVALS: _interval,
            ioctl.REQBUFS: _buffers,
            ioctl.G_CTRL: _control,
        }[request](camera, buffer)
        assert len(answer) == len(buffer)
        buffer[:] = answer


def _capability(camera: FakeCamera, _: bytearray) -> bytes:
    text = camera.driver.encode(), camera.card.encode(), b"usb-1"
    return ioctl.CAPABILITY.pack(*text, 0, camera.flags | METADATA | ioctl.DEVICE_CAPS_FLAG, camera.flags)


def _format(camera: FakeCamera, buffer: bytearray) -> bytes:
    index, kind, *_ = ioctl.FORMAT.unpack(buffer)
    if kind != (1 if camera.flags & CAPTURE else 9):
        raise OSError(errno.EINVAL, "Invalid argument")
    codes = list(dict.fromkeys(mode.fourcc for mode in camera.modes))
    return ioctl.FORMAT.pack(index, kind, 0, _code(_at(codes, index)), 0)


def _size(camera: FakeCamera, buffer: bytearray) -> bytes:
    index, code, *_ = ioctl.FRAME_SIZE.unpack(buffer)
    sizes = [mode.size for mode in camera.modes if _code(mode.fourcc) == code]
    if camera.ranged:
        _at([None], index)
        (width, height), (max_width, max_height) = sizes[0], sizes[-1]
        return ioctl.FRAME_SIZE.pack(index, code, 3, width, max_width, 8, height, max_height, 8)
    return ioctl.FRAME_SIZE.pack(index, code, ioctl.DISCRETE, *_at(sizes, index), 0, 0, 0, 0)


def _interval(camera: FakeCamera, buffer: bytearray) -> bytes:
    index, code, width, height, *_ = ioctl.FRAME_INTERVAL.unpack(buffer)
    rates = next(mode.fps for mode in camera.modes if (_code(mode.fourcc), mode.size) == (code, (width, height)))
    if camera.ranged:
        _at([None], index)
        return ioctl.FRAME_INTERVAL.pack(index, code, width, height, 3, 1, int(rates[0]), 1, int(rates[-1]), 1, 1)
    rate = _at(list(rates), index)
    return ioctl.FRAME_INTERVAL.pack(index, code, width, height, ioctl.DISCRETE, 1000, round(rate * 1000), 0, 0, 0, 0)


def _control(camera: FakeCamera, buffer: bytearray) -> bytes:
    control, _ = ioctl.CONTROL.unpack(buffer)
    if control != ioctl.EXPOSURE_ABSOLUTE or camera.exposure is None:
        raise OSError(errno.EINVAL, "Invalid argument")
    return ioctl.CONTROL.pack(control, camera.exposure)


def _buffers(camera: FakeCamera, buffer: bytearray) -> bytes:
    if ioctl.REQUEST_BUFFERS.unpack(buffer)[1] != (1 if camera.flags & CAPTURE else 9):
        raise OSError(errno.EINVAL, "Invalid argument")
    if camera.busy:
        raise OSError(errno.EBUSY, "Device or resource busy")
    return bytes(buffer)


def _code(fourcc: str) -> int:
    return int.from_bytes(fourcc.ljust(4).encode(), "little")


def _at(values: list[Entry], index: int) -> Entry:
    if index >= len(values):
        raise OSError(errno.EINVAL, "Invalid argument")
    return values[index]
