"""The cameras of a Linux machine: which there are, which one a spec means, and why one cannot be used."""

import os
import sys
from pathlib import Path

import pytest

from realtime_matte.errors import SourceError

if sys.platform != "linux":
    pytest.skip("Video for Linux", allow_module_level=True)

from fakes.v4l2 import CAPTURE, METADATA, MULTI_PLANAR, OUTPUT, FakeCamera, FakeKernel

from realtime_matte.v4l2.cameras import CameraInfo
from realtime_matte.v4l2.capabilities import Mode

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
    assert kernel.cameras.list_cameras() == [CameraInfo("Integrated Camera: Integrated C", str(path), MODES)]


def test_cameras_are_listed_by_number(kernel: FakeKernel) -> None:
    paths = [str(kernel.add(number, webcam())) for number in (10, 2, 0)]
    assert [camera.address for camera in kernel.cameras.list_cameras()] == paths[::-1]


def test_a_device_that_captures_no_frames_is_not_listed(kernel: FakeKernel) -> None:
    kernel.add(0, FakeCamera("Integrated Camera", flags=METADATA))
    kernel.add(1, loopback(OUTPUT))
    (kernel.root / "dev/video2").touch()  # no V4L2 device
    assert kernel.cameras.list_cameras() == []


def test_a_virtual_camera_with_a_writer_is_listed_as_virtual(kernel: FakeKernel) -> None:
    kernel.add(0, loopback())
    assert [camera.virtual for camera in kernel.cameras.list_cameras()] == [True]


def test_a_range_of_sizes_is_listed_by_its_ends(kernel: FakeKernel) -> None:
    modes = Mode("YUYV", (2, 2), (60.0, 1.0)), Mode("YUYV", (800, 600), (60.0, 1.0))
    kernel.add(0, FakeCamera("scaler", modes=modes, ranged=True))
    assert kernel.cameras.list_cameras()[0].modes == modes


def test_a_camera_without_permission_is_listed_with_the_reason(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kernel.add(0, webcam())
    deny(monkeypatch)
    (camera,) = kernel.cameras.list_cameras()
    assert (camera.name, camera.address, camera.modes) == ("Integrated Camera: Integrated C", str(path), ())
    assert "permission denied" in (camera.problem or "")


@pytest.mark.parametrize("spec", ["2", "02", "/{}/dev/video2", "brio", "BRIO 4K", ""])
def test_a_camera_is_chosen_by_number_path_or_part_of_its_name(kernel: FakeKernel, spec: str) -> None:
    path = kernel.add(2, webcam("Logitech BRIO 4K"))
    assert kernel.cameras.choose(spec.format(str(kernel.root)[1:])).address == str(path)


def test_the_first_of_several_cameras_with_a_name_is_chosen(kernel: FakeKernel) -> None:
    paths = [kernel.add(number, webcam("BRIO")) for number in (4, 6)]
    assert kernel.cameras.choose("brio").address == str(paths[0])


def test_a_real_camera_is_chosen_before_a_virtual_one(kernel: FakeKernel) -> None:
    kernel.add(0, loopback())
    real = kernel.add(1, webcam("Real Camera"))
    assert kernel.cameras.choose("").address == str(real)
    assert kernel.cameras.choose("camera").address == str(real)


def infrared(fourcc: str = "GREY") -> FakeCamera:
    return FakeCamera(
        "Integrated IR Camera", modes=(Mode(fourcc, (640, 360), (15.0,)), Mode("Y8I", (640, 360), (15.0,)))
    )


@pytest.mark.parametrize("fourcc", ["GREY", "Y8", "Y8I", "Y10", "Y12", "Y16", "Y16\ufffd", "Z16", "INZI"])
@pytest.mark.parametrize("spec", ["", "integrated"])
def test_a_camera_with_colors_is_chosen_before_an_infrared_one(kernel: FakeKernel, fourcc: str, spec: str) -> None:
    kernel.add(0, infrared(fourcc.replace("\ufffd", "")))
    kernel.add(1, FakeCamera("Integrated Camera: metadata", flags=METADATA))
    chosen = kernel.add(2, webcam())
    assert Mode(fourcc, (640, 360), (15.0,)).grey
    assert kernel.cameras.choose(spec).address == str(chosen)


@pytest.mark.parametrize("fourcc", ["MJPG", "YUYV", "NV12", "YU12", "H264", "BGR3", "pBAA", "RG10", "UYVY", ""])
def test_formats_with_colors_are_no_grey_formats(fourcc: str) -> None:
    assert not Mode(fourcc, (640, 360), (30.0,)).grey


@pytest.mark.parametrize("spec", ["0", "/{}/dev/video0", "ir cam"])
def test_an_infrared_camera_can_be_named(kernel: FakeKernel, spec: str) -> None:
    path = kernel.add(0, infrared())
    kernel.add(2, webcam())
    assert kernel.cameras.choose(spec.format(str(kernel.root)[1:])).address == str(path)


def test_cameras_are_taken_in_order_of_colors_then_reality_then_number(kernel: FakeKernel) -> None:
    kernel.add(0, infrared())
    virtual = kernel.add(1, loopback())
    assert kernel.cameras.choose("").address == str(virtual), "one with colours, which another program feeds"
    unknown = kernel.add(2, FakeCamera("lists no modes"))
    assert kernel.cameras.choose("").address == str(unknown)
    kernel.add(3, webcam())
    assert kernel.cameras.choose("").address == str(unknown)


def choice(kernel: FakeKernel, spec: str) -> str:
    return kernel.cameras.choice(spec, kernel.cameras.choose(spec)).replace(str(kernel.root), "")


def test_where_there_was_a_choice_it_is_reported(kernel: FakeKernel) -> None:
    kernel.add(0, infrared())
    kernel.add(1, FakeCamera("Integrated Camera: metadata", flags=METADATA))
    kernel.add(2, webcam("Integrated Camera"))
    kernel.add(4, webcam("BRIO"))
    kernel.add(9, loopback())
    assert choice(kernel, "") == (
        "camera /dev/video2 (Integrated Camera) was chosen; there is also /dev/video4 (BRIO), "
        "/dev/video9 (Virtual Camera, virtual), /dev/video0 (Integrated IR Camera, without colours): "
        "choose one with --camera"
    )
    assert choice(kernel, "integrated").endswith(
        "there is also /dev/video0 (Integrated IR Camera, without colours): choose one with --camera"
    )
    assert [choice(kernel, spec) for spec in ("0", "brio")] == ["", ""]


def test_without_a_choice_nothing_is_reported(kernel: FakeKernel) -> None:
    kernel.add(0, webcam())
    kernel.add(9, loopback(CAPTURE | OUTPUT))  # made without exclusive_caps: always a camera, also without a writer
    (kernel.root / "sys/class/video4linux/video9/state").write_text("output\n")
    assert choice(kernel, "") == ""


def test_multi_planar_cameras_have_modes(kernel: FakeKernel) -> None:
    path = kernel.add(0, FakeCamera("rkisp1", flags=MULTI_PLANAR, modes=MODES))
    assert kernel.cameras.list_cameras() == [CameraInfo("rkisp1", str(path), MODES)]


def test_a_busy_multi_planar_camera_is_reported(kernel: FakeKernel) -> None:
    path = kernel.add(0, FakeCamera("rkisp1", flags=MULTI_PLANAR, busy=True))
    assert "is in use by another program" in open_error(kernel, CameraInfo("rkisp1", str(path)))


def test_a_chosen_camera_knows_its_modes(kernel: FakeKernel) -> None:
    kernel.add(0, webcam())
    assert kernel.cameras.choose("0").modes == MODES


def test_a_link_to_a_camera_has_its_name(kernel: FakeKernel, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(kernel.add(0, webcam()))
    (kernel.root / "sys/class/video4linux/video0/name").write_text("a longer name\n")
    assert kernel.cameras.choose(str(link)).name == "a longer name"


def test_without_sysfs_a_camera_has_its_drivers_name(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("BRIO"))
    (kernel.root / "sys/class/video4linux/video0/name").unlink()
    assert kernel.cameras.choose("0").name == "BRIO"


def refused(kernel: FakeKernel, spec: str) -> str:
    with pytest.raises(SourceError) as caught:
        kernel.cameras.choose(spec)
    return str(caught.value).replace(str(kernel.root), "")


def test_an_unknown_camera_is_refused_with_the_available_ones(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("A"))
    kernel.add(1, webcam("B"))
    available = "available: /dev/video0 (A), /dev/video1 (B)"
    assert refused(kernel, "7") == f"no camera at /dev/video7; {available}"
    assert refused(kernel, "logi") == f"no camera called 'logi'; {available}"


def test_no_device_at_all_is_reported(kernel: FakeKernel) -> None:
    hint = "there is no /dev/video*; plug a camera in, or pass it into this container or virtual machine"
    assert refused(kernel, "") == f"no camera; {hint}"
    assert refused(kernel, "0") == f"no camera at /dev/video0; {hint}"


def test_devices_that_are_no_cameras_are_reported(kernel: FakeKernel) -> None:
    kernel.add(0, FakeCamera("meta", flags=METADATA))
    hint = "no device here captures frames; plug a camera in, or open its privacy switch"
    assert refused(kernel, "") == f"no camera; {hint}"
    assert (
        refused(kernel, "0")
        == "camera /dev/video0 (meta) does not capture frames; there is no real camera; plug one in"
    )


def test_a_file_is_not_a_camera(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("A"))
    (kernel.root / "dev/null").touch()
    assert refused(kernel, f"{kernel.root}/dev/null") == "/dev/null is not a camera; available: /dev/video0 (A)"


def deny(monkeypatch: pytest.MonkeyPatch, group: str = "video") -> None:
    def denied(path: Path, *_: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", denied)
    monkeypatch.setattr(Path, "group", lambda _: group)


def test_a_camera_of_another_group_names_the_group(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.add(0, webcam())
    deny(monkeypatch)
    assert refused(kernel, "0") == (
        "cannot open /dev/video0: permission denied; join its group (sudo usermod -aG video $USER) and log in again"
    )


def test_for_a_camera_of_the_group_root_the_hint_is_not_to_join_it(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.add(0, webcam())
    deny(monkeypatch, group="root")
    assert refused(kernel, "0").endswith("permission denied; allow it (sudo setfacl -m u:$USER:rw /dev/video0)")


def test_a_device_that_cannot_be_opened_is_reported(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.add(0, webcam())

    def gone(*_: object) -> int:
        raise OSError(19, "No such device")

    monkeypatch.setattr(os, "open", gone)
    assert refused(kernel, "0") == "cannot open /dev/video0: No such device; plug it in again"


def test_a_virtual_camera_that_this_program_reads_has_its_name(kernel: FakeKernel) -> None:
    path = kernel.add(9, loopback())
    kernel.open_in(path, os.getpid(), "rtmatte")
    assert [kernel.cameras.find(rest).name for rest in ("9", str(path), "virtual", "")] == ["Virtual Camera"] * 4
    with pytest.raises(SourceError, match="no camera at"):
        kernel.cameras.find("8")


@pytest.mark.parametrize("flags", [OUTPUT, CAPTURE | OUTPUT, CAPTURE])
def test_the_output_of_this_program_is_refused(kernel: FakeKernel, flags: int) -> None:
    path = kernel.add(9, loopback(flags))
    kernel.add(0, webcam("A"))
    kernel.open_in(path, os.getpid(), "rtmatte")
    assert refused(kernel, "9") == (
        "camera /dev/video9 (Virtual Camera) is this program's own output; choose a real camera: /dev/video0 (A)"
    )


def test_a_virtual_camera_that_no_program_feeds_is_refused(kernel: FakeKernel) -> None:
    kernel.add(9, loopback(OUTPUT))
    assert refused(kernel, "9") == (
        "camera /dev/video9 (Virtual Camera) is a virtual camera that no program feeds; "
        "there is no real camera; plug one in"
    )


def test_a_virtual_camera_that_another_program_feeds_is_accepted(kernel: FakeKernel) -> None:
    path = kernel.add(9, loopback())
    kernel.open_in(path, os.getpid() + 1, "scrcpy")
    assert kernel.cameras.choose("9").address == str(path)


def open_error(kernel: FakeKernel, camera: CameraInfo) -> str:
    return str(kernel.cameras.open_error(camera)).replace(str(kernel.root), "")


def test_a_busy_camera_is_reported_with_the_programs_that_use_it(kernel: FakeKernel) -> None:
    path = kernel.add(0, FakeCamera("A", busy=True))
    for pid, name in ((77, "zoom"), (5, "firefox")):
        kernel.open_in(path, pid, name)
    kernel.open_in(kernel.add(1, webcam()), 6, "cheese")
    camera = CameraInfo("A", str(path))
    assert open_error(kernel, camera) == (
        "camera /dev/video0 (A) is in use by firefox (pid 5), zoom (pid 77); "
        "close that program, turn its video off, or choose another --camera"
    )


def test_a_busy_camera_of_an_unknown_program_is_reported(kernel: FakeKernel) -> None:
    path = kernel.add(0, FakeCamera("A", busy=True))
    assert "is in use by another program" in open_error(kernel, CameraInfo("A", str(path)))


def test_a_camera_without_frames_is_reported(kernel: FakeKernel) -> None:
    path = kernel.add(0, webcam("A"))
    assert open_error(kernel, CameraInfo("A", str(path))) == (
        "camera /dev/video0 (A) gives no frames; open its privacy switch, or plug it into another port"
    )


def test_a_virtual_camera_without_frames_is_reported(kernel: FakeKernel) -> None:
    kernel.add(0, webcam("A"))
    path = kernel.add(9, loopback())
    assert open_error(kernel, CameraInfo("V", str(path), virtual=True)) == (
        "camera /dev/video9 (V) gives no frames: no program feeds it; start the program that feeds it, "
        "or choose a real camera: /dev/video0 (A)"
    )


def test_a_camera_unplugged_while_it_is_opened_is_reported(kernel: FakeKernel) -> None:
    path = kernel.add(0, webcam("A"))
    path.unlink()
    camera = CameraInfo("A", str(path))
    assert kernel.cameras.is_gone(camera)
    assert open_error(kernel, camera) == "camera /dev/video0 (A) was removed while it was opened; plug it in again"


@pytest.mark.parametrize("exposure", [156, None])
def test_the_exposure_is_what_the_driver_reports(kernel: FakeKernel, exposure: int | None) -> None:
    kernel.add(0, FakeCamera("Webcam", modes=MODES, exposure=exposure, busy=True))
    assert kernel.cameras.exposure(kernel.cameras.choose("0")) == exposure


def test_a_camera_that_is_gone_has_no_exposure(kernel: FakeKernel) -> None:
    assert kernel.cameras.exposure(CameraInfo("Webcam", str(kernel.root / "dev/video7"))) is None
