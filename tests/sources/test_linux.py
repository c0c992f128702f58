"""Which cameras a Linux machine has, which one is meant, and why one cannot be used."""

import os
import sys
from pathlib import Path

import pytest

from realtime_matte.errors import SourceError

if sys.platform != "linux":
    pytest.skip("Video for Linux", allow_module_level=True)

from fakes.v4l2 import CAPTURE, METADATA, OUTPUT, FakeCamera, FakeKernel

from realtime_matte.sources._camera_info import CameraInfo, Mode

MODES = (
    Mode("MJPG", (1280, 720), (30.0, 15.0)),
    Mode("MJPG", (640, 480), (30.0,)),
    Mode("YUYV", (640, 480), (30.0, 7.5)),
)


@pytest.fixture
def kernel(tmp_path: Path) -> FakeKernel:
    return FakeKernel(tmp_path)


def webcam(name: str = "Integrated Camera: Integrated C") -> FakeCamera:
    return FakeCamera(name, modes=MODES)


def loopback(flags: int = CAPTURE) -> FakeCamera:
    return FakeCamera("Virtual Camera", driver="v4l2 loopback", flags=flags)


def test_cameras_are_listed_with_their_modes(kernel: FakeKernel) -> None:
    path = kernel.add(0, webcam())
    assert kernel.linux.cameras() == [CameraInfo("Integrated Camera: Integrated C", str(path), MODES)]


def test_cameras_are_listed_by_number(kernel: FakeKernel) -> None:
    paths = [str(kernel.add(number, webcam())) for number in (10, 2, 0)]
    assert [camera.address for camera in kernel.linux.cameras()] == paths[::-1]


def test_what_takes_no_pictures_is_not_listed(kernel: FakeKernel) -> None:
    kernel.add(0, FakeCamera("Integrated Camera", flags=METADATA))
    kernel.add(1, loopback(OUTPUT))
    (kernel.root / "dev/video2").touch()  # no V4L2 device
    assert kernel.linux.cameras() == []


def test_a_fed_virtual_camera_is_listed_as_one(kernel: FakeKernel) -> None:
    kernel.add(0, loopback())
    assert [camera.virtual for camera in kernel.linux.cameras()] == [True]


def test_a_range_of_sizes_is_listed_by_its_ends(kernel: FakeKernel) -> None:
    modes = Mode("YUYV", (2, 2), (60.0, 1.0)), Mode("YUYV", (800, 600), (60.0, 1.0))
    kernel.add(0, FakeCamera("scaler", modes=modes, ranged=True))
    assert kernel.linux.cameras()[0].modes == modes


def test_a_camera_that_is_not_ours_is_listed_with_the_reason(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kernel.add(0, webcam())
    deny(monkeypatch)
    (camera,) = kernel.linux.cameras()
    assert (camera.name, camera.address, camera.modes) == ("Integrated Camera: Integrated C", str(path), ())
    assert "permission denied" in (camera.problem or "")


@pytest.mark.parametrize("spec", ["2", "02", "/{}/dev/video2", "brio", "BRIO 4K", ""])
def test_a_camera_is_chosen_by_number_path_or_part_of_its_name(kernel: FakeKernel, spec: str) -> None:
    path = kernel.add(2, webcam("Logitech BRIO 4K"))
    assert kernel.linux.choose(spec.format(str(kernel.root)[1:])).address == str(path)


def test_the_first_of_several_with_that_name_is_chosen(kernel: FakeKernel) -> None:
    paths = [kernel.add(number, webcam("BRIO")) for number in (4, 6)]
    assert kernel.linux.choose("brio").address == str(paths[0])


def test_a_real_camera_goes_before_a_virtual_one(kernel: FakeKernel) -> None:
    kernel.add(0, loopback())
    real = kernel.add(1, webcam("Real Camera"))
    assert kernel.linux.choose("").address == str(real)
    assert kernel.linux.choose("camera").address == str(real)


def test_a_chosen_camera_knows_its_modes(kernel: FakeKernel) -> None:
    kernel.add(0, webcam())
    assert kernel.linux.choose("0").modes == MODES


def test_a_link_to_a_camera_has_its_name(kernel: FakeKernel, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(kernel.add(0, webcam()))
    (kernel.root / "sys/class/video4linux/video0/name").write_text("a longer name\n")
    assert kernel.linux.choose(str(link)).name == "a longer name"


def test_without_sysfs_a_camera_has_its_drivers_name(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("BRIO"))
    (kernel.root / "sys/class/video4linux/video0/name").unlink()
    assert kernel.linux.choose("0").name == "BRIO"


def refused(kernel: FakeKernel, spec: str) -> str:
    with pytest.raises(SourceError) as caught:
        kernel.linux.choose(spec)
    return str(caught.value).replace(str(kernel.root), "")


def test_no_such_camera_names_those_there_are(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("A"))
    kernel.add(1, webcam("B"))
    there_is = "there is: /dev/video0 (A), /dev/video1 (B)"
    assert refused(kernel, "7") == f"no camera at /dev/video7; {there_is}"
    assert refused(kernel, "logi") == f"no camera called 'logi'; {there_is}"


def test_no_camera_at_all_is_told(kernel: FakeKernel) -> None:
    mend = "there is no /dev/video* at all; plug a camera in, or pass it into this container or virtual machine"
    assert refused(kernel, "") == f"no camera; {mend}"
    assert refused(kernel, "0") == f"no camera at /dev/video0; {mend}"


def test_only_other_devices_is_told(kernel: FakeKernel) -> None:
    kernel.add(0, FakeCamera("meta", flags=METADATA))
    mend = "no device here takes pictures; plug a camera in, or undo its privacy switch"
    assert refused(kernel, "") == f"no camera; {mend}"
    assert refused(kernel, "0") == "camera /dev/video0 (meta) takes no pictures; there is no real camera; plug one in"


def test_a_file_is_no_camera(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("A"))
    (kernel.root / "dev/null").touch()
    assert refused(kernel, f"{kernel.root}/dev/null") == "/dev/null is no camera; there is: /dev/video0 (A)"


def deny(monkeypatch: pytest.MonkeyPatch, group: str = "video") -> None:
    def denied(path: Path, *_: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", denied)
    monkeypatch.setattr(Path, "group", lambda _: group)


def test_a_camera_of_another_group_names_the_group(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.add(0, webcam())
    deny(monkeypatch)
    assert refused(kernel, "0") == (
        "/dev/video0 may not be used by you: permission denied; "
        "join its group (sudo usermod -aG video $USER) and log in again"
    )


def test_a_camera_of_root_is_not_mended_by_a_group(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.add(0, webcam())
    deny(monkeypatch, group="root")
    assert refused(kernel, "0").endswith("permission denied; allow it (sudo setfacl -m u:$USER:rw /dev/video0)")


def test_a_device_that_cannot_be_opened_is_told(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.add(0, webcam())

    def gone(*_: object) -> int:
        raise OSError(19, "No such device")

    monkeypatch.setattr(os, "open", gone)
    assert refused(kernel, "0") == "/dev/video0 cannot be opened: No such device; plug it in again"


@pytest.mark.parametrize("flags", [OUTPUT, CAPTURE | OUTPUT, CAPTURE])
def test_our_own_output_is_refused(kernel: FakeKernel, flags: int) -> None:
    path = kernel.add(9, loopback(flags))
    kernel.add(0, webcam("A"))
    kernel.hold(path, os.getpid(), "rtmatte")
    assert refused(kernel, "9") == (
        "camera /dev/video9 (Virtual Camera) is this program's own output; choose a real one: /dev/video0 (A)"
    )


def test_a_virtual_camera_that_nothing_feeds_is_refused(kernel: FakeKernel) -> None:
    kernel.add(9, loopback(OUTPUT))
    assert refused(kernel, "9") == (
        "camera /dev/video9 (Virtual Camera) is a virtual camera that nothing feeds; "
        "there is no real camera; plug one in"
    )


def test_a_virtual_camera_that_another_program_feeds_is_taken(kernel: FakeKernel) -> None:
    path = kernel.add(9, loopback())
    kernel.hold(path, os.getpid() + 1, "scrcpy")
    assert kernel.linux.choose("9").address == str(path)


def why(kernel: FakeKernel, camera: CameraInfo) -> str:
    return str(kernel.linux.refusal(camera)).replace(str(kernel.root), "")


def test_a_busy_camera_names_its_users(kernel: FakeKernel) -> None:
    path = kernel.add(0, FakeCamera("A", busy=True))
    for process, name in ((77, "zoom"), (5, "firefox")):
        kernel.hold(path, process, name)
    kernel.hold(kernel.add(1, webcam()), 6, "cheese")
    camera = CameraInfo("A", str(path))
    assert why(kernel, camera) == (
        "camera /dev/video0 (A) is used by firefox (process 5), zoom (process 77); close that, or its video"
    )


def test_a_busy_camera_of_an_unseen_user_is_told(kernel: FakeKernel) -> None:
    path = kernel.add(0, FakeCamera("A", busy=True))
    assert "is used by another program" in why(kernel, CameraInfo("A", str(path)))


def test_a_silent_camera_is_told(kernel: FakeKernel) -> None:
    path = kernel.add(0, webcam("A"))
    assert why(kernel, CameraInfo("A", str(path))) == (
        "camera /dev/video0 (A) gives no picture; undo its privacy switch, or plug it into another port"
    )


def test_a_silent_virtual_camera_is_told(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("A"))
    path = kernel.add(9, loopback())
    assert why(kernel, CameraInfo("V", str(path), virtual=True)) == (
        "camera /dev/video9 (V) gives no picture: nothing feeds it; start what does, or choose a real one: "
        "/dev/video0 (A)"
    )


def test_a_camera_unplugged_while_it_was_opened_is_told(kernel: FakeKernel) -> None:
    path = kernel.add(0, webcam("A"))
    path.unlink()
    camera = CameraInfo("A", str(path))
    assert kernel.linux.gone(camera)
    assert why(kernel, camera) == "camera /dev/video0 (A) went away while it was opened; plug it in again"
