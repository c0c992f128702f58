"""Frames to a v4l2loopback device: a file stands for the device, and the driver's answers are simulated."""

from pathlib import Path

import numpy as np
import pytest

from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2 import writer
from realtime_matte.v4l2.writer import LoopbackWriter

SIZE = (64, 48)


class Driver:
    """Answers the requests; ``keeps``: (width, height, pixel format) that it answers with, instead of the requested."""

    def __init__(self, *, flags: int = v4l2.OUTPUT_FLAG, keeps: tuple[int, int, bytes] | None = None) -> None:
        self.flags = flags
        self.keeps = keeps
        self.requested: tuple[int, int, int, bytes] | None = None

    def __call__(self, _: int, request: int, buffer: bytearray) -> None:
        if request == v4l2.QUERYCAP:
            flags = self.flags | v4l2.DEVICE_CAPS_FLAG
            buffer[:] = v4l2.CAPABILITY.pack(b"v4l2 loopback", b"Virtual Camera", b"", 0, flags, self.flags)
            return
        assert request == v4l2.S_FMT
        kind, width, height, code, *_ = v4l2.PIXEL_FORMAT.unpack(buffer)
        self.requested = kind, width, height, code.to_bytes(4, "little")
        if self.keeps:
            width, height, fourcc = self.keeps
            rest = [0] * 9
            buffer[:] = v4l2.PIXEL_FORMAT.pack(kind, width, height, int.from_bytes(fourcc, "little"), *rest)


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "video10"
    path.touch()
    return path


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")


def attributes(folder: Path, *, buffers: str) -> Path:
    """The kernel's attributes of video10."""
    (folder / "sysfs" / "video10").mkdir(parents=True)
    (folder / "sysfs" / "video10" / "buffers").write_text(buffers)
    return folder / "sysfs"


def test_an_image_arrives_as_it_is(device: Path, tmp_path: Path) -> None:
    driver = Driver()
    camera = LoopbackWriter(str(device), SIZE, ioctl=driver, sysfs=attributes(tmp_path, buffers="1\n"))
    image = np.random.default_rng(0).integers(0, 256, (72, 64), np.uint8)
    camera.send(image)
    camera.close()
    assert driver.requested == (v4l2.VIDEO_OUTPUT, 64, 48, b"YU12")
    assert device.read_bytes() == image.tobytes()


@pytest.mark.parametrize(("buffers", "copies"), [("4\n", 4), ("0\n", 32), ("100\n", 32), ("?", 32), ("", 32)])
def test_the_first_image_fills_all_buffers_so_that_no_reader_gets_another_program_s(
    device: Path, tmp_path: Path, buffers: str, copies: int
) -> None:
    camera = LoopbackWriter(str(device), SIZE, ioctl=Driver(), sysfs=attributes(tmp_path, buffers=buffers))
    first, second = np.full((72, 64), 10, np.uint8), np.full((72, 64), 20, np.uint8)
    camera.send(first)
    assert device.read_bytes() == copies * first.tobytes()
    camera.send(second)
    camera.close()
    assert device.read_bytes() == copies * first.tobytes() + second.tobytes()


@linux
def test_close_is_idempotent_and_frees_the_device(device: Path) -> None:
    before = open_files()
    camera = LoopbackWriter(str(device), SIZE, ioctl=Driver())
    camera.close()
    camera.close()
    assert open_files() == before


@linux
@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        (Driver(flags=v4l2.SINGLE_PLANAR_FLAG), "it accepts no writer"),
        (Driver(keeps=(320, 240, b"YU12")), "it keeps 320x240 in YU12"),
        (Driver(keeps=(64, 48, b"YUYV")), "it keeps 64x48 in YUYV"),
    ],
)
def test_what_the_driver_does_not_accept_is_an_error(device: Path, driver: Driver, reason: str) -> None:
    before = open_files()
    with pytest.raises(OSError, match=reason):
        LoopbackWriter(str(device), SIZE, ioctl=driver)
    assert open_files() == before


def test_a_missing_device_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LoopbackWriter(str(tmp_path / "video10"), SIZE, ioctl=Driver())


def test_a_part_of_an_image_is_an_error(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = LoopbackWriter(str(device), SIZE, ioctl=Driver())
    monkeypatch.setattr(writer.os, "write", lambda *_: 100)
    with pytest.raises(OSError, match="it took 100 of 4608 bytes"):
        camera.send(np.zeros((72, 64), np.uint8))
    camera.close()
