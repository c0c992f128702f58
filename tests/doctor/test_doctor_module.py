"""What the doctor says of the kernel module, on machines of every kind."""

import subprocess
from pathlib import Path

import pytest
from fakes.host import RELEASE, UBUNTU, FakeHost, commands

from realtime_matte.doctor import secure_boot, system
from realtime_matte.doctor.boot import PAIR, at_boot
from realtime_matte.doctor.distribution import distribution
from realtime_matte.doctor.finding import Finding
from realtime_matte.doctor.kernel_module import kernel_module

LOAD = "sudo modprobe v4l2loopback exclusive_caps=1 'card_label=Virtual Camera'"


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    """Ubuntu, with a kernel and nothing else."""
    fake = FakeHost(tmp_path)
    fake.write("etc/os-release", UBUNTU)
    fake.folder(f"lib/modules/{RELEASE}")
    return fake


def only(machine: FakeHost) -> Finding:
    (finding,) = kernel_module(machine.host)
    assert finding.state == "good" or finding.why
    return finding


def test_a_loaded_module_is_told_with_its_version(machine: FakeHost) -> None:
    machine.loaded()
    assert only(machine).found == "loaded, version 0.15.4"


def test_a_module_that_is_there_is_loaded(machine: FakeHost) -> None:
    machine.built()
    assert only(machine).found == "there for this kernel, not loaded"
    assert commands(only(machine)) == [LOAD]


def test_a_module_that_is_not_installed_is_installed_with_the_headers_of_this_kernel(machine: FakeHost) -> None:
    assert only(machine).found == "not installed (Ubuntu 24.04 LTS)"
    assert commands(only(machine)) == [f"sudo apt-get install -y v4l2loopback-dkms linux-headers-{RELEASE}", LOAD]


def test_after_an_update_of_the_kernel_the_headers_are_asked_for(machine: FakeHost) -> None:
    machine.folder("usr/src/v4l2loopback-0.12.7")
    module, headers = kernel_module(machine.host)
    assert (module.found, module.commands) == (f"installed, not built for this kernel {RELEASE}", ())
    assert headers.part == "kernel headers"
    assert headers.found == f"none of the running kernel {RELEASE}"
    assert commands(headers) == [
        f"sudo apt-get install -y linux-headers-{RELEASE}",
        f"sudo dkms install v4l2loopback/0.12.7 -k {RELEASE}",
        LOAD,
    ]


def test_with_headers_it_is_built_anew(machine: FakeHost) -> None:
    machine.folder("usr/src/v4l2loopback-0.12.7")
    machine.folder(f"lib/modules/{RELEASE}/build")
    assert commands(only(machine)) == [f"sudo dkms install v4l2loopback/0.12.7 -k {RELEASE}", LOAD]


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_in_a_container_nothing_is_installed(machine: FakeHost, mark: str) -> None:
    machine.write(mark)
    assert only(machine).mend.startswith("this is a container")
    assert only(machine).commands == ()
    machine.write(secure_boot.FIRMWARE, b"\6\0\0\0\1")
    assert [finding.part for finding in system.linux(machine.host)] == ["v4l2loopback"]


def test_windows_linux_is_sent_home(machine: FakeHost) -> None:
    machine.release = "5.15.153.1-microsoft-standard-WSL2"
    assert (
        only(machine).mend == "this is Windows' Linux, whose kernel has no cameras: install rtmatte in Windows itself"
    )


def test_a_kernel_that_was_replaced_wants_a_restart(machine: FakeHost) -> None:
    machine.release = "6.8.0-30-generic"
    assert only(machine).mend.endswith("restart the machine")


# distributions


@pytest.mark.parametrize(
    ("told", "expected"),
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
def test_each_distribution_installs_it_its_own_way(machine: FakeHost, told: str, expected: list[str]) -> None:
    machine.write("etc/os-release", told)
    machine.write(f"usr/lib/modules/{RELEASE}/pkgbase", "linux-lts\n")
    assert [command.text for command in distribution(machine.host).module] == expected


def test_rpm_fusion_is_added_once(machine: FakeHost) -> None:
    machine.write("etc/os-release", "ID=fedora\nVERSION_ID=41")
    machine.write("etc/yum.repos.d/rpmfusion-free.repo")
    assert "rpmfusion" not in " ".join(command.text for command in distribution(machine.host).module)


@pytest.mark.parametrize(
    ("told", "hint"),
    [
        ("ID=rocky\nID_LIKE='rhel centos fedora'", "no package is known for it"),
        ("ID=nixos", "boot.extraModulePackages"),
        ("ID=plan9", "install the kernel module v4l2loopback as this distribution has it"),
        ("what is this", "install the kernel module v4l2loopback as this distribution has it"),
    ],
)
def test_where_no_command_is_known_none_is_guessed(machine: FakeHost, told: str, hint: str) -> None:
    machine.write("etc/os-release", told)
    finding = only(machine)
    assert finding.mend.startswith(hint) or hint in finding.mend
    assert finding.commands == ()


def test_an_image_based_fedora_is_told_its_own_way(machine: FakeHost) -> None:
    machine.write("etc/os-release", "ID=fedora\nVERSION_ID=41")
    machine.write("run/ostree-booted")
    assert only(machine).mend.startswith("sudo rpm-ostree install akmod-v4l2loopback")


# Secure Boot


def test_secure_boot_off_or_absent_is_no_matter(machine: FakeHost) -> None:
    assert secure_boot.secure_boot(machine.host) is None
    machine.write(secure_boot.FIRMWARE, b"\6\0\0\0\0")
    assert secure_boot.secure_boot(machine.host) is None


def test_secure_boot_wants_the_key_enrolled(machine: FakeHost) -> None:
    machine.write(secure_boot.FIRMWARE, b"\6\0\0\0\1")
    key = machine.write("var/lib/shim-signed/mok/MOK.der")
    machine.answer("mokutil", f"{key} is not enrolled\n", status=1)
    finding = secure_boot.secure_boot(machine.host)
    assert finding
    assert finding.state == "warning"
    assert finding.mend.startswith(f"sudo mokutil --import {key}, then restart, choose 'Enroll MOK'")
    assert "Key was rejected by service" in finding.why
    machine.answer("mokutil", f"{key} is already enrolled\n")
    finding = secure_boot.secure_boot(machine.host)
    assert finding
    assert finding.state == "good"


def test_secure_boot_before_there_is_a_key(machine: FakeHost) -> None:
    machine.write(secure_boot.FIRMWARE, b"\6\0\0\0\1")
    finding = secure_boot.secure_boot(machine.host)
    assert finding
    assert finding.mend.startswith("after installing the module: sudo mokutil --import the key")


def test_a_loader_that_looks_at_no_signature_is_as_good_as_off(machine: FakeHost) -> None:
    machine.write(secure_boot.FIRMWARE, b"\6\0\0\0\1")
    machine.write(secure_boot.SHIM, b"\6\0\0\0\1")
    assert not secure_boot.enabled(machine.host)


@pytest.mark.parametrize(
    ("told", "on"),
    [
        ("SecureBoot enabled\n", True),
        ("SecureBoot disabled\n", False),
        ("SecureBoot enabled\nSecureBoot validation is disabled in shim\n", False),
    ],
)
def test_mokutil_is_asked_where_the_firmware_is_hidden(machine: FakeHost, told: str, *, on: bool) -> None:
    machine.answer("mokutil", told)
    assert secure_boot.enabled(machine.host) is on


def test_secure_boot_is_told_only_while_the_module_does_not_load(machine: FakeHost) -> None:
    machine.write(secure_boot.FIRMWARE, b"\6\0\0\0\1")
    machine.built()
    assert "secure boot" in [finding.part for finding in system.linux(machine.host)]
    machine.loaded()
    assert "secure boot" not in [finding.part for finding in system.linux(machine.host)]


# at boot


def test_without_a_module_nothing_is_said_of_the_next_boot(machine: FakeHost) -> None:
    assert list(at_boot(machine.host)) == []


def test_what_is_missing_for_the_next_boot_is_written(machine: FakeHost) -> None:
    machine.loaded()
    (finding,) = at_boot(machine.host)
    options = r"options v4l2loopback video_nr=10 exclusive_caps=1 card_label=\"Virtual Camera\""
    assert commands(finding) == [
        "sudo sh -c 'echo v4l2loopback > /etc/modules-load.d/rtmatte.conf'",
        f"sudo sh -c 'echo {options} > /etc/modprobe.d/rtmatte.conf'",
    ]


def test_the_files_for_the_next_boot_hold_what_is_shown(machine: FakeHost, tmp_path: Path) -> None:
    machine.loaded()
    (finding,) = at_boot(machine.host)
    for command, (path, line) in zip(finding.commands, PAIR.items(), strict=True):
        written = tmp_path / "written"
        words = [word.replace(path, str(written)) for word in command.words]
        assert subprocess.run(words, check=True).returncode == 0  # noqa: S603 - the command under test
        assert written.read_text() == f"{line}\n"


@pytest.mark.parametrize("loads", ["etc/modules", "etc/modules-load.d/mine.conf", "usr/lib/modules-load.d/v4l2.conf"])
def test_a_machine_that_is_ready_for_the_next_boot(machine: FakeHost, loads: str) -> None:
    machine.built()
    machine.write(loads, "# cameras\nv4l2loopback\n")
    (finding,) = at_boot(machine.host)
    assert finding.found == "nothing says how v4l2loopback is to be loaded"
    assert len(finding.commands) == 1
    machine.write("etc/modprobe.d/mine.conf", "options v4l2loopback devices=1 exclusive_caps=1\n")
    (finding,) = at_boot(machine.host)
    assert finding.state == "good"


def test_options_of_somebody_else_are_not_written_over(machine: FakeHost) -> None:
    machine.loaded()
    path = machine.write("etc/modprobe.d/mine.conf", "options v4l2loopback devices=2\n")
    (finding,) = at_boot(machine.host)
    assert finding.mend == f"write exclusive_caps=1 into that line of {path}"
    assert finding.commands == ()
