"""The quantized model's graph: 8-bit operators of ONNX Runtime, in the order of channels in which they compute.

Quantizing operator by operator (``onnxruntime.quantization``) leaves glue between them, which takes two fifths of a
frame: floats around each resize, transposes, reorders. This graph is written from the network's weights and calibrated
ranges instead: channels last throughout, so that the frame is an operand as it comes; gates by lookup tables; what is
split, joined or resized stays in 8 bits as long as nothing is lost by it. A clean plate is compared with the frame in
8 bits too.

Floats remain where rounding would accumulate from frame to frame or cost quality: the state and what updates it, what
is resized, and the global gate.
"""

import math
from collections.abc import Mapping
from itertools import count
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from training.blocks import STATE_DECAY
from training.graph_writer import (
    LEVELS,
    ORT_DOMAIN,
    TANH_STEP,
    TANH_ZERO,
    GraphWriter,
    Quantized,
    Range,
    Weights,
    integers,
)
from training.network import LOGIT_SPAN, PLATE_GAIN
from training.onnx_network import STATES

FRAME_STEP: Final = 1 / 127.5
FRAME_ZERO: Final = 127
"""The value that pads a frame. Frames are normalised by (x - 127.5) / 127.5: the half is in the bias."""

STEM_PIXELS: Final = 4
"""Neighbouring pixels that are one of the stem's inputs: their 12 channels fill vector instructions, 3 do not."""

VALIDITY_PIXELS: Final = 16
"""Neighbouring pixels whose validities are repeated for their colours at once."""

HEAD_PIXELS: Final = 4
"""Neighbouring pixels of which the head computes the logits at once: 16, as many as a vector holds."""

ROWS = COLUMNS = 2
"""Pixels of alpha, in each direction, from each of the head's input."""

LOGIT_END: Final = math.log((LOGIT_SPAN + 1) / (LOGIT_SPAN - 1)) * LEVELS / (LEVELS - 1)
"""A little beyond the logit where alpha reaches 1: one of the 256 levels is zero, so one more lies below it."""

VECTOR: Final = 16
"""Output channels below which ONNX Runtime's convolutions do not fill vector instructions."""


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
        self._graph = GraphWriter()
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
        return self._graph.model(self._ports.input, self._ports.output)

    def _stem(self) -> Quantized:
        """The first convolution on groups of pixels, whose output channels are those of the pixels of a group.

        Where the plate is valid nowhere, the differences from it and their part of the convolution are not computed.
        """
        name = "/stem/stem.0/stem.0.0/Conv"
        weights, bias = self._conv_weights(name)
        colours = weights[:, :3]
        bias = bias - (127.5 - FRAME_ZERO) * FRAME_STEP * colours.sum((1, 2, 3))
        frame = self._grouped_image("frame", 3)
        out = Quantized.of_range(self._graph.new_name("stem"), 2 * len(weights), self._range_of(name))

        def convolve(x: Quantized, *parts: Weights) -> str:
            kernel = np.concatenate([_grouped_weights(part) for part in parts], axis=1)
            return self._graph.convolve_into(out, x, (kernel, np.tile(bias, 2)), strides=[2, 1], pads=[1, 1, 0, 0])

        if weights.shape[1] == colours.shape[1]:
            out = out.named(convolve(frame, colours))
        else:
            parts = colours, weights[:, 3:6], weights[:, 6:]
            known = self._graph.node("ReduceMax", ["validity"], keepdims=0)
            self._graph.choose(
                self._graph.node("Cast", [known], to=onnx.TensorProto.BOOL),
                lambda: convolve(self._beside_plate(frame), *parts),
                lambda: convolve(frame, colours),
                out.name,
            )
        return out.named(self._graph.reshape(out.name, (1, 0, -1, len(weights))), len(weights))

    def _grouped_image(self, name: str, colours: int) -> Quantized:
        """An input (1, h, w, ``colours``) as (1, h, w / STEM_PIXELS, STEM_PIXELS x ``colours``)."""
        channels = STEM_PIXELS * colours
        return Quantized(self._graph.reshape(name, (1, 0, -1, channels)), channels, FRAME_STEP, FRAME_ZERO)

    def _beside_plate(self, frame: Quantized) -> Quantized:
        """The grouped ``frame``, its differences from the plate times the validity, and the validity, as channels.

        The difference is clipped to 1 as 8 bits end there: 127 + 128. ONNX Runtime repeats channels slowly; a
        convolution of weights 1 on groups of VALIDITY_PIXELS does it in a fifth of the time.
        """
        plate = self._grouped_image("plate", 3).name
        larger, smaller = (self._graph.node(operator, [frame.name, plate]) for operator in ("Max", "Min"))
        added = Quantized(larger, frame.channels, PLATE_GAIN * FRAME_STEP, 0)
        taken = Quantized(smaller, frame.channels, -PLATE_GAIN * FRAME_STEP, 0)
        difference = self._graph.binary("QLinearAdd", added, taken, frame.named(self._graph.new_name("difference")))
        validity = Quantized("validity", 1, 1 / LEVELS, 0)
        pixels = validity.named(self._graph.reshape("validity", (1, 0, -1, VALIDITY_PIXELS)), VALIDITY_PIXELS)
        weights: Weights = np.repeat(np.eye(VALIDITY_PIXELS, dtype=np.float32), 3, axis=0)[:, :, None, None]
        no_bias = np.zeros(len(weights), np.float32)
        repeated = self._graph.convolve(pixels, (weights, no_bias), (0.0, 1.0), name="validity")
        repeated = repeated.named(self._graph.reshape(repeated.name, (1, 0, -1, frame.channels)), frame.channels)
        weighted = self._graph.binary("QLinearMul", difference, repeated, frame.named(self._graph.new_name("weighted")))
        single = validity.named(self._graph.reshape("validity", (1, 0, -1, STEM_PIXELS)), STEM_PIXELS)
        parts = (frame, weighted, single)
        joined = frame.named(self._graph.new_name("input"), sum(part.channels for part in parts))
        operands = [name for part in parts for name in self._graph.operand(part)]
        self._graph.node(
            "QLinearConcat", [*self._graph.operand(joined)[1:], *operands], joined.name, domain=ORT_DOMAIN, axis=3
        )
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
        size = self._graph.node("Shape", [x.name])
        resized = self._graph.resize(coarse, ["", "", size])
        return self._add("/whole/Add", x, resized)

    def _context(self, x: Quantized) -> Quantized:
        """The gate of every channel; its few values stay in floats up to the product."""
        local = self._conv("/context/local/local.0/Conv", x)
        mean = self._graph.node("ReduceMean", [self._graph.dequantize(x)], axes=[1, 2], keepdims=1)
        weights, bias = self._conv_weights("/context/gate/gate.1/Conv")
        gate = self._graph.node("MatMul", [mean, self._graph.constant(weights[:, :, 0, 0].T)])
        gate = self._graph.node("Sigmoid", [self._graph.node("Add", [gate, self._graph.constant(bias)])])
        gates = Quantized(self._graph.new_name("gate"), x.channels, 1 / LEVELS, 0)
        self._graph.quantize(gate, gates)
        out = Quantized.of_range(self._graph.new_name("context"), x.channels, self._range("/context/Mul"))
        return self._graph.binary("QLinearMul", local, gates, out)

    def _memory(self, name: str, x: Quantized) -> Quantized:
        """A ConvGRU over the last channels; its state is a float input and output, channels first."""
        kept = self._states[name].type.tensor_type.shape.dim[1].dim_value
        passed, own = self._graph.split(x, [x.channels - kept, kept])
        before = self._graph.node("Transpose", [name], perm=[0, 2, 3, 1])
        before = self._graph.node("Mul", [before, self._graph.constant(np.float32(STATE_DECAY))])
        state = self._graph.quantize(
            before, Quantized(self._graph.new_name(name), kept, TANH_STEP, TANH_ZERO)
        )  # a mean of tanh's values
        gates = self._graph.sigmoid(self._conv(f"/{name}/gates/Conv", self._graph.join([own, state])))
        reset, update = self._graph.split(gates, [kept, kept])
        inner = self._graph.binary("QLinearMul", reset, state, state.named(self._graph.new_name(name)))
        candidate = self._graph.tanh(
            self._conv(f"/{name}/candidate/Conv", self._graph.join([own, inner]), at_least=VECTOR)
        )
        if candidate.channels > kept:
            candidate = self._graph.split(candidate, [kept, candidate.channels - kept])[0]
        change = self._graph.node("Sub", [self._graph.dequantize(candidate), before])
        after = self._graph.node("Add", [before, self._graph.node("Mul", [self._graph.dequantize(update), change])])
        self._graph.node("Transpose", [after], f"{name}_out", perm=[0, 3, 1, 2])
        return self._graph.join([passed, self._graph.quantize(after, state.named(self._graph.new_name(name)))])

    def _up(self, name: str, x: Quantized, skip: Quantized) -> Quantized:
        """To the next finer stage."""
        projected = self._conv(f"/{name}/project/Conv", x)
        resized = self._graph.resize(projected, ["", self._graph.constant(np.asarray([1, 2, 2, 1], np.float32))])
        return self._conv(f"/{name}/mix/mix.0/Conv", self._add(f"/{name}/Add", skip, resized))

    def _head(self, x: Quantized) -> None:
        """Logits of 2 x 2 pixels from each of ``x``, and alpha.

        The range of 8 bits ends where alpha reaches 0 and 1, so that a step changes alpha by less than 1 / 120.
        """
        weights, biases = self._conv_weights("/head/Conv")
        channels = HEAD_PIXELS * x.channels
        grouped = x.named(self._graph.reshape(x.name, (0, 0, -1, channels)), channels)
        kernel = np.zeros((ROWS, HEAD_PIXELS, COLUMNS, HEAD_PIXELS, x.channels), np.float32)
        for pixel in range(HEAD_PIXELS):
            kernel[:, pixel, :, pixel] = weights.reshape(ROWS, COLUMNS, x.channels)
        bias = np.broadcast_to(biases.reshape(ROWS, 1, COLUMNS), (ROWS, HEAD_PIXELS, COLUMNS)).ravel()
        ends = -LOGIT_END, LOGIT_END
        logits = self._graph.convolve(grouped, (kernel.reshape(-1, channels, 1, 1), bias), ends, name="logits")
        by_position = self._graph.reshape(logits.name, (0, 0, -1, ROWS, HEAD_PIXELS * COLUMNS))
        by_row = self._graph.node("Transpose", [by_position], perm=[0, 1, 3, 2, 4])
        shape = self._graph.node("Concat", [self._graph.constant(integers([1, 1, -1])), self._width_of_frame()], axis=0)
        image = logits.named(self._graph.node("Reshape", [by_row, shape]), 1)
        values = self._graph.node("Sigmoid", [self._graph.dequantize(image)])
        shift = (1 - LOGIT_SPAN) / 2
        self._graph.node("HardSigmoid", [values], "alpha", alpha=LOGIT_SPAN, beta=shift)

    def _width_of_frame(self) -> str:
        return self._graph.node(
            "Slice",
            [self._graph.node("Shape", ["frame"]), *(self._graph.constant(integers([axis])) for axis in (2, 3))],
        )

    def _conv(self, name: str, x: Quantized, *, at_least: int = 0) -> Quantized:
        """A convolution and the ReLU after it; ``at_least``: output channels, of which the last may be empty."""
        weights, bias = self._conv_weights(name)
        empty = max(0, at_least - len(bias))
        weights, bias = np.pad(weights, ((0, empty), (0, 0), (0, 0), (0, 0))), np.pad(bias, (0, empty))
        attributes = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in self._float[name].attribute
        }
        kept = {key: list(attributes[key]) for key in ("strides", "pads", "dilations") if key in attributes}
        return self._graph.convolve(x, (weights, bias), self._range_of(name), name=name, **kept)

    def _add(self, name: str, x: Quantized, y: Quantized) -> Quantized:
        out = Quantized.of_range(self._graph.new_name(name), x.channels, self._range_of(name))
        return self._graph.binary("QLinearAdd", x, y, out)

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
