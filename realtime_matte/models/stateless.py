"""Networks without memory: one float picture in, one map of the same size out, in either layout."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.models import preprocess as normalise
from realtime_matte.models.family import Array, Feed, Read, Wiring
from realtime_matte.models.input_size import Grid
from realtime_matte.models.onnx_file import Dimension, Graph, Port
from realtime_matte.models.options import Settings
from realtime_matte.models.preprocess import Rule

Maps: TypeAlias = NDArray[np.float32]
"""(channels, h, w)"""

STILL_OPTIONS = frozenset({"mean", "std", "order", "size"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A 4-dimensional float port: ``planar`` is (1, channels, h, w), else (1, h, w, channels)."""

    name: str
    channels: int
    height: Dimension
    width: Dimension
    planar: bool

    @property
    def size(self) -> Size | None:
        """None while a side is free."""
        return (self.width, self.height) if isinstance(self.width, int) and isinstance(self.height, int) else None

    def shape(self, size: Size) -> tuple[int, int, int, int]:
        """The tensor's shape at a size."""
        width, height = size
        return (1, self.channels, height, width) if self.planar else (1, height, width, self.channels)


def pictures(graph: Graph, *, channels: int) -> tuple[Picture, Picture] | None:
    """Its input and output, if they are one colour picture and one map of so many channels and of the same size."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return None
    into, out = _picture(graph.inputs[0], 3), _picture(graph.outputs[0], channels)
    if into is None or out is None or (into.size and out.size and into.size != out.size):
        return None
    return into, out


def still(
    graph: Graph, settings: Settings, *, channels: int, rule: Rule, read: Callable[[Maps], Read], free: Grid
) -> "Still":
    """A network whose ``pictures`` were recognised; ``free``: its grid if its size is not fixed. Raises SpecError."""
    found = pictures(graph, channels=channels)
    assert found is not None, "its family recognised it"  # noqa: S101 -- our own mistake otherwise
    into, out = found
    if into.size and settings.size and into.size != settings.size:
        raise SpecError(f"{graph.path} runs at {into.size[0]}x{into.size[1]} only", hint="leave out the option 'size'")
    fixed = Grid(free.area, 1, into.size) if into.size else Grid(free.area, free.multiple, settings.size)
    return Still(into, out, fixed, rule.overruled(settings), read)


@dataclass(frozen=True, slots=True)
class Still:
    """A family's network; ``maps`` is what reads its output."""

    into: Picture
    out: Picture
    grid: Grid
    rule: Rule
    maps: Callable[[Maps], Read]
    anchor: None = None

    def wiring(self, size: Size) -> Wiring:
        """On its grid."""
        found = self.grid.at(size)
        return Wiring(self.into.name, self.into.shape(found), np.float32, self.out.name, self.out.shape(found))

    def feed(self, size: Size, tensor: Array) -> Feed:
        """Shrunk, and normalised by its rule."""
        return normalise.feed(size, tensor, self.rule)

    def read(self, tensor: NDArray[np.float32]) -> Read:
        """In either layout."""
        return self.maps(tensor[0] if self.out.planar else np.moveaxis(tensor[0], -1, 0))


def _picture(port: Port, channels: int) -> Picture | None:
    if port.kind != "float" or len(port.shape) != 4:  # noqa: PLR2004 -- one batch, two sides, the channels
        return None
    batch, second, third, last = port.shape
    if isinstance(batch, int) and batch != 1:
        return None
    if second == channels:
        return Picture(port.name, channels, third, last, planar=True)
    return Picture(port.name, channels, second, third, planar=False) if last == channels else None
