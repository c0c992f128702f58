"""Version, rate and timeout image of v4l2loopback; the driver is simulated at the ioctl calls."""

import errno
import struct
from pathlib import Path

import numpy as np
import pytest

from realtime_matte.errors import SinkError
from realtime_matte.v4l2 import loopback
from realtime_matte.v4l2.loopback import LoopbackDevice, LoopbackDevices, LoopbackModule

IMAGE = np.arange(6000, dtype=np.uint32).astype(np.uint8)


class Driver:
    """v4l2loopback's controls; its timeout image is a part of the device's file."""

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


def test_the_timeout_image_is_written_into_the_drivers_buffer(tmp_path: Path) -> None:
    driver = Driver(tmp_path / "video10")
    loopback.set_timeout_image(str(driver.path), IMAGE, ioctl=driver.ioctl)
    assert driver.image[:6000] == IMAGE.tobytes()
    assert driver.controls == [(0x98F903, 1), (0x98F902, 2000)], "timeout_image_io, then timeout"


def test_removing_the_timeout_image_sets_the_timeout_to_0(tmp_path: Path) -> None:
    driver = Driver(tmp_path / "video10")
    loopback.remove_timeout_image(str(driver.path), ioctl=driver.ioctl)
    assert driver.controls == [(0x98F902, 0)]


@pytest.mark.parametrize("refuses", [0xC008_561C, 0xC014_5608, 0xC058_5609])
def test_a_driver_without_timeout_images_is_left_as_it_is(tmp_path: Path, refuses: int) -> None:
    driver = Driver(tmp_path / "video10", refuses=refuses)
    with pytest.raises(OSError, match="Invalid argument"):
        loopback.set_timeout_image(str(driver.path), IMAGE, ioctl=driver.ioctl)
    assert (loopback.TIMEOUT, 2000) not in driver.controls


def test_an_image_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    driver = Driver(tmp_path / "video10")
    with pytest.raises(OSError, match="its images have 8192 bytes, not 9000"):
        loopback.set_timeout_image(str(driver.path), np.zeros(9000, np.uint8), ioctl=driver.ioctl)
    assert not any(driver.image)


def test_the_rate_is_set_as_a_fraction(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    requests: list[tuple[int, bytes]] = []
    for fps in (12.5, 30000 / 1001):
        loopback.set_rate(str(device), fps, ioctl=lambda _, number, buffer: requests.append((number, bytes(buffer))))
    assert [number for number, _ in requests] == [0xC0CC5616] * 2  # VIDIOC_S_PARM of linux/videodev2.h
    assert [struct.unpack("5I184x", buffer) for _, buffer in requests] == [(2, 0, 0, 2, 25), (2, 0, 0, 1001, 30000)]


def test_the_rate_of_a_device_that_is_a_camera_already_is_set_as_one(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    sides: list[int] = []

    def ioctl(_device: int, _number: int, buffer: bytearray) -> None:
        sides.append(buffer[0])
        if buffer[0] == 2:
            raise OSError(22, "Invalid argument")

    loopback.set_rate(str(device), 30, ioctl=ioctl)
    assert sides == [2, 1]


NEWEST = "7.1.4-arch1-1"


@pytest.mark.parametrize(
    ("version", "release", "verdicts", "safe"),
    [
        (None, "5.15.0-91-generic", ["warning", "advice"], False),  # Ubuntu 22.04: 0.12.5 reports no version
        (None, "6.1.0-18-amd64", ["warning", "advice"], False),  # Debian 12: 0.12.7
        (None, "6.8.0-31-generic", ["warning", "advice"], False),  # Ubuntu 24.04: 0.12.7
        (None, "6.18.0", ["refused", "warning", "warning", "advice"], False),
        (None, "7.0.0-28-generic", ["refused", "warning", "warning", "advice"], False),
        ("0.12.7", "6.17.0-40-generic", ["warning", "advice"], False),
        ("0.12.7-53-gaabbccd", "7.0.0", ["refused", "warning", "warning", "advice"], False),
        ("0.12.5", "7", ["refused", "warning", "warning", "advice"], False),
        ("0.12.99", NEWEST, ["refused", "warning", "warning", "advice"], False),
        ("0.13.0", "6.8.0-31-generic", ["advice"], True),
        ("0.13", "6.17.9", ["advice"], True),
        ("0.14.0", "6.18.0", ["warning", "advice"], True),
        ("0.15.2", NEWEST, ["warning", "advice"], True),
        ("0.15.3", "6.18.3-surface-2", ["advice"], True),
        ("0.15.4", NEWEST, [], True),
        ("0.15.10", NEWEST, [], True),
        ("v1.0", NEWEST, [], True),
        ("rubbish", "6.1", ["warning", "advice"], False),  # what cannot be read is taken for the oldest
        ("0.15.4", "rubbish", [], True),
    ],
)
def test_a_module_is_judged_by_its_version_and_the_kernel(
    version: str | None,
    release: str,
    verdicts: list[str],
    safe: bool,  # noqa: FBT001
) -> None:
    module = LoopbackModule(version, release)
    assert [rule.verdict for rule in module.rules] == verdicts
    assert module.safe_timeout_image is safe


@pytest.mark.parametrize(("version", "title"), [("0.12.7", "0.12.7"), (None, "before 0.13")])
def test_a_module_that_crashes_the_machine_is_refused(tmp_path: Path, version: str | None, title: str) -> None:
    node = tmp_path / "sys/class/video4linux/video10"
    node.mkdir(parents=True)
    for name, text in (("name", "Virtual Camera"), ("max_openers", "10"), ("state", "output")):
        (node / name).write_text(text)
    if version:
        (tmp_path / "sys/module/v4l2loopback").mkdir(parents=True)
        (tmp_path / "sys/module/v4l2loopback/version").write_text(version)
    with pytest.raises(SinkError) as caught:
        LoopbackDevices(tmp_path, "7.0.0-28-generic").choose("")
    assert str(caught.value) == (
        f"v4l2loopback {title} is refused in kernel 7.0.0-28-generic: it crashes the whole machine as soon as a "
        "program reads it; install v4l2loopback 0.15.4 or later: https://github.com/v4l2loopback, or start an older "
        "kernel"
    )


# Modules before 0.13 with exclusive_caps=1: no output any more, once a frame was written


class OldDriver:
    """The capability flags of a device, and the requests it received."""

    def __init__(self, flags: int) -> None:
        self.requests: list[tuple[int, bytes]] = []
        self._flags = flags

    def ioctl(self, _device: int, request: int, buffer: bytearray) -> None:
        self.requests.append((request, bytes(buffer)))
        if request == 0x8068_5600:  # VIDIOC_QUERYCAP
            struct.pack_into("2I", buffer, 84, 0x8000_0000 | self._flags, self._flags)
        elif request == 0x4004_5612:  # VIDIOC_STREAMON
            raise OSError(errno.EINVAL, "Invalid argument")  # no buffers, but the driver counts the writer


CAPTURE, OUTPUT, OTHERS = 1, 2, 0x0500_0000


@pytest.mark.parametrize(
    ("version", "flags", "reopened"),
    [
        (None, OTHERS, True),
        ("0.12.7", OTHERS, True),
        ("0.12.5", OTHERS | OUTPUT, False),
        ("0.12.5", OTHERS | CAPTURE, False),  # a program may be sending to it
        ("0.12.5", OTHERS | CAPTURE | OUTPUT, False),  # without exclusive_caps
        ("0.13.0", OTHERS, False),
        ("0.15.4", OTHERS, False),
    ],
)
def test_a_device_that_an_old_module_keeps_from_writers_is_made_an_output(
    tmp_path: Path, version: str | None, flags: int, *, reopened: bool
) -> None:
    (tmp_path / "sys/module/v4l2loopback").mkdir(parents=True)
    if version:
        (tmp_path / "sys/module/v4l2loopback/version").write_text(version)
    device = tmp_path / "video10"
    device.touch()
    driver = OldDriver(flags)
    devices = LoopbackDevices(tmp_path, "6.1.0")
    devices.reopen_output(LoopbackDevice(str(device), "Virtual Camera", busy=False), ioctl=driver.ioctl)
    streams = [buffer for request, buffer in driver.requests if request == 0x4004_5612]
    assert streams == [struct.pack("i", 2)] * reopened


def test_a_device_that_cannot_be_opened_is_left_to_the_one_that_sends(tmp_path: Path) -> None:
    device = LoopbackDevice(str(tmp_path / "video10"), "Virtual Camera", busy=False)
    LoopbackDevices(tmp_path, "6.1.0").reopen_output(device)
