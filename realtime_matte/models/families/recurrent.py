"""Our own networks: an 8-bit frame in, alpha and recurrent state out; the rest is in the file's metadata."""

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import BadFile
from realtime_matte.frame import Size
from realtime_matte.models.family import (
    AlphaReader,
    PlateInputs,
    Preprocessor,
    Signature,
    StateTensor,
    Tensor,
    clipped,
)
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import ModelOptions
from realtime_matte.models.preprocess import Downscaler, InputSize, input_size

DESCRIPTION = "rtmatte.family = recurrent in its metadata"
OPTIONS = frozenset({"size", "quality"})

INVALID: Final = (KeyError, ValueError, TypeError, OverflowError, RecursionError)
"""What invalid metadata raises; the last two: ``Infinity`` or 1e999 as a number, and JSON that is nested deeply."""


@dataclass(frozen=True, slots=True)
class StateEntry:
    """One entry of ``rtmatte.states``: (1, ``channels``, height / ``stride``, width / ``stride``) float32."""

    input: str
    output: str
    channels: int
    stride: int


def recognises(graph: Graph) -> bool:
    """True if its metadata names this family."""
    return graph.metadata.get("rtmatte.family") == "recurrent"


def open(graph: Graph, options: ModelOptions) -> "Recurrent":
    """The adapter. Raises BadFile: the metadata is incomplete or does not fit the graph."""
    try:
        base_area, multiple = (int(graph.metadata[f"rtmatte.{key}"]) for key in ("area", "multiple"))
        states = tuple(_state_entry(entry) for entry in json.loads(graph.metadata["rtmatte.states"]))
        plate = _plate_inputs(graph.metadata.get("rtmatte.plate"))
        _check_sizes(base_area, multiple, *(number for state in states for number in (state.channels, state.stride)))
    except INVALID as error:
        raise BadFile(f"{graph.path} has invalid metadata ({error!r})", hint="download or export it again") from error
    ports = {port.name for port in (*graph.inputs, *graph.outputs)}
    needed = {"frame", "alpha", *(state.input for state in states), *(state.output for state in states)}
    needed |= {plate.colours, plate.validity} if plate else set()
    if needed - ports:
        missing = ", ".join(sorted(needed - ports))
        raise BadFile(f"{graph.path} has no {missing} in its graph, which is {graph}", hint="export it again")
    fine = (options.quality or 1) > 1
    on_base_grid = Recurrent(input_size(base_area, multiple, ModelOptions()), states, plate) if fine else None
    return Recurrent(input_size(base_area, multiple, options), states, plate, on_base_grid)


@dataclass(frozen=True, slots=True)
class Recurrent:
    """How to run a network of this family, as its metadata says."""

    size: InputSize
    states: tuple[StateEntry, ...]
    plate: PlateInputs | None = None
    on_base_grid: "Recurrent | None" = None

    def signature(self, size: Size) -> Signature:
        """The frame and the state in, alpha and the next state out."""
        width, height = self.size.at(size)
        states = tuple(
            StateTensor(state.input, state.output, (1, state.channels, height // state.stride, width // state.stride))
            for state in self.states
        )
        shapes = (1, height, width, 3), (1, 1, height, width)
        return Signature("frame", shapes[0], np.uint8, "alpha", shapes[1], states, plate=self.plate)

    def preprocessor(self, size: Size, tensor: Tensor) -> Preprocessor:
        """Downscales only: the graph normalises."""
        return Downscaler(size, (tensor.shape[2], tensor.shape[1]), tensor[0])

    def alpha_reader(self, tensor: NDArray[np.float32]) -> AlphaReader:
        """The output is the alpha."""
        return clipped(tensor[0, 0])


def _plate_inputs(names: str | None) -> PlateInputs | None:
    """The entry ``rtmatte.plate``, a list of two names; None: the network does not see the clean plate."""
    if names is None:
        return None
    colours, validity = json.loads(names)
    return PlateInputs(str(colours), str(validity))


def _check_sizes(*numbers: int) -> None:
    if min(numbers) < 1 or max(numbers) >= 2**31:
        raise ValueError(f"a size is not from 1 to {2**31 - 1}")


def _state_entry(entry: Any) -> StateEntry:  # noqa: ANN401 -- JSON
    return StateEntry(str(entry["input"]), str(entry["output"]), int(entry["channels"]), int(entry["stride"]))
