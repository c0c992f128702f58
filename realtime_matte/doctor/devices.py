"""Linux video devices: how programs see each virtual camera, who may use the devices, and the modes of each camera."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from realtime_matte.doctor.finding import Finding, FixCommand, ok, warning
from realtime_matte.doctor.host import Host
from realtime_matte.v4l2 import capabilities
from realtime_matte.v4l2.cameras import CameraInfo, LinuxCameras
from realtime_matte.v4l2.ioctl import OUTPUT_FLAG, Ioctl, kernel_ioctl
from realtime_matte.v4l2.loopback import LoopbackDevice, LoopbackDevices
from realtime_matte.v4l2.open_files import programs_using

VIRTUAL_CAMERA: Final = "virtual camera"
PERMISSION: Final = "permission"
MODES: Final = "camera modes"

PERMISSION_WHY: Final = "a device that you may not open is neither your camera nor your virtual camera"

PREFERRED_FORMATS: Final = ("MJPG", "YUYV")
"""The pixel formats that the camera source requests."""
SHOWN_FORMATS: Final = 3
"""Number of formats in a finding; rtmatte devices lists all."""


def loopbacks(host: Host, *, ioctl: Ioctl = kernel_ioctl) -> Iterator[Finding]:
    """One finding for each v4l2loopback device: how programs see it, and which have it open."""
    devices = LoopbackDevices(host.root).list_devices()
    for device in devices:
        programs = ", ".join(map(str, programs_using(Path(device.path), root=host.root)))
        if exclusive(Path(device.path), ioctl) is not False:
            yield ok(VIRTUAL_CAMERA, f"{device.title}{f', open in {programs}' if programs else ''}")
        else:
            yield _not_exclusive(device, unused=len(devices) == 1 and not programs and not device.busy)


def exclusive(path: Path, ioctl: Ioctl) -> bool | None:
    """Whether the device is never a camera and an output at once; None if it cannot be queried."""
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        capability = capabilities.capability(device, ioctl=ioctl)
    except OSError:
        return None
    finally:
        os.close(device)
    return not (capability.captures and capability.flags & OUTPUT_FLAG)


def _not_exclusive(device: LoopbackDevice, *, unused: bool) -> Finding:
    """Reloading the module removes all its devices, so its commands are given only if nothing uses any of them."""
    number = Path(device.path).name.removeprefix("video")
    load = ("modprobe", "v4l2loopback", "exclusive_caps=1", f"video_nr={number}", f"card_label={device.name}")
    commands = FixCommand(("modprobe", "-r", "v4l2loopback"), root=True), FixCommand(load, root=True)
    return warning(
        VIRTUAL_CAMERA,
        f"{device.title} was created without exclusive_caps=1",
        hint="reload the module with it"
        if unused
        else "close what uses it, and reload the module with one value for each device, as in exclusive_caps=1,1",
        why="Chrome, Zoom and other programs do not list such a camera",
        commands=commands if unused else (),
    )


def permission(host: Host) -> Iterator[Finding]:
    """Whether this user may use the video devices; one finding for each group of those that are refused."""
    devices = sorted((host.root / "dev").glob("video[0-9]*"))
    forbidden = [device for device in devices if not host.access(device, os.R_OK | os.W_OK)]
    if devices and not forbidden:
        yield ok(PERMISSION, f"{_list(devices)}: {host.user} may use them")
    for group in dict.fromkeys(device.stat().st_gid for device in forbidden):
        yield refused(host, group, [device for device in forbidden if device.stat().st_gid == group])


def refused(host: Host, gid: int, devices: list[Path], *, part: str = PERMISSION, why: str = PERMISSION_WHY) -> Finding:
    """A finding that this user may not use ``devices``, which belong to a group, and how to change that."""
    found, (name, members) = f"{_list(devices)}: {host.user} may not use them", _group(host, gid)
    commands: tuple[FixCommand, ...] = ()
    if host.user in members and gid not in host.groups:
        hint = f"log out and in again: you joined the group {name} during this session"
    elif not name or gid == 0:  # the group root grants far more than a camera
        hint = "grant access to you alone, again after each start"
        commands = (FixCommand(("setfacl", "-m", f"u:{host.user}:rw", *map(str, devices)), root=True),)
    else:
        hint = f"join the group {name}, then log out and in again"
        commands = (FixCommand(("usermod", "-aG", name, host.user), root=True),)
    return warning(part, found, hint=hint, why=why, commands=commands)


def _group(host: Host, gid: int) -> tuple[str, list[str]]:
    """Name and members of a group; the name is empty if the number has none."""
    for line in host.read("etc/group").splitlines():
        name, _, number, *members = line.split(":")
        if number == str(gid):
            return name, "".join(members).split(",")
    return "", []


def _list(devices: list[Path]) -> str:
    return ", ".join(map(str, devices))


def modes(host: Host, *, ioctl: Ioctl = kernel_ioctl) -> Iterator[Finding]:
    """One finding for each real camera: the modes it offers. The cameras are not started."""
    for camera in LinuxCameras(host.root, ioctl).list_cameras():
        if camera.problem:
            yield warning(MODES, camera.problem)
        elif not camera.virtual:
            yield ok(MODES, f"{camera.title} offers {_formats(camera) or 'modes that it does not list'}")


def _formats(camera: CameraInfo) -> str:
    """The first formats, the preferred ones before others."""
    preferred = sorted(
        dict.fromkeys(mode.fourcc for mode in camera.modes), key=lambda code: code not in PREFERRED_FORMATS
    )
    shown = ", ".join(_largest(camera, fourcc) for fourcc in preferred[:SHOWN_FORMATS])
    more = len(preferred) - SHOWN_FORMATS
    return f"{shown} and {more} more formats" if more > 0 else shown


def _largest(camera: CameraInfo, fourcc: str) -> str:
    """The largest size of a format, and its highest rate."""
    largest = max((mode for mode in camera.modes if mode.fourcc == fourcc), key=lambda mode: mode.size)
    rate = f" at {max(largest.fps):g} fps" if largest.fps else ""
    return f"{fourcc} up to {largest.size[0]}x{largest.size[1]}{rate}"
