"""Our own networks: an 8-bit frame in, alpha and memories out; everything else is told by the file's metadata."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import BadFile
from realtime_matte.frame import Size
from realtime_matte.models.family import Array, Feed, Memory, Read, Wiring, clipped
from realtime_matte.models.input_size import Grid, grid
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import Settings
from realtime_matte.models.shrink import Shrink

LOOKS = "rtmatte.family = recurrent in its metadata"
OPTIONS = frozenset({"size", "quality"})


def recognises(graph: Graph) -> bool:
    """By the word in its metadata."""
    return graph.metadata.get("rtmatte.family") == "recurrent"


def open(graph: Graph, settings: Settings) -> "Recurrent":
    """Read the metadata. Raises BadFile when it does not fit the graph."""
    try:
        area, multiple = (int(graph.metadata[f"rtmatte.{word}"]) for word in ("area", "multiple"))
        states = tuple(_state(entry) for entry in json.loads(graph.metadata["rtmatte.states"]))
        _check(area, multiple, *(number for state in states for number in (state.channels, state.stride)))
    except (KeyError, ValueError, TypeError) as error:
        raise BadFile(f"{graph.path} has broken metadata ({error!r})", hint="download or export it again") from error
    ports = {port.name for port in (*graph.inputs, *graph.outputs)}
    needed = {"frame", "alpha", *(state.input for state in states), *(state.output for state in states)}
    if needed - ports:
        raise BadFile(
            f"{graph.path} has no {', '.join(sorted(needed - ports))} in its graph", hint=f"there are: {graph}"
        )
    anchor = Recurrent(grid(area, multiple, Settings()), states) if (settings.quality or 1) > 1 else None
    return Recurrent(grid(area, multiple, settings), states, anchor)


@dataclass(frozen=True, slots=True)
class StatePort:
    """One entry of ``rtmatte.states``: (1, ``channels``, height / ``stride``, width / ``stride``) float32."""

    input: str
    output: str
    channels: int
    stride: int


@dataclass(frozen=True, slots=True)
class Recurrent:
    """What the metadata says; ``anchor``: on the usual grid, where this is a finer one."""

    grid: Grid
    states: tuple[StatePort, ...]
    anchor: "Recurrent | None" = None

    def wiring(self, size: Size) -> Wiring:
        """A grid of the frame's own shape."""
        width, height = self.grid.at(size)
        memories = tuple(
            Memory(state.input, state.output, (1, state.channels, height // state.stride, width // state.stride))
            for state in self.states
        )
        shape = (1, height, width, 3)
        return Wiring("frame", shape, np.uint8, "alpha", (1, 1, height, width), memories)

    def feed(self, size: Size, tensor: Array) -> Feed:
        """The frame, smaller: normalising is in the graph."""
        return Shrink(size, (tensor.shape[2], tensor.shape[1]), tensor[0])

    def read(self, tensor: NDArray[np.float32]) -> Read:
        """Alpha already."""
        return clipped(tensor[0, 0])


def _check(*numbers: int) -> None:
    if min(numbers) < 1:
        raise ValueError(f"{min(numbers)} is no size")


def _state(entry: Any) -> StatePort:  # noqa: ANN401 -- JSON
    return StatePort(str(entry["input"]), str(entry["output"]), int(entry["channels"]), int(entry["stride"]))
