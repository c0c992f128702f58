"""The cameras of the machine under test, and how to plug and unplug the fake one."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 60.0
"""For whatever must happen: the first start of a big program is slow where page faults are dear."""

NOTHING = (
    "no virtual camera to test with; run in ../shared/vcam-lab/camrun, or with RTMATTE_VCAM=/dev/video10 for a "
    "v4l2loopback device that nobody uses"
)


def until(holds: Callable[[], bool], what: str, *, limit_s: float = LIMIT_S) -> None:
    """Look again and again: the kernel tells of none of this by itself."""
    ends_at = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < ends_at, f"{what}: not within {limit_s:g} s"
        time.sleep(0.02)


def in_lab() -> bool:
    """True in the small Linux that belongs to the tests alone."""
    return "User Mode Linux" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False


def virtual_camera() -> "Node | None":
    """The one to send to."""
    path = os.environ.get("RTMATTE_VCAM") or ("/dev/video10" if in_lab() else None)
    return Node(Path(path)) if path else None


@dataclass(frozen=True, slots=True)
class Node:
    """A video device, and what the kernel says of it."""

    path: Path

    @property
    def label(self) -> str:
        """The name that programs show."""
        return self._told("name")

    @property
    def sent_to(self) -> bool:
        """True while a program sends to this virtual camera."""
        return self._told("state") == "capture"

    def _told(self, what: str) -> str:
        return (Path("/sys/class/video4linux") / self.path.name / what).read_text().strip()


FEED = Node(Path("/dev/video11"))
"""A second virtual camera, of the lab alone."""


class Vivid:
    """The kernel's fake webcam, of the lab alone."""

    node = Node(Path("/dev/video0"))

    def unplug(self) -> None:
        """As if the cable were pulled."""
        self._tell("unbind")

    def plug(self) -> None:
        """As if it were put in again; nothing to do when it is."""
        if not self.node.path.exists():
            self._tell("bind")
            until(self.node.path.exists, "vivid comes back")

    def paint(self) -> None:
        """Show one colour all over, ROOM."""
        self.set(test_pattern=8, osd_text_mode=2)

    def set(self, **controls: int) -> None:
        """Its controls; those that inject a fault are buttons, pressed by any value."""
        values = ",".join(f"{name}={value}" for name, value in controls.items())
        words = ["v4l2-ctl", "-d", str(self.node.path), "-c", values]
        subprocess.run(words, check=True, timeout=LIMIT_S)

    def _tell(self, what: str) -> None:
        (Path("/sys/bus/platform/drivers/vivid") / what).write_text("vivid.0")
