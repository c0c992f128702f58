"""A provider gets the whole pipeline only after it was verified; otherwise the CPU renders, with the reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.frame_graphs import Still, cpu_network, network_file, noisy_image
from fakes.models import Script, fake_runtime

from realtime_matte.frame import Frame, Size
from realtime_matte.models.network import NetworkFile
from realtime_matte.models.providers import CPU, CUDA
from realtime_matte.models.runtime import OrtSession, Runtime
from realtime_matte.render import frame_graph
from realtime_matte.render.gpu_renderer import GpuRenderer, open_renderer
from realtime_matte.render.renderer import CpuRenderer

SIZE: Size = (96, 64)


def opened(file: NetworkFile, reported: list[str]) -> CpuRenderer | GpuRenderer:
    """The renderer, after a frame."""
    network = cpu_network(file)
    cpu = CpuRenderer(network, size=SIZE, background=Still(noisy_image(SIZE)))
    renderer = open_renderer(file, network, cpu, size=SIZE, notify=reported.append)
    assert isinstance(renderer, CpuRenderer | GpuRenderer)
    pixels = np.full((SIZE[1], SIZE[0], 3), (0, 200, 0), np.uint8)
    assert (renderer.render(Frame(pixels, 0.0, 0)) == (0, 200, 0)).all()
    return renderer


def played(folder: Path, scripts: dict[str, Script], change: Callable[[Runtime], Runtime] = lambda one: one) -> Any:  # noqa: ANN401
    """A network on a CUDA provider that is played."""
    path = tiny.green(folder / "green.onnx", ramp=(60, 140))
    return network_file(path, provider=CUDA, runtime=change(fake_runtime(scripts)))


def test_the_cpu_provider_is_verified_and_used(tmp_path: Path) -> None:
    reported: list[str] = []
    renderer = opened(network_file(tiny.green(tmp_path / "green.onnx", ramp=(60, 140))), reported)
    assert isinstance(renderer, GpuRenderer)
    assert (renderer.notices, reported) == (["the whole pipeline runs on CPU, as one graph"], [])


def test_cuda_records_a_graph_for_each_direction_of_the_states(tmp_path: Path) -> None:
    reported, script = list[str](), Script()
    renderer = opened(played(tmp_path, {CUDA.key: script}), reported)
    assert isinstance(renderer, GpuRenderer)
    assert renderer.notices == ["the whole pipeline runs on CUDA with CUDA graphs, as one graph"]
    assert script.options["enable_cuda_graph"] == "1"
    assert script.cuda_graphs == ["2", "1", "2", "1", "2", "1", "2"]
    assert reported == []


def without_cuda_graphs(runtime: Runtime) -> Runtime:
    """Refuses CUDA graphs, as ONNX Runtime does where an operator is left to the CPU."""

    def start(path: str, options: object, providers: Sequence[tuple[str, Mapping[str, str]]]) -> OrtSession:
        if "enable_cuda_graph" in providers[0][1]:
            raise RuntimeError("not all nodes are on the CUDAExecutionProvider")
        return runtime.start_session(path, options, providers)  # type: ignore[arg-type]

    return replace(runtime, start_session=start)


def test_cuda_runs_without_cuda_graphs_where_they_fail(tmp_path: Path) -> None:
    reported, script = list[str](), Script()
    renderer = opened(played(tmp_path, {CUDA.key: script}, without_cuda_graphs), reported)
    assert renderer.notices == [
        "the whole pipeline runs on CUDA, as one graph",
        "CUDA graphs are not used: not all nodes are on the CUDAExecutionProvider",
    ]
    assert (script.cuda_graphs, reported) == ([], [])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(start_error="libcudnn.so.9: cannot open shared object file"), "libcudnn.so.9"),
        (Script(unlisted=True), "ONNX Runtime gave no reason"),
        (Script(runs_nothing=True), "no operator ran on it"),
        (Script(convolutions_on_cpu=1), "it left 1 of 1 convolutions to the CPU"),
        (Script(fails_on=4), "CUDA failure 700: an illegal memory access was encountered"),
    ],
)
def test_the_cpu_renders_where_the_provider_does_not_run(tmp_path: Path, script: Script, reason: str) -> None:
    reported: list[str] = []
    renderer = opened(played(tmp_path, {CUDA.key: script}), reported)
    assert isinstance(renderer, CpuRenderer)
    (notice,) = reported
    assert notice.startswith(f"the pipeline does not run on CUDA: {reason}")
    assert notice.endswith("; rendering on the CPU")


def test_the_cpu_renders_where_the_provider_computes_something_else(tmp_path: Path) -> None:
    """As if a graph of another network ran: the person is found elsewhere."""
    file = played(tmp_path, script := {CUDA.key: Script()})
    other = network_file(tiny.green(tmp_path / "other.onnx", ramp=(140, 240)))
    (tmp_path / "other_graph.onnx").write_bytes(frame_graph.build(other.graph.path, other.adapter, SIZE).model)
    script[CUDA.key].computes = tmp_path / "other_graph.onnx"
    reported: list[str] = []
    assert isinstance(opened(file, reported), CpuRenderer)
    assert "its composite 1 differs by" in reported[0]


def test_a_network_that_cannot_be_in_a_graph_is_rendered_on_the_cpu(tmp_path: Path) -> None:
    path, reported = tiny.one_channel(tmp_path / "one.onnx", size=(48, 32)), list[str]()
    file = network_file(path, provider=CPU)
    network = cpu_network(file)
    cpu = CpuRenderer(network, size=SIZE, background=Still(noisy_image(SIZE)))
    assert open_renderer(file, network, cpu, size=SIZE, notify=reported.append) is cpu
    assert reported[0].startswith("the pipeline does not run on CPU: only networks of rtmatte's own family")
