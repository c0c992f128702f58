"""The graph of the whole frame computes what the CPU's kernels compute: composites within 2 of 255."""

import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from fakes import networks as tiny
from fakes.frame_graphs import FPS, both, differences, frame_session, network_file, noisy_image

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.models import onnx_file
from realtime_matte.models.catalog import shipped_files
from realtime_matte.models.family import identify
from realtime_matte.render import frame_graph
from realtime_matte.render.frame_controls import ControlValues
from realtime_matte.sources import demo

SIZE: Size = (96, 64)


def demo_frames(count: int, size: Size) -> list[Frame]:
    """Frames of the demo camera, a moving portrait."""
    source = demo.open("", size=size, fps=None)
    buffer = np.zeros((source.size[1], source.size[0], 3), np.uint8)
    frames = []
    for index in range(count):
        frame = source.read(buffer)
        assert frame
        frames.append(Frame(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), index / FPS, index))
    source.close()
    return frames


def room(size: Size = SIZE) -> Pixels:
    """A background without green, with much structure."""
    pixels = cv2.resize(np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8), size)
    pixels[..., 1] //= 12
    return pixels


def moving_person(count: int, *, noise: float = 0.0, light: float = 1.0, fade: float = 1.0) -> list[Frame]:
    """A green person with a soft outline who walks to and fro.

    ``light``: from the middle on, colours are multiplied by this; ``fade``: again for each frame.
    """
    frames, generator = [], np.random.default_rng(2)
    for index in range(count):
        mask = cv2.ellipse(np.zeros(SIZE[::-1], np.float32), (34 + round(18 * np.sin(index / 3)), 50), (14, 34),
                           0, 0, 360, 1.0, -1)  # fmt: skip
        alpha = cv2.GaussianBlur(mask, (0, 0), 1.5)[..., None]
        pixels = alpha * np.float32([40, 150, 60]) + (1 - alpha) * room()
        pixels *= (light if index >= count // 2 else 1.0) * fade**index
        pixels += generator.normal(0, noise, pixels.shape)
        frames.append(Frame(np.clip(pixels, 0, 255).astype(np.uint8), index / FPS, index))
    return frames


def test_composites_of_the_shipped_network_are_those_of_the_cpu(tmp_path: Path) -> None:
    for expected, actual, renderer, measures in both(
        network_file(shipped_files()["small"]), demo_frames(4, (640, 360)), tmp_path
    ):
        assert differences(expected, actual).max() <= 2
        assert measures["covered"] == pytest.approx(renderer.covered, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1366, 768), (720, 1280), (480, 270)])
def test_composites_of_other_sizes_are_those_of_the_cpu(tmp_path: Path, size: Size) -> None:
    for expected, actual, *_ in both(network_file(shipped_files()["small"]), demo_frames(2, size), tmp_path):
        assert differences(expected, actual).max() <= 2


@pytest.mark.slow
def test_composites_of_two_grids_are_those_of_the_cpu(tmp_path: Path) -> None:
    file = network_file(shipped_files()["small"], options={"quality": 1.8})
    assert file.adapter.on_base_grid
    for expected, actual, *_ in both(file, demo_frames(2, (640, 360)), tmp_path):
        assert differences(expected, actual).max() <= 2


@pytest.mark.parametrize(
    ("noise", "light", "fade"), [(0.0, 1.0, 1.0), (8.0, 1.0, 1.0), (1.0, 1.6, 1.0), (3.6, 1.0, 1.0), (0.5, 1.0, 0.98)]
)
def test_the_clean_plate_the_noise_and_the_light_are_those_of_the_cpu(
    tmp_path: Path, noise: float, light: float, fade: float
) -> None:
    """The person uncovers background that is known then. Light that changes at once makes the plate unknown; light that
    fades changes the colours of what is covered.
    """
    file = network_file(tiny.green(tmp_path / "green.onnx"))
    for number, (expected, actual, renderer, measures) in enumerate(
        both(file, moving_person(24, noise=noise, light=light, fade=fade), tmp_path)
    ):
        different = differences(expected, actual)
        assert (different > 2).mean() <= 0.001, number
        assert different.max() <= 6, number
        plate = renderer._refiner._grid.clean_plate
        assert measures["revealed"] == pytest.approx(plate.revealed, abs=2e-3)
    assert plate._known.any()


def test_background_that_becomes_foreground_is_measured(tmp_path: Path) -> None:
    """It keeps the colours of the plate: a little more light turns it into foreground for this network."""
    file = network_file(tiny.green(tmp_path / "green.onnx", ramp=(30, 34)))
    pixels = [np.full((SIZE[1], SIZE[0], 3), level, np.uint8) for level in (28, 28, 28, 36)]
    frames = [Frame(image, index / FPS, index) for index, image in enumerate(pixels)]
    measured = [
        (measures["revealed"], renderer._refiner._grid.clean_plate.revealed)
        for *_, renderer, measures in both(file, frames, tmp_path)
    ]
    assert measured == [(0, 0), (0, 0), (0, 0), (1, 1)]


def test_the_plate_corrects_edges_in_the_graph_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, composites differ: the comparison above would notice a plate that does nothing."""
    file, frames = network_file(tiny.green(tmp_path / "green.onnx")), moving_person(24)
    with_plate = [actual.copy() for _, actual, *_ in both(file, frames, tmp_path)]
    monkeypatch.setattr("realtime_matte.render.graph_plate.edge.UNRELIABLE_VARIANCE", np.float32(1e-6))
    without = [actual.copy() for _, actual, *_ in both(file, frames, tmp_path)]
    assert max(int(differences(one, other).max()) for one, other in zip(with_plate, without, strict=True)) > 10


def test_the_graph_is_a_valid_model_of_fixed_shapes(tmp_path: Path) -> None:
    file = network_file(tiny.green(tmp_path / "green.onnx"))
    graph = frame_graph.build(file.graph.path, file.adapter, SIZE)
    model = onnx.load_from_string(graph.model)
    onnx.checker.check_model(model, full_check=True)
    for port in (*model.graph.input, *model.graph.output):
        assert all(side.dim_value > 0 for side in port.type.tensor_type.shape.dim), port.name
    states = {state.input for state in graph.states}
    assert {port.name for port in model.graph.input} == {"pixels", "background", "controls"} | states
    assert states == {"network_m8", "plate", "light", "alpha", "sure_s"}


def test_the_weights_of_a_network_on_two_grids_are_stored_once() -> None:
    path = shipped_files()["large"]
    graph = onnx_file.read(path)
    sizes = [
        len(frame_graph.build(path, identify(graph, options), (640, 360)).model) for options in ({}, {"quality": 1.0})
    ]
    assert sizes[0] < sizes[1] + 200_000 < path.stat().st_size + 400_000


def test_a_network_of_another_family_is_refused(tmp_path: Path) -> None:
    file = network_file(tiny.one_channel(tmp_path / "one.onnx"))
    assert frame_graph.can_include(file.graph, file.adapter).startswith("only networks of rtmatte's own family")
    green = network_file(tiny.green(tmp_path / "green.onnx"))
    assert frame_graph.can_include(green.graph, green.adapter) == ""


def test_a_network_with_a_further_input_is_refused(tmp_path: Path) -> None:
    model = onnx.load(tiny.green(tmp_path / "green.onnx"))
    model.graph.input.append(onnx.helper.make_tensor_value_info("depth", onnx.TensorProto.UINT8, [1, 8, 8, 3]))
    onnx.save(model, tmp_path / "more.onnx")
    file = network_file(tmp_path / "more.onnx")
    assert frame_graph.can_include(file.graph, file.adapter) == "the network has other inputs than frame, m8"


def test_a_network_that_sees_the_clean_plate_is_given_one_that_is_valid_nowhere(tmp_path: Path) -> None:
    """The alpha of this network is the difference from the plate, times the validity."""
    file = network_file(tiny.with_plate(tmp_path / "plate.onnx"))
    assert frame_graph.can_include(file.graph, file.adapter) == ""
    graph, session = frame_session(file, SIZE, tmp_path)
    assert {port.name for port in onnx.load_from_string(graph.model).graph.input} >= {"pixels", "background"}
    background, controls = noisy_image(SIZE), ControlValues(SIZE)
    session.set_background(background)
    for frame in moving_person(12):
        composite, measures = session.run(frame.pixels, controls.of(frame))
        assert measures["covered"] == 0
        np.testing.assert_array_equal(composite, background)


def test_the_script_writes_the_graph_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network, out = tiny.green(tmp_path / "green.onnx"), tmp_path / "frame.onnx"
    script = str(Path(__file__).parents[2] / "scripts/frame_graph.py")
    for spec, status in ((network, 0), (tmp_path / "none.onnx", 2)):
        monkeypatch.setattr(sys, "argv", ["frame_graph.py", f"--model={spec}", "--size=96x64", f"--out={out}"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(script, run_name="__main__")
        assert ended.value.code == status
    onnx.checker.check_model(onnx.load(out))
    assert capsys.readouterr().err.startswith("cannot write the graph: cannot read model")


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    file = network_file(tiny.green(tmp_path / "green.onnx"))
    (tmp_path / "green.onnx").unlink()
    with pytest.raises(ModelError, match="cannot write a graph around"):
        frame_graph.build(tmp_path / "green.onnx", file.adapter, SIZE)
