"""The cameras of a Linux machine: which there are, which one a spec means, and why one cannot be used."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from realtime_matte.errors import SourceError
from realtime_matte.sources._camera_info import CameraInfo
from realtime_matte.v4l2 import cameras as _v4l2
from realtime_matte.v4l2.cameras import Capability
from realtime_matte.v4l2.ioctl import Ioctl
from realtime_matte.v4l2.open_files import held_by_us, holder_names, holders


@dataclass(frozen=True, slots=True)
class Linux:
    """The kernel's view; ``root`` and ``ioctl`` are the machine's own but in tests."""

    root: Path = Path("/")
    ioctl: Ioctl = fcntl.ioctl

    def cameras(self) -> list[CameraInfo]:
        """Every device that takes pictures, by number, with its modes."""
        return [camera for node in self._nodes() if (camera := self._info(node))]

    def choose(self, rest: str) -> CameraInfo:
        """The camera that ``rest`` means: a number, a path, a part of a name; nothing: the first real one.

        Raises:
            SourceError: there is none, it is no camera, or it may not be used.
        """
        if rest.isdecimal():
            return self._checked(self.root / f"dev/video{rest.lstrip('0') or '0'}")
        if rest.startswith("/"):
            return self._checked(Path(rest))
        matching = [camera for camera in self.cameras() if rest.lower() in camera.name.lower()]
        if not matching:
            raise SourceError(f"no camera{(f' called {rest!r}' if rest else '')}", hint=f"{self._there_is()}")
        return self._checked(Path(min(matching, key=lambda camera: camera.virtual).address))

    def gone(self, camera: CameraInfo) -> bool:
        """True when the device is not there any more."""
        return not Path(camera.address).exists()

    def refusal(self, camera: CameraInfo) -> SourceError:
        """Why a camera that looked well could not be opened, or gave no picture."""
        path = Path(camera.address)
        if not path.exists():
            return SourceError(f"{camera.title} went away while it was opened", hint="plug it in again")
        with self._opened(path) as device:
            busy = _v4l2.busy(device, ioctl=self.ioctl)
        if busy:
            users = holders(path, root=self.root) or "another program"
            names = holder_names(path, root=self.root)
            return SourceError(f"{camera.title} is used by {users}", hint="close that, or its video", used_by=names)
        if camera.virtual:
            return SourceError(
                f"{camera.title} gives no picture: nothing feeds it", hint=f"start what does, or {self._real()}"
            )
        return SourceError(
            f"{camera.title} gives no picture", hint="undo its privacy switch, or plug it into another port"
        )

    def _checked(self, path: Path) -> CameraInfo:
        if not os.path.exists(path):  # noqa: PTH110 - Path's raises for names that are too long
            raise SourceError(f"no camera at {path}", hint=f"{self._there_is()}")
        with self._opened(path) as device:
            try:
                capability = _v4l2.capability(device, ioctl=self.ioctl)
            except OSError as error:
                raise SourceError(f"{path} is no camera", hint=f"{self._there_is()}") from error
            camera = self._described(path, device, capability)
        self._refuse(camera, capability)
        return camera

    def _refuse(self, camera: CameraInfo, capability: Capability) -> None:
        """Raise for what is no camera, and for a virtual camera that shows nothing, or our own pictures."""
        if capability.loopback and held_by_us(Path(camera.address), root=self.root):
            raise SourceError(f"{camera.title} is this program's own output", hint=f"{self._real()}")
        if capability.captures:
            return
        if capability.loopback:
            raise SourceError(f"{camera.title} is a virtual camera that nothing feeds", hint=f"{self._real()}")
        raise SourceError(f"{camera.title} takes no pictures", hint=f"{self._real()}")

    def _info(self, path: Path) -> CameraInfo | None:
        try:
            with self._opened(path) as device:
                capability = _v4l2.capability(device, ioctl=self.ioctl)
                return self._described(path, device, capability) if capability.captures else None
        except SourceError as error:
            return CameraInfo(self._label(path), str(path), problem=str(error))
        except OSError:
            return None  # no V4L2 device, or gone just now

    def _described(self, path: Path, device: int, capability: Capability) -> CameraInfo:
        modes = _v4l2.modes(device, ioctl=self.ioctl)
        return CameraInfo(self._label(path) or capability.card, str(path), modes, capability.loopback)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        try:
            device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        except PermissionError as error:
            raise SourceError(f"{path} may not be used by you: permission denied", hint=f"{_permit(path)}") from error
        except IsADirectoryError as error:
            raise SourceError(f"{path} is a folder and no camera", hint=f"{self._there_is()}") from error
        except OSError as error:
            raise SourceError(f"{path} cannot be opened: {error.strerror}", hint="plug it in again") from error
        try:
            yield device
        finally:
            os.close(device)

    def _real(self) -> str:
        real = [camera for camera in self.cameras() if not camera.virtual]
        return f"choose a real one: {_list(real)}" if real else "there is no real camera; plug one in"

    def _there_is(self) -> str:
        cameras = self.cameras()
        if cameras:
            return f"there is: {_list(cameras)}"
        if self._nodes():
            return "no device here takes pictures; plug a camera in, or undo its privacy switch"
        return "there is no /dev/video* at all; plug a camera in, or pass it into this container or virtual machine"

    def _nodes(self) -> list[Path]:
        nodes = [node for node in (self.root / "dev").glob("video*") if node.name[5:].isdecimal()]
        return sorted(nodes, key=lambda node: int(node.name[5:]))

    def _label(self, path: Path) -> str:
        try:
            name = Path(os.path.realpath(path)).name
            return (self.root / "sys/class/video4linux" / name / "name").read_text(errors="replace").strip()
        except OSError:
            return ""


def _list(cameras: list[CameraInfo]) -> str:
    return ", ".join(f"{camera.address} ({camera.name})" for camera in cameras)


def _permit(path: Path) -> str:
    try:
        group = path.group()
    except KeyError:
        group = "root"  # a group without a name is none to join either
    if group == "root":
        return f"allow it (sudo setfacl -m u:$USER:rw {path})"
    return f"join its group (sudo usermod -aG {group} $USER) and log in again"
