"""v4l2loopback, the kernel module behind the virtual camera on Linux: there, built for this kernel, loaded?"""

from collections.abc import Iterator
from typing import Final

from realtime_matte.doctor.distribution import distribution
from realtime_matte.doctor.finding import Finding, FixCommand, good
from realtime_matte.doctor.host import Host

PART: Final = "v4l2loopback"
NAME: Final = "Virtual Camera"
LOAD: Final = FixCommand(("modprobe", "v4l2loopback", "exclusive_caps=1", f"card_label={NAME}"), root=True)
WHY: Final = "without this kernel module there is no virtual camera to choose in a call"


def loaded(host: Host) -> bool:
    """Whether it runs in the kernel."""
    return (host.root / "sys/module/v4l2loopback").is_dir()


def built(host: Host) -> bool:
    """Whether modprobe would find it for the running kernel."""
    return "/v4l2loopback.ko" in f"/{host.read(f'lib/modules/{host.release}/modules.dep')}"


def kernel_module(host: Host) -> Iterator[Finding]:
    """The module, and what it would be built with."""
    if loaded(host):
        version = host.read("sys/module/v4l2loopback/version")
        yield good(PART, f"loaded, version {version}" if version else "loaded")
    elif built(host):
        yield _wanting("there for this kernel, not loaded", "load it", LOAD)
    elif foreign := _foreign(host):
        yield _wanting("not loaded", foreign)
    elif sources := sorted(host.root.glob("usr/src/v4l2loopback-*")):
        yield from _unbuilt(host, sources[-1].name.removeprefix("v4l2loopback-"))
    else:
        yield _missing(host)


def _foreign(host: Host) -> str:
    """What to do where this system cannot load any module."""
    if host.container:
        return "this is a container: load it on the machine outside, and pass its /dev/video* into the container"
    if "microsoft" in host.release.lower():
        return "this is Windows' Linux, whose kernel has no cameras: install rtmatte in Windows itself"
    if not (host.root / f"lib/modules/{host.release}").is_dir():
        return "the modules of the running kernel are gone, as after an update of the kernel: restart the machine"
    return ""


def _unbuilt(host: Host, version: str) -> Iterator[Finding]:
    """Its source is there, for DKMS to build, and was not built for this kernel."""
    build = FixCommand(("dkms", "install", f"v4l2loopback/{version}", "-k", host.release), root=True)
    found = f"installed, not built for this kernel {host.release}"
    if (host.root / f"lib/modules/{host.release}/build").is_dir():
        yield _wanting(found, "build it, and load it", build, LOAD)
        return
    yield _wanting(found, "install the kernel's headers, see below, and load it")
    yield _headers(host, build)


def _headers(host: Host, build: FixCommand) -> Finding:
    system = distribution(host)
    why = "the module is built with them, anew for each kernel"
    mend = "install them and build the module" if system.headers else f"install them as {system.name} has them"
    commands = (*system.headers, build, LOAD) if system.headers else ()
    return Finding("kernel headers", "warning", f"none of the running kernel {host.release}", mend, why, commands)


def _missing(host: Host) -> Finding:
    system = distribution(host)
    if not system.module:
        return _wanting(f"not installed ({system.name})", system.hint)
    return _wanting(f"not installed ({system.name})", "install it, and load it", *system.module, LOAD)


def _wanting(found: str, mend: str, *commands: FixCommand) -> Finding:
    return Finding(PART, "warning", found, mend, WHY, commands)
