"""Who reads a virtual camera; the driver is simulated at the ioctl calls."""

import errno
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.devices import Clock

from realtime_matte.v4l2.readers import SCAN_EVERY_S, EventReaders, OpenFileReaders, open_readers


class Driver:
    """v4l2loopback's events. ``reads``: whether a program reads; ``has_event``: whether it has the event at all."""

    def __init__(self) -> None:
        self.reads = False
        self.has_event = True
        self.gone = False
        self.queue: list[bool] = []

    def ioctl(self, _device: int, request: int, buffer: bytearray) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        kind, identity = struct.unpack_from("2I", buffer)
        if request == 0x8088_5659:  # VIDIOC_DQEVENT of linux/videodev2.h, on 64 bits
            if not self.queue:
                raise OSError(errno.ENOENT, "No such file or directory")
            struct.pack_into("I4xI", buffer, 0, 0x10E0_0001, self.queue.pop())
            return
        assert (kind, identity, len(buffer)) == (0x10E0_0001, 0, 32)
        if request == 0x4020_565A:  # VIDIOC_SUBSCRIBE_EVENT
            if not self.has_event:
                raise OSError(errno.EINVAL, "Invalid argument")
            assert buffer[8] == 1  # V4L2_EVENT_SUB_FL_SEND_INITIAL
            self.queue = [self.reads]
        else:
            assert request == 0x4020_565B  # VIDIOC_UNSUBSCRIBE_EVENT
            self.queue = []


@pytest.fixture
def device() -> Iterator[int]:
    """A file descriptor to poll that never has an event."""
    reading, writing = os.pipe()
    yield reading
    os.close(writing)


def test_the_drivers_event_says_whether_a_program_reads(device: int) -> None:
    driver = Driver()
    readers = EventReaders(device, ioctl=driver.ioctl)
    assert not readers.wait_for_reader(0)
    driver.reads = True
    assert readers.wait_for_reader(0)
    assert readers.wait_for_reader(0), "a second call gives the same answer"
    driver.reads = False
    assert not readers.wait_for_reader(0)
    readers.close()
    readers.close()


def test_a_reader_that_comes_during_the_wait_is_found(device: int) -> None:
    driver = Driver()
    readers = EventReaders(device, ioctl=driver.ioctl)

    class Poll:
        def poll(self, timeout_ms: float) -> None:
            assert timeout_ms == 500
            driver.reads = True

    readers._poll = Poll()  # type: ignore[assignment]
    assert readers.wait_for_reader(0.5)
    readers.close()


def test_a_present_reader_is_not_waited_for(device: int) -> None:
    driver = Driver()
    driver.reads = True
    readers = EventReaders(device, ioctl=driver.ioctl)
    assert readers.wait_for_reader(1e6)
    readers.close()


def test_a_device_that_is_gone_has_no_reader(device: int) -> None:
    driver = Driver()
    readers = EventReaders(device, ioctl=driver.ioctl)
    driver.gone = True
    assert not readers.wait_for_reader(0)
    readers.close()


def test_without_the_event_open_files_are_scanned(tmp_path: Path) -> None:
    (tmp_path / "video10").touch()
    before = open_file_count()
    readers = open_readers(str(tmp_path / "video10"))  # a file has no such event
    assert isinstance(readers, OpenFileReaders)
    assert "reports its readers from version 0.13 on (Inappropriate ioctl for device); every" in readers.notices[0]
    assert open_file_count() == before
    readers.close()


def open_file_count() -> int:
    """Of this process; 0 where the system does not list them."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def open_in_another_program(root: Path, path: Path) -> Path:
    link = root / "proc/77/fd/3"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path)
    return link


def test_a_program_that_has_it_open_is_a_reader_and_scanned_for_now_and_then(tmp_path: Path) -> None:
    path, clock = tmp_path / "video10", Clock()
    readers = OpenFileReaders(path, reason="Invalid argument", root=tmp_path, clock=clock, sleep=clock.sleep)
    assert not readers.wait_for_reader(0.5)
    assert clock.slept == [0.5]
    link = open_in_another_program(tmp_path, path)
    scans = 0
    while not readers.wait_for_reader(0.5):
        scans += 1
    assert 1 <= scans <= SCAN_EVERY_S / 0.5
    link.unlink()
    assert readers.wait_for_reader(0), "not scanned again so soon"
    clock.sleep(SCAN_EVERY_S)
    assert not readers.wait_for_reader(0)
