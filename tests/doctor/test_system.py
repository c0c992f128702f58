"""The checks of CUDA and of OBS, and all system checks on this machine."""

from pathlib import Path

import pytest
from fakes.host import FakeHost

from realtime_matte.doctor import cuda, system
from realtime_matte.doctor.host import Host, ask


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


# NVIDIA


def cuda_findings(machine: FakeHost, required: str, *packages: tuple[str, str]) -> list[tuple[str, str]]:
    return [(found.state, found.found) for found in cuda.cuda(machine.host, required=required, packages=packages)]


def test_matching_cuda_and_cudnn_are_ok(machine: FakeHost) -> None:
    machine.write(
        "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27\n"
    )
    assert cuda_findings(machine, "13.0", ("nvidia-cudnn-cu13", "9.12"), ("nvidia-cublas", "13.0")) == [
        ("ok", "NVIDIA driver 580.65.06"),
        ("ok", "ONNX Runtime needs CUDA 13.0; nvidia-cudnn-cu13 9.12 fits"),
    ]


def test_old_driver_and_cudnn_of_another_version_are_found(machine: FakeHost) -> None:
    machine.answer("nvidia-smi", "535.183\n")
    assert cuda_findings(machine, "13.0", ("nvidia-cudnn-cu12", "9.1")) == [
        ("warning", "NVIDIA driver 535.183 is too old for CUDA 13"),
        ("warning", "ONNX Runtime needs CUDA 13.0; nvidia-cudnn-cu12 9.1 is for another version"),
    ]


def test_unknown_cuda_versions_are_reported(machine: FakeHost) -> None:
    assert [state for state, _ in cuda_findings(machine, "13.0")] == ["warning", "warning"]
    assert cuda_findings(machine, "") == [("warning", "the installed ONNX Runtime has no CUDA")]


def test_cuda_is_checked_only_with_an_nvidia_gpu(machine: FakeHost) -> None:
    assert list(cuda.nvidia(machine.host)) == []
    machine.write("dev/nvidia0")
    assert {finding.part for finding in cuda.nvidia(machine.host)} == {"cuda"}
    machine.environment["CUDA_VISIBLE_DEVICES"] = ""
    assert list(cuda.nvidia(machine.host)) == []


# OBS


@pytest.mark.parametrize(
    ("listed", "state", "found"),
    [
        (f"* * XYZ {system.OBS_EXTENSION} (30.1) [activated enabled]", "ok", "its camera extension is active"),
        (f"  * XYZ {system.OBS_EXTENSION} (30.1) [activated waiting for user]", "warning", "is not yet allowed"),
        ("0 extension(s)", "warning", "is not active"),
    ],
)
def test_obs_on_macos(machine: FakeHost, listed: str, state: str, found: str) -> None:
    machine.folder("Applications/OBS.app")
    machine.answer("systemextensionsctl", listed)
    (finding,) = system.system(machine.host, platform="darwin")
    assert finding.state == state
    assert found in finding.found


def test_mac_without_obs(machine: FakeHost) -> None:
    assert system.macos(machine.host).hint == "brew install --cask obs"


def test_obs_on_windows() -> None:
    class_id = system.WINDOWS_CAMERAS["OBS Virtual Camera"]
    assert system.windows(registered=lambda queried: queried == class_id).found == "OBS Virtual Camera: registered"
    assert system.windows(registered=lambda _: False).hint == "winget install OBSProject.OBSStudio"


# Effects of the system


@pytest.mark.parametrize(
    ("platform", "release", "named"),
    [
        ("darwin", "20.6.0", ""),
        ("darwin", "21.0.0", "Portrait"),
        ("darwin", "24.6.0", "Portrait"),
        ("win32", "10", ""),
        ("win32", "11", "Windows Studio Effects"),
        ("linux", "7.0.0", ""),
        ("darwin", "", ""),
    ],
)
def test_effects_of_the_system_are_named(machine: FakeHost, platform: str, release: str, named: str) -> None:
    machine.release = release
    found = [finding.found for finding in system.own_effects(machine.host, platform=platform)]
    assert len(found) == bool(named)
    assert all(named in text and "cannot be queried" in text for text in found)


# this machine


def test_absent_program_has_no_answer() -> None:
    assert ask(["no-such-program-of-rtmatte"]) is None


def test_real_machine_can_be_checked() -> None:
    assert Host().read("no/such/file") == ""
    assert all(finding.state in {"ok", "warning"} for finding in system.system(Host()))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [((), 1), (("virtualcam",), 1), (("pipewire:Me",), 0), (("pipewire", "virtualcam:/dev/video10"), 1)],
)
def test_the_kernel_module_is_checked_where_an_output_needs_it(
    machine: FakeHost, outputs: tuple[str, ...], expected: int
) -> None:
    findings = system.system(machine.host, outputs=outputs, platform="linux")
    assert sum(finding.part == "v4l2loopback" for finding in findings) == expected
