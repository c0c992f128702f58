"""Networks that do not matte, are declared wrongly or name tensors misleadingly; and files that are not networks."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import onnx
from onnx import NodeProto, TensorProto, helper

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
    "page.onnx": web_page,
    "nested.onnx": nested,
}
"""Writers by file name."""
