"""What each camera of a Linux machine offers, without switching it on."""

import fcntl
from collections.abc import Iterator
from typing import Final

from realtime_matte.doctor.finding import Finding, good, noted
from realtime_matte.doctor.host import Host
from realtime_matte.sources._camera_info import CameraInfo
from realtime_matte.sources._linux import Linux
from realtime_matte.v4l2.ioctl import Ioctl

PART: Final = "camera modes"
BEST: Final = ("MJPG", "YUYV")
SHOWN: Final = 3
"""So many formats are told; rtmatte devices lists all."""


def modes(host: Host, *, ioctl: Ioctl = fcntl.ioctl) -> Iterator[Finding]:
    """One finding for each real camera."""
    for camera in Linux(host.root, ioctl).cameras():
        if camera.problem:
            yield noted(PART, camera.problem)
        elif not camera.virtual:
            yield good(PART, f"{camera.title} offers {_offers(camera) or 'modes that it does not list'}")


def _offers(camera: CameraInfo) -> str:
    """The formats that are asked for first come first."""
    formats = sorted(dict.fromkeys(mode.fourcc for mode in camera.modes), key=lambda fourcc: fourcc not in BEST)
    shown = ", ".join(_largest(camera, fourcc) for fourcc in formats[:SHOWN])
    return f"{shown} and {len(formats) - SHOWN} more formats" if len(formats) > SHOWN else shown


def _largest(camera: CameraInfo, fourcc: str) -> str:
    """The largest size of a format, with its best rate."""
    largest = max((mode for mode in camera.modes if mode.fourcc == fourcc), key=lambda mode: mode.size)
    rate = f" at {max(largest.fps):g}" if largest.fps else ""
    return f"{fourcc} up to {largest.size[0]}x{largest.size[1]}{rate}"
