"""What a family of networks promises: how to wire one for a frame's size, feed it a picture, and read its alpha.

A family is a module of ``families/`` with the attributes of ``FamilyModule``; it is found by asking each, so adding
one is one file.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.models import families
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import Settings, settings

Array: TypeAlias = NDArray[Any]

Feed: TypeAlias = Callable[[Pixels], Pixels]
"""Writes a frame's pixels into the network's input, as it was made for; gives the frame on the network's grid, BGR,
overwritten by the next call."""

Read: TypeAlias = Callable[[], Alpha]
"""Brings the network's output into an alpha; overwritten by the next call."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A recurrent state: the input it goes in by, the output it comes out of, and its shape before the first frame."""

    input: str
    output: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wiring:
    """A network's inputs and outputs for frames of one size.

    ``grows``: a memory has another shape after the first frame than before. ``constants``: inputs that never change.
    """

    input: str
    input_shape: tuple[int, ...]
    input_type: type[np.uint8 | np.float32]
    output: str
    output_shape: tuple[int, ...]
    memories: tuple[Memory, ...] = ()
    grows: bool = False
    constants: Mapping[str, Array] = field(default_factory=dict)


class Family(Protocol):
    """One network, understood."""

    @property
    def anchor(self) -> "Family | None":
        """The same network on a coarser grid, where it is surer of who is a person; None where it has no such grid."""

    def wiring(self, size: Size) -> Wiring:
        """How to run it for frames of that size."""

    def feed(self, size: Size, tensor: Array) -> Feed:
        """What writes frames of that size into its input ``tensor``."""

    def read(self, tensor: NDArray[np.float32]) -> Read:
        """What reads its output ``tensor``."""


def clipped(alpha: Alpha) -> Read:
    """Reads an alpha that needs nothing but to stay within its range: rounding may leave it by a little."""
    return lambda: np.clip(alpha, 0, 1, out=alpha)


class FamilyModule(Protocol):
    """A module of ``families/``."""

    LOOKS: str
    """How to tell one, for the user: inputs -> outputs."""

    OPTIONS: Collection[str]
    """The settings it takes."""

    def recognises(self, graph: Graph) -> bool:
        """Whether a graph is of this family; at most one family says yes."""

    def open(self, graph: Graph, settings: Settings, /) -> Family:
        """The network, understood. Raises BadFile, SpecError."""


def understand(graph: Graph, given: Mapping[str, object]) -> Family:
    """The network in a graph; ``given``: the options a user gave.

    Raises:
        ModelError: it is of no known family.
        SpecError: a setting its family does not take.
        BadFile: its metadata contradicts itself.
    """
    for name, module in known().items():
        if module.recognises(graph):
            return module.open(graph, settings(name, module.OPTIONS, metadata=graph.metadata, given=given))
    there = "; ".join(f"{name}: {module.LOOKS}" for name, module in known().items())
    raise ModelError(
        f"{graph.path} is no matting network of a known family: it takes and gives {graph}", hint=f"there are {there}"
    )


def known() -> dict[str, FamilyModule]:
    """Every family by its module's name."""
    names = sorted(module.name for module in iter_modules(families.__path__))
    return {name: cast("FamilyModule", import_module(f"{families.__name__}.{name}")) for name in names}
