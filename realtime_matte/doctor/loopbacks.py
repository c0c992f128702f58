"""Each virtual camera of v4l2loopback: how programs see it, and who has it open."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from realtime_matte.doctor.finding import Finding, FixCommand, good
from realtime_matte.doctor.host import Host
from realtime_matte.v4l2 import cameras as _v4l2
from realtime_matte.v4l2.ioctl import Ioctl
from realtime_matte.v4l2.loopback import Loopback, Loopbacks
from realtime_matte.v4l2.open_files import holders

PART: Final = "virtual camera"
OUTPUT: Final = 0x2
"""V4L2_CAP_VIDEO_OUTPUT."""


def loopbacks(host: Host, *, ioctl: Ioctl = fcntl.ioctl) -> Iterator[Finding]:
    """One finding for each."""
    there = Loopbacks(host.root).there()
    for one in there:
        users = holders(Path(one.path), root=host.root)
        if exclusive(Path(one.path), ioctl) is not False:
            yield good(PART, f"{one.title}{f', open in {users}' if users else ''}")
        else:
            yield _both(one, alone=len(there) == 1 and not users and not one.busy)


def exclusive(path: Path, ioctl: Ioctl) -> bool | None:
    """Whether it is either a camera or an output at any time; None where it cannot be asked."""
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        capability = _v4l2.capability(device, ioctl=ioctl)
    except OSError:
        return None
    finally:
        os.close(device)
    return not (capability.captures and capability.flags & OUTPUT)


def _both(one: Loopback, *, alone: bool) -> Finding:
    """It says that it is a camera and an output at once. Only a module that nothing else needs is loaded anew."""
    number = Path(one.path).name.removeprefix("video")
    load = ("modprobe", "v4l2loopback", "exclusive_caps=1", f"video_nr={number}", f"card_label={one.name}")
    commands = FixCommand(("modprobe", "-r", "v4l2loopback"), root=True), FixCommand(load, root=True)
    return Finding(
        PART,
        "warning",
        f"{one.title} was made without exclusive_caps=1",
        "load the module anew with it"
        if alone
        else "close what uses it, and load the module anew with it: one for each device, as in exclusive_caps=1,1",
        "Chrome, Zoom and other programs do not list such a camera",
        commands if alone else (),
    )
