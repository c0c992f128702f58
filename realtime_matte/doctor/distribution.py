"""How each Linux distribution installs v4l2loopback and the headers of its kernel."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from realtime_matte.doctor.finding import FixCommand
from realtime_matte.doctor.host import Host
from realtime_matte.paths import is_file

UPSTREAM: Final = "https://github.com/v4l2loopback/v4l2loopback"


@dataclass(frozen=True, slots=True)
class Distribution:
    """The commands of a distribution; empty where none is certain.

    Args:
        name: For messages.
        module: Install v4l2loopback, with the headers if it is built on the machine.
        headers: Install the headers alone.
        hint: What to do if ``module`` is empty.
    """

    name: str
    module: tuple[FixCommand, ...] = ()
    headers: tuple[FixCommand, ...] = ()
    hint: str = f"install the kernel module v4l2loopback from this distribution's packages, or from {UPSTREAM}"


def distribution(host: Host) -> Distribution:
    """The running distribution, by its os-release file."""
    release = _os_release(host)
    name = release.get("PRETTY_NAME") or release.get("ID", "an unknown Linux")
    if is_file(host.root / "run/ostree-booted"):
        return Distribution(name, hint="sudo rpm-ostree install akmod-v4l2loopback (from RPM Fusion), then restart")
    for family in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        if family in FAMILIES:
            return FAMILIES[family](host, name, release)
    return Distribution(name)


def _os_release(host: Host) -> dict[str, str]:
    text = host.read("etc/os-release") or host.read("usr/lib/os-release")
    pairs = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {key: value.strip("\"'") for key, _, value in pairs}


def _root(line: str) -> FixCommand:
    return FixCommand(tuple(shlex.split(line)), root=True)


def _debian(host: Host, name: str, _: Mapping[str, str]) -> Distribution:
    headers = f"linux-headers-{host.release}"
    return Distribution(
        name,
        (_root(f"apt-get install -y v4l2loopback-dkms {headers}"),),
        (_root(f"apt-get install -y {headers}"),),
    )


def _fedora(host: Host, name: str, release: Mapping[str, str]) -> Distribution:
    headers, build = f"kernel-devel-{host.release}", _root(f"akmods --force --kernels {host.release}")
    site = "https://mirrors.rpmfusion.org/free/fedora"
    add_repository = _root(f"dnf install -y {site}/rpmfusion-free-release-{release.get('VERSION_ID', '')}.noarch.rpm")
    has_repository = is_file(host.root / "etc/yum.repos.d/rpmfusion-free.repo")
    install = _root(f"dnf install -y akmod-v4l2loopback {headers}")
    return Distribution(
        name,
        (install, build) if has_repository else (add_repository, install, build),
        (_root(f"dnf install -y {headers}"),),
    )


def _arch(host: Host, name: str, _: Mapping[str, str]) -> Distribution:
    headers = f"{host.read(f'usr/lib/modules/{host.release}/pkgbase') or 'linux'}-headers"
    return Distribution(
        name,
        (_root(f"pacman -S --needed --noconfirm v4l2loopback-dkms {headers}"),),
        (_root(f"pacman -S --needed --noconfirm {headers}"),),
    )


def _suse(host: Host, name: str, _: Mapping[str, str]) -> Distribution:
    flavour = host.release.rpartition("-")[2]
    return Distribution(name, (_root(f"zypper --non-interactive install v4l2loopback-kmp-{flavour}"),))


def _nixos(_: Host, name: str, __: Mapping[str, str]) -> Distribution:
    options = "boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ]"
    return Distribution(name, hint=f"put {options} into configuration.nix, then sudo nixos-rebuild switch")


def _red_hat(_: Host, name: str, __: Mapping[str, str]) -> Distribution:
    return Distribution(name, hint=f"no package is known for it; build the module from {UPSTREAM}")


Family: TypeAlias = Callable[[Host, str, Mapping[str, str]], Distribution]
"""From the machine, the distribution's name and its os-release to its commands."""

FAMILIES: Final[dict[str, Family]] = {
    "debian": _debian,
    "ubuntu": _debian,
    "rhel": _red_hat,
    "centos": _red_hat,
    "fedora": _fedora,
    "arch": _arch,
    "suse": _suse,
    "opensuse": _suse,
    "nixos": _nixos,
}
"""By the words of ID and ID_LIKE in os-release."""
