"""Damaged networks: bytes changed, or the graph changed so that the file stays readable."""

import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from fakes import networks as tiny_networks
from fuzz.mutate import NUMBERS, damaged
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

Change = Callable[[random.Random, ModelProto], None]

NAMES = ("", "alpha", "frame", "x" * 3000, "a\nb", "\x1b[31mred", "\u202ex", "é", "m8", "rtmatte.states")
VALUES = (
    "",
    "0",
    "-1",
    "16",
    "1e9",
    "nan",
    "[]",
    "{}",
    "[1]",
    "null",
    "x" * 3000,
    "\x1b[31m",
    '[{"input": "m8"}]',
    "é",
)
SIZES = (-1, 0, 1, 2, 3, 4, 7, 255, 256, 4096, 20_000, *NUMBERS)


@cache
def seeds() -> list[bytes]:
    """A whole network of every family."""
    makers = (tiny_networks.recurrent, tiny_networks.one_channel, tiny_networks.two_channels, tiny_networks.rvm)
    with tempfile.TemporaryDirectory() as folder:
        return [make(Path(folder) / "tiny.onnx").read_bytes() for make in makers]


def draw(rng: random.Random) -> bytes:
    """A damaged network."""
    data = rng.choice(seeds())
    if rng.random() < 0.35:
        return damaged(rng, data, seeds())
    model = ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 1, 3))):
        rng.choice(CHANGES)(rng, model)
    return model.SerializeToString()


def change_dimension(rng: random.Random, model: ModelProto) -> None:
    """Another size of an input or output; or a name for it."""
    port = rng.choice([*model.graph.input, *model.graph.output])
    shape = port.type.tensor_type.shape
    if not shape.dim or rng.random() < 0.2:
        shape.dim.add(dim_value=rng.choice((1, 3)))
    dimension = rng.choice(shape.dim)
    if rng.random() < 0.2:
        dimension.dim_param = rng.choice(NAMES)
    else:
        dimension.dim_value = min(rng.choice(SIZES), (1 << 63) - 1)


def remove_dimension(rng: random.Random, model: ModelProto) -> None:
    """One dimension less."""
    shape = rng.choice([*model.graph.input, *model.graph.output]).type.tensor_type.shape
    if shape.dim:
        del shape.dim[rng.randrange(len(shape.dim))]


def change_type(rng: random.Random, model: ModelProto) -> None:
    """Another element type of an input, output or weight."""
    kind = rng.choice(
        (0, TensorProto.FLOAT, TensorProto.UINT8, TensorProto.STRING, TensorProto.FLOAT16, TensorProto.BOOL, 99)
    )
    if model.graph.initializer and rng.random() < 0.3:
        rng.choice(model.graph.initializer).data_type = kind
    else:
        rng.choice([*model.graph.input, *model.graph.output]).type.tensor_type.elem_type = kind


def rename(rng: random.Random, model: ModelProto) -> None:
    """Another name of an input, output, weight or operator."""
    graph: GraphProto = model.graph
    one = rng.choice([*graph.input, *graph.output, *graph.initializer, *graph.node])
    if rng.random() < 0.3 and graph.node:
        rng.choice(graph.node).op_type = rng.choice((*NAMES, "Identity", "Loop", "If", "Conv", "Resize"))
    else:
        one.name = rng.choice(NAMES)


def remove(rng: random.Random, model: ModelProto) -> None:
    """One input, output, weight or node less."""
    parts = rng.choice((model.graph.input, model.graph.output, model.graph.initializer, model.graph.node))
    if parts:
        del parts[rng.randrange(len(parts))]


def repeat(rng: random.Random, model: ModelProto) -> None:
    """One input, output or node twice."""
    parts = rng.choice((model.graph.input, model.graph.output, model.graph.node))
    if parts:
        parts.add().CopyFrom(rng.choice(parts))


def change_weight(rng: random.Random, model: ModelProto) -> None:
    """Another shape, or other values, of a weight."""
    if model.graph.initializer:
        weight = rng.choice(model.graph.initializer)
        if rng.random() < 0.5:
            weight.dims.append(min(rng.choice(SIZES), (1 << 63) - 1))
        else:
            weight.raw_data = damaged(rng, weight.raw_data or b"\0", [b"\0"])


def change_metadata(rng: random.Random, model: ModelProto) -> None:
    """Another value of what our networks say about themselves."""
    if model.metadata_props and rng.random() < 0.8:
        rng.choice(model.metadata_props).value = rng.choice(VALUES)
    else:
        model.metadata_props.add(
            key=rng.choice(("rtmatte.family", "rtmatte.multiple", *NAMES)), value=rng.choice(VALUES)
        )


def enlarge(rng: random.Random, model: ModelProto) -> None:
    """A node's first input is made larger before it gets there: repeated, padded or of any other shape."""
    graph: GraphProto = model.graph
    index = rng.randrange(len(graph.node) or 1)
    if index >= len(graph.node) or not graph.node[index].input:
        return
    node, name = graph.node[index], f"larger{len(graph.node)}"
    operator, count = rng.choice((("Tile", 4), ("Expand", 4), ("Pad", 8), ("ConstantOfShape", 4)))
    sizes = np.array([rng.choice((1, 1, 2, 16, 1000, 30_000)) for _ in range(count)])
    graph.initializer.append(numpy_helper.from_array(sizes, f"{name}sizes"))
    inputs = [f"{name}sizes"] if operator == "ConstantOfShape" else [node.input[0], f"{name}sizes"]
    graph.node.insert(index, helper.make_node(operator, inputs, [name]))
    graph.node[index + 1].input[0] = name


def change_version(rng: random.Random, model: ModelProto) -> None:
    """Another version of the file format or the operators."""
    if model.opset_import and rng.random() < 0.5:
        model.opset_import[0].version = rng.choice((0, 1, 9, 99, -1))
    else:
        model.ir_version = rng.choice((0, 3, 99, -1))


CHANGES: tuple[Change, ...] = (
    *(change_dimension, change_dimension, remove_dimension, change_type, rename, remove, repeat, change_weight),
    *(change_metadata, change_version, enlarge, enlarge),
)
