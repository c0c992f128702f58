"""What the doctor says of devices, permissions, PipeWire, Flatpak, NVIDIA and OBS."""

import json
from pathlib import Path

import pytest
from fakes.host import FakeHost, commands
from fakes.v4l2 import FakeCamera, FakeKernel

from realtime_matte.doctor import obs, system
from realtime_matte.doctor.cuda import cuda
from realtime_matte.doctor.flatpak import flatpak
from realtime_matte.doctor.host import Host, ask
from realtime_matte.doctor.loopbacks import OUTPUT, exclusive, loopbacks
from realtime_matte.doctor.modes import modes
from realtime_matte.doctor.permission import permission
from realtime_matte.doctor.pipewire import pipewire
from realtime_matte.sources._camera_info import Mode

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


@pytest.mark.parametrize("flags", [CAPTURE, OUTPUT])
def test_a_virtual_camera_that_is_one_thing_at_a_time_is_good(
    machine: FakeHost, kernel: FakeKernel, flags: int
) -> None:
    path = virtual(kernel, flags)
    kernel.hold(path, 7, "chrome")
    (finding,) = loopbacks(machine.host, ioctl=kernel.ioctl)
    assert finding.state == "good"
    assert finding.found == f"{path} (Virtual Camera), open in chrome (process 7)"


def test_without_exclusive_caps_the_only_one_is_made_anew(machine: FakeHost, kernel: FakeKernel) -> None:
    virtual(kernel, CAPTURE | OUTPUT)
    (finding,) = loopbacks(machine.host, ioctl=kernel.ioctl)
    assert finding.found.endswith("was made without exclusive_caps=1")
    assert commands(finding) == [
        "sudo modprobe -r v4l2loopback",
        "sudo modprobe v4l2loopback exclusive_caps=1 video_nr=10 'card_label=Virtual Camera'",
    ]


def test_cameras_that_others_use_are_not_pulled_away(machine: FakeHost, kernel: FakeKernel) -> None:
    path = virtual(kernel, CAPTURE | OUTPUT)
    kernel.hold(path, 7, "chrome")
    (finding,) = loopbacks(machine.host, ioctl=kernel.ioctl)
    assert finding.commands == ()
    virtual(kernel, CAPTURE | OUTPUT, 11)
    assert [finding.commands for finding in loopbacks(machine.host, ioctl=kernel.ioctl)] == [(), ()]


def test_a_device_that_cannot_be_asked_is_not_judged(machine: FakeHost, kernel: FakeKernel) -> None:
    assert exclusive(machine.root / "dev/video9", kernel.ioctl) is None
    assert exclusive(machine.write("dev/video9"), kernel.ioctl) is None


# cameras


def test_each_camera_tells_what_it_offers(machine: FakeHost, kernel: FakeKernel) -> None:
    offered = Mode("MJPG", (640, 480), (30.0,)), Mode("MJPG", (1280, 720), (60.0, 30.0)), Mode("YUYV", (640, 480), ())
    path = kernel.add(0, FakeCamera("Brio", modes=offered))
    virtual(kernel, CAPTURE)
    (finding,) = modes(machine.host, ioctl=kernel.ioctl)
    assert finding.found == f"camera {path} (Brio) offers MJPG up to 1280x720 at 60, YUYV up to 640x480"


def test_of_many_formats_the_useful_ones_are_told(machine: FakeHost, kernel: FakeKernel) -> None:
    offered = tuple(Mode(fourcc, (640, 480), ()) for fourcc in ("GREY", "NV12", "RGB3", "YUYV", "MJPG"))
    kernel.add(0, FakeCamera("Brio", modes=offered))
    (finding,) = modes(machine.host, ioctl=kernel.ioctl)
    assert finding.found.endswith("YUYV up to 640x480, MJPG up to 640x480, GREY up to 640x480 and 2 more formats")


# permission


def test_devices_that_may_be_used(machine: FakeHost) -> None:
    assert list(permission(machine.host)) == []
    path = machine.write("dev/video0")
    (finding,) = permission(machine.host)
    assert finding.found == f"{path}: may be used by me"


def refused(machine: FakeHost, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A device of the group of that number, which is not for us."""
    device = machine.write("dev/video0")
    stat = Path.stat

    class Owned:
        st_gid = number

    monkeypatch.setattr(Path, "stat", lambda path, **more: Owned if path == device else stat(path, **more))
    machine.may_use = False


def test_a_device_of_a_group_is_joined(machine: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(machine, monkeypatch, 44)
    machine.write("etc/group", "root:x:0:\nvideo:x:44:you,them\n")
    (finding,) = permission(machine.host)
    assert commands(finding) == ["sudo usermod -aG video me"]
    assert finding.mend == "join the group video, then log out and in again"


def test_a_group_joined_since_wants_a_new_session(machine: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(machine, monkeypatch, 44)
    machine.write("etc/group", "video:x:44:you,me\n")
    (finding,) = permission(machine.host)
    assert finding.mend.startswith("log out and in again")
    assert finding.commands == ()


@pytest.mark.parametrize("number", [0, 77])
def test_nobody_joins_the_group_of_root(machine: FakeHost, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    refused(machine, monkeypatch, number)
    machine.write("etc/group", "root:x:0:\n")
    (finding,) = permission(machine.host)
    assert commands(finding) == [f"sudo setfacl -m u:me:rw {machine.root / 'dev/video0'}"]


# PipeWire


def piped(machine: FakeHost, *entries: dict[str, object], sent_to: bool = True) -> str:
    machine.environment["XDG_RUNTIME_DIR"] = str(machine.write("run/user/pipewire-0").parent)
    machine.answer("pw-dump", json.dumps([{"info": None}, {"type": "Core"}, *entries]))
    return str(machine.loopback(10, "Virtual Camera", sent_to=sent_to))


def node(path: str) -> dict[str, object]:
    return {"info": {"props": {"media.class": "Video/Source", "api.v4l2.path": path}}}


def test_pipewire_that_shows_the_camera(machine: FakeHost) -> None:
    piped(machine, node(str(machine.root / "dev/video10")))
    (finding,) = pipewire(machine.host)
    assert finding.state == "good"
    assert finding.found.startswith("shows ")


def test_pipewire_that_does_not_show_it_looks_again(machine: FakeHost) -> None:
    piped(machine, node("/dev/video0"))
    (finding,) = pipewire(machine.host)
    assert finding.state == "warning"
    assert commands(finding) == ["systemctl --user restart wireplumber"]


def test_pipewire_is_not_judged_while_nothing_is_sent(machine: FakeHost) -> None:
    piped(machine, sent_to=False)
    (finding,) = pipewire(machine.host)
    assert finding.state == "good"
    assert "seen only while rtmatte runs" in finding.found


@pytest.mark.parametrize(("text", "status"), [("", 1), ("no JSON", 0), ("[]", 3)])
def test_a_pipewire_that_does_not_answer_is_left_out(machine: FakeHost, text: str, status: int) -> None:
    piped(machine)
    machine.answer("pw-dump", text, status)
    assert list(pipewire(machine.host)) == []


def test_without_pipewire_nothing_is_said(machine: FakeHost) -> None:
    machine.loopback(10, "Virtual Camera")
    assert list(pipewire(machine.host)) == []
    assert machine.asked == []


# Flatpak

FIREFOX = "org.mozilla.firefox"


def asks(machine: FakeHost, devices: str, home: str = "var/lib/flatpak") -> None:
    machine.write(f"{home}/app/{FIREFOX}/current/active/metadata", f"[Application]\n\n[Context]\ndevices={devices}\n")


def test_a_program_that_may_see_devices(machine: FakeHost) -> None:
    asks(machine, "dri;all;")
    assert [finding.state for finding in flatpak(machine.host)] == ["good"]


def test_a_sandbox_is_widened_by_its_user_alone(machine: FakeHost) -> None:
    asks(machine, "dri;", "home/me/.local/share/flatpak")
    (finding,) = flatpak(machine.host)
    assert finding.state == "warning"
    assert finding.mend.startswith(f"flatpak override --user --device=all {FIREFOX}, then start it anew")
    assert finding.commands == ()


@pytest.mark.parametrize(
    ("asked", "changed", "state"), [("dri;", "all;", "good"), ("all;", "!all;", "warning"), ("all;", "dri;", "good")]
)
def test_what_the_user_changed_counts(machine: FakeHost, asked: str, changed: str, state: str) -> None:
    asks(machine, asked)
    machine.write(f"home/me/.local/share/flatpak/overrides/{FIREFOX}", f"[Context]\ndevices={changed}\n")
    assert [finding.state for finding in flatpak(machine.host)] == [state]


def test_metadata_that_cannot_be_read_asks_for_nothing(machine: FakeHost) -> None:
    machine.write(f"var/lib/flatpak/app/{FIREFOX}/current/active/metadata", b"\xff no [ file")
    assert [finding.state for finding in flatpak(machine.host)] == ["warning"]


# NVIDIA


def judged(machine: FakeHost, wanted: str, *packages: tuple[str, str]) -> list[tuple[str, str]]:
    return [(found.state, found.found) for found in cuda(machine.host, wanted=wanted, packages=packages)]


def test_cuda_and_cudnn_that_fit(machine: FakeHost) -> None:
    machine.write(
        "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27\n"
    )
    assert judged(machine, "13.0", ("nvidia-cudnn-cu13", "9.12"), ("nvidia-cublas", "13.0")) == [
        ("good", "NVIDIA driver 580.65.06"),
        ("good", "ONNX Runtime wants CUDA 13.0; nvidia-cudnn-cu13 9.12 is for that"),
    ]


def test_a_driver_that_is_too_old_and_a_cudnn_for_another_cuda(machine: FakeHost) -> None:
    machine.answer("nvidia-smi", "535.183\n")
    assert judged(machine, "13.0", ("nvidia-cudnn-cu12", "9.1")) == [
        ("warning", "NVIDIA driver 535.183 is too old for CUDA 13"),
        ("warning", "ONNX Runtime wants CUDA 13.0; nvidia-cudnn-cu12 9.1 is for another"),
    ]


def test_what_is_not_known_of_cuda_is_told(machine: FakeHost) -> None:
    assert [state for state, _ in judged(machine, "13.0")] == ["warning", "warning"]
    assert judged(machine, "") == [("warning", "the installed ONNX Runtime has no CUDA")]


def test_only_a_machine_with_an_nvidia_gpu_is_asked_for_cuda(machine: FakeHost) -> None:
    assert list(system.nvidia(machine.host)) == []
    machine.write("dev/nvidia0")
    assert {finding.part for finding in system.nvidia(machine.host)} == {"cuda"}
    machine.environment["CUDA_VISIBLE_DEVICES"] = ""
    assert list(system.nvidia(machine.host)) == []


# OBS


@pytest.mark.parametrize(
    ("listed", "state", "found"),
    [
        (f"* * XYZ {obs.EXTENSION} (30.1) [activated enabled]", "good", "its camera extension is active"),
        (f"  * XYZ {obs.EXTENSION} (30.1) [activated waiting for user]", "warning", "waits to be allowed"),
        ("0 extension(s)", "warning", "is not active"),
    ],
)
def test_obs_on_macos(machine: FakeHost, listed: str, state: str, found: str) -> None:
    machine.folder("Applications/OBS.app")
    machine.answer("systemextensionsctl", listed)
    (finding,) = system.system(machine.host, platform="darwin")
    assert finding.state == state
    assert found in finding.found


def test_a_mac_without_obs(machine: FakeHost) -> None:
    assert obs.on_macos(machine.host).mend == "brew install --cask obs"


def test_obs_on_windows() -> None:
    number = obs.CAMERAS["OBS Virtual Camera"]
    assert obs.on_windows(registered=lambda asked: asked == number).found == "OBS Virtual Camera: registered"
    assert obs.on_windows(registered=lambda _: False).mend == "winget install OBSProject.OBSStudio"


# the real ones


def test_a_program_that_is_not_there_answers_nothing() -> None:
    assert ask(["no-such-program-of-rtmatte"]) is None


def test_a_real_machine_can_be_read() -> None:
    assert Host().read("no/such/file") == ""
    assert all(finding.state in {"good", "warning"} for finding in system.system(Host()))
