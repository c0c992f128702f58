"""A camera as it is listed and chosen, and who does that."""

from dataclasses import dataclass
from typing import Protocol

from realtime_matte.errors import SourceError
from realtime_matte.frame import Size


@dataclass(frozen=True, slots=True)
class Mode:
    """A pixel format and size that a camera offers, with the rates it has for it, fastest first."""

    fourcc: str
    size: Size
    fps: tuple[float, ...]


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
    def title(self) -> str:
        """What it is called in messages."""
        return f"camera {self.address} ({self.name})" if self.name else f"camera {self.address}"


class System(Protocol):
    """Where cameras are listed and chosen."""

    def cameras(self) -> list[CameraInfo]:
        """All there are."""

    def choose(self, rest: str) -> CameraInfo:
        """The one that is meant."""

    def gone(self, camera: CameraInfo) -> bool:
        """True when the device is not there any more."""

    def refusal(self, camera: CameraInfo) -> SourceError:
        """Why it could not be opened, or gave no picture."""
