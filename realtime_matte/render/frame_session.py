"""Runs the graph of the whole frame on a provider: frames, background and states stay in its memory.

Two sets of states are used in turn, one as input and the other as output. So every tensor keeps its address, which
CUDA graphs need: each of the two ways round is recorded as one at its first run, and replayed later.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels
from realtime_matte.models.engine import NotFinite
from realtime_matte.models.family import RANGE_TOLERANCE, OutOfRange
from realtime_matte.models.runtime import OrtBinding, OrtValue, cuda_graph_run
from realtime_matte.models.session import Session
from realtime_matte.render.frame_controls import Controls
from realtime_matte.render.frame_graph import CONTROLS, MEASURES, FrameGraph

SERIALS: Final = 2**24
"""Numbers of frames below this are exact in float32."""

KEPT_STATES: Final = ("plate", "light", "alpha")
"""States that another network can continue with."""


class NotComputed(RuntimeError):
    """A run ended without an error and did not compute its frame."""


class FrameSession:
    """The graph on a session, for frames of one size. Every run needs the states of the run before.

    Args:
        graph: The graph.
        session: Started with its model.
        cuda_graphs: Record and replay CUDA graphs.
    """

    def __init__(self, graph: FrameGraph, session: Session, *, cuda_graphs: bool) -> None:
        width, height = graph.size
        self.size, self.grid, self.cuda_graphs = graph.size, graph.grid, cuda_graphs
        self._session, self._shapes = session, {state.input: state.shape for state in graph.states}
        self._controls = np.zeros(len(CONTROLS), np.float32)
        arrays: dict[str, NDArray[np.generic]] = {
            "pixels": np.zeros((1, height, width, 3), np.uint8),
            "background": np.zeros((1, height, width, 3), np.uint8),
            "controls": self._controls.copy(),
        }
        outputs: dict[str, NDArray[np.generic]] = {
            "composite": np.zeros((1, height, width, 3), np.uint8),
            "measures": np.zeros(len(MEASURES), np.float32),
        }
        self._inputs, self._outputs = self._on_device(arrays), self._on_device(outputs)
        zeros = {name: np.zeros(shape, np.float32) for name, shape in self._shapes.items()}
        self._states = self._on_device(zeros), self._on_device(zeros)
        names = {state.input: state.output for state in graph.states}
        self._bindings = [self._bind(*states, names) for states in (self._states, self._states[::-1])]
        self._options = [cuda_graph_run(number) if cuda_graphs else None for number in (1, 2)]
        self._serial = 0

    @property
    def title(self) -> str:
        """The provider, for the user."""
        return f"{self._session.provider.title}{' with CUDA graphs' if self.cuda_graphs else ''}"

    def set_background(self, image: Pixels) -> None:
        """The background from the next frame on, (H, W, 3)."""
        self._inputs["background"].update_inplace(image[None])

    def run(self, pixels: Pixels, controls: Controls) -> tuple[Pixels, Mapping[str, float]]:
        """The composite of a frame (H, W, 3), overwritten by the next call, and its measures.

        From a device ONNX Runtime copies into a new array. On the CPU the composite is the output itself.

        Raises:
            ORT_ERRORS: of the session; among them NotFinite, OutOfRange and NotComputed. Nothing may be shown then.
        """
        self._serial = (self._serial + 1) % SERIALS
        turn = self._serial % 2
        self._inputs["pixels"].update_inplace(pixels[None])
        self._controls[:-1] = [getattr(controls, name) for name in CONTROLS[:-1]]
        self._controls[-1] = self._serial
        self._inputs["controls"].update_inplace(self._controls)
        self._run_bound(turn)
        measures = dict(zip(MEASURES, self._outputs["measures"].numpy().tolist(), strict=True))
        self._check(measures)
        image: Pixels = self._outputs["composite"].numpy()[0]
        return image, measures

    def reset(self) -> None:
        """Forget earlier frames."""
        for states in self._states:
            for name, value in states.items():
                value.update_inplace(np.zeros(self._shapes[name], np.float32))

    def continue_shot(self, previous: "FrameSession") -> bool:
        """Take over what ``previous``, around another network, knows of the shot. False if its grid is another."""
        if previous.grid != self.grid:
            return False
        for name in KEPT_STATES:
            self.states[name].update_inplace(previous.states[name].numpy())
        return True

    @property
    def states(self) -> Mapping[str, OrtValue]:
        """The states that the next frame reads, by the names of their inputs."""
        return self._states[(self._serial + 1) % 2]

    def _run_bound(self, turn: int) -> None:
        binding, options = self._bindings[turn], self._options[turn]
        binding.synchronize_inputs()
        if options is None:
            self._session.ort.run_with_iobinding(binding)
        else:
            self._session.ort.run_with_iobinding(binding, options)
        binding.synchronize_outputs()

    def _check(self, measures: Mapping[str, float]) -> None:
        if measures["serial"] != self._serial:
            raise NotComputed("a run ended without computing its frame")
        if not all(map(isfinite, measures.values())):
            raise NotFinite("its output is not finite")
        least, most = measures["least"], measures["most"]
        if least < -RANGE_TOLERANCE or most > 1 + RANGE_TOLERANCE:
            raise OutOfRange(f"its output is in {least:g} .. {most:g} instead of 0 .. 1")

    def _bind(
        self, before: Mapping[str, OrtValue], after: Mapping[str, OrtValue], names: Mapping[str, str]
    ) -> OrtBinding:
        binding = self._session.ort.io_binding()
        for name, value in {**self._inputs, **before}.items():
            binding.bind_ortvalue_input(name, value)
        outputs = {**self._outputs, **{names[name]: value for name, value in after.items()}}
        for name, value in outputs.items():
            binding.bind_ortvalue_output(name, value)
        return binding

    def _on_device(self, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, OrtValue]:
        device = self._session.provider.device
        return {name: self._session.runtime.tensor(array.copy(), device) for name, array in arrays.items()}
