"""The interface of a family of networks, and how the family of a graph is found.

A family is a module of ``families/`` with the attributes of ``Family``. ``recognises`` is called on every
module there, so a new family is one new file.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import BadFile, ModelError, printable
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.models import families
from realtime_matte.models.checked_network import MAX_CELLS
from realtime_matte.models.onnx_file import MAX_NAME, Graph
from realtime_matte.models.options import ModelOptions, model_options

RANGE_TOLERANCE: Final = 0.05
"""How far outside [0, 1] half precision and int8 may bring an output; 0..255 or scores are much farther."""

MAX_NUMBERS: Final = 2**25
"""Most numbers in a tensor of the output or the state: 128 MB of float32."""

Tensor: TypeAlias = NDArray[Any]
"""A network's input, in the shape and dtype of its ``Signature``."""

Preprocessor: TypeAlias = Callable[[Pixels], Pixels]
"""Writes a frame's pixels into the input tensor it was made for; returns the frame at the network's input size, BGR,
overwritten by the next call."""

AlphaReader: TypeAlias = Callable[[], Alpha]
"""Converts the output tensor it was made for into an alpha; overwritten by the next call."""


@dataclass(frozen=True, slots=True)
class StateTensor:
    """One tensor of a recurrent state: names of its input and its output, and its shape before the first frame."""

    input: str
    output: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlateInputs:
    """Names of the inputs of the clean plate, both uint8: its colours (1, h, w, 3) and their validity (1, h, w, 1)."""

    colours: str
    validity: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A network's inputs and outputs for frames of one size.

    ``states_grow``: state tensors have another shape after the first frame. ``constants``: inputs that never change.
    ``plate``: of a network that sees the clean plate; its input is (1, h, w, 3) then.
    """

    input: str
    input_shape: tuple[int, ...]
    input_type: type[np.uint8 | np.float32]
    output: str
    output_shape: tuple[int, ...]
    states: tuple[StateTensor, ...] = ()
    states_grow: bool = False
    constants: Mapping[str, Tensor] = field(default_factory=dict)
    plate: PlateInputs | None = None

    @property
    def plate_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the plate's inputs, by name; empty without."""
        if self.plate is None:
            return {}
        batch, height, width, _ = self.input_shape
        return {self.plate.colours: self.input_shape, self.plate.validity: (batch, height, width, 1)}


class Adapter(Protocol):
    """How to run one network of a family."""

    @property
    def on_base_grid(self) -> "Adapter | None":
        """The same network on its base grid, when this is a fine grid; else None."""

    def signature(self, size: Size) -> Signature:
        """Inputs and outputs for frames of ``size``."""

    def preprocessor(self, size: Size, tensor: Tensor) -> Preprocessor:
        """A Preprocessor that writes frames of ``size`` into the input ``tensor``."""

    def alpha_reader(self, tensor: NDArray[np.float32]) -> AlphaReader:
        """An AlphaReader of the output ``tensor``."""


class Family(Protocol):
    """A module of ``families/``."""

    DESCRIPTION: str
    """How to recognise it, for the user: inputs -> outputs."""

    OPTIONS: Collection[str]
    """Names of the ``ModelOptions`` it takes."""

    def recognises(self, graph: Graph) -> bool:
        """Whether a graph is of this family; at most one family says True."""

    def open(self, graph: Graph, options: ModelOptions, /) -> Adapter:
        """The adapter of a recognised graph. Raises BadFile, ModelError, SpecError."""


class OutOfRange(RuntimeError):
    """A network's output is not an alpha or a probability."""


def clipped(alpha: Alpha, out: Alpha | None = None) -> AlphaReader:
    """Reads an output that is the alpha already; clips it, since rounding may leave [0, 1] by a little.

    Args:
        alpha: (h, w), the output.
        out: Where the result is written; None: in place.

    Returns:
        The reader. It raises OutOfRange for an output of another meaning, which clipping would turn into foreground.
    """
    out = alpha if out is None else out

    def read() -> Alpha:
        low, high = float(alpha.min()), float(alpha.max())
        if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
            raise OutOfRange(f"its output is in {low:g} .. {high:g} instead of 0 .. 1")
        return np.clip(alpha, 0, 1, out=out)

    return read


def check_sizes(path: Path, signature: Signature) -> None:
    """Check that a network's tensors can be allocated: before ONNX Runtime loads it and allocates them too.

    Raises:
        BadFile: one of them is empty or too large.
    """
    _check_tensor(path, signature.input, signature.input_shape, 3 * MAX_CELLS)
    _check_tensor(path, signature.output, signature.output_shape, MAX_NUMBERS)
    for state in signature.states:
        _check_tensor(path, state.input, state.shape, MAX_NUMBERS)


def _check_tensor(path: Path, name: str, shape: Sequence[int], limit: int) -> None:
    if min(shape) < 1 or prod(shape) > limit:
        sides = printable("x".join(map(str, shape)), MAX_NAME)
        raise BadFile(
            f"{path} cannot be run: its tensor '{printable(name, MAX_NAME)}' is {sides}, not of 1 to {limit} numbers",
            hint="export it for a smaller input, such as 512x288",
        )


def identify(graph: Graph, spec_options: Mapping[str, object]) -> Adapter:
    """Find a graph's family and open it with the options of the user's spec.

    Raises:
        ModelError: it is of no known family.
        SpecError: its family does not take one of the options.
        BadFile: its metadata contradicts its graph.
    """
    for name, family in all_families().items():
        if family.recognises(graph):
            options = model_options(name, family.OPTIONS, metadata=graph.metadata, spec_options=spec_options)
            return family.open(graph, options)
    known = "; ".join(f"{name}: {family.DESCRIPTION}" for name, family in all_families().items())
    raise ModelError(
        f"{graph.path} is not a matting network of a known family: its graph is {graph}", hint=f"families are {known}"
    )


def all_families() -> dict[str, Family]:
    """Every family by its module's name."""
    names = sorted(module.name for module in iter_modules(families.__path__))
    return {name: cast("Family", import_module(f"{families.__name__}.{name}")) for name in names}
