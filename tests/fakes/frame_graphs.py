"""The graph of the whole frame beside the renderer on the CPU, for the same frames."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.models import onnx_file
from realtime_matte.models.family import identify
from realtime_matte.models.network import NetworkFile, OnnxNetwork, StartedNetwork
from realtime_matte.models.providers import CPU, Provider
from realtime_matte.models.runtime import Runtime, installed_runtime
from realtime_matte.models.session import start_cpu_session
from realtime_matte.render.frame_controls import ControlValues
from realtime_matte.render.frame_graph import FrameGraph, build
from realtime_matte.render.frame_session import FrameSession
from realtime_matte.render.renderer import CpuRenderer

FPS: Final = 30.0


class Still:
    """A background of one image, and how often it was asked for."""

    still: Final = True

    def __init__(self, image: Pixels) -> None:
        self.pixels = image
        self.reads = 0

    def image(self, frame: Frame, matte: object) -> Pixels:  # noqa: ARG002  # the same for every frame
        self.reads += 1
        return self.pixels

    def close(self) -> None: ...


def noisy_image(size: Size, seed: int = 3) -> Pixels:
    """An image where every pixel differs from its neighbours."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def network_file(
    path: Path,
    *,
    options: Mapping[str, object] | None = None,
    provider: Provider = CPU,
    runtime: Runtime | None = None,
) -> NetworkFile:
    """A network's file, to be run on ``provider``."""
    graph = onnx_file.read(path)
    return NetworkFile(graph, identify(graph, options or {}), provider, runtime or installed_runtime(), 1)


def cpu_network(file: NetworkFile) -> OnnxNetwork:
    """The same network, in floats on the CPU."""
    session = start_cpu_session(file.graph.path, installed_runtime(), threads=1)
    return OnnxNetwork([StartedNetwork("tiny", session, file.adapter)], ())


def frame_session(file: NetworkFile, size: Size, folder: Path) -> tuple[FrameGraph, FrameSession]:
    """The graph around the network, and a session of it on the CPU provider."""
    graph = build(file.graph.path, file.adapter, size)
    path = folder / "frame.onnx"
    path.write_bytes(graph.model)
    return graph, FrameSession(graph, start_cpu_session(path, file.runtime, threads=1), cuda_graphs=False)


def both(
    file: NetworkFile, frames: Sequence[Frame], folder: Path
) -> Iterator[tuple[Pixels, Pixels, CpuRenderer, Mapping[str, float]]]:
    """Of each frame: the composite of the CPU's kernels and that of the graph, the renderer and the measures."""
    size = frames[0].size
    background, controls = Still(noisy_image(size)), ControlValues(size)
    renderer = CpuRenderer(cpu_network(file), size=size, background=background)
    _, session = frame_session(file, size, folder)
    session.set_background(background.pixels)
    for frame in frames:
        expected = renderer.render(frame)
        actual, measures = session.run(frame.pixels, controls.of(frame))
        yield expected, actual, renderer, measures


def differences(expected: Pixels, actual: Pixels) -> np.ndarray:
    """The largest difference of each pixel's channels."""
    largest: np.ndarray = np.abs(expected.astype(np.int16) - actual).max(axis=2)
    return largest
