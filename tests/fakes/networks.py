"""Tiny networks of every family: real graphs, whose alpha is easy to compute by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from realtime_matte import models
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Network

FLOAT, HALF, BYTE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8

Node = tuple[str, list[str], list[str], dict[str, Any]]
Port = tuple[str, int, Sequence[int | str]]


def write(
    path: Path,
    nodes: Sequence[Node],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    *,
    constants: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Save a graph as an .onnx file."""
    graph = helper.make_graph(
        [helper.make_node(operator, into, out, **attributes) for operator, into, out, attributes in nodes],
        "tiny",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*port) for port in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def recurrent_metadata(**changes: str) -> dict[str, str]:
    """The metadata of one of our own networks; ``changes`` without the prefix of the keys."""
    entries = {
        "family": "recurrent",
        "name": "tiny",
        "version": "1",
        "licence": "MIT",
        "commit": "abc123",
        "created": "2026-01-02",
        "multiple": "16",
        "area": "36864",
        "states": json.dumps([{"input": "m8", "output": "n8", "channels": 2, "stride": 8}]),
    }
    return {f"rtmatte.{key}": value for key, value in (entries | changes).items()}


def recurrent(
    path: Path, *, metadata: Mapping[str, str] | None = None, gain: float = 1.0, black_is_nan: bool = False
) -> Path:
    """Alpha is ``gain`` times a pixel's brightness (0..1), plus 0.01 for each frame since its state began."""
    grey = np.full((1, 3, 1, 1), gain / 3 / 255, np.float32)
    nodes: list[Node] = [
        ("Cast", ["frame"], ["float"], {"to": FLOAT}),
        ("Transpose", ["float"], ["planes"], {"perm": [0, 3, 1, 2]}),
        ("Conv", ["planes", "grey"], ["bright"], {}),
        ("Add", ["m8", "one"], ["n8"], {}),
        ("ReduceMean", ["n8"], ["count"], {"axes": [1, 2, 3], "keepdims": 1}),
        ("Mul", ["count", "hundredth"], ["counted"], {}),
        ("Add", ["bright", "counted"], ["unbounded"], {}),
        ("Clip", ["unbounded", "zero", "one"], ["sum"], {}),
        ("ReduceMax", ["bright"], ["top"], {"axes": [1, 2, 3], "keepdims": 1}),
        ("Div", ["top", "top"], ["one_or_nan"], {}),
        ("Mul", ["sum", "one_or_nan" if black_is_nan else "one"], ["alpha"], {}),
    ]
    constants = {"grey": grey, "zero": np.float32(0), "one": np.float32(1), "hundredth": np.float32(0.01)}
    inputs: list[Port] = [("frame", BYTE, [1, "h", "w", 3]), ("m8", FLOAT, [1, 2, "h8", "w8"])]
    outputs: list[Port] = [("alpha", FLOAT, [1, 1, "h", "w"]), ("n8", FLOAT, [1, 2, "h8", "w8"])]
    return write(path, nodes, inputs, outputs, constants=constants, metadata=metadata or recurrent_metadata())


def with_plate(path: Path, *, brightness: float = 0.0, difference: float = 1.0, person: float = 1.0) -> Path:
    """Alpha is the larger one of two: ``brightness`` times a pixel's brightness (0..1), and ``difference`` times the
    largest difference from the clean plate of its channels (0..2), where that is valid; both times ``person``.
    """
    nodes: list[Node] = [
        ("Cast", ["frame"], ["float"], {"to": FLOAT}),
        ("Transpose", ["float"], ["planes"], {"perm": [0, 3, 1, 2]}),
        ("Conv", ["planes", "grey"], ["bright"], {}),
        ("Cast", ["plate"], ["plate_float"], {"to": FLOAT}),
        ("Sub", ["float", "plate_float"], ["signed"], {}),
        ("Abs", ["signed"], ["unsigned"], {}),
        ("ReduceMax", ["unsigned"], ["largest"], {"axes": [3], "keepdims": 1}),
        ("Cast", ["validity"], ["sure"], {"to": FLOAT}),
        ("Mul", ["largest", "sure"], ["valid"], {}),
        ("Mul", ["valid", "scale"], ["scaled"], {}),
        ("Transpose", ["scaled"], ["differs"], {"perm": [0, 3, 1, 2]}),
        ("Max", ["bright", "differs"], ["either"], {}),
        ("Mul", ["either", "person"], ["unbounded"], {}),
        ("Clip", ["unbounded", "zero", "one"], ["alpha"], {}),
        ("Add", ["m8", "one"], ["n8"], {}),
    ]
    constants = {
        "grey": np.full((1, 3, 1, 1), brightness / 3 / 255, np.float32),
        "scale": np.float32(difference * 2 / 255 / 255),
        "person": np.float32(person),
        "zero": np.float32(0),
        "one": np.float32(1),
    }
    inputs: list[Port] = [
        ("frame", BYTE, [1, "h", "w", 3]),
        ("plate", BYTE, [1, "h", "w", 3]),
        ("validity", BYTE, [1, "h", "w", 1]),
        ("m8", FLOAT, [1, 2, "h8", "w8"]),
    ]
    outputs: list[Port] = [("alpha", FLOAT, [1, 1, "h", "w"]), ("n8", FLOAT, [1, 2, "h8", "w8"])]
    metadata = recurrent_metadata(plate='["plate", "validity"]')
    return write(path, nodes, inputs, outputs, constants=constants, metadata=metadata)


def green(path: Path, *, area: int = 96 * 64, ramp: tuple[int, int] = (30, 90), spoils_state: bool = False) -> Path:
    """Alpha rises from 0 to 1 where green does so along ``ramp``. ``spoils_state``: its second frame is NaN."""
    scale = 1 / (ramp[1] - ramp[0])
    weights = np.float32([0, scale, 0]).reshape(1, 3, 1, 1)
    nodes: list[Node] = [
        ("Cast", ["frame"], ["float"], {"to": FLOAT}),
        ("Transpose", ["float"], ["planes"], {"perm": [0, 3, 1, 2]}),
        ("Conv", ["planes", "weights", "offset"], ["scaled"], {}),
        ("Add", ["m8", "one"], ["n8"], {}),
        ("Sub", ["limit", "m8"], ["left"], {}),
        ("ReduceMin", ["left"], ["least"], {"axes": [1, 2, 3], "keepdims": 1}),
        ("Div", ["least", "least"], ["one_or_nan"], {}),
        ("Clip", ["scaled", "zero", "one"], ["bounded"], {}),
        ("Mul", ["bounded", "one_or_nan"], ["alpha"], {}),
    ]
    constants = {
        "weights": weights, "offset": np.float32([-ramp[0] * scale]), "zero": np.float32(0), "one": np.float32(1),
        "limit": np.float32(1 if spoils_state else 1e6),
    }  # fmt: skip
    inputs: list[Port] = [("frame", BYTE, [1, "h", "w", 3]), ("m8", FLOAT, [1, 2, "h8", "w8"])]
    outputs: list[Port] = [("alpha", FLOAT, [1, 1, "h", "w"]), ("n8", FLOAT, [1, 2, "h8", "w8"])]
    metadata = recurrent_metadata(area=str(area))
    return write(path, nodes, inputs, outputs, constants=constants, metadata=metadata)


def one_channel(
    path: Path,
    *,
    planar: bool = True,
    size: tuple[int, int] | None = (32, 16),
    instance_normalisation: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Alpha is the first channel of the input tensor."""
    width, height = size or ("w", "h")
    into, out = ([3, height, width], [1, height, width]) if planar else ([height, width, 3], [height, width, 1])
    nodes: list[Node] = [("Split", ["input", "counts"], ["first", "others"], {"axis": 1 if planar else 3})]
    if instance_normalisation:
        nodes.append(("InstanceNormalization", ["others", "two", "two"], ["unused"], {}))
    nodes.append(("Clip", ["first", "zero", "unit"], ["output"], {}))
    constants = {
        "counts": np.array([1, 2]), "two": np.ones(2, np.float32), "zero": np.float32(0), "unit": np.float32(1)
    }  # fmt: skip
    ports: tuple[Port, Port] = ("input", FLOAT, [1, *into]), ("output", FLOAT, ["batch", *out])
    return write(path, nodes, ports[:1], ports[1:], constants=constants, metadata=metadata)


def two_channels(path: Path, *, mark: str = "Relu", softmax: bool = False, planar_out: bool = True) -> Path:
    """Background scores 0, a person the first channel; ``mark``: the operator that identifies the network."""
    first = np.zeros((2, 3, 1, 1), np.float32)
    first[1, 0] = 1
    constants = {
        "first": first,
        "spread": np.eye(2, dtype=np.float32)[:, :, None, None],
        "one": np.ones((2, 1, 1), "f4"),
    }
    marks: dict[str, Node] = {
        "Relu": ("Identity", ["scores"], ["marked"], {}),
        "PRelu": ("PRelu", ["scores", "one"], ["marked"], {}),
        "ConvTranspose": ("ConvTranspose", ["scores", "spread"], ["marked"], {}),
    }
    nodes: list[Node] = [
        ("Conv", ["input", "first"], ["scores"], {}),
        marks[mark],
        ("Softmax", ["marked"], ["maps"], {"axis": 1}) if softmax else ("Identity", ["marked"], ["maps"], {}),
        ("Transpose", ["maps"], ["output"], {"perm": [0, 1, 2, 3] if planar_out else [0, 2, 3, 1]}),
    ]
    shape = [1, 2, 16, 32] if planar_out else [1, 16, 32, 2]
    return write(path, nodes, [("input", FLOAT, [1, 3, 16, 32])], [("output", FLOAT, shape)], constants=constants)


def rvm(path: Path, *, known: bool = True, ratio: bool = False, kind: int = FLOAT, foreground: bool = False) -> Path:
    """Alpha is red plus 0.01 for each frame since the fourth state tensor began.

    ``known``: the graph contains the number of channels; if not, the first state grows from a single zero, as in the
    authors' export. ``foreground``: it also gives colours, those of the frame.
    """
    channels = {1: 16, 2: 20, 3: 40, 4: 64}
    numbers = tuple(channels)
    nodes: list[Node] = [("Split", ["src", "counts"], ["red", "others"], {"axis": 1})]
    nodes += [("Add", [f"r{i}i", f"one{i}"], [f"r{i}o"], {}) for i in numbers]
    nodes += [
        ("ReduceMean", ["r4o"], ["count"], {"axes": [1, 2, 3], "keepdims": 1}),
        ("Mul", ["count", "hundredth"], ["counted"], {}),
        ("Mul", ["red", "downsample_ratio" if ratio else "unit"], ["same"], {}),
        ("Add", ["same", "counted"], ["unbounded"], {}),
        ("Clip", ["unbounded", "zero", "unit"], ["pha"], {}),
    ]
    nodes += [("Identity", ["src"], ["fgr"], {})] if foreground else []
    shapes = {i: [1, channels[i], f"h{i}", f"w{i}"] if known else [f"{side}{i}" for side in "bchw"] for i in numbers}
    inputs: list[Port] = [("src", kind, [1, 3, "h", "w"]), *((f"r{i}i", kind, shapes[i]) for i in numbers)]
    inputs += [("downsample_ratio", kind, [1])] if ratio else []
    outputs: list[Port] = [
        ("pha", kind, [1, 1, "h", "w"]),
        *((f"r{i}o", kind, [f"{side}{i}" for side in "BCHW"]) for i in numbers),
    ]
    outputs += [("fgr", kind, [1, 3, "h", "w"])] if foreground else []
    number = np.float32 if kind == FLOAT else np.float16
    ones = {f"one{i}": np.ones((1, channels[i], 1, 1), number) for i in numbers}
    constants = {"counts": np.array([1, 2]), "zero": number(0), "unit": number(1), "hundredth": number(0.01), **ones}
    return write(path, nodes, inputs, outputs, constants=constants)


def cpu(spec: str) -> Network:
    """Opened on the CPU; these networks find no person."""
    return models.open(unverified(spec), provider="cpu")


def unverified(spec: str | Path) -> str:
    """The spec with the options that skip the sample portrait, and the process with limits, which takes 0.3 s."""
    return f"{spec}{'&' if '?' in str(spec) else '?'}unverified&unlimited"


def grey(level: int, size: Size = (1280, 720)) -> Frame:
    """A frame of one grey level."""
    return Frame(np.full((size[1], size[0], 3), level, np.uint8), 0.0, 0)
