"""Networks that do not matte, are declared wrongly or name tensors misleadingly; and files that are not networks."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Writer = Callable[[Path], None]


def write(
    path: Path,
    nodes: Sequence[NodeProto],
    *,
    shape: Sequence[int] = (1, 3, 256, 256),
    image: str = "image",
    weights: Sequence[TensorProto] = (),
) -> None:
    """A network from one image to ``alpha``. It is not checked."""
    inputs = [helper.make_tensor_value_info(image, TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("alpha", TensorProto.FLOAT, [1, 1, *shape[2:]])]
    graph = helper.make_graph(list(nodes), "network", inputs, outputs, list(weights))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def constant_nodes(value: float, out: str = "alpha") -> list[NodeProto]:
    """One value everywhere, whatever the image is."""
    node, scalar = helper.make_node, partial(helper.make_tensor, "scalar", TensorProto.FLOAT, [])
    return [
        node("ReduceMean", ["image"], ["mean"], axes=[1], keepdims=1),
        node("Constant", [], ["zero"], value=scalar([0.0])),
        node("Constant", [], ["value"], value=scalar([value])),
        node("Mul", ["mean", "zero"], ["zeros"]),
        node("Add", ["zeros", "value"], [out]),
    ]


def constant(path: Path, *, value: float, side: int = 256) -> None:
    """A network that always gives ``value``, of an image of that declared size."""
    write(path, constant_nodes(value), shape=(1, 3, side, side))


def brightness(path: Path) -> None:
    """The brighter, the more foreground."""
    write(path, [helper.make_node("ReduceMean", ["image"], ["alpha"], axes=[1], keepdims=1)])


def named(path: Path, *, name: str) -> None:
    """An input of this name, and of five channels, which no family has."""
    write(path, [helper.make_node("Identity", [name], ["alpha"])], image=name, shape=(1, 5, 256, 256))


def external(path: Path, *, location: str) -> None:
    """Weights that are kept in another file."""
    weights = TensorProto(
        name="weights", data_type=TensorProto.FLOAT, dims=[1, 1, 256, 256], data_location=TensorProto.EXTERNAL
    )
    weights.external_data.add(key="location", value=location)
    nodes = [*constant_nodes(0.5, out="before"), helper.make_node("Add", ["before", "weights"], ["alpha"])]
    write(path, nodes, weights=[weights])


def hole(path: Path, *, size: int) -> None:
    """Zeros that take no room on the disk."""
    with path.open("wb") as file:
        file.truncate(size)


def web_page(path: Path) -> None:
    """What a failed download saves."""
    path.write_text("<!DOCTYPE html><title>404</title>" + " " * 100)


def nested(path: Path) -> None:
    """Messages in messages."""
    data = b""
    for _ in range(2000):
        data = b"\x3a" + _varint(len(data)) + data
    path.write_bytes(data)


def _varint(number: int) -> bytes:
    low = number & 127
    return bytes([low | 128]) + _varint(number >> 7) if number > 127 else bytes([low])


SIDE = 30_000
"""Of a square tensor of float32 of 3.6 GB."""

BIG = {"sizes": np.array([1, 1, SIDE, SIDE]), "tiles": np.array([1, 1, 200, 200])}
FOLDED = 60
"""Tensors of 100 MB each, which ONNX Runtime computes while it loads the graph, and keeps."""


def _number(value: float) -> TensorProto:
    return helper.make_tensor("value", TensorProto.FLOAT, [1], [value])


Attributes = dict[str, object]
BOMBS: dict[str, tuple[list[tuple[str, list[str], Attributes]], dict[str, object]]] = {
    "constant-of-shape": ([("ConstantOfShape", ["sizes"], {})], {}),
    "expand": ([("Expand", ["mean", "sizes"], {})], {}),
    "tile": ([("Tile", ["image", "tiles"], {})], {}),
    "resize": ([("Resize", ["image", "", "", "sides"], {})], {"sides": np.array([1, 3, SIDE, SIDE])}),
    "pad": ([("Pad", ["image", "pads"], {})], {"pads": np.array([0, 0, 0, 0, 0, 0, SIDE, SIDE])}),
    "range": (
        [("Range", ["start", "stop", "step"], {})],
        {"start": np.float32(0), "stop": np.float32(9e8), "step": np.float32(1)},
    ),
    "one-hot": (
        [("OneHot", ["numbers", "depth", "ends"], {})],
        {"numbers": np.arange(30_000), "depth": np.int64(30_000), "ends": np.array([0, 1], np.float32)},
    ),
    "eye-like": ([("RandomNormal", [], {"shape": [SIDE, SIDE]}), ("EyeLike", ["big0"], {})], {}),
    "outer-product": (
        [("Reshape", ["image", "column"], {}), ("Reshape", ["image", "row"], {}), ("MatMul", ["big0", "big1"], {})],
        {"column": np.array([-1, 1]), "row": np.array([1, -1])},
    ),
    "convolution": (
        [("Conv", ["image", "filter"], {"pads": [SIDE] * 4, "strides": [1, 1]})],
        {"filter": np.ones((1, 3, 1, 1), np.float32)},
    ),
    "folded": (
        [
            *(("ConstantOfShape", ["less"], {"value": _number(number)}) for number in range(FOLDED)),
            *(("Mul", [f"big{number}", "mean"], {}) for number in range(FOLDED)),
        ],
        {"less": np.array([1, 1, 5000, 5000])},
    ),
    "many": (
        [("Expand", ["image", "batch"], {}), ("Concat", ["big0"] * 4, {"axis": 0})],
        {"batch": np.array([900, 3, 256, 256])},
    ),
    "slow": (
        [("Expand", ["mean", "square"], {}), *(("MatMul", [f"big{number}", "big0"], {}) for number in range(200))],
        {"square": np.array([4000, 4000])},
    ),
}
"""Nodes whose last output is far too large, or takes hours, by what makes it: operator, inputs, attributes. Node n has
the output ``big`` and n. The other constants by name."""


def bomb(path: Path, *, kind: str) -> None:
    """A small network that builds huge tensors inside, or computes for hours."""
    nodes, constants = BOMBS[kind]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in {**BIG, **constants}.items()]
    write(
        path,
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=1),
            *(helper.make_node(name, into, [f"big{index}"], **more) for index, (name, into, more) in enumerate(nodes)),
            *(
                helper.make_node("ReduceMin", [f"big{index}"], [f"small{index}"], keepdims=0)
                for index in range(len(nodes))
            ),
            helper.make_node("Sum", ["mean", *(f"small{index}" for index in range(len(nodes)))], ["sum"]),
            helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
            helper.make_node("Add", ["grey", "sum"], ["alpha"]),
        ],
        weights=weights,
    )


def endless(path: Path) -> None:
    """A loop of 2^40 steps."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["goes"]), helper.make_node("Sin", ["x"], ["y"])],
        "step",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    write(
        path,
        [
            helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
            helper.make_node("Loop", ["steps", "yes", "grey"], ["alpha"], body=body),
        ],
        weights=[
            numpy_helper.from_array(np.int64(1 << 40), "steps"),
            numpy_helper.from_array(np.array(1, bool), "yes"),
        ],
    )


CONSTANTS = {
    "all-person": 1.0,
    "no-person": 0.0,
    "half": 0.5,
    "255": 255.0,
    "1e30": 1e30,
    "minus-1e30": -1e30,
    "nan": float("nan"),
    "infinite": float("inf"),
}

NETWORKS: dict[str, Writer] = {
    **{f"constant-{name}.onnx": partial(constant, value=value) for name, value in CONSTANTS.items()},
    "brightness.onnx": brightness,
    "declared-20000.onnx": partial(constant, value=0.5, side=20_000),
    "declared-2-billion.onnx": partial(constant, value=0.5, side=2_000_000_000),
    "declared-negative.onnx": partial(constant, value=0.5, side=-5),
    "name-escape.onnx": partial(named, name="\x1b[2J\x1b[31;5mimage\x1b]0;title\x07"),
    "name-lines.onnx": partial(named, name="image\nrtmatte: everything is fine"),
    "name-bidirectional.onnx": partial(named, name="image\u202egnp.exe"),
    "name-long.onnx": partial(named, name="n" * 20_000),
    "weights-device.onnx": partial(external, location="/dev/zero"),
    "weights-outside.onnx": partial(external, location="../../../../etc/hostname"),
    "weights-missing.onnx": partial(external, location="\x1b[31mgone.bin"),
    "two-gigabytes-of-zeros.onnx": partial(hole, size=2 << 30),
    **{f"bomb-{kind}.onnx": partial(bomb, kind=kind) for kind in BOMBS},
    "endless.onnx": endless,
    "page.onnx": web_page,
    "nested.onnx": nested,
}
"""Writers by file name."""
