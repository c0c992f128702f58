"""A camera as it is listed and chosen."""

from dataclasses import dataclass

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
