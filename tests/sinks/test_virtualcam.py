"""The virtual camera; the driver is simulated by a writer, and by files in another ``/sys``.

Of macOS and Windows, pyvirtualcam runs with simulated back-ends. ``tests/v4l2/test_writer.py`` tests the real writer.
"""

import builtins
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.interfaces import AcceptsI420, HasReaders, HasTimeoutImage
from realtime_matte.media import i420
from realtime_matte.sinks import virtualcam
from realtime_matte.v4l2.loopback import LoopbackDevices

pyvirtualcam = pytest.importorskip("pyvirtualcam")

SIZE = (64, 48)


class Machine:
    """A Linux machine with v4l2loopback devices 10 and 11 and a real camera 0; ``held``: formats that readers hold."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.held: dict[str, str] = {}
        self.refuses = ""
        self.rates: dict[str, float] = {}
        self.sent: list[NDArray[np.uint8]] = []
        self.closed = 0
        (root / "dev").mkdir()
        (root / "sys/module/v4l2loopback").mkdir(parents=True)
        self.module("0.15.4")
        self.add(0, "Webcam", driver=False)
        self.add(10, "Virtual Camera")
        self.add(11, "Second")

    def add(self, number: int, name: str, *, driver: bool = True) -> None:
        (self.root / f"dev/video{number}").touch()
        node = self.node(number)
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
        if driver:
            (node / "max_openers").write_text("10\n")
            (node / "state").write_text("output\n")
            (node / "format").write_text("\n")

    def module(self, version: str | None) -> None:
        """Load this version of v4l2loopback; those before 0.13 report none."""
        path = self.root / "sys/module/v4l2loopback/version"
        path.unlink(missing_ok=True)
        if version:
            path.write_text(f"{version}\n")

    def node(self, number: int) -> Path:
        return self.root / f"sys/class/video4linux/video{number}"

    def open_in(self, number: int, pid: int, name: str, *, sends: bool) -> None:
        """Let a program have the device open."""
        process = self.root / f"proc/{pid}"
        (process / "fd").mkdir(parents=True)
        (process / "fd/3").symlink_to(self.root / f"dev/video{number}")
        (process / "comm").write_text(f"{name}\n")
        if sends:
            (self.node(number) / "state").write_text("capture\n")

    def set_rate(self, path: str, fps: float) -> None:
        """The rate that readers are given."""
        if fps > 60:
            raise OSError(22, "Invalid argument")
        self.rates[path] = fps

    def backend(self) -> type:
        """What pyvirtualcam calls to reach the driver of another system."""
        machine = self

        class Driver:
            def __init__(self, *, width: int, height: int, device: str | None, **_: object) -> None:
                if machine.refuses:
                    raise RuntimeError(machine.refuses)
                self._device = device
                held = machine.held.get(str(device), f"YU12:{width}x{height}")
                (machine.node(int(str(device).rpartition("video")[2])) / "format").write_text(f"{held}@30\n")

            def close(self) -> None:
                machine.closed += 1

            def send(self, frame: NDArray[np.uint8]) -> None:
                if machine.refuses:
                    raise RuntimeError(machine.refuses)
                machine.sent.append(frame.copy())

            def device(self) -> str:
                return str(self._device)

            def native_fourcc(self) -> None:
                return None

        return Driver

    def writer(self) -> type:
        """What Linux sends by."""
        machine = self

        class Writer:
            def __init__(self, device: str, size: tuple[int, int]) -> None:
                if machine.refuses:
                    raise OSError(22, machine.refuses)
                self.device = device
                self._open = True
                held = machine.held.get(device, f"YU12:{size[0]}x{size[1]}")
                (machine.node(int(device.rpartition("video")[2])) / "format").write_text(f"{held}@30\n")

            def send(self, image: NDArray[np.uint8]) -> None:
                if machine.refuses:
                    raise OSError(19, machine.refuses)
                machine.sent.append(image.copy())

            def close(self) -> None:
                machine.closed += self._open
                self._open = False

        return Writer


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(virtualcam, "LoopbackDevices", lambda: LoopbackDevices(tmp_path, "6.8.0-31-generic"))
    monkeypatch.setattr(virtualcam, "set_rate", made.set_rate)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(virtualcam, "LoopbackWriter", made.writer())
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"obs": made.backend()})
    return made


def opened(rest: str = "", size: tuple[int, int] = SIZE, fps: float = 30.0) -> virtualcam.VirtualCamera:
    return virtualcam.open(rest, size=size, fps=fps, alpha=False)


def path(machine: Machine, number: int) -> str:
    return str(machine.root / f"dev/video{number}")


def test_it_reports_its_readers(machine: Machine) -> None:
    sink = opened()
    assert isinstance(sink, HasReaders)
    readers = sink.open_readers()
    assert path(machine, 10) in readers.notices[0], "a file has no events"
    assert not readers.wait_for_reader(0)
    readers.close()
    sink.close()


def test_a_driver_without_timeout_images_is_reported(machine: Machine) -> None:
    sink = opened()
    assert isinstance(sink, HasTimeoutImage)
    sink.set_timeout_image(np.zeros((48, 64, 3), np.uint8))
    assert sink.notices[1] == (
        f"if this program is killed, {path(machine, 10)} keeps its last frame instead of the standby card: "
        "v4l2loopback did not accept a timeout image (Inappropriate ioctl for device)"
    )
    sink.close()


def test_the_timeout_image_is_set_in_the_devices_format_and_removed_at_the_end(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(virtualcam, "set_timeout_image", lambda device, raw: calls.append((device, raw.size)))
    monkeypatch.setattr(virtualcam, "remove_timeout_image", lambda device: calls.append((device, 0)))
    sink = opened(size=(65, 49))
    assert isinstance(sink, HasTimeoutImage)
    sink.set_timeout_image(np.zeros((49, 65, 3), np.uint8))
    assert calls == [(path(machine, 10), 64 * 48 * 3 // 2)]
    sink.close()
    sink.close()
    assert calls[1:] == [(path(machine, 10), 0)]


@pytest.mark.parametrize(("version", "title"), [(None, "before 0.13"), ("0.12.7", "0.12.7"), ("0.12.5", "0.12.5")])
def test_a_module_that_a_timeout_image_may_crash_gets_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, version: str | None, title: str
) -> None:
    """Setting it twice crashed the kernel with 0.12.5: 20 starts in a row would set it 20 times."""
    calls: list[str] = []
    for name in ("set_timeout_image", "remove_timeout_image"):
        monkeypatch.setattr(virtualcam, name, lambda *_, name=name: calls.append(name))
    machine.module(version)
    for _ in range(20):
        sink = opened()
        assert isinstance(sink, HasTimeoutImage)
        sink.set_timeout_image(np.zeros((48, 64, 3), np.uint8))
        (notice,) = sink.notices[1:]
        assert notice == (
            f"v4l2loopback {title}: a timeout image can crash the kernel, so none is set: if this program is killed, "
            "the virtual camera keeps its last frame instead of the standby card"
        )
        sink.close()
    assert calls == []


@pytest.mark.parametrize("version", ["0.13.0", "0.15.0", "0.15.4"])
def test_newer_modules_have_no_notice(machine: Machine, version: str) -> None:
    machine.module(version)
    sink = opened()
    assert len(sink.notices) == 1
    sink.close()


@pytest.mark.parametrize(("version", "starts"), [(None, 3), ("0.12.5", 3), ("0.13.0", 0), ("0.15.4", 0)])
def test_a_device_of_an_old_module_accepts_a_writer_at_each_start(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, version: str | None, starts: int
) -> None:
    """Before 0.13 the second start on a device with exclusive_caps=1 was refused until the module was loaded again."""
    calls: list[str] = []
    monkeypatch.setattr(LoopbackDevices, "reopen_output", lambda _, device: calls.append(f"before {device.path}"))
    monkeypatch.setattr(virtualcam, "accept_writer", lambda device: calls.append(f"after {device}"))
    machine.module(version)
    for start in range(1, 4):
        sink = opened()
        assert calls.count(f"before {path(machine, 10)}") == start
        assert calls.count(f"after {path(machine, 10)}") == min(start - 1, starts), "only when it was closed"
        sink.close()
        sink.close()
    assert calls.count(f"after {path(machine, 10)}") == starts


def test_on_other_systems_it_does_not_report_its_readers(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    sink = opened(path(machine, 10))
    assert not isinstance(sink, HasReaders | HasTimeoutImage)
    sink.close()


def test_i420_frames_arrive_unchanged(machine: Machine) -> None:
    sink = opened()
    assert isinstance(sink, AcceptsI420)
    image = np.random.default_rng(0).integers(0, 256, (72, 64), np.uint8)
    sink.send_i420(image, 1.0)
    sink.close()
    assert np.array_equal(machine.sent[0].reshape(72, 64), image)


def test_bgr_images_arrive_as_i420(machine: Machine) -> None:
    sink = opened()
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    sink.send(image, 1.0)
    sink.close()
    assert np.array_equal(machine.sent[0].reshape(72, 64), i420.from_bgr(image))


def test_on_other_systems_bgr_frames_arrive_unchanged(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    sink = opened(path(machine, 10))
    assert not isinstance(sink, AcceptsI420)
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    sink.send(image, 1.0)
    sink.close()
    assert np.array_equal(machine.sent[0].reshape(48, 64, 3), image)


def test_it_is_live_and_its_notice_names_the_camera(machine: Machine) -> None:
    sink = opened()
    assert sink.live
    assert not sink.alpha
    assert sink.notices == [f"virtual camera {path(machine, 10)} (Virtual Camera), 64x48"]
    sink.close()


def test_readers_are_given_the_rate(machine: Machine) -> None:
    opened(fps=12.5).close()
    assert machine.rates == {path(machine, 10): 12.5}


def test_a_driver_that_accepts_no_rate_is_reported(machine: Machine) -> None:
    sink = opened(fps=120)
    assert sink.notices[0].endswith("64x48; its readers are given another rate than 120 fps (Invalid argument)")
    sink.close()
    assert not machine.rates


def test_the_first_free_device_is_chosen(machine: Machine) -> None:
    machine.open_in(10, 77, "obs", sends=True)
    sink = opened()
    assert sink.notices[0].startswith(f"virtual camera {path(machine, 11)} (Second)")
    sink.close()


@pytest.mark.parametrize("rest", ["11", "second", "Second"])
def test_a_number_or_a_name_chooses(machine: Machine, rest: str) -> None:
    sink = opened(rest)
    assert path(machine, 11) in sink.notices[0]
    sink.close()


def test_a_path_or_a_link_to_it_chooses(machine: Machine) -> None:
    (machine.root / "dev/mycam").symlink_to(path(machine, 11))
    for rest in (path(machine, 11), str(machine.root / "dev/mycam")):
        sink = opened(rest)
        assert path(machine, 11) in sink.notices[0]
        sink.close()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("rest", ["0", "12", "/dev/null", "nonsense"])
def test_what_is_no_virtual_camera_is_refused_with_the_available_ones(rest: str) -> None:
    with pytest.raises(SinkError, match=rf"no virtual camera '{rest}'; available: .*10 \(Virtual .*, .*11 \(Second\)$"):
        opened(rest)


def test_a_module_that_is_not_loaded_is_reported(machine: Machine) -> None:
    for number in (10, 11):
        (machine.node(number) / "max_openers").unlink()
    machine.module(None)
    (machine.root / "sys/module/v4l2loopback").rmdir()
    with pytest.raises(SinkError) as caught:
        opened("10")
    assert str(caught.value) == (
        "no virtual camera: the kernel module v4l2loopback is not loaded; sudo modprobe v4l2loopback exclusive_caps=1 "
        "card_label='Virtual Camera'; if it finds no module, install it (Debian and Ubuntu: "
        "sudo apt install v4l2loopback-dkms)"
    )


def test_a_module_without_devices_is_reported(machine: Machine) -> None:
    for number in (10, 11):
        (machine.node(number) / "max_openers").unlink()
    with pytest.raises(
        SinkError, match=r"v4l2loopback has no device; sudo modprobe -r v4l2loopback, then sudo modprobe"
    ):
        opened()


def test_a_device_that_another_program_sends_to_is_refused(machine: Machine) -> None:
    machine.open_in(10, 77, "obs", sends=True)
    with pytest.raises(SinkError) as caught:
        opened("10")
    assert str(caught.value) == (
        f"the virtual camera {path(machine, 10)} (Virtual Camera) is in use: obs (pid 77) sends to it; close that "
        "program, or make more devices: sudo modprobe -r v4l2loopback, then sudo modprobe v4l2loopback "
        "exclusive_caps=1,1 card_label='Virtual Camera' devices=2"
    )


def test_a_device_that_an_unknown_program_sends_to_is_refused(machine: Machine) -> None:
    (machine.node(10) / "state").write_text("capture\n")
    with pytest.raises(SinkError, match="is in use: this program, or one of another user, sends to it; close"):
        opened("10")


def test_a_reader_that_holds_another_size_is_reported(machine: Machine) -> None:
    """The driver accepts the size, keeps the old one, and would show every frame torn."""
    machine.open_in(10, 78, "chrome", sends=False)
    machine.held[path(machine, 10)] = "YU12:640x480"
    with pytest.raises(SinkError) as caught:
        opened("10")
    assert str(caught.value) == (
        f"the virtual camera {path(machine, 10)} (Virtual Camera) does not accept 64x48: a reader holds it at 640x480; "
        "turn the camera off in chrome (pid 78), start rtmatte, and turn it on again, or use --size 640x480"
    )
    assert machine.closed == 1


def test_the_reader_is_named_where_the_driver_refuses_the_format(machine: Machine) -> None:
    machine.open_in(10, 78, "chrome", sends=False)
    (machine.node(10) / "format").write_text("YUYV:64x48@30\n")
    machine.refuses = "it keeps 64x48 in YUYV"
    with pytest.raises(SinkError, match=r"a reader holds it at 64x48 in YUYV, not YU12; turn the camera off in chrome"):
        opened("10")


def test_a_reader_that_holds_another_format_is_reported(machine: Machine) -> None:
    """The driver accepts this as well, and shows our bytes as if they were of the other format."""
    machine.open_in(10, 78, "chrome", sends=False)
    machine.held[path(machine, 10)] = "YUYV:64x48"
    with pytest.raises(SinkError) as caught:
        opened("10")
    assert str(caught.value) == (
        f"the virtual camera {path(machine, 10)} (Virtual Camera) does not accept 64x48: a reader holds it at 64x48 "
        "in YUYV, not YU12; turn the camera off in chrome (pid 78), start rtmatte, and turn it on again"
    )
    assert machine.closed == 1


def test_an_older_driver_that_refuses_is_reported(machine: Machine) -> None:
    machine.refuses = "Invalid argument"
    with pytest.raises(SinkError, match=r"does not accept 64x48: Invalid argument; turn the camera off in the program"):
        opened("10")


def test_a_driver_that_does_not_report_its_format_is_accepted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.node(10) / "format").unlink()
    (machine.node(10) / "state").unlink()
    monkeypatch.setattr(LoopbackDevices, "_format", lambda *_: ("", ""))
    sink = opened("10")
    sink.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
def test_a_device_without_permission_is_reported(machine: Machine) -> None:
    Path(path(machine, 10)).chmod(0o400)
    with pytest.raises(
        SinkError,
        match=r"cannot write to the .*: permission denied; sudo usermod -aG video \$USER, then log out and in",
    ):
        opened("10")


@pytest.mark.usefixtures("machine")
def test_a_device_that_cannot_be_written_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(
        SinkError,
        match=r"cannot write to the .*: permission denied; sudo usermod -aG video \$USER, then log out and in",
    ):
        opened("10")


def test_a_device_that_is_not_in_the_container_is_reported(machine: Machine) -> None:
    Path(path(machine, 10)).unlink()
    with pytest.raises(SinkError, match=r"\(Virtual Camera\) is not in this container; pass the device into it"):
        opened("10")


def test_odd_sizes_are_cut(machine: Machine) -> None:
    sink = opened(size=(65, 49))
    sink.send(np.full((49, 65, 3), 9, np.uint8), 0.0)
    sink.close()
    assert machine.sent[0].size == 64 * 48 * 3 // 2
    assert sink.notices[0].endswith("64x48 (virtual cameras have even sizes, 65x49 is cut)")


@pytest.mark.usefixtures("machine")
def test_a_size_below_that_of_any_camera_is_refused() -> None:
    with pytest.raises(SpecError, match="a virtual camera cannot be 1x1; use at least 2x2, as in --size 1280x720"):
        opened(size=(1, 1))


@pytest.mark.usefixtures("machine")
def test_alpha_is_refused() -> None:
    with pytest.raises(SpecError, match=r"a virtual camera cannot carry alpha \(background 'none'\); choose a backgr"):
        virtualcam.open("", size=SIZE, fps=30.0, alpha=True)


def test_a_camera_that_goes_away_is_an_error(machine: Machine) -> None:
    sink = opened()
    machine.refuses = "No such device"
    with pytest.raises(SinkError, match=r"the virtual camera .* accepts no more frames: No such device$"):
        sink.send(np.zeros((48, 64, 3), np.uint8), 0.0)
    sink.close()


def test_close_is_idempotent(machine: Machine) -> None:
    sink = opened()
    sink.close()
    sink.close()
    assert machine.closed == 1


def use_other_system(monkeypatch: pytest.MonkeyPatch, system: str, reasons: Mapping[str, str]) -> None:
    """A machine with another system, whose back-ends all refuse."""

    def refusing(reason: str) -> type:
        class Refusing:
            def __init__(self, **_: object) -> None:
                raise RuntimeError(reason)

        return Refusing

    monkeypatch.setattr(sys, "platform", system)
    backends = {name: refusing(reason) for name, reason in reasons.items()}
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", backends)


def test_on_a_mac_without_obs_the_hint_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    use_other_system(monkeypatch, "darwin", {"obs": "OBS Virtual Camera is not installed in your system."})
    with pytest.raises(
        SinkError, match=r"no virtual camera: 'obs' backend: OBS .*; install OBS 30 or newer, start its"
    ):
        opened()


def test_on_windows_without_back_ends_the_hint_is_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    use_other_system(monkeypatch, "win32", {"obs": "device not found!", "unitycapture": "No camera registered."})
    with pytest.raises(
        SinkError, match=r"no virtual camera 'Mine': .*found!; .*registered\.; install OBS 26 or newer, or"
    ):
        opened("Mine")


def test_a_system_without_virtual_cameras_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    use_other_system(monkeypatch, "freebsd14", {})
    with pytest.raises(
        SinkError, match=r"no virtual camera: pyvirtualcam does not know this system; there is none for"
    ):
        opened()


def test_on_other_systems_the_notice_names_the_device(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    sink = opened(path(machine, 10))
    assert sink.notices == [f"virtual camera {path(machine, 10)}, 64x48"]
    sink.close()


@pytest.mark.parametrize("system", ["linux", "win32"])
def test_only_other_systems_need_pyvirtualcam(machine: Machine, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    """It is under the GPL, version 2 only: a bundle with libraries under Apache-2.0 may not contain it."""
    monkeypatch.setattr(sys, "platform", system)
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "pyvirtualcam":
            raise ImportError("No module named 'pyvirtualcam'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    if system == "linux":
        sink = opened()
        sink.send(np.zeros((48, 64, 3), np.uint8), 0.0)
        sink.close()
        assert len(machine.sent) == 1
        return
    with pytest.raises(MissingDependency, match=r"need pyvirtualcam \(No module named .*\); pip install pyvirtualcam"):
        opened()
