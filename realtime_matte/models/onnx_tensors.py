"""Tensors of a graph that is written: formulas on them append operators, as formulas on arrays compute.

float32 unless a function says otherwise. Masks are 0 or 1 in float32: a mask of booleans is made only where it is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.models.onnx_writer import Attribute, GraphWriter

_TYPES = {np.float32: 1, np.uint8: 2, np.bool_: 9}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of ``graph``, of any shape; those of images are (1, channels, h, w)."""

    graph: GraphWriter
    name: str

    __array_ufunc__: ClassVar[None] = None
    """A NumPy number on the left side of an operator leaves it to the tensor."""

    def __add__(self, other: "Operand") -> "Tensor":
        return self.apply("Add", other)

    def __radd__(self, other: "Operand") -> "Tensor":
        return self.apply("Add", other)

    def __sub__(self, other: "Operand") -> "Tensor":
        return self.apply("Sub", other)

    def __rsub__(self, other: "Operand") -> "Tensor":
        return self.of(other).apply("Sub", self)

    def __mul__(self, other: "Operand") -> "Tensor":
        return self.apply("Mul", other)

    def __rmul__(self, other: "Operand") -> "Tensor":
        return self.apply("Mul", other)

    def __truediv__(self, other: "Operand") -> "Tensor":
        return self.apply("Div", other)

    def __rtruediv__(self, other: "Operand") -> "Tensor":
        return self.of(other).apply("Div", self)

    def __neg__(self) -> "Tensor":
        return self.apply("Neg")

    def __abs__(self) -> "Tensor":
        return self.apply("Abs")

    def of(self, value: "Operand") -> "Tensor":
        """A constant of the same graph; a tensor is returned as it is."""
        if isinstance(value, Tensor):
            return value
        return Tensor(self.graph, self.graph.constant(np.asarray(value, np.float32)))

    def apply(self, operator: str, *others: "Operand", **attributes: Attribute) -> "Tensor":
        """The only output of an operator."""
        names = [self.name, *(self.of(other).name for other in others)]
        return Tensor(self.graph, self.graph.node(operator, names, **attributes))

    def at_least(self, other: "Operand") -> "Tensor":
        """The mask of the elements that are at least ``other``."""
        return self.apply("GreaterOrEqual", other).cast(np.float32)

    def above(self, other: "Operand") -> "Tensor":
        """The mask of the elements that are greater than ``other``."""
        return self.apply("Greater", other).cast(np.float32)

    def where(self, then: "Operand", otherwise: "Operand") -> "Tensor":
        """``then`` where this mask is 1, ``otherwise`` where it is 0; the other value may be NaN."""
        mask = self.cast(np.bool_)
        return Tensor(self.graph, self.graph.node("Where", [mask.name, self.of(then).name, self.of(otherwise).name]))

    def clip(self, low: float, high: float) -> "Tensor":
        """Limited to a range."""
        return self.apply("Clip", low, high)

    def cast(self, dtype: type[np.generic]) -> "Tensor":
        """As another type: float32, uint8 or bool."""
        return self.apply("Cast", to=_TYPES[dtype])

    def channels(self, *counts: int) -> "list[Tensor]":
        """Split into tensors of so many channels."""
        sizes = self.graph.constant(np.asarray(counts, np.int64))
        names = self.graph.nodes("Split", [self.name, sizes], len(counts), axis=1)
        return [Tensor(self.graph, name) for name in names]

    def pick(self, *channels: int) -> "Tensor":
        """The channels of these numbers, in this order."""
        return self._with_integers("Gather", channels, axis=1)

    def gathered(self, indices: NDArray[np.int64], axis: int) -> "Tensor":
        """The elements with these numbers along an axis, in this order."""
        return Tensor(self.graph, self.graph.node("Gather", [self.name, self.graph.constant(indices)], axis=axis))

    def total(self, axes: Sequence[int] = (1, 2, 3)) -> "Tensor":
        """The sum over ``axes``, which become 1."""
        return self._with_integers("ReduceSum", axes)

    def dilated(self, radius: int) -> "Tensor":
        """The largest element of the window around each; outside of the image is nothing."""
        side = 2 * radius + 1
        return self.apply("MaxPool", kernel_shape=(side, side), pads=(radius,) * 4)

    def eroded(self, radius: int) -> "Tensor":
        """The smallest element of the window around each; outside of the image is nothing."""
        return -((-self).dilated(radius))

    def averaged(self, radius: int) -> "Tensor":
        """The mean of the window around each element; borders are reflected without the outermost, as cv2.blur does."""
        side = 2 * radius + 1
        padded = self._with_integers("Pad", (0, 0, radius, radius) * 2, mode="reflect")
        return padded.apply("AveragePool", kernel_shape=(side, side))

    def resized(self, width: int, height: int, channels: int, **attributes: Attribute) -> "Tensor":
        """Interpolated at ``width`` x ``height``; centres of pixels as OpenCV places them, borders repeated."""
        sizes = self.graph.constant(np.asarray((1, channels, height, width), np.int64))
        return Tensor(self.graph, self.graph.node("Resize", [self.name, "", "", sizes], **attributes))

    def reshaped(self, *shape: int) -> "Tensor":
        """The same elements in another shape."""
        return self._with_integers("Reshape", shape)

    def _with_integers(self, operator: str, integers: Sequence[int], **attributes: Attribute) -> "Tensor":
        numbers = self.graph.constant(np.asarray(integers, np.int64))
        return Tensor(self.graph, self.graph.node(operator, [self.name, numbers], **attributes))


Operand: TypeAlias = Tensor | float | np.float32 | NDArray[np.float32]


def joined(parts: Sequence[Tensor]) -> Tensor:
    """All channels of tensors of one size."""
    return Tensor(parts[0].graph, parts[0].graph.node("Concat", [part.name for part in parts], axis=1))


def smaller(first: Tensor, second: Operand) -> Tensor:
    """The smaller element of two tensors."""
    return first.apply("Min", second)


def larger(first: Tensor, second: Operand) -> Tensor:
    """The larger element of two tensors."""
    return first.apply("Max", second)
