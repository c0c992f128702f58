"""Cameras where they are known by number only: macOS and Windows."""

from collections.abc import Callable
from dataclasses import dataclass

from realtime_matte.errors import SourceError, SpecError
from realtime_matte.sources._camera_info import CameraInfo

MOST = 8

MENDS = {
    "darwin": "plug it in, close the program that uses it, and allow this one in Privacy & Security > Camera",
    "win32": "plug it in, close the program that uses it, and allow desktop apps in Settings > Privacy > Camera",
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The system's cameras; ``probe`` tries to open one and tells its mode, or None."""

    platform: str
    probe: Callable[[str], CameraInfo | None]

    def cameras(self) -> list[CameraInfo]:
        """Those that can be opened now, which switches each on for a moment; numbers have no gaps."""
        found: list[CameraInfo] = []
        while len(found) < MOST and (camera := self.probe(str(len(found)))):
            found.append(camera)
        return found

    def choose(self, rest: str) -> CameraInfo:
        """The camera of a number; nothing is the first one.

        Raises:
            SpecError: it is no number.
        """
        if rest and not rest.isdecimal():
            raise SpecError(
                f"no camera called {rest!r}: on this system cameras are numbers", hint="try camera:0 or camera:1"
            )
        return CameraInfo("", str(int(rest or "0")))

    def gone(self, camera: CameraInfo) -> bool:  # noqa: ARG002 - the system does not say
        """True when the device is not there any more."""
        return False

    def refusal(self, camera: CameraInfo) -> SourceError:
        """Why a camera could not be opened, or gave no picture."""
        mend = MENDS.get(self.platform, "plug it in, or close the program that uses it")
        return SourceError(
            f"{camera.title} cannot be opened, or gives no picture", hint=f"{mend}, or try another number"
        )
