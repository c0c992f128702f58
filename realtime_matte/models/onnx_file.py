"""Inputs, outputs, operators and metadata of an ONNX file, read without ONNX Runtime.

Written by hand on purpose: importing the onnx package costs 0.6 s, and this is needed before anything heavy is loaded.
The first half is the data model, the second half a reader for protocol buffers without their schema. Field numbers are
those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from realtime_matte.errors import BadFile, MissingFile, printable
from realtime_matte.paths import is_file, open_regular

Dimension: TypeAlias = int | str
"""A fixed size, or the name of a free one."""

_ELEMENT_TYPES = {
    1: "float", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "double"
}  # fmt: skip
_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_TENSOR_NAME, _TENSOR_EXTERNAL = 8, 13
_KEY, _VALUE = 1, 2
_SAME_VALUES = {"Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}

MAX_BYTES = 512 * 2**20
"""Largest file read, in bytes. The largest matting networks have some 100 MB of weights."""

MAX_FIELDS = 2**18
"""Most fields read of one Protocol Buffers message. Large graphs have some thousand operators and weights."""

MAX_NAME, MAX_GRAPH = 60, 240
"""Characters of a name, and of a graph, in a message."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types of protocol buffers."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph. ``element_type``: as ONNX Runtime names it (``float``, ``uint8``)."""

    name: str
    element_type: str
    shape: tuple[Dimension, ...]

    def __str__(self) -> str:
        shape = printable(", ".join(map(str, self.shape)), MAX_NAME)
        return f"{printable(self.name, MAX_NAME)} {self.element_type} ({shape})"


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a graph, with the names of its input and output tensors."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The contents of an ONNX file, without the weights."""

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    nodes: tuple[Node, ...]
    metadata: Mapping[str, str]

    def __str__(self) -> str:
        return printable(f"{', '.join(map(str, self.inputs))} -> {', '.join(map(str, self.outputs))}", MAX_GRAPH)

    @property
    def operators(self) -> Counter[str]:
        """How often each operator occurs."""
        return Counter(node.operator for node in self.nodes)

    def producer(self, tensor: str) -> str:
        """The operator that computes a tensor's values, behind operators that only rename or reorder them."""
        operator = ""
        for node in reversed(self.nodes):  # nodes are sorted: inputs are computed before their use
            if tensor in node.outputs:
                operator = node.operator
                if operator not in _SAME_VALUES or not node.inputs:
                    break
                tensor = node.inputs[0]
        return operator

    def last_convolution(self) -> str:
        """``Conv`` or ``ConvTranspose``, whichever comes last; empty without either."""
        convolutions = [node.operator for node in self.nodes if node.operator in {"Conv", "ConvTranspose"}]
        return convolutions[-1] if convolutions else ""


def read(path: Path) -> Graph:
    """Read an ONNX file's graph and metadata.

    Raises:
        MissingFile: it, or the file with its external weights, cannot be read.
        BadFile: it is not an ONNX model, or too large for one of a matting network.
    """
    data = _read_bytes(path)
    try:
        graph, weight_files = _parse(path, memoryview(data))
    except (ValueError, IndexError) as error:
        raise _not_a_model(path, data, error) from error
    for name in sorted(weight_files):
        weights = path.parent / name
        if not is_file(weights):
            raise MissingFile(
                f"{path} needs its weights file '{printable(name, MAX_NAME)}' beside it", hint="put both in one folder"
            )
        _check_size(weights, weights.stat().st_size)
    return graph


def _read_bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            _check_size(path, os.fstat(file.fileno()).st_size)
            return file.read(MAX_BYTES)
    except OSError as error:
        raise MissingFile(
            f"cannot read model {path}: {error.strerror}", hint="give the path of an .onnx file"
        ) from error


def _check_size(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        sizes = f"{size / 2**20:.0f} MB, at most {MAX_BYTES / 2**20:.0f} are read"
        raise BadFile(f"{path} is too large for a matting network: {sizes}", hint="give the file of the network")


def _not_a_model(path: Path, data: bytes, error: Exception) -> BadFile:
    start = data[:40]
    if data and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):  # noqa: PLR2004 -- printable ASCII
        message = f"{path} is not an ONNX model but text that begins with {start.decode()!r}"
        return BadFile(message, hint="download the model file itself")
    return BadFile(f"{path} is not an ONNX model, or incomplete ({error})", hint="download or export it again")


def _parse(path: Path, data: memoryview) -> tuple[Graph, set[str]]:
    """The graph, and the names of the files with its external weights."""
    body = next(_messages(data, _MODEL_GRAPH), None)
    if body is None:
        raise ValueError("it has no graph")
    initializers = [*_messages(body, _GRAPH_INITIALIZER)]
    names = {_text(tensor, _TENSOR_NAME) for tensor in initializers}
    inputs = tuple(port for port in _ports(body, _GRAPH_INPUT) if port.name not in names)
    outputs = tuple(_ports(body, _GRAPH_OUTPUT))
    if not inputs or not outputs:
        raise ValueError("its graph has no inputs or no outputs")
    metadata = dict(map(_pair, _messages(data, _MODEL_METADATA)))
    nodes = tuple(map(_node, _messages(body, _GRAPH_NODE)))
    return Graph(path, inputs, outputs, nodes, metadata), set(_external_files(initializers))


def _ports(body: memoryview, field: int) -> Iterator[Port]:
    for port in _messages(body, field):
        value_type = next(_messages(port, 2), memoryview(b""))
        tensor = next(_messages(value_type, 1), memoryview(b""))
        number = _number(tensor, 1) or 0
        shape = next(_messages(tensor, 2), memoryview(b""))
        sizes = tuple(map(_dimension, _messages(shape, 1)))
        yield Port(_text(port, 1), _ELEMENT_TYPES.get(number, f"type {number}"), sizes)


def _dimension(data: memoryview) -> Dimension:
    size = _number(data, 1)
    return _signed(size) if size else _text(data, 2) or "?"


def _signed(number: int) -> int:
    """A 64-bit integer in two's complement, as the format has it."""
    return number - 2**64 if number >= 2**63 else number


def _node(data: memoryview) -> Node:
    inputs = tuple(str(name, "utf-8") for name in _messages(data, _NODE_INPUT))
    outputs = tuple(str(name, "utf-8") for name in _messages(data, _NODE_OUTPUT))
    return Node(_text(data, _NODE_OPERATOR), inputs, outputs)


def _pair(data: memoryview) -> tuple[str, str]:
    return _text(data, _KEY), _text(data, _VALUE)


def _external_files(tensors: list[memoryview]) -> Iterator[str]:
    for tensor in tensors:
        entries = dict(map(_pair, _messages(tensor, _TENSOR_EXTERNAL)))
        if "location" in entries:
            yield entries["location"]


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Each field of a protocol buffer in the file's order: its number, and an integer or the bytes of its value.

    Raises:
        ValueError: this is not a protocol buffer, or it is incomplete.
    """
    offset = count = 0
    while offset < len(data):
        key, offset = _read_varint(data, offset)
        count += 1
        if key < 8:  # noqa: PLR2004 -- numbers of fields begin at 1, after three bits of the wire type
            raise ValueError(f"no field starts before byte {offset}")
        if count > MAX_FIELDS:
            raise ValueError(f"a message has more than {MAX_FIELDS} fields")
        value, offset = _read_value(data, offset, key & 7)
        yield key >> 3, value


def _messages(data: memoryview, field: int) -> Iterator[memoryview]:
    """The bytes of every message or string with that field number. Raises ValueError."""
    return (value for number, value in fields(data) if number == field and isinstance(value, memoryview))


def _text(data: memoryview, field: int) -> str:
    """The string of a field: the last one, as the format prescribes; empty without one. Raises ValueError."""
    text = ""
    for value in _messages(data, field):
        text = str(value, "utf-8")
    return text


def _number(data: memoryview, field: int) -> int | None:
    """The integer of a field: the last one; None without one. Raises ValueError."""
    number = None
    for key, value in fields(data):
        if key == field and isinstance(value, int):
            number = value
    return number


def _read_value(data: memoryview, offset: int, wire_type: int) -> tuple[int | memoryview, int]:
    """The value at an offset, and the offset after it."""
    if wire_type == _VARINT:
        return _read_varint(data, offset)
    if wire_type == _BYTES:
        length, offset = _read_varint(data, offset)
    elif wire_type in {_FIXED64, _FIXED32}:
        length = 8 if wire_type == _FIXED64 else 4
    else:
        raise ValueError(f"no field starts at byte {offset}")
    if offset + length > len(data):
        raise ValueError(f"{length} bytes are missing at the end" if offset >= len(data) else "a field is incomplete")
    return data[offset : offset + length], offset + length


def _read_varint(data: memoryview, offset: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if offset >= len(data):
            raise ValueError("a number is incomplete")
        byte, offset = data[offset], offset + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 -- the top bit says that more bytes follow
            return value, offset
    raise ValueError(f"no number ends at byte {offset}")
