"""Robust Video Matting (Lin et al. 2022): RGB in 0..1, four state tensors, alpha in 0..1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import ModelError
from realtime_matte.frame import Size
from realtime_matte.models.family import AlphaReader, Preprocessor, Signature, StateTensor, Tensor, clipped
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import ModelOptions
from realtime_matte.models.preprocess import UNIT, InputSize, input_size, preprocessor

DESCRIPTION = "src, r1i..r4i (and downsample_ratio) -> pha, r1o..r4o"
OPTIONS = frozenset({"size", "quality"})

_BASE_AREA = 512 * 288
"""Input pixels that its authors use for HD, by their downsample_ratio of 0.4 (1080p: 0.25)."""

_STRIDES = (2, 4, 8, 16)
_STATE_INPUTS = tuple(f"r{number}i" for number in (1, 2, 3, 4))
_STATE_OUTPUTS = tuple(f"r{number}o" for number in (1, 2, 3, 4))


def recognises(graph: Graph) -> bool:
    """True for the names of inputs and outputs in its authors' exports."""
    inputs, outputs = {port.name for port in graph.inputs}, {port.name for port in graph.outputs}
    needed = {"src", *_STATE_INPUTS}
    return needed <= inputs <= {*needed, "downsample_ratio"} and {"pha", *_STATE_OUTPUTS} <= outputs


def open(graph: Graph, options: ModelOptions) -> "RobustVideoMatting":
    """The adapter. Raises ModelError for the half-precision export."""
    ports = {port.name: port for port in graph.inputs}
    if ports["src"].element_type != "float":
        raise ModelError(
            f"{graph.path} takes {ports['src'].element_type}",
            hint="use its float32 export, rvm_mobilenetv3_fp32.onnx",
        )
    channels = tuple(ports[name].shape[1] if len(ports[name].shape) > 1 else 0 for name in _STATE_INPUTS)
    known = tuple(channel if isinstance(channel, int) else 0 for channel in channels)
    return RobustVideoMatting(known, "downsample_ratio" in ports, input_size(_BASE_AREA, 16, options))


@dataclass(frozen=True, slots=True)
class RobustVideoMatting:
    """How to run one.

    ``channels``: of each state tensor, 0 where the file does not say. ``takes_ratio``: it has a downsample_ratio.
    """

    channels: tuple[int, ...]
    takes_ratio: bool
    size: InputSize
    on_base_grid: None = None

    def signature(self, size: Size) -> Signature:
        """The downscaled frame with a downsample_ratio of 1."""
        width, height = self.size.at(size)
        shapes = (_shape(width, height, *pair) for pair in zip(self.channels, _STRIDES, strict=True))
        return Signature(
            input="src",
            input_shape=(1, 3, height, width),
            input_type=np.float32,
            output="pha",
            output_shape=(1, 1, height, width),
            states=tuple(map(StateTensor, _STATE_INPUTS, _STATE_OUTPUTS, shapes)),
            states_grow=0 in self.channels,
            constants={"downsample_ratio": np.ones(1, np.float32)} if self.takes_ratio else {},
        )

    def preprocessor(self, size: Size, tensor: Tensor) -> Preprocessor:
        """RGB / 255."""
        return preprocessor(size, tensor, UNIT)

    def alpha_reader(self, tensor: NDArray[np.float32]) -> AlphaReader:
        """The output is the alpha."""
        return clipped(tensor[0, 0])


def _shape(width: int, height: int, channels: int, stride: int) -> tuple[int, ...]:
    """The state's shape before the first frame. A single zero if the channels are unknown: the graph broadcasts it."""
    return (1, channels, height // stride, width // stride) if channels else (1, 1, 1, 1)
