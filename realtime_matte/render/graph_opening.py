"""Opens the graph of the whole frame on a provider, and verifies it there against the renderer on the CPU.

As for networks, a provider that starts is no proof that it computes: the profile of some frames must name it, and
their composites must be those of the CPU's kernels.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import fit
from realtime_matte.models.network import NetworkFile
from realtime_matte.models.providers import CUDA, Provider
from realtime_matte.models.session import Session, VerificationError, start_session
from realtime_matte.models.verify import profiled_run, warm_up_frames
from realtime_matte.render.frame_controls import ControlValues
from realtime_matte.render.frame_graph import FrameGraph, build, can_include
from realtime_matte.render.frame_session import FrameSession

CUDA_GRAPH: Final = "enable_cuda_graph"
"""ONNX Runtime's option of its CUDA provider."""

ROUNDS: Final = 2
"""How often the frames of the warm-up are rendered: CUDA graphs are recorded in the first and second frame."""

FRAME_S: Final = 1 / 30

MAX_DIFFERENCE: Final = 1.0
"""Mean difference of a composite, of 255. Of the 8-bit network's composites it is at most 0.3; if the state is lost, if
everything is shifted by a pixel, or if another network computes, more than 1 in some frame."""

Render = Callable[[Frame], Pixels]
"""Renders the next frame of a shot over a background."""


def open_session(
    network: NetworkFile, size: Size, *, reference: Callable[[Pixels], Render]
) -> tuple[FrameSession, Sequence[str]]:
    """The graph on the provider that ``network`` names, verified; and notices.

    Args:
        network: Its file and the provider.
        size: (width, height) of the frames.
        reference: Returns a function that renders frames on the CPU over a background.

    Raises:
        ModelError: the network cannot be a part of a graph.
        VerificationError: the provider does not run it, or computes something else.
    """
    if reason := can_include(network.graph, network.adapter):
        raise ModelError(reason, hint="choose another --model")
    return open_graph(build(network.graph.path, network.adapter, size), network, reference=reference)


def open_graph(
    graph: FrameGraph, network: NetworkFile, *, reference: Callable[[Pixels], Render]
) -> tuple[FrameSession, Sequence[str]]:
    """As ``open_session``, for a graph around that network. Raises VerificationError."""
    frames, background = _frames(graph.size), _background(graph.size)
    render = reference(background)
    expected = [render(frame).copy() for frame in frames]
    verify = partial(_verified, graph, network, frames=frames, background=background, expected=expected)
    if network.provider.key != CUDA.key:
        return verify(cuda_graphs=False), ()
    try:
        return verify(cuda_graphs=True), ()
    except VerificationError as error:
        return verify(cuda_graphs=False), [f"CUDA graphs are not used: {error.message}"]


def _verified(
    graph: FrameGraph,
    network: NetworkFile,
    *,
    frames: Sequence[Frame],
    background: Pixels,
    expected: Sequence[Pixels],
    cuda_graphs: bool,
) -> FrameSession:
    """The graph on the provider, verified. Raises VerificationError."""

    def run(session: Session) -> tuple[FrameSession, list[Pixels]]:
        opened = FrameSession(graph, session, cuda_graphs=cuda_graphs)
        opened.set_background(background)
        controls = ControlValues(graph.size)
        return opened, [opened.run(frame.pixels, controls.of(frame))[0].copy() for frame in frames]

    start = partial(_start, graph, network, cuda_graphs=cuda_graphs)
    _, (session, actual) = profiled_run(start, run, network.graph)
    for number, (image, right) in enumerate(zip(actual, expected, strict=True), 1):
        difference = float(np.abs(image.astype(np.int16) - right).mean())
        if difference > MAX_DIFFERENCE:
            raise VerificationError(f"its composite {number} differs by {difference:.1f} of 255 from the CPU's")
    session.reset()
    return session


def _start(graph: FrameGraph, network: NetworkFile, profile: Path, *, cuda_graphs: bool) -> Session:
    provider = _with_cuda_graphs(network.provider) if cuda_graphs else network.provider
    try:
        with TemporaryDirectory(prefix="rtmatte-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "frame.onnx"
            file.write_bytes(graph.model)
            return start_session(file, provider, network.runtime, threads=network.threads, profile=profile)
    except OSError as error:
        raise VerificationError(f"cannot write its graph ({error})", hint="free some space, or set TMPDIR") from error


def _with_cuda_graphs(provider: Provider) -> Provider:
    return replace(provider, options={**provider.options, CUDA_GRAPH: "1"})


def _frames(size: Size) -> list[Frame]:
    crops = [fit.resize(crop, size) for crop in warm_up_frames()]
    return [Frame(crop, FRAME_S * index, index) for index, crop in enumerate(crops * ROUNDS)]


def _background(size: Size) -> Pixels:
    """A gradient: every pixel's place shows."""
    across, down = np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1])
    return np.stack(np.broadcast_arrays(across, down[:, None], 255 - across), axis=2).astype(np.uint8)
