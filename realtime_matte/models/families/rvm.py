"""Robust Video Matting (Lin et al. 2022): RGB in 0..1, four memories, alpha already in 0..1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import ModelError
from realtime_matte.frame import Size
from realtime_matte.models import preprocess as normalise
from realtime_matte.models.family import Array, Feed, Memory, Read, Wiring, clipped
from realtime_matte.models.input_size import Grid, grid
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import Settings
from realtime_matte.models.preprocess import UNIT, Rule

LOOKS = "src, r1i..r4i (and downsample_ratio) -> pha, r1o..r4o"
OPTIONS = frozenset({"size", "quality"})

_AREA = 512 * 288
"""What its authors let it work on for HD, by their downsample_ratio of 0.4 (1080p: 0.25)."""

_STRIDES = (2, 4, 8, 16)
_IN = tuple(f"r{number}i" for number in (1, 2, 3, 4))
_OUT = tuple(f"r{number}o" for number in (1, 2, 3, 4))


def recognises(graph: Graph) -> bool:
    """By the names its authors export."""
    inputs, outputs = {port.name for port in graph.inputs}, {port.name for port in graph.outputs}
    return {"src", *_IN} <= inputs <= {"src", *_IN, "downsample_ratio"} and {"pha", *_OUT} <= outputs


def open(graph: Graph, settings: Settings) -> "RobustVideoMatting":
    """Raises ModelError for the half-precision export."""
    ports = {port.name: port for port in graph.inputs}
    if ports["src"].kind != "float":
        raise ModelError(
            f"{graph.path} takes {ports['src'].kind}", hint="take its float32 export, rvm_mobilenetv3_fp32.onnx"
        )
    channels = tuple(ports[name].shape[1] if len(ports[name].shape) > 1 else 0 for name in _IN)
    known = tuple(channel if isinstance(channel, int) else 0 for channel in channels)
    return RobustVideoMatting(known, "downsample_ratio" in ports, grid(_AREA, 16, settings))


@dataclass(frozen=True, slots=True)
class RobustVideoMatting:
    """``channels`` of its memories, 0 where its file leaves them free; ``ratio``: it takes a downsample_ratio."""

    channels: tuple[int, ...]
    ratio: bool
    grid: Grid
    anchor: None = None

    def wiring(self, size: Size) -> Wiring:
        """On a small grid of the frame's shape, not downsampled again."""
        width, height = self.grid.at(size)
        shapes = (_shape(width, height, *pair) for pair in zip(self.channels, _STRIDES, strict=True))
        memories = tuple(map(Memory, _IN, _OUT, shapes))
        constants = {"downsample_ratio": np.ones(1, np.float32)} if self.ratio else {}
        return Wiring(
            input="src",
            input_shape=(1, 3, height, width),
            input_type=np.float32,
            output="pha",
            output_shape=(1, 1, height, width),
            memories=memories,
            grows=0 in self.channels,
            constants=constants,
        )

    def feed(self, size: Size, tensor: Array) -> Feed:
        """RGB / 255."""
        return normalise.feed(size, tensor, Rule(*UNIT))

    def read(self, tensor: NDArray[np.float32]) -> Read:
        """Alpha already."""
        return clipped(tensor[0, 0])


def _shape(width: int, height: int, channels: int, stride: int) -> tuple[int, ...]:
    """Before the first frame; a single zero, which the authors' export spreads, where channels are not known."""
    return (1, channels, height // stride, width // stride) if channels else (1, 1, 1, 1)
