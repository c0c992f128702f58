"""Robust Video Matting in half precision, from the uploaded frame to the composite as one graph, for ``gpu.py``.

As strong as it can be on a GPU: in the 16 bits that its authors measure, with frames, background and states on the
device, as ours. The network runs on the input size that its authors use for HD; alpha and foreground are enlarged by
bilinear interpolation, without the guided filter of its authors, which would take time.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np

from realtime_matte.errors import MissingDependency
from realtime_matte.frame import Size
from realtime_matte.models import onnx_file
from realtime_matte.models.family import StateTensor, identify
from realtime_matte.models.network import NetworkFile
from realtime_matte.models.onnx_tensors import Tensor, joined
from realtime_matte.models.onnx_writer import GraphWriter
from realtime_matte.models.providers import Provider
from realtime_matte.models.runtime import installed_runtime
from realtime_matte.render.frame_graph import CONTROLS, MEASURES, FrameGraph
from realtime_matte.render.graph_resize import Downscaling

RVM: Final = "rvm_mobilenetv3.onnx"


def to_half(path: Path, out: Path) -> None:
    """Write the network in 16 bits; its inputs and outputs stay in 32. Raises OSError, MissingDependency."""
    try:
        import onnx  # noqa: PLC0415 -- not a dependency of rtmatte, and needed for RVM only
        from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415 -- it needs onnx
    except ImportError as error:
        raise MissingDependency(
            f"RVM in 16 bits needs the package {error.name or 'onnx'!r}, which is not installed",
            hint=f"{sys.executable} -m pip install {error.name or 'onnx'}, or leave out --peers",
        ) from error
    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), out)


def network_file(path: Path, provider: Provider) -> NetworkFile:
    """A network to run on a provider. Raises MatteError."""
    graph = onnx_file.read(path)
    return NetworkFile(graph, identify(graph, {}), provider, installed_runtime(), 1)


def build(network: NetworkFile, size: Size) -> FrameGraph:
    """The graph for frames of ``size``, with the inputs and outputs of ours. Raises ValueError."""
    width, height = size
    signature = network.adapter.signature(size)
    grid = signature.input_shape[3], signature.input_shape[2]
    writer = GraphWriter()

    def image(name: str) -> Tensor:
        pixels = Tensor(writer, writer.input(name, np.uint8, (1, height, width, 3)))
        return pixels.apply("Transpose", perm=(0, 3, 1, 2)).cast(np.float32)

    frame, background = image("pixels"), image("background")
    controls = Tensor(writer, writer.input("controls", np.float32, (len(CONTROLS),))).reshaped(1, len(CONTROLS), 1, 1)
    inputs = {signature.input: (Downscaling(frame, size).to(grid).pick(2, 1, 0) / 255).name}
    states = [StateTensor(state.input, f"{state.input}_next", state.shape) for state in signature.states]
    if signature.states_grow:
        raise ValueError(f"{network.graph.path} does not name the channels of its states")
    inputs |= {name: writer.constant(array) for name, array in signature.constants.items()}
    inputs |= {state.input: writer.input(state.input, np.float32, state.shape) for state in states}
    tensor = writer.include(memoryview(network.graph.path.read_bytes()), inputs, name="rvm")
    alpha, foreground = Tensor(writer, tensor("pha")), Tensor(writer, tensor("fgr"))
    enlarged = joined([alpha, foreground.pick(2, 1, 0)]).clip(0.0, 1.0).resized(width, height, 4, mode="linear")
    share, colours = enlarged.channels(1, 3)
    mixed = background + share * (colours * 255 - background)
    composite = (mixed + 0.5).cast(np.uint8).apply("Transpose", perm=(0, 2, 3, 1))
    covered, serial = alpha.apply("ReduceMean", axes=(1, 2, 3)), controls.pick(len(CONTROLS) - 1)
    measures = joined([covered, covered, covered, covered * 0.0, serial]).reshaped(len(MEASURES))
    writer.output("composite", composite.name, np.uint8, (1, height, width, 3))
    writer.output("measures", measures.name, np.float32, (len(MEASURES),))
    for state, own in zip(states, signature.states, strict=True):
        writer.output(state.output, tensor(own.output), np.float32, state.shape)
    return FrameGraph(writer.model(), size, grid, tuple(states))
