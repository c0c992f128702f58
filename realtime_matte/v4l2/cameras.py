"""The cameras of a Linux machine: list them, find the one that a spec means, explain why one cannot be used."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from realtime_matte.errors import SourceError
from realtime_matte.v4l2 import capabilities
from realtime_matte.v4l2.capabilities import Capability, Mode
from realtime_matte.v4l2.ioctl import CONTROL, EXPOSURE_ABSOLUTE, G_CTRL, Ioctl, kernel_ioctl
from realtime_matte.v4l2.open_files import programs_using, used_by_this_process


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera; a spec names it by its ``address`` or by a part of its ``name``.

    ``virtual``: a program feeds it. ``problem``: why its modes are unknown; None when they are known.
    """

    name: str
    address: str
    modes: tuple[Mode, ...] = ()
    virtual: bool = False
    problem: str | None = None

    @property
    def grey(self) -> bool:
        """True if it gives no colours, as an infrared camera."""
        return bool(self.modes) and all(mode.grey for mode in self.modes)

    @property
    def title(self) -> str:
        """Address and name, for messages."""
        return f"camera {self.address} ({self.name})" if self.name else f"camera {self.address}"


@dataclass(frozen=True, slots=True)
class LinuxCameras:
    """The cameras that the kernel knows. Tests pass another ``root`` and ``ioctl``."""

    root: Path = Path("/")
    ioctl: Ioctl = kernel_ioctl

    def list_cameras(self) -> list[CameraInfo]:
        """Every device that captures frames, by number, with its modes."""
        return [camera for node in self._nodes() if (camera := self._info(node))]

    def choose(self, rest: str) -> CameraInfo:
        """The camera that ``rest`` means: a number, a path or a part of a name; if empty, the first one.

        Of several, a camera that gives colours comes first, then a real one: not the infrared camera beside it, and not
        a virtual one that another program feeds.

        Raises:
            SourceError: there is no such camera, it is no camera, or this user may not open it.
        """
        camera, capability = self._described(self._path(rest))
        self._require_usable(camera, capability)
        return camera

    def find(self, rest: str) -> CameraInfo:
        """As ``choose``, also a device that cannot be opened as a camera now: a virtual one that this program reads."""
        return self._described(self._path(rest))[0]

    def choice(self, rest: str, camera: CameraInfo) -> str:
        """The notice of why ``choose`` chose the camera, where there was a choice; else empty."""
        if rest.isdecimal() or rest.startswith("/"):
            return ""
        others = [other for other in self._matching(rest) if other.address != camera.address and self._gives(other)]
        if not others:
            return ""
        listed = ", ".join(f"{other.address} ({other.name}{_kind(other)})" for other in others)
        return f"{camera.title} was chosen; there is also {listed}: choose one with --camera"

    def exposure(self, camera: CameraInfo) -> int | None:
        """Its exposure time in units of 0.1 ms, also while it is used; None if it does not report it."""
        buffer = bytearray(CONTROL.pack(EXPOSURE_ABSOLUTE, 0))
        try:
            with self._opened(Path(camera.address)) as device:
                self.ioctl(device, G_CTRL, buffer)
        except (SourceError, OSError):
            return None
        return int(CONTROL.unpack(buffer)[1])

    def is_gone(self, camera: CameraInfo) -> bool:
        """True when the device does not exist any more."""
        return not Path(camera.address).exists()

    def open_error(self, camera: CameraInfo) -> SourceError:
        """Why a camera that ``choose`` accepted could not be opened, or gave no frame."""
        path = Path(camera.address)
        if not path.exists():
            return SourceError(f"{camera.title} was removed while it was opened", hint="plug it in again")
        with self._opened(path) as device:
            busy = capabilities.busy(device, ioctl=self.ioctl)
        if busy:
            programs = programs_using(path, root=self.root)
            return SourceError(
                f"{camera.title} is in use by {', '.join(map(str, programs)) or 'another program'}",
                hint="close that program, turn its video off, or choose another --camera",
                used_by=[program.name for program in programs],
            )
        if camera.virtual:
            return SourceError(
                f"{camera.title} gives no frames: no program feeds it",
                hint=f"start the program that feeds it, or {self._choose_real()}",
            )
        return SourceError(
            f"{camera.title} gives no frames", hint="open its privacy switch, or plug it into another port"
        )

    def _path(self, rest: str) -> Path:
        if rest.isdecimal():
            return self.root / f"dev/video{rest.lstrip('0') or '0'}"
        if rest.startswith("/"):
            return Path(rest)
        matching = self._matching(rest)
        if not matching:
            raise SourceError(f"no camera{(f' called {rest!r}' if rest else '')}", hint=self._available())
        return Path(matching[0].address)

    def _matching(self, rest: str) -> list[CameraInfo]:
        """The cameras with a name, the best first."""
        matching = [camera for camera in self.list_cameras() if rest.lower() in camera.name.lower()]
        return sorted(matching, key=lambda camera: (camera.grey, camera.virtual))

    def _gives(self, camera: CameraInfo) -> bool:
        """False for a virtual camera that no program feeds; some of them are always listed as cameras."""
        return not camera.virtual or self._attribute(Path(camera.address), "state") in {"capture", ""}

    def _described(self, path: Path) -> tuple[CameraInfo, Capability]:
        if not os.path.exists(path):  # noqa: PTH110 - Path's raises for names that are too long
            raise SourceError(f"no camera at {path}", hint=self._available())
        with self._opened(path) as device:
            try:
                capability = capabilities.capability(device, ioctl=self.ioctl)
            except OSError as error:
                raise SourceError(f"{path} is not a camera", hint=self._available()) from error
            return self._describe(path, device, capability), capability

    def _require_usable(self, camera: CameraInfo, capability: Capability) -> None:
        """Raise SourceError if it is not a camera, or a virtual camera that no program or this program feeds."""
        if capability.loopback and used_by_this_process(Path(camera.address), root=self.root):
            raise SourceError(f"{camera.title} is this program's own output", hint=self._choose_real())
        if capability.captures:
            return
        if capability.loopback:
            raise SourceError(f"{camera.title} is a virtual camera that no program feeds", hint=self._choose_real())
        raise SourceError(f"{camera.title} does not capture frames", hint=self._choose_real())

    def _info(self, path: Path) -> CameraInfo | None:
        try:
            with self._opened(path) as device:
                capability = capabilities.capability(device, ioctl=self.ioctl)
                return self._describe(path, device, capability) if capability.captures else None
        except SourceError as error:
            return CameraInfo(self._label(path), str(path), problem=str(error))
        except OSError:
            return None  # no V4L2 device, or just removed

    def _describe(self, path: Path, device: int, capability: Capability) -> CameraInfo:
        modes = capabilities.modes(device, capability.buffer_type, ioctl=self.ioctl)
        return CameraInfo(self._label(path) or capability.card, str(path), modes, capability.loopback)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        try:
            device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        except PermissionError as error:
            raise SourceError(f"cannot open {path}: permission denied", hint=_permission_hint(path)) from error
        except IsADirectoryError as error:
            raise SourceError(f"{path} is a folder, not a camera", hint=self._available()) from error
        except OSError as error:
            raise SourceError(f"cannot open {path}: {error.strerror}", hint="plug it in again") from error
        try:
            yield device
        finally:
            os.close(device)

    def _choose_real(self) -> str:
        real = [camera for camera in self.list_cameras() if not camera.virtual]
        return f"choose a real camera: {_join(real)}" if real else "there is no real camera; plug one in"

    def _available(self) -> str:
        cameras = self.list_cameras()
        if cameras:
            return f"available: {_join(cameras)}"
        if self._nodes():
            return "no device here captures frames; plug a camera in, or open its privacy switch"
        return "there is no /dev/video*; plug a camera in, or pass it into this container or virtual machine"

    def _nodes(self) -> list[Path]:
        nodes = [node for node in (self.root / "dev").glob("video*") if node.name[5:].isdecimal()]
        return sorted(nodes, key=lambda node: int(node.name[5:]))

    def _label(self, path: Path) -> str:
        return self._attribute(path, "name")

    def _attribute(self, path: Path, attribute: str) -> str:
        """An attribute that the driver reports of a device; empty if it does not."""
        try:
            name = Path(os.path.realpath(path)).name
            return (self.root / "sys/class/video4linux" / name / attribute).read_text(errors="replace").strip()
        except OSError:
            return ""


def _join(cameras: Sequence[CameraInfo]) -> str:
    return ", ".join(f"{camera.address} ({camera.name})" for camera in cameras)


def _kind(camera: CameraInfo) -> str:
    return ", without colours" if camera.grey else ", virtual" if camera.virtual else ""


def _permission_hint(path: Path) -> str:
    try:
        group = path.group()
    except KeyError:
        group = "root"  # a group without a name cannot be joined either
    if group == "root":
        return f"allow it (sudo setfacl -m u:$USER:rw {path})"
    return f"join its group (sudo usermod -aG {group} $USER) and log in again"
