"""One ONNX graph of everything between an uploaded frame and its composite, for a GPU: matte, refine, composite.

It is written when a renderer for it is opened, around the network's own file, rather than shipped. So the weights are
stored once, a network that a user trained can be used as well, and the constants are those of the CPU's kernels, which
cannot drift apart. It is for one size of frames: with fixed shapes, no operator computes shapes, which a CUDA graph
does not allow. ``scripts/frame_graph.py`` writes it to a file.

Inputs, beside the states: ``pixels`` and ``background``, (1, H, W, 3) uint8 BGR; ``controls``, (len(CONTROLS),)
float32. Outputs, beside the states: ``composite``, (1, H, W, 3) uint8 BGR; ``measures``, (len(MEASURES),) float32.
States are float32 and begin as zeros. A network that sees the clean plate is given one that is valid nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from realtime_matte.errors import ModelError
from realtime_matte.frame import Size
from realtime_matte.models.family import Adapter, Signature, StateTensor
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.onnx_tensors import Tensor, joined, larger, smaller
from realtime_matte.models.onnx_writer import GraphWriter
from realtime_matte.render.graph_grid import filtered, fitted, limited, without_weak
from realtime_matte.render.graph_plate import LIGHT_CHANNELS, PLATE_CHANNELS, Plate, correct
from realtime_matte.render.graph_resize import Downscaling
from realtime_matte.render.weak_regions import block_side

CONTROLS: Final = ("elapsed_s", "alpha_weight", "plate_weight", "reference_weight", "epsilon", "anchored", "serial")
"""Seconds since the previous frame. Of the temporal filter, the plate's colours and the reference colours: weights of
the new frame. Regularisation and anchoring by the noise. A number of the frame."""

MEASURES: Final = ("covered", "least", "most", "revealed", "serial")
"""Mean alpha of the network; its least and most before they are clipped; the share that is revealed; the frame's number
as it came in, so that a composite that was not computed is noticed."""


@dataclass(frozen=True, slots=True)
class FrameGraph:
    """The graph.

    Attributes:
        model: The bytes of an .onnx file.
        size: (width, height) of the frames.
        grid: (width, height) of the network's alpha.
        states: What one frame leaves to the next.
    """

    model: bytes
    size: Size
    grid: Size
    states: tuple[StateTensor, ...]


def can_include(graph: Graph, adapter: Adapter) -> str:
    """Why a network cannot be a part of such a graph; empty if it can, as far as its inputs show."""
    grids = [grid for grid in (adapter, adapter.on_base_grid) if grid]
    for signature in (grid.signature((1280, 720)) for grid in grids):
        inputs = {signature.input, *signature.plate_shapes, *(state.input for state in signature.states)}
        if signature.input_type is not np.uint8 or signature.states_grow or signature.constants:
            return "only networks of rtmatte's own family, which take 8-bit frames, can be a part of it"
        if {port.name for port in graph.inputs} != inputs:
            return f"the network has other inputs than {', '.join(sorted(inputs))}"
    return ""


def build(path: Path, adapter: Adapter, size: Size) -> FrameGraph:
    """The graph around the network of a file.

    Args:
        path: The .onnx file.
        adapter: Its family's.
        size: (width, height) of the frames.

    Raises:
        ModelError: this network cannot be a part of such a graph, or the file cannot be read.
    """
    try:
        return _Builder(memoryview(path.read_bytes()), adapter, size).build()
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot write a graph around {path}: {error}", hint="leave out pipeline") from error


class _Builder:
    """Writes one graph."""

    def __init__(self, network: memoryview, adapter: Adapter, size: Size) -> None:
        self._network, self._adapter, self._size = network, adapter, size
        self._writer = GraphWriter()
        self._states: list[StateTensor] = []
        self._next: list[Tensor] = []

    def build(self) -> FrameGraph:
        """The graph. Raises ValueError: the network cannot be a part of it."""
        frame, background = self._image("pixels"), self._image("background")
        elapsed_s, weight, plate_weight, reference_weight, epsilon, anchored, serial = self._controls()
        guide, outputs, grid = self._run_network(Downscaling(frame, self._size))
        alpha = outputs[0].clip(0.0, 1.0)
        if len(outputs) > 1:
            alpha = limited(alpha, outputs[1].clip(0.0, 1.0), grid)
        cells = grid[::-1]
        plate = Plate(
            self._state("plate", (1, PLATE_CHANNELS, *cells)),
            self._state("light", (1, LIGHT_CHANNELS, 1, 1)),
            (plate_weight, reference_weight),
        )
        before = self._state("alpha", (1, 1, *cells))
        side = block_side(cells)
        sure_s = self._state("sure_s", (1, 1, cells[0] // side, cells[1] // side))
        strong, sure_s = without_weak(alpha, sure_s, elapsed_s, grid)
        corrected = correct(strong, guide, plate, size=grid, people=alpha)
        smooth = filtered(corrected.alpha, before, weight)
        self._next += [corrected.state, corrected.light, smooth, sure_s]
        models, colours = fitted(guide, smooth, epsilon=epsilon, anchored=anchored)
        image = composite(frame, background, joined([models, colours]), self._size)
        measures = [*_range_of(alpha, outputs), corrected.revealed, serial.reshaped(1, 1, 1, 1)]
        return self._complete(image, joined(measures).reshaped(len(MEASURES)), grid)

    def _complete(self, image: Tensor, measures: Tensor, grid: Size) -> FrameGraph:
        width, height = self._size
        self._writer.output("composite", image.name, np.uint8, (1, height, width, 3))
        self._writer.output("measures", measures.name, np.float32, (len(MEASURES),))
        for state, tensor in zip(self._states, self._next, strict=True):
            self._writer.output(state.output, tensor.name, np.float32, state.shape)
        return FrameGraph(self._writer.model(), self._size, grid, tuple(self._states))

    def _run_network(self, downscaling: Downscaling) -> tuple[Tensor, list[Tensor], Size]:
        """The frame on the network's grid; its alpha, and that of its base grid if it has one; the grid's size."""
        adapters = {"network": self._adapter, "base": self._adapter.on_base_grid}
        runs = [
            self._run(name, adapter.signature(self._size), downscaling) for name, adapter in adapters.items() if adapter
        ]
        (guide, _, grid), *_ = runs
        if any(side % 2 for side in grid):
            raise ValueError(f"a side of its input of {grid[0]}x{grid[1]} is odd")
        return guide, [alpha for _, alpha, _ in runs], grid

    def _run(self, name: str, signature: Signature, downscaling: Downscaling) -> tuple[Tensor, Tensor, Size]:
        """The frame on a grid, the alpha there, and the grid's size. States of both grids have names of their own."""
        _, height, width, _ = signature.input_shape
        small = downscaling.to((width, height))
        inputs = {signature.input: small.cast(np.uint8).apply("Transpose", perm=(0, 2, 3, 1)).name}
        for plate_input, shape in signature.plate_shapes.items():
            # Zeros of that size would be stored in the file.
            zero, sides = self._writer.constant(np.uint8(0)), self._writer.constant(np.array(shape, np.int64))
            inputs[plate_input] = self._writer.node("Expand", [zero, sides])
        for state in signature.states:
            inputs[state.input] = self._state(f"{name}_{state.input}", state.shape).name
        tensor = self._writer.include(self._network, inputs, name=name)
        self._next += [Tensor(self._writer, tensor(state.output)) for state in signature.states]
        return small, Tensor(self._writer, tensor(signature.output)), (width, height)

    def _image(self, name: str) -> Tensor:
        """An image that is an input, as (1, 3, H, W) float32."""
        width, height = self._size
        image = Tensor(self._writer, self._writer.input(name, np.uint8, (1, height, width, 3)))
        return image.apply("Transpose", perm=(0, 3, 1, 2)).cast(np.float32)

    def _controls(self) -> Sequence[Tensor]:
        """Each of CONTROLS, (1, 1, 1, 1)."""
        controls = Tensor(self._writer, self._writer.input("controls", np.float32, (len(CONTROLS),)))
        return controls.reshaped(1, len(CONTROLS), 1, 1).channels(*[1] * len(CONTROLS))

    def _state(self, name: str, shape: tuple[int, ...]) -> Tensor:
        state = StateTensor(name, f"{name}_next", shape)
        self._states.append(state)
        return Tensor(self._writer, self._writer.input(name, np.float32, shape))


def composite(frame: Tensor, background: Tensor, models: Tensor, size: Size) -> Tensor:
    """As ``upsample.upsample_composite``: (1, H, W, 3) uint8, exact where alpha is 0 or 1.

    Args:
        frame: (1, 3, H, W), 0 .. 255.
        background: The same.
        models: (1, 10, h, w): linear models and colours.
        size: (W, H).
    """
    gains, constant, foreground, old = models.channels(3, 1, 3, 3)
    everywhere = joined([gains, constant, foreground - old, old]).resized(*size, 10, mode="linear")
    *gain, constant, difference, old = everywhere.channels(1, 1, 1, 1, 3, 3)
    blue, green, red = (value * one for value, one in zip(frame.channels(1, 1, 1), gain, strict=True))
    alpha = (constant + blue + green + red).clip(0.0, 1.0)
    # Forte 2021, equation 7: F + a (I - a F - (1 - a) B), with F = B + difference
    clean = old + alpha * (frame - old) + (1 - alpha * alpha) * difference
    mixed = background + alpha * (clean.clip(0.0, 255.0) - background)
    return (mixed + 0.5).cast(np.uint8).apply("Transpose", perm=(0, 2, 3, 1))


def _range_of(alpha: Tensor, outputs: Sequence[Tensor]) -> list[Tensor]:
    """Mean alpha, and the least and the most of the networks' outputs. A NaN anywhere makes all of them NaN."""
    means = [output.apply("ReduceMean", axes=(1, 2, 3)) for output in outputs]
    unknown = (means[0] + means[-1]) * 0.0
    least = [output.apply("ReduceMin", axes=(1, 2, 3)) for output in outputs]
    most = [output.apply("ReduceMax", axes=(1, 2, 3)) for output in outputs]
    measures = [alpha.apply("ReduceMean", axes=(1, 2, 3)), smaller(least[0], least[-1]), larger(most[0], most[-1])]
    return [measure + unknown for measure in measures]
