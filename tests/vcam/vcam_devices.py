"""The video devices of the machine under test, and the fake webcam that can be unplugged."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 180.0
"""For every wait: the first start of a large program is slow where page faults are expensive."""

NO_VCAM = (
    "no virtual camera to test with; run in ../shared/vcam-lab/camrun, or with RTMATTE_VCAM=/dev/video10 for a "
    "v4l2loopback device that no program uses"
)


def wait_until(holds: Callable[[], bool], what: str, *, limit_s: float = LIMIT_S) -> None:
    """Poll until ``holds()``: the kernel has no event for these changes."""
    ends_at = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < ends_at, f"{what}: not within {limit_s:g} s"
        time.sleep(0.02)


def in_lab() -> bool:
    """True in the small Linux that is there for these tests."""
    return "User Mode Linux" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False


def virtual_camera() -> "Node | None":
    """The device to send to; None without one."""
    path = os.environ.get("RTMATTE_VCAM") or ("/dev/video10" if in_lab() else None)
    return Node(Path(path)) if path else None


@dataclass(frozen=True, slots=True)
class Node:
    """A video device and its attributes in sysfs."""

    path: Path

    @property
    def label(self) -> str:
        """The name that programs show."""
        return self._attribute("name")

    @property
    def has_writer(self) -> bool:
        """True while a program sends to this virtual camera."""
        return self._attribute("state") == "capture"

    def _attribute(self, name: str) -> str:
        return (Path("/sys/class/video4linux") / self.path.name / name).read_text().strip()


SECOND_VCAM = Node(Path("/dev/video11"))
"""A second virtual camera; in the lab only."""


class Vivid:
    """The kernel's fake webcam; in the lab only."""

    node = Node(Path("/dev/video0"))

    def unplug(self) -> None:
        """As if it were unplugged."""
        self._write_driver("unbind")

    def plug(self) -> None:
        """As if it were plugged in again; nothing if it is."""
        if not self.node.path.exists():
            self._write_driver("bind")
            wait_until(self.node.path.exists, "vivid is back")

    def paint(self) -> None:
        """Show MARKER all over."""
        self.set(test_pattern=8, osd_text_mode=2)

    def set(self, **controls: int) -> None:
        """Set its controls; those that inject a fault are buttons, pressed by any value."""
        values = ",".join(f"{name}={value}" for name, value in controls.items())
        words = ["v4l2-ctl", "-d", str(self.node.path), "-c", values]
        subprocess.run(words, check=True, timeout=LIMIT_S)

    def _write_driver(self, name: str) -> None:
        (Path("/sys/bus/platform/drivers/vivid") / name).write_text("vivid.0")
