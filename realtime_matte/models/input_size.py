"""The grid a network runs on."""

from dataclasses import dataclass
from math import sqrt

from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.models.options import Settings


@dataclass(frozen=True, slots=True)
class Grid:
    """The frame's shape with about ``area`` pixels, sides of whole multiples; or always ``fixed``. Raises SpecError."""

    area: int
    multiple: int
    fixed: Size | None = None

    def __post_init__(self) -> None:
        if self.fixed and any(side % self.multiple for side in self.fixed):
            width, height = self.fixed
            near = "x".join(str(_round(side, self.multiple)) for side in self.fixed)
            raise SpecError(f"size {width}x{height} is not of whole multiples of {self.multiple}", hint=f"try {near}")

    def at(self, size: Size) -> Size:
        """Its (width, height) for frames of ``size``; at least one multiple a side."""
        width, height = size
        shaped = sqrt(self.area * width / height), sqrt(self.area * height / width)
        return self.fixed or (_round(shaped[0], self.multiple), _round(shaped[1], self.multiple))


def grid(area: int, multiple: int, settings: Settings) -> Grid:
    """Of the ``area`` a network usually runs on, as the user wishes. Raises SpecError."""
    return Grid(round(area * (settings.quality or 1)), multiple, settings.size)


def _round(side: float, multiple: int) -> int:
    return max(1, round(side / multiple)) * multiple
