"""The checks of Linux video devices: virtual cameras, camera modes, permissions."""

from pathlib import Path

import pytest
from fakes.host import FakeHost, commands
from fakes.v4l2 import FakeCamera, FakeKernel

from realtime_matte.doctor.devices import exclusive, loopbacks, modes, permission
from realtime_matte.v4l2.capabilities import Mode
from realtime_matte.v4l2.ioctl import OUTPUT_FLAG

CAPTURE = 0x1
DRIVER = "v4l2 loopback"


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


@pytest.fixture
def kernel(tmp_path: Path) -> FakeKernel:
    return FakeKernel(tmp_path)


def virtual(kernel: FakeKernel, flags: int, number: int = 10) -> Path:
    path = kernel.add(number, FakeCamera("Virtual Camera", DRIVER, flags))
    (kernel.root / f"sys/class/video4linux/video{number}/max_openers").write_text("10\n")
    return path


# virtual cameras


@pytest.mark.parametrize("flags", [CAPTURE, OUTPUT_FLAG])
def test_virtual_camera_with_exclusive_caps_is_ok(machine: FakeHost, kernel: FakeKernel, flags: int) -> None:
    path = virtual(kernel, flags)
    kernel.open_in(path, 7, "chrome")
    (finding,) = loopbacks(machine.host, ioctl=kernel.ioctl)
    assert finding.state == "ok"
    assert finding.found == f"{path} (Virtual Camera), open in chrome (pid 7)"


def test_module_is_reloaded_if_its_only_device_lacks_exclusive_caps(machine: FakeHost, kernel: FakeKernel) -> None:
    virtual(kernel, CAPTURE | OUTPUT_FLAG)
    (finding,) = loopbacks(machine.host, ioctl=kernel.ioctl)
    assert finding.found.endswith("was created without exclusive_caps=1")
    assert commands(finding) == [
        "sudo modprobe -r v4l2loopback",
        "sudo modprobe v4l2loopback exclusive_caps=1 video_nr=10 'card_label=Virtual Camera'",
    ]


def test_module_in_use_is_not_reloaded(machine: FakeHost, kernel: FakeKernel) -> None:
    path = virtual(kernel, CAPTURE | OUTPUT_FLAG)
    kernel.open_in(path, 7, "chrome")
    (finding,) = loopbacks(machine.host, ioctl=kernel.ioctl)
    assert finding.commands == ()
    virtual(kernel, CAPTURE | OUTPUT_FLAG, 11)
    assert [finding.commands for finding in loopbacks(machine.host, ioctl=kernel.ioctl)] == [(), ()]


def test_device_that_cannot_be_queried_is_not_judged(machine: FakeHost, kernel: FakeKernel) -> None:
    assert exclusive(machine.root / "dev/video9", kernel.ioctl) is None
    assert exclusive(machine.write("dev/video9"), kernel.ioctl) is None


# cameras


def test_camera_modes_show_the_largest_size_of_each_format(machine: FakeHost, kernel: FakeKernel) -> None:
    offered = Mode("MJPG", (640, 480), (30.0,)), Mode("MJPG", (1280, 720), (60.0, 30.0)), Mode("YUYV", (640, 480), ())
    path = kernel.add(0, FakeCamera("Brio", modes=offered))
    virtual(kernel, CAPTURE)
    (finding,) = modes(machine.host, ioctl=kernel.ioctl)
    assert finding.found == f"camera {path} (Brio) offers MJPG up to 1280x720 at 60 fps, YUYV up to 640x480"


def test_preferred_formats_are_shown_first(machine: FakeHost, kernel: FakeKernel) -> None:
    offered = tuple(Mode(fourcc, (640, 480), ()) for fourcc in ("GREY", "NV12", "RGB3", "YUYV", "MJPG"))
    kernel.add(0, FakeCamera("Brio", modes=offered))
    (finding,) = modes(machine.host, ioctl=kernel.ioctl)
    assert finding.found.endswith("YUYV up to 640x480, MJPG up to 640x480, GREY up to 640x480 and 2 more formats")


# permission


def test_usable_devices_are_ok(machine: FakeHost) -> None:
    assert list(permission(machine.host)) == []
    path = machine.write("dev/video0")
    (finding,) = permission(machine.host)
    assert finding.found == f"{path}: me may use them"


def refused(machine: FakeHost, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A device of the group ``number`` that this user may not open."""
    device = machine.write("dev/video0")
    stat = Path.stat

    class Owned:
        st_gid = number

    monkeypatch.setattr(Path, "stat", lambda path, **more: Owned if path == device else stat(path, **more))
    machine.may_use = False


def test_user_joins_the_group_of_a_refused_device(machine: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(machine, monkeypatch, 44)
    machine.write("etc/group", "root:x:0:\nvideo:x:44:you,them\n")
    (finding,) = permission(machine.host)
    assert commands(finding) == ["sudo usermod -aG video me"]
    assert finding.hint == "join the group video, then log out and in again"


def test_group_joined_in_this_session_needs_a_new_login(machine: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(machine, monkeypatch, 44)
    machine.write("etc/group", "video:x:44:you,me\n")
    (finding,) = permission(machine.host)
    assert finding.hint.startswith("log out and in again")
    assert finding.commands == ()


@pytest.mark.parametrize("number", [0, 77])
def test_root_group_is_never_joined(machine: FakeHost, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    refused(machine, monkeypatch, number)
    machine.write("etc/group", "root:x:0:\n")
    (finding,) = permission(machine.host)
    assert commands(finding) == [f"sudo setfacl -m u:me:rw {machine.root / 'dev/video0'}"]
