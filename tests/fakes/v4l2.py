"""A Linux machine's cameras, played at the ioctl line: devices are empty files in a folder that stands for ``/``."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from realtime_matte.sources._camera_info import Mode
from realtime_matte.sources._linux import Linux
from realtime_matte.v4l2 import cameras as _v4l2

Entry = TypeVar("Entry")

CAPTURE, OUTPUT, METADATA = 0x1, 0x2, 0x0080_0000


@dataclass
class FakeCamera:
    """One device; ``ranged``: its modes are the ends of a range of sizes."""

    card: str
    driver: str = "uvcvideo"
    flags: int = CAPTURE
    modes: tuple[Mode, ...] = ()
    ranged: bool = False
    busy: bool = False
    requests: list[int] = field(default_factory=list)


class FakeKernel:
    """Answers for every device that was added."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._cameras: dict[int, FakeCamera] = {}
        for folder in ("dev", "sys/class/video4linux", "proc"):
            (root / folder).mkdir(parents=True)

    @property
    def linux(self) -> Linux:
        return Linux(self.root, self.ioctl)

    def add(self, number: int, camera: FakeCamera) -> Path:
        path = self.root / f"dev/video{number}"
        path.touch()
        self._cameras[path.stat().st_ino] = camera
        sysfs = self.root / f"sys/class/video4linux/video{number}"
        sysfs.mkdir()
        (sysfs / "name").write_text(camera.card + "\n")
        return path

    def hold(self, path: Path, process: int, name: str) -> None:
        """Let a process have the device open."""
        folder = self.root / f"proc/{process}"
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(name + "\n")
        (folder / "fd/3").symlink_to(path)

    def ioctl(self, device: int, request: int, buffer: bytearray) -> None:
        camera = self._cameras.get(os.fstat(device).st_ino)
        if camera is None:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        camera.requests.append(request)
        answer = {
            _v4l2.QUERYCAP: _capability,
            _v4l2.ENUM_FMT: _format,
            _v4l2.ENUM_FRAMESIZES: _size,
            _v4l2.ENUM_FRAMEINTERVALS: _interval,
            _v4l2.REQBUFS: _buffers,
        }[request](camera, buffer)
        assert len(answer) == len(buffer)
        buffer[:] = answer


def _capability(camera: FakeCamera, _: bytearray) -> bytes:
    text = camera.driver.encode(), camera.card.encode(), b"usb-1"
    return _v4l2.CAPABILITY.pack(*text, 0, camera.flags | METADATA | _v4l2.DEVICE_CAPS, camera.flags)


def _format(camera: FakeCamera, buffer: bytearray) -> bytes:
    index, kind, *_ = _v4l2.FORMAT.unpack(buffer)
    assert kind == _v4l2.VIDEO_CAPTURE
    codes = list(dict.fromkeys(mode.fourcc for mode in camera.modes))
    return _v4l2.FORMAT.pack(index, kind, 0, _code(_at(codes, index)), 0)


def _size(camera: FakeCamera, buffer: bytearray) -> bytes:
    index, code, *_ = _v4l2.FRAME_SIZE.unpack(buffer)
    sizes = [mode.size for mode in camera.modes if _code(mode.fourcc) == code]
    if camera.ranged:
        _at([None], index)
        (width, height), (most_width, most_height) = sizes[0], sizes[-1]
        return _v4l2.FRAME_SIZE.pack(index, code, 3, width, most_width, 8, height, most_height, 8)
    return _v4l2.FRAME_SIZE.pack(index, code, _v4l2.DISCRETE, *_at(sizes, index), 0, 0, 0, 0)


def _interval(camera: FakeCamera, buffer: bytearray) -> bytes:
    index, code, width, height, *_ = _v4l2.FRAME_INTERVAL.unpack(buffer)
    rates = next(mode.fps for mode in camera.modes if (_code(mode.fourcc), mode.size) == (code, (width, height)))
    if camera.ranged:
        _at([None], index)
        return _v4l2.FRAME_INTERVAL.pack(index, code, width, height, 3, 1, int(rates[0]), 1, int(rates[-1]), 1, 1)
    rate = _at(list(rates), index)
    return _v4l2.FRAME_INTERVAL.pack(index, code, width, height, _v4l2.DISCRETE, 1000, round(rate * 1000), 0, 0, 0, 0)


def _buffers(camera: FakeCamera, buffer: bytearray) -> bytes:
    if camera.busy:
        raise OSError(errno.EBUSY, "Device or resource busy")
    return bytes(buffer)


def _code(fourcc: str) -> int:
    return int.from_bytes(fourcc.encode(), "little")


def _at(values: list[Entry], index: int) -> Entry:
    if index >= len(values):
        raise OSError(errno.EINVAL, "Invalid argument")
    return values[index]
