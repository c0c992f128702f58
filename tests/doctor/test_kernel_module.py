"""The checks of the kernel module, Secure Boot and the next boot, on simulated machines."""

import subprocess
from pathlib import Path

import pytest
from fakes.host import RELEASE, UBUNTU, FakeHost, commands

from realtime_matte.doctor import system
from realtime_matte.doctor.distribution import distribution
from realtime_matte.doctor.finding import Finding
from realtime_matte.doctor.kernel_module import (
    BOOT_FILES,
    FIRMWARE,
    SHIM,
    at_boot,
    kernel_module,
    secure_boot,
    secure_boot_enabled,
)

LOAD = "sudo modprobe v4l2loopback exclusive_caps=1 'card_label=Virtual Camera'"


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    """Ubuntu with a kernel, without v4l2loopback and its headers."""
    fake = FakeHost(tmp_path)
    fake.write("etc/os-release", UBUNTU)
    fake.folder(f"lib/modules/{RELEASE}")
    return fake


def only(machine: FakeHost) -> Finding:
    (finding,) = kernel_module(machine.host)
    assert finding.state == "ok" or finding.why
    return finding


def test_loaded_module_shows_its_version(machine: FakeHost) -> None:
    machine.loaded()
    assert only(machine).found == "loaded, version 0.15.4"


@pytest.mark.parametrize(
    ("version", "release", "states", "found"),
    [
        (None, RELEASE, ["warning"], f"loaded, version before 0.13 (it reports none), in kernel {RELEASE}"),
        (
            "0.12.7",
            "7.0.0-28-generic",
            ["error", "warning", "warning"],
            "loaded, version 0.12.7, in kernel 7.0.0-28-gen",
        ),
        ("0.15.0", "6.18.3", ["warning"], "loaded, version 0.15.0, in kernel 6.18.3"),
        ("0.15.0", RELEASE, ["ok"], "loaded, version 0.15.0; 0.15.4 is recommended: programs can be shown torn frames"),
        ("0.15.4", "7.1.0", ["ok"], "loaded, version 0.15.4"),
    ],
)
def test_loaded_module_is_judged_with_its_kernel(
    machine: FakeHost, version: str | None, release: str, states: list[str], found: str
) -> None:
    machine.folder("sys/module/v4l2loopback")
    if version:
        machine.write("sys/module/v4l2loopback/version", version)
    machine.release = release
    findings = [*kernel_module(machine.host)]
    assert [finding.state for finding in findings] == states
    assert findings[0].found.startswith(found)
    assert all(finding.state == "ok" or (finding.why and "0.15.4 or later" in finding.hint) for finding in findings)


def test_built_module_is_loaded(machine: FakeHost) -> None:
    machine.built()
    assert only(machine).found == "installed for this kernel, not loaded"
    assert commands(only(machine)) == [LOAD]


def test_absent_module_is_installed_with_the_headers_of_the_running_kernel(machine: FakeHost) -> None:
    assert only(machine).found == "not installed (Ubuntu 24.04 LTS)"
    assert commands(only(machine)) == [f"sudo apt-get install -y v4l2loopback-dkms linux-headers-{RELEASE}", LOAD]


def test_headers_are_installed_after_a_kernel_update(machine: FakeHost) -> None:
    machine.folder("usr/src/v4l2loopback-0.12.7")
    module, headers = kernel_module(machine.host)
    assert (module.found, module.commands) == (f"installed, not built for this kernel {RELEASE}", ())
    assert headers.part == "kernel headers"
    assert headers.found == f"none for the running kernel {RELEASE}"
    assert commands(headers) == [
        f"sudo apt-get install -y linux-headers-{RELEASE}",
        f"sudo dkms install v4l2loopback/0.12.7 -k {RELEASE}",
        LOAD,
    ]


def test_module_is_built_again_where_headers_are_installed(machine: FakeHost) -> None:
    machine.folder("usr/src/v4l2loopback-0.12.7")
    machine.folder(f"lib/modules/{RELEASE}/build")
    assert commands(only(machine)) == [f"sudo dkms install v4l2loopback/0.12.7 -k {RELEASE}", LOAD]


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_nothing_is_installed_in_a_container(machine: FakeHost, mark: str) -> None:
    machine.write(mark)
    assert only(machine).hint.startswith("this is a container")
    assert only(machine).commands == ()
    machine.write(FIRMWARE, b"\6\0\0\0\1")
    assert [finding.part for finding in system.linux(machine.host)] == ["v4l2loopback"]


def test_windows_subsystem_for_linux_refers_to_windows(machine: FakeHost) -> None:
    machine.release = "5.15.153.1-microsoft-standard-WSL2"
    assert (
        only(machine).hint
        == "this is the Windows Subsystem for Linux, whose kernel has no cameras: install rtmatte in Windows itself"
    )


def test_replaced_kernel_needs_a_restart(machine: FakeHost) -> None:
    machine.release = "6.8.0-30-generic"
    assert only(machine).hint.endswith("restart the machine")


# distributions


@pytest.mark.parametrize(
    ("os_release", "expected"),
    [
        ("ID=debian", [f"sudo apt-get install -y v4l2loopback-dkms linux-headers-{RELEASE}"]),
        (
            "ID=linuxmint\nID_LIKE='ubuntu debian'",
            [f"sudo apt-get install -y v4l2loopback-dkms linux-headers-{RELEASE}"],
        ),
        (
            "ID=fedora\nVERSION_ID=41",
            [
                "sudo dnf install -y https://mirrors.rpmfusion.org/free/fedora/rpmfusion-free-release-41.noarch.rpm",
                f"sudo dnf install -y akmod-v4l2loopback kernel-devel-{RELEASE}",
                f"sudo akmods --force --kernels {RELEASE}",
            ],
        ),
        ("ID=arch", ["sudo pacman -S --needed --noconfirm v4l2loopback-dkms linux-lts-headers"]),
        (
            "ID='opensuse-tumbleweed'\nID_LIKE='opensuse suse'",
            ["sudo zypper --non-interactive install v4l2loopback-kmp-generic"],
        ),
    ],
)
def test_each_distribution_has_its_own_commands(machine: FakeHost, os_release: str, expected: list[str]) -> None:
    machine.write("etc/os-release", os_release)
    machine.write(f"usr/lib/modules/{RELEASE}/pkgbase", "linux-lts\n")
    assert [command.text for command in distribution(machine.host).module] == expected


def test_rpm_fusion_is_added_only_once(machine: FakeHost) -> None:
    machine.write("etc/os-release", "ID=fedora\nVERSION_ID=41")
    machine.write("etc/yum.repos.d/rpmfusion-free.repo")
    assert "rpmfusion" not in " ".join(command.text for command in distribution(machine.host).module)


@pytest.mark.parametrize(
    ("os_release", "hint"),
    [
        ("ID=rocky\nID_LIKE='rhel centos fedora'", "no package is known for it"),
        ("ID=nixos", "boot.extraModulePackages"),
        ("ID=plan9", "install the kernel module v4l2loopback from this distribution's packages"),
        ("no os-release file", "install the kernel module v4l2loopback from this distribution's packages"),
    ],
)
def test_no_command_is_guessed(machine: FakeHost, os_release: str, hint: str) -> None:
    machine.write("etc/os-release", os_release)
    finding = only(machine)
    assert hint in finding.hint
    assert finding.commands == ()


def test_image_based_fedora_uses_rpm_ostree(machine: FakeHost) -> None:
    machine.write("etc/os-release", "ID=fedora\nVERSION_ID=41")
    machine.write("run/ostree-booted")
    assert only(machine).hint.startswith("sudo rpm-ostree install akmod-v4l2loopback")


# Secure Boot


def test_secure_boot_off_or_absent_has_no_finding(machine: FakeHost) -> None:
    assert secure_boot(machine.host) is None
    machine.write(FIRMWARE, b"\6\0\0\0\0")
    assert secure_boot(machine.host) is None


def test_secure_boot_requires_the_key_to_be_enrolled(machine: FakeHost) -> None:
    machine.write(FIRMWARE, b"\6\0\0\0\1")
    key = machine.write("var/lib/shim-signed/mok/MOK.der")
    machine.answer("mokutil", f"{key} is not enrolled\n", status=1)
    finding = secure_boot(machine.host)
    assert finding
    assert finding.state == "warning"
    assert finding.hint.startswith(f"sudo mokutil --import {key}, then restart, choose 'Enroll MOK'")
    assert "Key was rejected by service" in finding.why
    machine.answer("mokutil", f"{key} is already enrolled\n")
    finding = secure_boot(machine.host)
    assert finding
    assert finding.state == "ok"


def test_secure_boot_without_a_key(machine: FakeHost) -> None:
    machine.write(FIRMWARE, b"\6\0\0\0\1")
    finding = secure_boot(machine.host)
    assert finding
    assert finding.hint.startswith("after installing the module: sudo mokutil --import the key")


def test_loader_that_ignores_signatures_counts_as_off(machine: FakeHost) -> None:
    machine.write(FIRMWARE, b"\6\0\0\0\1")
    machine.write(SHIM, b"\6\0\0\0\1")
    assert not secure_boot_enabled(machine.host)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("SecureBoot enabled\n", True),
        ("SecureBoot disabled\n", False),
        ("SecureBoot enabled\nSecureBoot validation is disabled in shim\n", False),
    ],
)
def test_mokutil_answers_where_firmware_variables_are_hidden(machine: FakeHost, text: str, *, on: bool) -> None:
    machine.answer("mokutil", text)
    assert secure_boot_enabled(machine.host) is on


def test_secure_boot_is_checked_only_if_the_module_is_not_loaded(machine: FakeHost) -> None:
    machine.write(FIRMWARE, b"\6\0\0\0\1")
    machine.built()
    assert "secure boot" in [finding.part for finding in system.linux(machine.host)]
    machine.loaded()
    assert "secure boot" not in [finding.part for finding in system.linux(machine.host)]


# at boot


def test_no_boot_finding_without_a_module(machine: FakeHost) -> None:
    assert list(at_boot(machine.host)) == []


def test_missing_boot_files_are_written(machine: FakeHost) -> None:
    machine.loaded()
    (finding,) = at_boot(machine.host)
    options = r"options v4l2loopback video_nr=10 exclusive_caps=1 card_label=\"Virtual Camera\""
    assert commands(finding) == [
        "sudo sh -c 'echo v4l2loopback > /etc/modules-load.d/rtmatte.conf'",
        f"sudo sh -c 'echo {options} > /etc/modprobe.d/rtmatte.conf'",
    ]


def test_written_boot_files_hold_the_shown_lines(machine: FakeHost, tmp_path: Path) -> None:
    machine.loaded()
    (finding,) = at_boot(machine.host)
    for command, (path, line) in zip(finding.commands, BOOT_FILES.items(), strict=True):
        written = tmp_path / "written"
        words = [word.replace(path, str(written)) for word in command.words]
        assert subprocess.run(words, check=True).returncode == 0  # noqa: S603 - the command under test
        assert written.read_text() == f"{line}\n"


@pytest.mark.parametrize("loads", ["etc/modules", "etc/modules-load.d/mine.conf", "usr/lib/modules-load.d/v4l2.conf"])
def test_boot_configuration_of_any_file_is_recognized(machine: FakeHost, loads: str) -> None:
    machine.built()
    machine.write(loads, "# cameras\nv4l2loopback\n")
    (finding,) = at_boot(machine.host)
    assert finding.found == "no file sets the options of v4l2loopback"
    assert len(finding.commands) == 1
    machine.write("etc/modprobe.d/mine.conf", "options v4l2loopback devices=1 exclusive_caps=1\n")
    (finding,) = at_boot(machine.host)
    assert finding.state == "ok"


def test_existing_options_are_not_overwritten(machine: FakeHost) -> None:
    machine.loaded()
    path = machine.write("etc/modprobe.d/mine.conf", "options v4l2loopback devices=2\n")
    (finding,) = at_boot(machine.host)
    assert finding.hint == f"write exclusive_caps=1 into that line of {path}"
    assert finding.commands == ()
