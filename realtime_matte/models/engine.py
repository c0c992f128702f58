"""A session wired for one frame size: write the input, run, read the output; memories stay on the provider's device."""

from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Matte, Pixels, Size
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.family import Family, Wiring
from realtime_matte.models.runtime import Value
from realtime_matte.models.session import Session

Values: TypeAlias = tuple[Value, ...]


class NotFinite(RuntimeError):
    """A network gave NaN or infinity."""


class Engine:
    """Runs a network for frames of one size on one session.

    Every input is bound anew for each run: ONNX Runtime copies a bound input to its device once, when it is bound.
    Memories come out into tensors of their own, so that a state stays what it was; two sets of buffers, taken in turn,
    were 0.02 ms faster.
    """

    def __init__(self, session: Session, family: Family, size: Size) -> None:
        wiring = family.wiring(size)
        self.size = size
        self._session, self._wiring = session, wiring
        self._mine = object()
        tensor = np.zeros(wiring.input_shape, wiring.input_type)
        self._output = np.zeros(wiring.output_shape, np.float32)
        self._flat = self._output.reshape(-1)
        self._feed, self._read = family.feed(size, tensor), family.read(self._output)
        self._inputs = self._values(wiring, tensor)
        self._start = tuple(self._zeros(memory.shape) for memory in wiring.memories)
        self._binding = session.native.io_binding()
        self._binding.bind_ortvalue_output(wiring.output, session.runtime.value(self._output, "cpu"))
        self._shapes = [memory.shape for memory in wiring.memories]
        if wiring.grows:
            self._shapes = self._grown()

    def process(self, pixels: Pixels, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The matte, overwritten by the next call, and the state after it. A state of another engine starts a shot.

        Raises:
            FAILURES: of the session; among them NotFinite.
        """
        guide = self._feed(pixels)
        memories = self._run(state[1:] if state and state[0] is self._mine else self._start)
        if not isfinite(float(self._flat.sum())):
            raise NotFinite("its output is not finite")
        return Matte(self._read(), guide=guide), (self._mine, *memories)

    def memories(self, state: RecurrentState | None) -> dict[str, NDArray[np.float32]]:
        """What a state of this engine remembers, by the inputs it goes in by, copied from the device."""
        values: Values = state[1:] if state else self._start
        named = zip(self._wiring.memories, values, strict=True)
        return {memory.input: np.asarray(value.numpy(), np.float32) for memory, value in named}

    def _run(self, memories: Values) -> Values:
        after = tuple(map(self._empty, self._shapes))
        self._bind_inputs(memories)
        for memory, value in zip(self._wiring.memories, after, strict=True):
            self._binding.bind_ortvalue_output(memory.output, value)
        self._run_bound()
        return after

    def _grown(self) -> list[tuple[int, ...]]:
        """The shapes that a first run gives the memories."""
        self._bind_inputs(self._start)
        for memory in self._wiring.memories:
            self._binding.bind_output(memory.output, self._session.provider.device)
        self._run_bound()
        return [tuple(value.shape()) for value in self._binding.get_outputs()[1:]]

    def _bind_inputs(self, memories: Values) -> None:
        for name, value in self._inputs:
            self._binding.bind_ortvalue_input(name, value)
        for memory, value in zip(self._wiring.memories, memories, strict=True):
            self._binding.bind_ortvalue_input(memory.input, value)

    def _run_bound(self) -> None:
        self._binding.synchronize_inputs()
        self._session.native.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()

    def _values(self, wiring: Wiring, tensor: object) -> list[tuple[str, Value]]:
        arrays = {wiring.input: tensor, **wiring.constants}
        return [(name, self._session.runtime.value(array, "cpu")) for name, array in arrays.items()]

    def _empty(self, shape: tuple[int, ...]) -> Value:
        return self._session.runtime.empty(shape, self._session.provider.device)

    def _zeros(self, shape: tuple[int, ...]) -> Value:
        return self._session.runtime.value(np.zeros(shape, np.float32), self._session.provider.device)
