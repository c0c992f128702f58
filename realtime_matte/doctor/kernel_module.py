"""v4l2loopback, the kernel module behind the virtual camera on Linux.

Checks that it is installed, built for the running kernel and loaded, that Secure Boot accepts it, and that it is loaded
at boot.
"""

from collections.abc import Iterator
from typing import Final

from realtime_matte.doctor.distribution import distribution
from realtime_matte.doctor.finding import Finding, FixCommand, State, ok, warning
from realtime_matte.doctor.host import Host
from realtime_matte.paths import is_file
from realtime_matte.v4l2.loopback import UPGRADE, LoopbackDevices, LoopbackModule

MODULE: Final = "v4l2loopback"
SECURE_BOOT: Final = "secure boot"
BOOT: Final = "at boot"

LABEL: Final = "Virtual Camera"
LOAD: Final = FixCommand(("modprobe", "v4l2loopback", "exclusive_caps=1", f"card_label={LABEL}"), root=True)
WHY: Final = "without this kernel module there is no virtual camera to choose in a call"

FIRMWARE: Final = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SHIM: Final = "sys/firmware/efi/efivars/MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23"
KEYS: Final = (
    "var/lib/shim-signed/mok/MOK.der",  # Ubuntu
    "var/lib/dkms/mok.pub",  # every distribution that uses DKMS
    "etc/pki/akmods/certs/public_key.der",  # Fedora
)
"""Where distributions keep the key with which they sign the modules that are built on the machine."""

BOOT_FILES: Final = {
    "/etc/modules-load.d/rtmatte.conf": "v4l2loopback",
    "/etc/modprobe.d/rtmatte.conf": f'options v4l2loopback video_nr=10 exclusive_caps=1 card_label="{LABEL}"',
}
"""The files, each with its line, that load the module at boot and set its options. video_nr=10: many programs use
/dev/video0 as the webcam, and the module may be loaded before the webcam's driver."""
CONFIG_FOLDERS: Final = ("etc", "run", "usr/lib", "lib")


def loaded(host: Host) -> bool:
    """Whether the module is loaded."""
    return (host.root / "sys/module/v4l2loopback").is_dir()


def built(host: Host) -> bool:
    """Whether modprobe would find the module for the running kernel."""
    return "/v4l2loopback.ko" in f"/{host.read(f'lib/modules/{host.release}/modules.dep')}"


def kernel_module(host: Host) -> Iterator[Finding]:
    """Findings about the module, and about the kernel headers if it has to be built."""
    if loaded(host):
        yield from _loaded(LoopbackDevices(host.root, host.release).module)
    elif built(host):
        yield _module("installed for this kernel, not loaded", "load it", LOAD)
    elif hint := _other_kernel(host):
        yield _module("not loaded", hint)
    elif sources := sorted(host.root.glob("usr/src/v4l2loopback-*")):
        yield from _unbuilt(host, sources[-1].name.removeprefix("v4l2loopback-"))
    else:
        yield _not_installed(host)


def _loaded(module: LoopbackModule) -> Iterator[Finding]:
    """Findings about the loaded version in the running kernel: that it is loaded, or its faults."""
    rules = module.rules
    found = f"loaded, version {module.version or 'before 0.13 (it reports none)'}"
    if not any(rule.verdict != "advice" for rule in rules):
        advice = "".join(f"; {'.'.join(map(str, rule.below))} is recommended: {rule.reason}" for rule in rules)
        yield ok(MODULE, found + advice)
    for rule in rules:
        if rule.verdict != "advice":
            state: State = "error" if rule.verdict == "refused" else "warning"
            yield Finding(MODULE, state, f"{found}, in kernel {module.release}", UPGRADE, rule.reason)


def _other_kernel(host: Host) -> str:
    """The hint if no module can be loaded into this kernel from here; empty if one can."""
    if host.container:
        return "this is a container: load it on the machine outside, and pass its /dev/video* into the container"
    if "microsoft" in host.release.lower():
        return "this is the Windows Subsystem for Linux, whose kernel has no cameras: install rtmatte in Windows itself"
    if not (host.root / f"lib/modules/{host.release}").is_dir():
        return "the modules of the running kernel are gone, as after a kernel update: restart the machine"
    return ""


def _unbuilt(host: Host, version: str) -> Iterator[Finding]:
    """The module's source is installed for DKMS, but was not built for this kernel."""
    build = FixCommand(("dkms", "install", f"v4l2loopback/{version}", "-k", host.release), root=True)
    found = f"installed, not built for this kernel {host.release}"
    if (host.root / f"lib/modules/{host.release}/build").is_dir():
        yield _module(found, "build it, and load it", build, LOAD)
        return
    yield _module(found, "install the kernel headers, see below, and load it")
    yield _no_headers(host, build)


def _no_headers(host: Host, build: FixCommand) -> Finding:
    system = distribution(host)
    hint = "install them and build the module" if system.headers else f"install them with the tools of {system.name}"
    commands = (*system.headers, build, LOAD) if system.headers else ()
    why = "the module is built with them, again for each kernel"
    return warning(
        "kernel headers", f"none for the running kernel {host.release}", hint=hint, why=why, commands=commands
    )


def _not_installed(host: Host) -> Finding:
    system = distribution(host)
    if not system.module:
        return _module(f"not installed ({system.name})", system.hint)
    return _module(f"not installed ({system.name})", "install it, and load it", *system.module, LOAD)


def _module(found: str, hint: str, *commands: FixCommand) -> Finding:
    return warning(MODULE, found, hint=hint, why=WHY, commands=commands)


def secure_boot(host: Host) -> Finding | None:
    """Whether Secure Boot accepts modules that were built on this machine; None if it is off or does not exist."""
    if not secure_boot_enabled(host):
        return None
    key = next((host.root / key for key in KEYS if is_file(host.root / key)), None)
    if key and _enrolled(host, str(key)):
        return ok(SECURE_BOOT, f"on, and accepts the key {key}")
    if key:
        hint = f"sudo mokutil --import {key}"
    else:
        hint = (
            "after installing the module: sudo mokutil --import the key that signed it (docs/linux.md lists the places)"
        )
    hint += ", then restart, choose 'Enroll MOK' in the blue menu, and type the password that you set"
    why = "it rejects modules built on this machine ('Key was rejected by service') until their key is enrolled"
    return warning(SECURE_BOOT, "on", hint=f"{hint}; or turn Secure Boot off in the firmware settings", why=why)


def secure_boot_enabled(host: Host) -> bool:
    """Whether signatures are checked, by the firmware's variables, or by mokutil where those are hidden."""
    try:
        if _variable(host, SHIM):
            return False  # the boot loader shim was set to ignore signatures
        return _variable(host, FIRMWARE)
    except OSError:
        answer = host.ask(["mokutil", "--sb-state"])
        return answer is not None and "SecureBoot enabled" in answer.text and "disabled in shim" not in answer.text


def _variable(host: Host, variable: str) -> bool:
    """A firmware variable: four bytes of attributes, then the value. Raises OSError if it cannot be read."""
    path = host.root / variable
    if variable == SHIM and not path.exists():
        return False
    return path.read_bytes()[4:5] == b"\1"


def _enrolled(host: Host, key: str) -> bool:
    answer = host.ask(["mokutil", "--test-key", key])
    return answer is not None and "already enrolled" in answer.text


def at_boot(host: Host) -> Iterator[Finding]:
    """Whether the module is loaded at boot, with the right options; nothing if it is not installed."""
    if loaded(host) or built(host):
        yield _at_boot(host)


def _at_boot(host: Host) -> Finding:
    loads = host.lines("etc/modules", *(f"{folder}/modules-load.d/*.conf" for folder in CONFIG_FOLDERS))
    options = host.lines(*(f"{folder}/modprobe.d/*.conf" for folder in CONFIG_FOLDERS))
    load = next((path for path, line in loads if line == "v4l2loopback"), None)
    option = next(((path, line) for path, line in options if line.split()[:2] == ["options", "v4l2loopback"]), None)
    if option and "exclusive_caps=1" not in option[1]:
        return warning(
            BOOT,
            f"{option[0]} loads it without exclusive_caps=1",
            hint=f"write exclusive_caps=1 into that line of {option[0]}",
            why="Chrome, Zoom and other programs do not list a camera without it",
        )
    if load and option:
        return ok(BOOT, f"loaded by {load}, with the options of {option[0]}")
    missing = [path for path, present in zip(BOOT_FILES, (load, option), strict=True) if not present]
    found = "nothing loads v4l2loopback" if not load else "no file sets the options of v4l2loopback"
    why = "the virtual camera is gone after a restart" if not load else "after a restart Chrome and Zoom do not list it"
    return warning(BOOT, found, hint=f"write {' and '.join(missing)}", why=why, commands=[*map(_write, missing)])


def _write(path: str) -> FixCommand:
    line = BOOT_FILES[path].replace('"', r"\"")
    return FixCommand(("sh", "-c", f"echo {line} > {path}"), root=True)
