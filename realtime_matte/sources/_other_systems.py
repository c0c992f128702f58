"""The interface to a system's cameras; the cameras of macOS and Windows, known by number only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime_matte.errors import SourceError, SpecError
from realtime_matte.v4l2.cameras import CameraInfo

MAX_CAMERAS = 8

HINTS = {
    "darwin": "plug it in, close the program that uses it, and allow this one in Privacy & Security > Camera",
    "win32": "plug it in, close the program that uses it, and allow desktop apps in Settings > Privacy > Camera",
}


class System(Protocol):
    """Lists and chooses cameras."""

    def list_cameras(self) -> list[CameraInfo]:
        """All there are."""

    def choose(self, rest: str) -> CameraInfo:
        """The camera that ``rest``, the spec after ``camera:``, means. Raises SourceError or SpecError."""

    def choice(self, rest: str, camera: CameraInfo) -> str:
        """The notice of why ``choose`` chose the camera, where there was a choice; else empty."""

    def is_gone(self, camera: CameraInfo) -> bool:
        """True when the device does not exist any more."""

    def open_error(self, camera: CameraInfo) -> SourceError:
        """Why it could not be opened, or gave no frame."""


@dataclass(frozen=True, slots=True)
class NumberedCameras:
    """Cameras by number. ``probe`` tries to open the camera of a number and returns it with its mode, or None."""

    platform: str
    probe: Callable[[str], CameraInfo | None]

    def list_cameras(self) -> list[CameraInfo]:
        """Those that can be opened now; switches each on for a moment. Numbers have no gaps."""
        found: list[CameraInfo] = []
        while len(found) < MAX_CAMERAS and (camera := self.probe(str(len(found)))):
            found.append(camera)
        return found

    def choose(self, rest: str) -> CameraInfo:
        """The camera of a number; if empty, the first one.

        Raises:
            SpecError: it is not a number.
        """
        if rest and not rest.isdecimal():
            raise SpecError(
                f"no camera called {rest!r}: on this system cameras are numbers", hint="try camera:0 or camera:1"
            )
        return CameraInfo("", str(int(rest or "0")))

    def choice(self, rest: str, camera: CameraInfo) -> str:  # noqa: ARG002 - the others would have to be switched on
        """Empty: which others there are is not known."""
        return ""

    def is_gone(self, camera: CameraInfo) -> bool:  # noqa: ARG002 - the system does not report it
        """False: it is not known."""
        return False

    def open_error(self, camera: CameraInfo) -> SourceError:
        """Why a camera could not be opened, or gave no frame."""
        hint = HINTS.get(self.platform, "plug it in, or close the program that uses it")
        return SourceError(f"{camera.title} cannot be opened or gives no frames", hint=f"{hint}, or try another number")
