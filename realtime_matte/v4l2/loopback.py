"""The virtual cameras of a Linux machine (v4l2loopback), and why one cannot be sent to."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from realtime_matte.errors import SinkError
from realtime_matte.frame import Size
from realtime_matte.v4l2.open_files import holder_names, holders

LOAD: Final = "sudo modprobe v4l2loopback exclusive_caps=1 card_label='Virtual Camera'"
INSTALL: Final = "where that finds no module, install it (Debian and Ubuntu: sudo apt install v4l2loopback-dkms)"
SENT_TO: Final = "capture"  # the driver's word for a device that has pictures to give
SENT: Final = "YU12"  # the format of what is sent


@dataclass(frozen=True, slots=True)
class Loopback:
    """One of them: its path, the name that programs show, and whether one sends to it."""

    path: str
    name: str
    busy: bool

    @property
    def title(self) -> str:
        """For messages."""
        return f"{self.path} ({self.name})"


@dataclass(frozen=True, slots=True)
class Loopbacks:
    """All of them; ``root`` is the machine's own but in tests."""

    root: Path = Path("/")

    def there(self) -> list[Loopback]:
        """Every one, by number."""
        nodes = (self.root / "sys/class/video4linux").glob("video*")
        own = [node for node in nodes if (node / "max_openers").exists()]  # no other driver tells this
        return [self._loopback(node) for node in sorted(own, key=lambda node: int(node.name.removeprefix("video")))]

    def choose(self, rest: str) -> Loopback:
        """What ``rest`` means: a path, a number, a part of the name; nothing: the first that is free.

        Raises:
            SinkError: there is none, it is none, it is taken, or it may not be used.
        """
        there = self.there()
        if not there:
            raise SinkError(f"no virtual camera: {self._missing()}")
        fitting = [loopback for loopback in there if self._means(rest, loopback)]
        if not fitting:
            raise SinkError(f"no virtual camera {rest!r}", hint=f"there is: {', '.join(one.title for one in there)}")
        chosen = next((loopback for loopback in fitting if not loopback.busy), None)
        if chosen is None:
            raise self._taken(fitting[0])
        self._permit(chosen)
        return chosen

    def check(self, loopback: Loopback, size: Size) -> None:
        """The driver says yes to every size and format, yet keeps those that a watching program holds it at.

        Raises:
            SinkError: pictures would be shown torn to pieces.
        """
        fourcc, kept = self._format(loopback)
        if kept and kept != _text(size):
            raise self.refusal(loopback, size, f"it is held at {kept}")
        if kept and fourcc != SENT:
            raise self.refusal(loopback, size, f"it is held at {kept} in {fourcc}, not {SENT}")

    def refusal(self, loopback: Loopback, size: Size, reason: str) -> SinkError:
        """Why a camera that looked well cannot be sent to."""
        _, kept = self._format(loopback)
        instead = f", or take --size {kept}" if kept and kept != _text(size) else ""
        users = self._users(loopback) or "the program that watches it"
        return SinkError(
            f"the virtual camera {loopback.title} does not take {_text(size)}: {reason}",
            hint=f"turn the camera off in {users}, start this, and turn it on again{instead}",
        )

    def _means(self, rest: str, loopback: Loopback) -> bool:
        if rest.isdecimal():
            return loopback.path == str(self.root / f"dev/video{int(rest)}")
        if rest.startswith("/"):
            return os.path.realpath(rest) == os.path.realpath(loopback.path)
        return rest.lower() in loopback.name.lower()

    def _missing(self) -> str:
        if (self.root / "sys/module/v4l2loopback").exists():
            return f"the kernel module v4l2loopback has no device; sudo modprobe -r v4l2loopback, then {LOAD}"
        return f"the kernel module v4l2loopback is not loaded; {LOAD}; {INSTALL}"

    def _taken(self, loopback: Loopback) -> SinkError:
        users = self._users(loopback) or "this program, or one that we may not see,"
        return SinkError(
            f"{users} sends to the virtual camera {loopback.title} already",
            hint="close that, or make more cameras: sudo modprobe -r v4l2loopback, "
            f"then {LOAD.replace('=1', '=1,1')} devices=2",
            used_by=holder_names(Path(loopback.path), root=self.root),
        )

    def _permit(self, loopback: Loopback) -> None:
        if not Path(loopback.path).exists():
            raise SinkError(
                f"the virtual camera {loopback.title} is not in this container", hint="pass the device into it"
            )
        if not os.access(loopback.path, os.W_OK):
            raise SinkError(
                f"the virtual camera {loopback.title} may not be written by you",
                hint="sudo usermod -aG video $USER, then log out and in again",
            )

    def _users(self, loopback: Loopback) -> str:
        return holders(Path(loopback.path), root=self.root)

    def _loopback(self, node: Path) -> Loopback:
        return Loopback(str(self.root / "dev" / node.name), _read(node / "name"), _read(node / "state") == SENT_TO)

    def _format(self, loopback: Loopback) -> tuple[str, str]:
        """What the driver is set to, as ``YU12`` and ``1280x720``; nothing when it does not say."""
        told = _read(self.root / "sys/class/video4linux" / Path(loopback.path).name / "format")
        found = re.match(r"(.{4}):(\d+x\d+)", told)
        return (found[1], found[2]) if found else ("", "")


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""  # a version of the driver that does not tell this
