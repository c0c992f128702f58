"""Writes graphs of ONNX Runtime's 8-bit operators, channels last."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Weights: TypeAlias = NDArray[np.float32]

Range: TypeAlias = tuple[float, float]
"""Lowest and highest value of a tensor."""

OPSET: Final = 17
ORT_DOMAIN: Final = "com.microsoft"
"""ONNX Runtime's own operators, which take 8-bit tensors."""

LARGEST_WEIGHT: Final = 64
"""7-bit weights never overflow on CPUs that add pairs of products in 16 bits, and cost no quality."""

LEVELS: Final = 255
TANH_STEP, TANH_ZERO = 1 / 128, 128
SIGMOID_STEP: Final = 1 / 256


@dataclass(frozen=True, slots=True)
class Quantized:
    """A tensor (1, h, w, ``channels``) uint8 that means ``step`` * (value - ``zero``)."""

    name: str
    channels: int
    step: float
    zero: int

    @classmethod
    def of_range(cls, name: str, channels: int, values: Range) -> "Quantized":
        """A tensor that holds ``values`` and 0."""
        low, high = min(values[0], 0.0), max(values[1], 0.0)
        step = max(high - low, 1e-6) / LEVELS
        return cls(name, channels, step, round(-low / step))

    def named(self, name: str, channels: int | None = None) -> "Quantized":
        """Another tensor with the same step and zero."""
        return Quantized(name, channels or self.channels, self.step, self.zero)


class GraphWriter:
    """The nodes and constants of a graph, and the operators on quantized tensors that add to them.

    Each method returns the name of a tensor, or the quantized tensor, that its node computes.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._numbers = count()

    def model(self, inputs: Iterable[onnx.ValueInfoProto], outputs: Iterable[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """The graph of all nodes so far."""
        graph = helper.make_graph(self._nodes, "integer", list(inputs), list(outputs), list(self._constants.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ORT_DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 8  # of opset 17
        return model

    def choose(self, condition: str, then: Callable[[], str], otherwise: Callable[[], str], output: str) -> None:
        """Only the nodes that one of both functions adds are computed; each returns the name of its result."""
        branches = {"then_branch": self._branch(then), "else_branch": self._branch(otherwise)}
        self._nodes.append(helper.make_node("If", [condition], [output], **branches))

    def _branch(self, add_nodes: Callable[[], str]) -> onnx.GraphProto:
        outer, self._nodes = self._nodes, []
        result = helper.make_tensor_value_info(add_nodes(), onnx.TensorProto.UINT8, None)
        nodes, self._nodes = self._nodes, outer
        return helper.make_graph(nodes, self.new_name("branch"), [], [result])

    def convolve(
        self, x: Quantized, weights: tuple[Weights, Weights], values: Range, *, name: str, **attributes: Sequence[int]
    ) -> Quantized:
        """A convolution, by a kernel and a bias, whose results lie in the range ``values``."""
        out = Quantized.of_range(self.new_name(name), len(weights[0]), values)
        self.convolve_into(out, x, weights, name=out.name, **attributes)
        return out

    def convolve_into(
        self,
        out: Quantized,
        x: Quantized,
        weights: tuple[Weights, Weights],
        *,
        name: str = "",
        **attributes: Sequence[int],
    ) -> str:
        """A convolution whose result means the same as ``out``; gives its name, a new one if none is given."""
        kernel, bias = weights
        steps = np.maximum(np.abs(kernel).max((1, 2, 3)), 1e-8) / LARGEST_WEIGHT
        rounded = np.round(kernel / steps[:, None, None, None]).astype(np.int8)
        inputs = [
            *self.operand(x),
            self.constant(rounded),
            self.constant(steps.astype(np.float32)),
            self.constant(np.zeros(len(steps), np.int8)),
            *self.operand(out)[1:],
            self.constant(np.round(bias / (x.step * steps)).astype(np.int32)),
        ]
        shape = list(kernel.shape[2:])
        return self.node(
            "QLinearConv", inputs, name, domain=ORT_DOMAIN, channels_last=1, kernel_shape=shape, **attributes
        )

    def binary(self, operator: str, x: Quantized, y: Quantized, out: Quantized) -> Quantized:
        """An operator on two tensors whose result means the same as ``out``."""
        inputs = [*self.operand(x), *self.operand(y), *self.operand(out)[1:]]
        self.node(operator, inputs, out.name, domain=ORT_DOMAIN)
        return out

    def sigmoid(self, x: Quantized) -> Quantized:
        """By a table of 256 values."""
        out = Quantized(self.new_name("sigmoid"), x.channels, SIGMOID_STEP, 0)
        self.node("QLinearSigmoid", [*self.operand(x), *self.operand(out)[1:]], out.name, domain=ORT_DOMAIN)
        return out

    def tanh(self, x: Quantized) -> Quantized:
        """By a sigmoid's table with other steps and zero: the tanh of x is 2 sigmoid(2 x) - 1."""
        doubled = Quantized(x.name, x.channels, 2 * x.step, x.zero)
        return Quantized(self.sigmoid(doubled).name, x.channels, TANH_STEP, TANH_ZERO)

    def join(self, parts: Sequence[Quantized]) -> Quantized:
        """Parts of different steps as one tensor that holds the ranges of both."""
        low = min(-part.zero * part.step for part in parts)
        high = max((LEVELS - part.zero) * part.step for part in parts)
        out = Quantized.of_range(self.new_name("join"), sum(part.channels for part in parts), (low, high))
        operands = [name for part in parts for name in self.operand(part)]
        self.node("QLinearConcat", [*self.operand(out)[1:], *operands], out.name, domain=ORT_DOMAIN, axis=3)
        return out

    def split(self, x: Quantized, channels: Sequence[int]) -> list[Quantized]:
        """Parts of so many ``channels``."""
        parts = [x.named(self.new_name("split"), number) for number in channels]
        inputs = [x.name, self.constant(integers(channels))]
        self._nodes.append(helper.make_node("Split", inputs, [part.name for part in parts], axis=3))
        return parts

    def resize(self, x: Quantized, size: Sequence[str]) -> Quantized:
        """Bilinear, in floats, which ONNX Runtime does three times as fast."""
        resized = self.node(
            "Resize", [self.dequantize(x), *size], mode="linear", coordinate_transformation_mode="half_pixel"
        )
        return self.quantize(resized, x.named(self.new_name("resize")))

    def quantize(self, values: str, out: Quantized) -> Quantized:
        """Floats as ``out`` means them."""
        self.node("QuantizeLinear", [values, *self.operand(out)[1:]], out.name)
        return out

    def dequantize(self, x: Quantized) -> str:
        """As floats."""
        return self.node("DequantizeLinear", self.operand(x))

    def operand(self, x: Quantized) -> list[str]:
        """A tensor, its step and its zero, as ONNX Runtime's operators take them."""
        return [x.name, self.constant(np.float32(x.step)), self.constant(np.uint8(x.zero))]

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """``shape``: as ONNX's: 0 is the size before, -1 the rest."""
        return self.node("Reshape", [name, self.constant(integers(shape))])

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str = "",
        *,
        domain: str = "",
        **attributes: Any,  # noqa: ANN401 - ONNX's
    ) -> str:
        """Any operator; gives the name of its output, a new one if none is given."""
        output = output or self.new_name(operator)
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def new_name(self, name: str) -> str:
        """A name that no other tensor has."""
        return f"{name.strip('/')}_{next(self._numbers)}"

    def constant(self, values: NDArray[np.generic] | np.generic) -> str:
        """A constant; the same one for the same values."""
        tensor = numpy_helper.from_array(np.asarray(values), "")
        for name, known in self._constants.items():
            if known.data_type == tensor.data_type and known.dims == tensor.dims and known.raw_data == tensor.raw_data:
                return name
        tensor.name = self.new_name("constant")
        self._constants[tensor.name] = tensor
        return tensor.name


def integers(values: Sequence[int]) -> NDArray[np.int64]:
    """Numbers as ONNX takes shapes, axes and sizes."""
    return np.asarray(values, np.int64)
