"""The quantized model's graph: 8-bit operators of ONNX Runtime, in the order of channels in which they compute.

Quantizing operator by operator (``onnxruntime.quantization``) leaves glue between them, which takes two fifths of a
frame: floats around each resize, transposes, reorders. This graph is written from the network's weights and calibrated
ranges instead: channels last throughout, so that the frame is an operand as it comes; gates by lookup tables; what is
split, joined or resized stays in 8 bits as long as nothing is lost by it. A clean plate is compared with the frame in
8 bits too.

Floats remain where rounding would be visible or accumulate from frame to frame: the logits, the state and what updates
it, and the global gate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from training.blocks import STATE_DECAY
from training.network import LOGIT_SPAN, PLATE_GAIN
from training.onnx_network import STATES

Weights: TypeAlias = NDArray[np.float32]

Range: TypeAlias = tuple[float, float]
"""Lowest and highest value of a tensor."""

OPSET: Final = 17
ORT_DOMAIN: Final = "com.microsoft"
"""ONNX Runtime's own operators, which take 8-bit tensors."""

LARGEST_WEIGHT: Final = 64
"""7-bit weights never overflow on CPUs that add pairs of products in 16 bits, and cost no quality."""

LEVELS: Final = 255
FRAME_STEP: Final = 1 / 127.5
FRAME_ZERO: Final = 127
"""The value that pads a frame. Frames are normalised by (x - 127.5) / 127.5: the half is in the bias."""

STEM_PIXELS: Final = 4
"""Neighbouring pixels that are one of the stem's inputs: their 12 channels fill vector instructions, 3 do not."""

VALIDITY_PIXELS: Final = 16
"""Neighbouring pixels whose validities are repeated for their colours at once."""

HEAD_PIXELS: Final = 4
"""Neighbouring pixels of which the head computes the logits at once: 16, as many as a vector holds."""

VECTOR: Final = 16
"""Output channels below which ONNX Runtime's convolutions do not fill vector instructions."""

CONV_ATTRIBUTES: Final = {"strides", "pads", "dilations"}

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


class IntegerGraph:
    """Writes the quantized graph of an exported network of ours.

    Args:
        network: In floats, with batch normalisation folded into its convolutions.
        ranges: Of its tensors by name.
    """

    def __init__(self, network: onnx.ModelProto, ranges: Mapping[str, Range]) -> None:
        self._ranges = ranges
        self._float = {node.name: node for node in network.graph.node}
        self._consumers = {name: node for node in network.graph.node for name in node.input}
        self._weights = {weights.name: numpy_helper.to_array(weights) for weights in network.graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._numbers = count()
        self._states = {port.name: port for port in network.graph.input if port.name in STATES}
        self._ports = network.graph

    def build(self) -> onnx.ModelProto:
        """The model, with the inputs and outputs of the network."""
        x2 = self._stem()
        x4 = self._stage("to4", x2)
        x8 = self._stage("to8", x4)
        x16 = self._context(self._coarse(self._stage("to16", x8)))
        x8 = self._up("up8", self._memory("memory16", x16), x8)
        x4 = self._up("up4", self._memory("memory8", x8), x4)
        self._head(self._up("up2", self._memory("memory4", x4), x2))
        graph = helper.make_graph(
            self._nodes, "integer", list(self._ports.input), list(self._ports.output), list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ORT_DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 8  # of opset 17
        return model

    def _stem(self) -> Quantized:
        """The first convolution on groups of pixels, whose output channels are those of the pixels of a group."""
        weights, bias = self._conv_weights("/stem/stem.0/stem.0.0/Conv")
        channels = len(weights)
        frame = self._grouped_image("frame", 3)
        kernel, colours = _grouped_weights(weights[:, :3]), weights[:, :3]
        if weights.shape[1] > colours.shape[1]:
            frame = self._beside_plate(frame)
            plate = _grouped_weights(weights[:, 3:6]), _grouped_weights(weights[:, 6:])
            kernel = np.concatenate([kernel, *plate], axis=1)
        bias = bias - (127.5 - FRAME_ZERO) * FRAME_STEP * colours.sum((1, 2, 3))
        out_range = self._range_of("/stem/stem.0/stem.0.0/Conv")
        pairs = self._convolve(
            frame, (kernel, np.tile(bias, 2)), out_range, strides=[2, 1], pads=[1, 1, 0, 0], name="stem"
        )
        return pairs.named(self._reshape(pairs.name, (1, 0, -1, channels)), channels)

    def _grouped_image(self, name: str, colours: int) -> Quantized:
        """An input (1, h, w, ``colours``) as (1, h, w / STEM_PIXELS, STEM_PIXELS x ``colours``)."""
        channels = STEM_PIXELS * colours
        return Quantized(self._reshape(name, (1, 0, -1, channels)), channels, FRAME_STEP, FRAME_ZERO)

    def _beside_plate(self, frame: Quantized) -> Quantized:
        """The grouped ``frame``, its differences from the plate times the validity, and the validity, as channels.

        The difference is clipped to 1 as 8 bits end there: 127 + 128. ONNX Runtime repeats channels slowly; a
        convolution of weights 1 on groups of VALIDITY_PIXELS does it in a fifth of the time.
        """
        plate = self._grouped_image("plate", 3).name
        larger, smaller = (self._node(operator, [frame.name, plate]) for operator in ("Max", "Min"))
        added = Quantized(larger, frame.channels, PLATE_GAIN * FRAME_STEP, 0)
        taken = Quantized(smaller, frame.channels, -PLATE_GAIN * FRAME_STEP, 0)
        difference = self._binary("QLinearAdd", added, taken, frame.named(self._new("difference")))
        validity = Quantized("validity", 1, 1 / LEVELS, 0)
        pixels = validity.named(self._reshape("validity", (1, 0, -1, VALIDITY_PIXELS)), VALIDITY_PIXELS)
        weights: Weights = np.repeat(np.eye(VALIDITY_PIXELS, dtype=np.float32), 3, axis=0)[:, :, None, None]
        no_bias = np.zeros(len(weights), np.float32)
        repeated = self._convolve(pixels, (weights, no_bias), (0.0, 1.0), name="validity")
        repeated = repeated.named(self._reshape(repeated.name, (1, 0, -1, frame.channels)), frame.channels)
        weighted = self._binary("QLinearMul", difference, repeated, frame.named(self._new("weighted")))
        single = validity.named(self._reshape("validity", (1, 0, -1, STEM_PIXELS)), STEM_PIXELS)
        parts = (frame, weighted, single)
        joined = frame.named(self._new("input"), sum(part.channels for part in parts))
        operands = [name for part in parts for name in self._operand(part)]
        self._node("QLinearConcat", [*self._operand(joined)[1:], *operands], joined.name, domain=ORT_DOMAIN, axis=3)
        return joined

    def _stage(self, name: str, x: Quantized) -> Quantized:
        """A convolution of stride 2 and residual blocks."""
        x = self._conv(f"/{name}/{name}.0/{name}.0.0/Conv", x)
        for index in count(2):
            if f"/{name}/{name}.{index}/Add" not in self._float:
                return x
            x = self._residual(f"/{name}/{name}.{index}", x)
        raise AssertionError

    def _residual(self, prefix: str, x: Quantized) -> Quantized:
        inner = self._conv(f"{prefix}/first/first.0/Conv", x)
        return self._add(f"{prefix}/Add", x, self._conv(f"{prefix}/second/second.0/Conv", inner))

    def _coarse(self, x: Quantized) -> Quantized:
        """The stage at 1/32, added to ``x``."""
        coarse = self._conv("/whole/down/down.0/down.0.0/Conv", x)
        for index in count(2):
            if f"/whole/down/down.{index}/Add" not in self._float:
                break
            coarse = self._residual(f"/whole/down/down.{index}", coarse)
        coarse = self._conv("/whole/back/Conv", coarse)
        size = self._node("Shape", [x.name])
        resized = self._resize(coarse, ["", "", size])
        return self._add("/whole/Add", x, resized)

    def _context(self, x: Quantized) -> Quantized:
        """The gate of every channel; its few values stay in floats up to the product."""
        local = self._conv("/context/local/local.0/Conv", x)
        mean = self._node("ReduceMean", [self._dequantize(x)], axes=[1, 2], keepdims=1)
        weights, bias = self._conv_weights("/context/gate/gate.1/Conv")
        gate = self._node("MatMul", [mean, self._constant(weights[:, :, 0, 0].T)])
        gate = self._node("Sigmoid", [self._node("Add", [gate, self._constant(bias)])])
        gates = Quantized(self._new("gate"), x.channels, 1 / LEVELS, 0)
        self._quantize(gate, gates)
        out = Quantized.of_range(self._new("context"), x.channels, self._range("/context/Mul"))
        return self._binary("QLinearMul", local, gates, out)

    def _memory(self, name: str, x: Quantized) -> Quantized:
        """A ConvGRU over the last channels; its state is a float input and output, channels first."""
        kept = self._states[name].type.tensor_type.shape.dim[1].dim_value
        passed, own = self._split(x, [x.channels - kept, kept])
        before = self._node("Transpose", [name], perm=[0, 2, 3, 1])
        before = self._node("Mul", [before, self._constant(np.float32(STATE_DECAY))])
        state = self._quantize(
            before, Quantized(self._new(name), kept, TANH_STEP, TANH_ZERO)
        )  # a mean of tanh's values
        gates = self._sigmoid(self._conv(f"/{name}/gates/Conv", self._join([own, state])))
        reset, update = self._split(gates, [kept, kept])
        inner = self._binary("QLinearMul", reset, state, state.named(self._new(name)))
        candidate = self._tanh(self._conv(f"/{name}/candidate/Conv", self._join([own, inner]), at_least=VECTOR))
        if candidate.channels > kept:
            candidate = self._split(candidate, [kept, candidate.channels - kept])[0]
        change = self._node("Sub", [self._dequantize(candidate), before])
        after = self._node("Add", [before, self._node("Mul", [self._dequantize(update), change])])
        self._node("Transpose", [after], f"{name}_out", perm=[0, 3, 1, 2])
        return self._join([passed, self._quantize(after, state.named(self._new(name)))])

    def _up(self, name: str, x: Quantized, skip: Quantized) -> Quantized:
        """To the next finer stage."""
        projected = self._conv(f"/{name}/project/Conv", x)
        resized = self._resize(projected, ["", self._constant(np.asarray([1, 2, 2, 1], np.float32))])
        return self._conv(f"/{name}/mix/mix.0/Conv", self._add(f"/{name}/Add", skip, resized))

    def _head(self, x: Quantized) -> None:
        """Logits of 2 x 2 pixels from each of ``x``, as floats, and alpha. Each row of pixels is its own product."""
        weights, biases = self._conv_weights("/head/Conv")
        grouped = self._reshape(x.name, (0, 0, -1, HEAD_PIXELS * x.channels))
        pairs = zip(weights[:, :, 0, 0].reshape(2, 2, x.channels), biases.reshape(2, 2), strict=True)
        rows = [self._logits(x, grouped, weights, bias) for weights, bias in pairs]
        shape = self._node("Concat", [self._constant(_integers([1, 1, -1])), self._width_of_frame()], axis=0)
        image = self._node("Reshape", [self._node("Concat", rows, axis=2), shape])
        shift = (1 - LOGIT_SPAN) / 2
        self._node("HardSigmoid", [self._node("Sigmoid", [image])], "alpha", alpha=LOGIT_SPAN, beta=shift)

    def _logits(self, x: Quantized, grouped: str, weights: Weights, bias: Weights) -> str:
        """Logits of every second row (1, h, 1, W); ``weights`` (2, channels) are those of its even and odd pixels."""
        matrix = np.zeros((HEAD_PIXELS, x.channels, HEAD_PIXELS, 2), np.float32)
        for pixel in range(HEAD_PIXELS):
            matrix[pixel, :, pixel] = weights.T
        products: Weights = matrix.reshape(HEAD_PIXELS * x.channels, -1)
        steps = np.abs(products).max(0) / LARGEST_WEIGHT
        operands = [x.step, steps]
        zeros = [np.uint8(x.zero), np.zeros(len(steps), np.int8)]
        inputs = [np.round(products / steps).astype(np.int8), *map(np.float32, operands), *zeros]
        constants = [self._constant(values) for values in (*inputs, np.float32(np.tile(bias, HEAD_PIXELS)))]
        row = self._node("MatMulIntegerToFloat", [grouped, *constants], domain=ORT_DOMAIN)
        return self._reshape(row, (0, 0, 1, -1))

    def _width_of_frame(self) -> str:
        return self._node(
            "Slice", [self._node("Shape", ["frame"]), *(self._constant(_integers([axis])) for axis in (2, 3))]
        )

    # ---- 8-bit operators

    def _conv(self, name: str, x: Quantized, *, at_least: int = 0) -> Quantized:
        """A convolution and the ReLU after it; ``at_least``: output channels, of which the last may be empty."""
        weights, bias = self._conv_weights(name)
        empty = max(0, at_least - len(bias))
        weights, bias = np.pad(weights, ((0, empty), (0, 0), (0, 0), (0, 0))), np.pad(bias, (0, empty))
        attributes = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in self._float[name].attribute
        }
        kept = {key: list(attributes[key]) for key in ("strides", "pads", "dilations") if key in attributes}
        return self._convolve(x, (weights, bias), self._range_of(name), name=name, **kept)

    def _convolve(
        self,
        x: Quantized,
        weights: tuple[NDArray[np.float32], NDArray[np.float32]],
        values: Range,
        *,
        name: str,
        **attributes: Sequence[int],
    ) -> Quantized:
        kernel, bias = weights
        steps = np.maximum(np.abs(kernel).max((1, 2, 3)), 1e-8) / LARGEST_WEIGHT
        rounded = np.round(kernel / steps[:, None, None, None]).astype(np.int8)
        out = Quantized.of_range(self._new(name), len(kernel), values)
        inputs = [
            *self._operand(x),
            self._constant(rounded),
            self._constant(steps.astype(np.float32)),
            self._constant(np.zeros(len(steps), np.int8)),
            *self._operand(out)[1:],
            self._constant(np.round(bias / (x.step * steps)).astype(np.int32)),
        ]
        shape = list(kernel.shape[2:])
        self._node(
            "QLinearConv", inputs, out.name, domain=ORT_DOMAIN, channels_last=1, kernel_shape=shape, **attributes
        )
        return out

    def _add(self, name: str, x: Quantized, y: Quantized) -> Quantized:
        out = Quantized.of_range(self._new(name), x.channels, self._range_of(name))
        return self._binary("QLinearAdd", x, y, out)

    def _binary(self, operator: str, x: Quantized, y: Quantized, out: Quantized) -> Quantized:
        inputs = [*self._operand(x), *self._operand(y), *self._operand(out)[1:]]
        self._node(operator, inputs, out.name, domain=ORT_DOMAIN)
        return out

    def _sigmoid(self, x: Quantized) -> Quantized:
        out = Quantized(self._new("sigmoid"), x.channels, SIGMOID_STEP, 0)
        self._node("QLinearSigmoid", [*self._operand(x), *self._operand(out)[1:]], out.name, domain=ORT_DOMAIN)
        return out

    def _tanh(self, x: Quantized) -> Quantized:
        """tanh(x) = 2 sigmoid(2 x) - 1: a sigmoid's table, with other steps and zero."""
        doubled = Quantized(x.name, x.channels, 2 * x.step, x.zero)
        return Quantized(self._sigmoid(doubled).name, x.channels, TANH_STEP, TANH_ZERO)

    def _join(self, parts: Sequence[Quantized]) -> Quantized:
        """Parts of different steps as one tensor that holds the ranges of both."""
        low = min(-part.zero * part.step for part in parts)
        high = max((LEVELS - part.zero) * part.step for part in parts)
        out = Quantized.of_range(self._new("join"), sum(part.channels for part in parts), (low, high))
        operands = [name for part in parts for name in self._operand(part)]
        self._node("QLinearConcat", [*self._operand(out)[1:], *operands], out.name, domain=ORT_DOMAIN, axis=3)
        return out

    def _split(self, x: Quantized, channels: Sequence[int]) -> list[Quantized]:
        parts = [x.named(self._new("split"), number) for number in channels]
        inputs = [x.name, self._constant(_integers(channels))]
        self._nodes.append(helper.make_node("Split", inputs, [part.name for part in parts], axis=3))
        return parts

    def _resize(self, x: Quantized, size: Sequence[str]) -> Quantized:
        """Bilinear, in floats, which ONNX Runtime does three times as fast."""
        resized = self._node(
            "Resize", [self._dequantize(x), *size], mode="linear", coordinate_transformation_mode="half_pixel"
        )
        return self._quantize(resized, x.named(self._new("resize")))

    def _quantize(self, values: str, out: Quantized) -> Quantized:
        self._node("QuantizeLinear", [values, *self._operand(out)[1:]], out.name)
        return out

    def _dequantize(self, x: Quantized) -> str:
        return self._node("DequantizeLinear", self._operand(x))

    def _operand(self, x: Quantized) -> list[str]:
        return [x.name, self._constant(np.float32(x.step)), self._constant(np.uint8(x.zero))]

    # ---- the graph

    def _reshape(self, name: str, shape: Sequence[int]) -> str:
        return self._node("Reshape", [name, self._constant(_integers(shape))])

    def _node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str = "",
        *,
        domain: str = "",
        **attributes: Any,  # noqa: ANN401 - ONNX's
    ) -> str:
        output = output or self._new(operator)
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def _new(self, name: str) -> str:
        return f"{name.strip('/')}_{next(self._numbers)}"

    def _constant(self, values: NDArray[np.generic] | np.generic) -> str:
        tensor = numpy_helper.from_array(np.asarray(values), "")
        for name, known in self._constants.items():
            if known.data_type == tensor.data_type and known.dims == tensor.dims and known.raw_data == tensor.raw_data:
                return name
        tensor.name = self._new("constant")
        self._constants[tensor.name] = tensor
        return tensor.name

    # ---- the network in floats

    def _conv_weights(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        node = self._float[name]
        weights = self._weights[node.input[1]]
        bias = self._weights[node.input[2]] if len(node.input) > 2 else np.zeros(len(weights), np.float32)
        return weights, bias

    def _range(self, name: str) -> Range:
        return self._ranges[self._float[name].output[0]]

    def _range_of(self, name: str) -> Range:
        """The range of an operator's output, after the ReLU that may follow it."""
        node = self._float[name]
        consumer = self._consumers.get(node.output[0])
        relu = consumer is not None and consumer.op_type == "Relu"
        return self._range(consumer.name if relu and consumer else name)


def _grouped_weights(weights: Weights) -> Weights:
    """Weights (C, colours, 3, 3) of stride 2 for groups of pixels: (2 C, STEM_PIXELS x colours, 3, 2)."""
    channels, colours, height, _ = weights.shape
    grouped = np.zeros((2, channels, 2, STEM_PIXELS, colours, height), np.float32)  # output, ., before/here, pixel
    for out in range(2):
        for column in range(3):
            group, pixel = divmod(2 * out + column - 1 + STEM_PIXELS, STEM_PIXELS)
            grouped[out, :, group, pixel] = weights[..., column]
    return grouped.transpose(0, 1, 3, 4, 5, 2).reshape(2 * channels, STEM_PIXELS * colours, height, 2)


def _integers(values: Sequence[int]) -> NDArray[np.int64]:
    return np.asarray(values, np.int64)
