"""Who reads a virtual camera, and what it shows when its sender is gone: the driver is played at the ioctl line."""

import errno
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes.devices import Clock

from realtime_matte.v4l2 import readers as _readers
from realtime_matte.v4l2 import timeout_image as _last_picture
from realtime_matte.v4l2.readers import ByEvent, ByHolders


class Driver:
    """v4l2loopback's events; ``reads`` is its truth, ``tells`` whether it has the event at all."""

    def __init__(self) -> None:
        self.reads = False
        self.tells = True
        self.gone = False
        self.waiting: list[bool] = []

    def ioctl(self, _device: int, request: int, buffer: bytearray) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        kind, identity = struct.unpack_from("2I", buffer)
        if request == 0x8088_5659:  # VIDIOC_DQEVENT of linux/videodev2.h, on 64 bits
            if not self.waiting:
                raise OSError(errno.ENOENT, "No such file or directory")
            struct.pack_into("I4xI", buffer, 0, 0x10E0_0001, self.waiting.pop())
            return
        assert (kind, identity, len(buffer)) == (0x10E0_0001, 0, 32)
        if request == 0x4020_565A:  # VIDIOC_SUBSCRIBE_EVENT
            if not self.tells:
                raise OSError(errno.EINVAL, "Invalid argument")
            assert buffer[8] == 1  # V4L2_EVENT_SUB_FL_SEND_INITIAL
            self.waiting = [self.reads]
        else:
            assert request == 0x4020_565B  # VIDIOC_UNSUBSCRIBE_EVENT
            self.waiting = []


@pytest.fixture
def device() -> Iterator[int]:
    """Something to poll that never has news."""
    reading, writing = os.pipe()
    yield reading
    os.close(writing)


def test_the_driver_tells_who_reads(device: int) -> None:
    driver = Driver()
    found = ByEvent(device, ioctl=driver.ioctl)
    assert not found.wait_for_reader(0)
    driver.reads = True
    assert found.wait_for_reader(0)
    assert found.wait_for_reader(0), "asked again it says so again"
    driver.reads = False
    assert not found.wait_for_reader(0)
    found.close()
    found.close()


def test_who_comes_while_it_is_waited_is_there(device: int) -> None:
    driver = Driver()
    found = ByEvent(device, ioctl=driver.ioctl)

    class Bell:
        def poll(self, timeout_ms: float) -> None:
            assert timeout_ms == 500
            driver.reads = True

    found._bell = Bell()  # type: ignore[assignment]
    assert found.wait_for_reader(0.5)
    found.close()


def test_who_reads_already_is_not_waited_for(device: int) -> None:
    driver = Driver()
    driver.reads = True
    found = ByEvent(device, ioctl=driver.ioctl)
    assert found.wait_for_reader(1e6)
    found.close()


def test_nobody_reads_a_device_that_is_gone(device: int) -> None:
    driver = Driver()
    found = ByEvent(device, ioctl=driver.ioctl)
    driver.gone = True
    assert not found.wait_for_reader(0)
    found.close()


def test_a_driver_that_does_not_tell_is_replaced_by_a_look_at_the_programs(tmp_path: Path) -> None:
    (tmp_path / "video10").touch()
    before = handles()
    found = _readers.readers(str(tmp_path / "video10"))  # a file takes no such request
    assert isinstance(found, ByHolders)
    assert "tells from 0.13 on who reads it (Inappropriate ioctl for device): whoever has" in found.notices[0]
    assert handles() == before
    found.close()


def handles() -> int:
    """Open files of ours, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def hold(root: Path, path: Path) -> Path:
    link = root / "proc/77/fd/3"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path)
    return link


def test_a_program_that_has_it_open_counts_and_is_looked_for_now_and_then(tmp_path: Path) -> None:
    path, clock = tmp_path / "video10", Clock()
    found = ByHolders(path, reason="Invalid argument", root=tmp_path, clock=clock, sleep=clock.sleep)
    assert not found.wait_for_reader(0.5)
    assert clock.slept == [0.5]
    link = hold(tmp_path, path)
    looks = 0
    while not found.wait_for_reader(0.5):
        looks += 1
    assert 1 <= looks <= _readers.LOOKED_FOR_EVERY_S / 0.5
    link.unlink()
    assert found.wait_for_reader(0), "not looked at again so soon"
    clock.sleep(_readers.LOOKED_FOR_EVERY_S)
    assert not found.wait_for_reader(0)


# The last picture

PICTURE = np.arange(6000, dtype=np.uint32).astype(np.uint8)


class Loopback:
    """v4l2loopback's controls, and its timeout image as a part of the device's own file."""

    OFFSET, LENGTH = 4096, 8192

    def __init__(self, path: Path, *, refuses: int | None = None) -> None:
        self.path = path
        self.controls: list[tuple[int, int]] = []
        self._refuses = refuses
        path.write_bytes(bytes(self.OFFSET + self.LENGTH))

    def ioctl(self, _device: int, request: int, buffer: bytearray) -> None:
        if request == self._refuses:
            raise OSError(errno.EINVAL, "Invalid argument")
        if request == 0xC008_561C:  # VIDIOC_S_CTRL
            self.controls.append(struct.unpack("Ii", buffer))  # type: ignore[arg-type]
        elif request == 0xC014_5608:  # VIDIOC_REQBUFS
            assert struct.unpack("3I8x", buffer) == (1, 2, 1)
        else:
            assert request == 0xC058_5609  # VIDIOC_QUERYBUF
            assert struct.unpack_from("2I", buffer) == (0, 2)
            struct.pack_into("I4xI", buffer, 64, self.OFFSET, self.LENGTH)

    @property
    def image(self) -> bytes:
        return self.path.read_bytes()[self.OFFSET :]


def test_the_last_picture_is_left_to_the_driver(tmp_path: Path) -> None:
    driver = Loopback(tmp_path / "video10")
    _last_picture.set_timeout_image(str(driver.path), PICTURE, ioctl=driver.ioctl)
    assert driver.image[:6000] == PICTURE.tobytes()
    assert driver.controls == [(0x98F903, 1), (0x98F902, 2000)], "timeout_image_io, then timeout"


def test_it_is_taken_back(tmp_path: Path) -> None:
    driver = Loopback(tmp_path / "video10")
    _last_picture.withdraw(str(driver.path), ioctl=driver.ioctl)
    assert driver.controls == [(0x98F902, 0)]


@pytest.mark.parametrize("refuses", [0xC008_561C, 0xC014_5608, 0xC058_5609])
def test_a_driver_that_takes_none_is_left_as_it_is(tmp_path: Path, refuses: int) -> None:
    driver = Loopback(tmp_path / "video10", refuses=refuses)
    with pytest.raises(OSError, match="Invalid argument"):
        _last_picture.set_timeout_image(str(driver.path), PICTURE, ioctl=driver.ioctl)
    assert (_last_picture.TIMEOUT, 2000) not in driver.controls


def test_a_picture_that_does_not_fit_is_not_left(tmp_path: Path) -> None:
    driver = Loopback(tmp_path / "video10")
    with pytest.raises(OSError, match="its pictures have 8192 bytes, not 9000"):
        _last_picture.set_timeout_image(str(driver.path), np.zeros(9000, np.uint8), ioctl=driver.ioctl)
    assert not any(driver.image)
