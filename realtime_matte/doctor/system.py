"""The operating system's support for a virtual camera: v4l2loopback on Linux, OBS's on macOS and Windows."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from realtime_matte.doctor.finding import Finding, ok, warning
from realtime_matte.doctor.host import Host

OBS: Final = "obs"
OBS_WHY: Final = "this system has no virtual camera of its own; rtmatte uses the one of OBS"
OBS_EXTENSION: Final = "com.obsproject.obs-studio.mac-camera-extension"
EFFECTS: Final = "system effects"
MACOS_EFFECTS: Final = "turn Portrait, Background and Studio Light off in the menu bar while the camera is on"
STUDIO_EFFECTS: Final = "turn background effects off in Settings, Bluetooth & devices, Cameras (Windows Studio Effects)"
OWN_EFFECTS: Final = {"darwin": (21, MACOS_EFFECTS), "win32": (11, STUDIO_EFFECTS)}  # macOS 12, Windows 11
"""By platform: the first release (as ``Host.release``) with effects that a camera's every program gets, and where they
are turned off."""

WINDOWS_CAMERAS: Final = {
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}
"""The virtual cameras that pyvirtualcam supports on Windows, with the class ids under which they are registered."""


def system(host: Host, *, outputs: Sequence[str] = (), platform: str = sys.platform) -> Iterator[Finding]:
    """The findings for the operating system, from the kernel to the programs. ``outputs``: of a run, if known."""
    if platform == "linux":
        yield from linux(host, outputs=outputs)
    elif platform == "darwin":
        yield macos(host)
    elif platform == "win32":
        yield windows(registered=registered)
    yield from own_effects(host, platform=platform)


def own_effects(host: Host, *, platform: str) -> Iterator[Finding]:
    """A finding that the system has camera effects, and where they are; nothing if it has none."""
    first_release, effects = OWN_EFFECTS.get(platform, (0, ""))
    release = host.release.partition(".")[0]
    if effects and release.isdecimal() and int(release) >= first_release:
        found = "the system can change the camera's image too, which cannot be queried from here"
        yield ok(EFFECTS, f"{found}: {effects}, or the background is processed twice")


def linux(host: Host, *, outputs: Sequence[str] = ()) -> Iterator[Finding]:
    """The kernel module, if an output needs it, its devices, permissions, and the programs that list cameras."""
    from realtime_matte.doctor import accelerators, browsers, desktop, devices, kernel_module

    words = {spec.partition(":")[0] for spec in outputs}
    pipewire_only = "pipewire" in words and "virtualcam" not in words
    if not pipewire_only:
        yield from kernel_module.kernel_module(host)
        if not kernel_module.loaded(host) and not host.container and (found := kernel_module.secure_boot(host)):
            yield found
    yield from devices.loopbacks(host)
    if not pipewire_only:
        yield from kernel_module.at_boot(host)
    yield from devices.permission(host)
    yield from devices.modes(host)
    yield from accelerators.accelerators(host)
    yield from desktop.pipewire(host)
    yield from browsers.browsers(host, pipewire_only=pipewire_only)
    yield from desktop.portal(host)
    yield from desktop.flatpak(host)


def macos(host: Host) -> Finding:
    """Whether OBS is installed, and its camera extension active, which the user has to allow."""
    if not (host.root / "Applications/OBS.app").is_dir():
        return warning(OBS, "OBS is not in /Applications", hint="brew install --cask obs", why=OBS_WHY)
    answer = host.ask(["systemextensionsctl", "list"])
    lines = [line for line in answer.text.splitlines() if OBS_EXTENSION in line] if answer else []
    if any("[activated enabled]" in line for line in lines):
        return ok(OBS, "its camera extension is active")
    if any("waiting for user" in line for line in lines):
        found = "its camera extension is not yet allowed"
        hint = "allow it in System Settings, General, Login Items & Extensions, Camera Extensions"
    else:
        found = "its camera extension is not active"
        hint = "start OBS, press Start Virtual Camera, allow its extension, press Stop, and quit OBS"
    return warning(OBS, found, hint=hint, why=OBS_WHY)


def windows(*, registered: Callable[[str], bool]) -> Finding:
    """Whether a virtual camera is registered. ``registered``: whether Windows knows a class id."""
    found = [name for name, class_id in WINDOWS_CAMERAS.items() if registered(class_id)]
    if found:
        return ok(OBS, f"{' and '.join(found)}: registered")
    hint = "winget install OBSProject.OBSStudio"
    return warning(OBS, "no virtual camera is registered", hint=hint, why=OBS_WHY)


def registered(class_id: str) -> bool:
    """Whether a class id is in the Windows registry."""
    if sys.platform != "win32":
        return False
    import winreg

    try:
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, rf"CLSID\{class_id}"))
    except OSError:
        return False
    return True
