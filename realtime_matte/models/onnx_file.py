"""What an ONNX file says about itself: inputs, outputs, operators, metadata. Fast, and without ONNX Runtime.

Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.models import protobuf
from realtime_matte.paths import is_file

Dimension: TypeAlias = int | str
"""A fixed size, or the name of one that is free."""

_KINDS = {1: "float", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "double"}
_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_TENSOR_NAME, _TENSOR_EXTERNAL = 8, 13
_KEY, _VALUE = 1, 2
_SAME_VALUES = {"Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph. ``kind``: the element type in ONNX Runtime's words (``float``, ``uint8``)."""

    name: str
    kind: str
    shape: tuple[Dimension, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.kind} ({', '.join(map(str, self.shape))})"


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: its name, and the tensors it takes and makes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """An ONNX file, looked into."""

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    nodes: tuple[Node, ...]
    metadata: Mapping[str, str]

    def __str__(self) -> str:
        return f"{', '.join(map(str, self.inputs))} -> {', '.join(map(str, self.outputs))}"

    @property
    def operators(self) -> Counter[str]:
        """How often each operator is used."""
        return Counter(node.operator for node in self.nodes)

    def maker(self, tensor: str) -> str:
        """The operator that computes a tensor's values, looking through those that only rename or reorder them."""
        operator = ""
        for node in reversed(self.nodes):  # a node stands after those that feed it
            if tensor in node.outputs:
                operator = node.operator
                if operator not in _SAME_VALUES or not node.inputs:
                    break
                tensor = node.inputs[0]
        return operator

    def last_convolution(self) -> str:
        """``Conv`` or ``ConvTranspose``: the kind nearest to the output; empty without one."""
        kinds = [node.operator for node in self.nodes if node.operator in {"Conv", "ConvTranspose"}]
        return kinds[-1] if kinds else ""


def read(path: Path) -> Graph:
    """Look into an ONNX file.

    Raises:
        MissingFile: it, or the file its weights are kept in, cannot be read.
        BadFile: it is no ONNX model.
    """
    data = _bytes(path)
    try:
        graph, weights = _parse(path, memoryview(data))
    except (ValueError, IndexError) as error:
        raise BadFile(f"{path} {_what_it_is(data, error)}") from error
    for beside in sorted(weights):
        if not is_file(path.parent / beside):
            raise MissingFile(
                f"{path} keeps its weights in {beside!r}, which is not beside it", hint="put both in one folder"
            )
    return graph


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingFile(
            f"model {path} cannot be read: {error.strerror}", hint="give the path of an .onnx file"
        ) from error


def _what_it_is(data: bytes, error: Exception) -> str:
    head = data[:40]
    if data and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):  # noqa: PLR2004 -- printable ASCII
        return f"is text that begins {head.decode()!r}, not an ONNX model; download the model file itself"
    return f"is not an ONNX model, or was cut short ({error}); download or export it again"


def _parse(path: Path, data: memoryview) -> tuple[Graph, set[str]]:
    body = next(iter(protobuf.messages(data, _MODEL_GRAPH)), None)
    if body is None:
        raise ValueError("it holds no graph")
    tensors = [*protobuf.messages(body, _GRAPH_INITIALIZER)]
    named = {protobuf.text(tensor, _TENSOR_NAME) for tensor in tensors}
    inputs = tuple(port for port in _ports(body, _GRAPH_INPUT) if port.name not in named)
    outputs = tuple(_ports(body, _GRAPH_OUTPUT))
    if not inputs or not outputs:
        raise ValueError("its graph has no inputs or no outputs")
    metadata = dict(map(_pair, protobuf.messages(data, _MODEL_METADATA)))
    nodes = tuple(map(_node, protobuf.messages(body, _GRAPH_NODE)))
    return Graph(path, inputs, outputs, nodes, metadata), set(_external(tensors))


def _ports(body: memoryview, field: int) -> Iterator[Port]:
    for port in protobuf.messages(body, field):
        kind = next(protobuf.messages(port, 2), memoryview(b""))
        tensor = next(protobuf.messages(kind, 1), memoryview(b""))
        number = protobuf.number(tensor, 1) or 0
        shape = next(protobuf.messages(tensor, 2), memoryview(b""))
        sizes = tuple(map(_dimension, protobuf.messages(shape, 1)))
        yield Port(protobuf.text(port, 1), _KINDS.get(number, f"type {number}"), sizes)


def _dimension(data: memoryview) -> Dimension:
    size = protobuf.number(data, 1)
    return size or protobuf.text(data, 2) or "?"


def _node(data: memoryview) -> Node:
    inputs = tuple(str(name, "utf-8") for name in protobuf.messages(data, _NODE_INPUT))
    outputs = tuple(str(name, "utf-8") for name in protobuf.messages(data, _NODE_OUTPUT))
    return Node(protobuf.text(data, _NODE_OPERATOR), inputs, outputs)


def _pair(data: memoryview) -> tuple[str, str]:
    return protobuf.text(data, _KEY), protobuf.text(data, _VALUE)


def _external(tensors: list[memoryview]) -> Iterator[str]:
    for tensor in tensors:
        entries = dict(map(_pair, protobuf.messages(tensor, _TENSOR_EXTERNAL)))
        if "location" in entries:
            yield entries["location"]
