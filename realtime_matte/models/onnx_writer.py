"""Writes an ONNX model, also around the network of another file, without the onnx package.

The counterpart of ``onnx_file``: a graph that depends on the frame's size is written when that is known, in 20 ms, by
a program that need not install onnx. Field numbers are those of onnx.proto3. Operators are those of OPSET.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.models.onnx_file import fields

OPSET: Final = 17
IR_VERSION: Final = 8
"""Of OPSET."""

_TYPES: Final = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int64): 7, np.dtype(np.bool_): 9}

_MODEL_IR, _MODEL_GRAPH, _MODEL_OPSET = 1, 7, 8
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
_GRAPH_NODE, _GRAPH_NAME, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 3, 4, 5
_ATTRIBUTE_NAME, _FLOAT, _INT, _STRING, _INTS, _ATTRIBUTE_TYPE = 1, 2, 3, 4, 8, 20
_ATTRIBUTE_GRAPHS = {6, 11}
_FLOAT_TYPE, _INT_TYPE, _STRING_TYPE, _INTS_TYPE = 1, 2, 3, 7
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW, _TENSOR_LOCATION = 1, 2, 8, 9, 14

Attribute: TypeAlias = int | float | str | Sequence[int]


class GraphWriter:
    """A graph that grows operator by operator; tensors are named by strings."""

    def __init__(self) -> None:
        self._body: list[bytes] = []
        self._initializers: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._included: set[str] = set()  # initializers of networks
        self._domains: dict[str, int] = {"": OPSET}
        self._count = 0

    def input(self, name: str, dtype: type[np.generic], shape: Sequence[int]) -> str:
        """Declare an input of the graph. Returns its name."""
        self._body.append(_message(_GRAPH_INPUT, _port(name, dtype, shape)))
        return name

    def output(self, name: str, tensor: str, dtype: type[np.generic], shape: Sequence[int]) -> None:
        """Make a tensor an output of the graph, under ``name``."""
        self._append("Identity", [tensor], [name])
        self._body.append(_message(_GRAPH_OUTPUT, _port(name, dtype, shape)))

    def constant(self, array: NDArray[np.generic] | np.generic) -> str:
        """The name of a constant; equal constants are one."""
        values = np.ascontiguousarray(array).reshape(np.shape(array))
        key = str(values.dtype), values.shape, values.tobytes()
        if key not in self._initializers:
            name = self._initializers[key] = f"constant_{len(self._initializers)}"
            self._body.append(_message(_GRAPH_INITIALIZER, _tensor(name, values)))
        return self._initializers[key]

    def node(self, operator: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """Append an operator. Returns the name of its only output."""
        return self.nodes(operator, inputs, 1, **attributes)[0]

    def nodes(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Attribute) -> list[str]:
        """As ``node``, of an operator with several outputs."""
        self._count += 1
        names = [f"{operator}_{self._count}_{index}" for index in range(outputs)]
        self._append(operator, inputs, names, **attributes)
        return names

    def include(self, model: memoryview, inputs: Mapping[str, str], *, name: str) -> Callable[[str], str]:
        """Append the operators and weights of a network; weights once, however often it is included.

        Args:
            model: The bytes of its .onnx file.
            inputs: The tensor for each of its inputs.
            name: Different for each network that is included.

        Returns:
            A function from the network's name of a tensor to the name here.

        Raises:
            ValueError: it has control flow, weights in another file, or another opset.
        """
        parts = [(key, value) for key, value in fields(model) if isinstance(value, memoryview)]
        self._import_opsets([value for key, value in parts if key == _MODEL_OPSET])
        body = [one for key, value in parts if key == _MODEL_GRAPH for one in fields(value)]
        tensors = [value for key, value in body if key == _GRAPH_INITIALIZER and isinstance(value, memoryview)]
        weights = {_name_of(tensor) for tensor in tensors}

        def renamed(tensor: str) -> str:
            if not tensor or tensor in inputs:
                return inputs.get(tensor, "")
            return f"weights/{tensor}" if tensor in weights else f"{name}/{tensor}"

        for tensor in tensors:
            self._include_weights(tensor, renamed)
        for key, value in body:
            if key == _GRAPH_NODE and isinstance(value, memoryview):
                self._body.append(_message(_GRAPH_NODE, b"".join(_renamed_node(value, renamed, name))))
        return renamed

    def model(self) -> bytes:
        """The bytes of an .onnx file."""
        opsets = [
            _message(_MODEL_OPSET, _message(_OPSET_DOMAIN, domain.encode()) + _integer(_OPSET_VERSION, version))
            for domain, version in self._domains.items()
        ]
        graph = _message(_GRAPH_NAME, b"frame") + b"".join(self._body)
        return b"".join([_integer(_MODEL_IR, IR_VERSION), *opsets, _message(_MODEL_GRAPH, graph)])

    def _append(self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Attribute) -> None:
        node = [*(_message(_NODE_INPUT, name.encode()) for name in inputs)]
        node += [_message(_NODE_OUTPUT, name.encode()) for name in outputs]
        node += [_message(_NODE_NAME, outputs[0].encode()), _message(_NODE_OPERATOR, operator.encode())]
        node += [_message(_NODE_ATTRIBUTE, _attribute(name, value)) for name, value in attributes.items()]
        self._body.append(_message(_GRAPH_NODE, b"".join(node)))

    def _include_weights(self, tensor: memoryview, renamed: Callable[[str], str]) -> None:
        values = list(fields(tensor))
        if any(key == _TENSOR_LOCATION and value for key, value in values):
            raise ValueError("its weights are in another file")
        name = renamed(_name_of(tensor))
        if name in self._included:
            return
        self._included.add(name)
        kept = [_field(key, value) for key, value in values if key != _TENSOR_NAME]
        self._body.append(_message(_GRAPH_INITIALIZER, b"".join([*kept, _message(_TENSOR_NAME, name.encode())])))

    def _import_opsets(self, opsets: Sequence[memoryview]) -> None:
        for opset in opsets:
            parts = dict(fields(opset))
            domain, version = str(parts.get(_OPSET_DOMAIN, b""), "utf-8"), int(parts.get(_OPSET_VERSION, 0))  # type: ignore[arg-type]  # a schema says which field is text
            if self._domains.setdefault(domain, version) != version:
                raise ValueError(f"it has opset {version} instead of {self._domains[domain]}")


def _renamed_node(node: memoryview, renamed: Callable[[str], str], network: str) -> Iterator[bytes]:
    for key, value in fields(node):
        if key in {_NODE_INPUT, _NODE_OUTPUT} and isinstance(value, memoryview):
            yield _message(key, renamed(str(value, "utf-8")).encode())
        elif key == _NODE_NAME and isinstance(value, memoryview):
            yield _message(key, f"{network}/{str(value, 'utf-8')}".encode())
        else:
            if key == _NODE_ATTRIBUTE and isinstance(value, memoryview) and _has_graph(value):
                raise ValueError("it has control flow")
            yield _field(key, value)


def _has_graph(attribute: memoryview) -> bool:
    return any(key in _ATTRIBUTE_GRAPHS for key, _ in fields(attribute))


def _name_of(tensor: memoryview) -> str:
    return next((str(value, "utf-8") for key, value in fields(tensor) if key == _TENSOR_NAME), "")  # type: ignore[arg-type]  # as above


def _attribute(name: str, value: Attribute) -> bytes:
    start = _message(_ATTRIBUTE_NAME, name.encode())
    if isinstance(value, int):
        return start + _integer(_INT, value) + _integer(_ATTRIBUTE_TYPE, _INT_TYPE)
    if isinstance(value, float):
        number = _varint(_FLOAT << 3 | 5) + struct.pack("<f", value)
        return start + number + _integer(_ATTRIBUTE_TYPE, _FLOAT_TYPE)
    if isinstance(value, str):
        return start + _message(_STRING, value.encode()) + _integer(_ATTRIBUTE_TYPE, _STRING_TYPE)
    numbers = b"".join(_integer(_INTS, number) for number in value)
    return start + numbers + _integer(_ATTRIBUTE_TYPE, _INTS_TYPE)


def _port(name: str, dtype: type[np.generic], shape: Sequence[int]) -> bytes:
    sides = b"".join(_message(1, _integer(1, side)) for side in shape)
    tensor = _integer(1, _TYPES[np.dtype(dtype)]) + _message(2, sides)
    return _message(1, name.encode()) + _message(2, _message(1, tensor))


def _tensor(name: str, values: NDArray[np.generic]) -> bytes:
    sides = b"".join(_integer(_TENSOR_DIMS, side) for side in values.shape)
    kind = _integer(_TENSOR_TYPE, _TYPES[values.dtype])
    return sides + kind + _message(_TENSOR_NAME, name.encode()) + _message(_TENSOR_RAW, values.tobytes())


def _field(key: int, value: int | memoryview) -> bytes:
    """A field as it was read. Fixed-size numbers become a packed field of one, which means the same."""
    return _integer(key, value) if isinstance(value, int) else _message(key, value)


def _message(key: int, data: bytes | memoryview) -> bytes:
    return b"".join([_varint(key << 3 | 2), _varint(len(data)), data])


def _integer(key: int, number: int) -> bytes:
    return _varint(key << 3) + _varint(number % 2**64)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:  # noqa: PLR2004 -- the top bit says that more bytes follow
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
