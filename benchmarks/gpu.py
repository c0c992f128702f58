"""The whole pipeline on an NVIDIA GPU, from 720p to 4K, beside RVM in half precision in the same run.

    python benchmarks/gpu.py --peers ../shared/peers --json gpu.json

Frames in memory to composites in memory: upload, one graph, download. In turn, round by round: ours as one graph
(``--provider cuda?pipeline``), our network on the GPU with the rest on the CPU (``--provider cuda``), and RVM as one
graph in 16 bits. Each is verified against the CPU first. Without a GPU that can run them it prints the reason and ends
with status 2. ``--provider cpu`` tests this script; its figures say nothing about a GPU.
"""

import json
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np
import rvm_graph

from realtime_matte import models
from realtime_matte.benchmark import machine
from realtime_matte.benchmark.memory_source import demo_frames
from realtime_matte.cli.console import columns
from realtime_matte.config import parsers
from realtime_matte.errors import MatteError, ModelError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.providers import Provider, requested_provider
from realtime_matte.models.runtime import ORT_ERRORS, this_machine
from realtime_matte.models.session import start_cpu_session
from realtime_matte.render.frame_controls import ControlValues
from realtime_matte.render.frame_session import FrameSession
from realtime_matte.render.gpu_renderer import GpuRenderer, StillImage, open_renderer
from realtime_matte.render.graph_opening import Render, open_graph
from realtime_matte.render.renderer import CpuRenderer

SIZES: Final = ("1280x720", "1920x1080", "3840x2160")
WARM_UP_FRAMES: Final = 20
FRAME_S: Final = 1 / 30

REPORTED: tuple[type[Exception], ...] = (MatteError, OSError, ValueError, *ORT_ERRORS)

Programs = dict[str, Render]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 without a GPU that can be used."""
    parser = ArgumentParser(description="Measure the whole pipeline on an NVIDIA GPU.")
    parser.add_argument("--size", action="append", metavar="WxH", help=f"may be repeated ({', '.join(SIZES)})")
    parser.add_argument("--model", default="small", metavar="NAME", help="our network (%(default)s)")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help=f"holds {rvm_graph.RVM}: measure RVM too")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="figures are of all rounds (%(default)s)")
    parser.add_argument("--frames", type=int, default=100, metavar="N", help="of one round (%(default)s)")
    parser.add_argument("--provider", default="cuda", metavar="NAME", help="cuda, or cpu to test this script")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)  # as the program does
    try:
        provider = requested_provider(options.provider, this_machine())
        found = {text: _measure(options, provider, parsers.size(text)) for text in options.size or SIZES}
    except REPORTED as error:
        print(f"gpu: {error}", file=sys.stderr)
        return 2
    on = machine.describe() | {"gpu": _gpu()}
    print(
        "\n".join([f"On {on['gpu'] or 'no GPU'}, {on['cpu']}, ONNX Runtime {on['onnxruntime']}", "", *_report(found)])
    )
    if options.json:
        options.json.write_text(json.dumps({"machine": on, "ms": found}, indent=1))
    return 0


def _measure(options: Namespace, provider: Provider, size: Size) -> dict[str, list[float]]:
    """The milliseconds of each frame, by program."""
    images = demo_frames(size)
    background = cv2.GaussianBlur(images[0][:, ::-1], (0, 0), 9).astype(np.uint8, copy=False)
    with TemporaryDirectory() as folder:
        programs = _ours(options.model, provider, background)
        if options.peers:
            programs |= _rvm(options.peers / rvm_graph.RVM, provider, background, Path(folder))
        index = 0

        def turn(render: Render, frames: int) -> list[float]:
            nonlocal index
            taken = []
            for _ in range(frames):
                frame = Frame(images[index % len(images)], index * FRAME_S, index)
                start = time.perf_counter()
                render(frame)
                taken.append(1000 * (time.perf_counter() - start))
                index += 1
            return taken

        for render in programs.values():
            turn(render, min(WARM_UP_FRAMES, options.frames))
        print(f"measuring {size[0]}x{size[1]}: {', '.join(programs)} ...", file=sys.stderr, flush=True)
        order = list(programs)
        rounds = []
        for _ in range(options.rounds):
            rounds.append({name: turn(programs[name], options.frames) for name in order})
            order.reverse()  # none always runs after the same other one
    return {name: [one for part in rounds for one in part[name]] for name in programs}


def _ours(spec: str, provider: Provider, background: Pixels) -> Programs:
    """Raises MatteError: the network, or the graph, does not run there."""
    size = background.shape[1], background.shape[0]
    network = models.open(spec, provider=f"{provider.name}?pipeline")
    assert isinstance(network, OnnxNetwork)  # noqa: S101
    assert network.pipeline  # noqa: S101
    checked, notices = CheckedNetwork(network), list[str]()
    on_cpu = CpuRenderer(checked, size=size, background=StillImage(background))
    whole = open_renderer(
        network.pipeline, checked, CpuRenderer(checked, size=size, background=StillImage(background)),
        size=size, notify=notices.append,
    )  # fmt: skip
    if not isinstance(whole, GpuRenderer):
        raise ModelError(notices[0])
    print("\n".join(whole.notices), file=sys.stderr)
    return {
        f"{network.name}, one graph": _checked(whole),
        f"{network.name}, network on {provider.title}, the rest on the CPU": on_cpu.render,
    }


def _checked(renderer: GpuRenderer) -> Render:
    """Renders, and fails where the graph does not."""

    def render(frame: Frame) -> Pixels:
        image = renderer.render(frame)
        if not renderer.on_gpu:
            raise ModelError(renderer.notices[-1])
        return image

    return render


def _rvm(path: Path, provider: Provider, background: Pixels, folder: Path) -> Programs:
    size = background.shape[1], background.shape[0]
    half = folder / "rvm_fp16.onnx"
    rvm_graph.to_half(path, half)
    network = rvm_graph.network_file(half, provider)
    graph = rvm_graph.build(network, size)
    file = folder / "rvm_frame.onnx"
    file.write_bytes(graph.model)

    def reference(image: Pixels) -> Render:
        session = start_cpu_session(file, network.runtime, threads=1)
        return _render(FrameSession(graph, session, cuda_graphs=False), image)

    session, notices = open_graph(graph, network, reference=reference)
    print("\n".join(notices), file=sys.stderr)
    print(f"RVM runs on {session.title}", file=sys.stderr)
    return {"RVM fp16, one graph": _render(session, background)}


def _render(session: FrameSession, background: Pixels) -> Render:
    session.set_background(background)
    controls = ControlValues(session.size)
    return lambda frame: session.run(frame.pixels, controls.of(frame))[0]


def _report(found: dict[str, dict[str, list[float]]]) -> list[str]:
    rows = [["size", "", "ms a frame, p50", "p95", "frames a second"]]
    for size, programs in found.items():
        for name, times in programs.items():
            middle, late = median(times), quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
            rows.append([size, name, f"{middle:.2f}", f"{late:.2f}", f"{1000 / middle:.0f}"])
    return [columns(rows)]


def _gpu() -> str:
    """Name and driver of the GPU; empty without nvidia-smi."""
    program = which("nvidia-smi")
    if program is None:
        return ""
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=False, timeout=30).stdout.strip()  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
