"""Run a session for frames of one size: write the input, run, read the alpha. Once a frame, or on two grids.

Recurrent state stays on the provider's device.

A network finds people best on its base grid, the input size of most of its training, and draws edges best on a finer
one. On two grids, the fine alpha is used near edges of the base alpha, and is limited by the base alpha elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Matte, Pixels, PlateImage, Size
from realtime_matte.interfaces import PlateView, RecurrentState
from realtime_matte.models.family import Adapter, Signature
from realtime_matte.models.runtime import OrtValue
from realtime_matte.models.session import Session

OrtValues: TypeAlias = tuple[OrtValue, ...]

REACH_CELLS = 3
"""Distance from an edge of the base alpha, in cells of the base grid, within which the fine alpha is not limited."""


class NotFinite(RuntimeError):
    """A network's output contains NaN or infinity."""


class Engine:
    """Runs a network on one session, for frames of one size.

    Every input is bound again for each run: ONNX Runtime copies a bound input to its device once, when it is bound.
    Every run writes recurrent state into new tensors, so that an earlier state stays valid; two sets of buffers used
    in turn would save 0.02 ms.
    """

    def __init__(self, session: Session, adapter: Adapter, size: Size) -> None:
        signature = adapter.signature(size)
        self.size = size
        self._session, self._signature = session, signature
        self._own_states = object()  # first element of every state of this engine
        tensor = np.zeros(signature.input_shape, signature.input_type)
        self._output = np.zeros(signature.output_shape, np.float32)
        self._flat = self._output.reshape(-1)
        self._preprocess, self._read_alpha = adapter.preprocessor(size, tensor), adapter.alpha_reader(self._output)
        self._plate_tensors = {name: np.zeros(shape, np.uint8) for name, shape in signature.plate_shapes.items()}
        self._plate = _plate_image(self._plate_tensors)
        self._plate_known = False
        self._inputs = self._input_values(signature, tensor)
        self._initial = tuple(self._zeros(state.shape) for state in signature.states)
        self._binding = session.ort.io_binding()
        self._binding.bind_ortvalue_output(signature.output, session.runtime.tensor(self._output, "cpu"))
        self._shapes = [state.shape for state in signature.states]
        if signature.states_grow:
            self._shapes = self._grown_shapes()

    def process(
        self, pixels: Pixels, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        """The matte, overwritten by the next call, and the state after it. Another engine's state starts a new shot.

        Args:
            pixels: The frame.
            state: After the frame before.
            plate: The clean plate, for a network that sees it; None: nothing is known.

        Raises:
            ORT_ERRORS: of the session; among them NotFinite.
        """
        guide = self._preprocess(pixels)
        if self._plate:
            known = plate is not None and plate.fit(guide, self._plate)
            if self._plate_known and not known:
                self._plate.validity.fill(0)
            self._plate_known = known
        values = self._run(state[1:] if state and state[0] is self._own_states else self._initial)
        if not isfinite(float(self._flat.sum())):
            raise NotFinite("its output is not finite")
        return Matte(self._read_alpha(), guide=guide), (self._own_states, *values)

    @property
    def shrunk_plate(self) -> "ShrunkPlate | None":
        """The plate of the last frame, for another grid; None if nothing was known."""
        return ShrunkPlate(self._plate) if self._plate and self._plate_known else None

    def state_arrays(self, state: RecurrentState | None) -> dict[str, NDArray[np.float32]]:
        """A state of this engine by the names of its inputs, copied from the device."""
        values: OrtValues = state[1:] if state else self._initial
        pairs = zip(self._signature.states, values, strict=True)
        return {tensor.input: np.asarray(value.numpy(), np.float32) for tensor, value in pairs}

    def _run(self, values: OrtValues) -> OrtValues:
        after = tuple(map(self._empty, self._shapes))
        self._bind_inputs(values)
        for tensor, value in zip(self._signature.states, after, strict=True):
            self._binding.bind_ortvalue_output(tensor.output, value)
        self._run_bound()
        return after

    def _grown_shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the state after a first run."""
        self._bind_inputs(self._initial)
        for tensor in self._signature.states:
            self._binding.bind_output(tensor.output, self._session.provider.device)
        self._run_bound()
        return [tuple(value.shape()) for value in self._binding.get_outputs()[1:]]

    def _bind_inputs(self, values: OrtValues) -> None:
        for name, value in self._inputs:
            self._binding.bind_ortvalue_input(name, value)
        for tensor, value in zip(self._signature.states, values, strict=True):
            self._binding.bind_ortvalue_input(tensor.input, value)

    def _run_bound(self) -> None:
        self._binding.synchronize_inputs()
        self._session.ort.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()

    def _input_values(self, signature: Signature, tensor: object) -> list[tuple[str, OrtValue]]:
        arrays = {signature.input: tensor, **self._plate_tensors, **signature.constants}
        return [(name, self._session.runtime.tensor(array, "cpu")) for name, array in arrays.items()]

    def _empty(self, shape: tuple[int, ...]) -> OrtValue:
        return self._session.runtime.empty_tensor(shape, self._session.provider.device)

    def _zeros(self, shape: tuple[int, ...]) -> OrtValue:
        return self._session.runtime.tensor(np.zeros(shape, np.float32), self._session.provider.device)


def _plate_image(tensors: dict[str, NDArray[np.uint8]]) -> PlateImage | None:
    """The plate's inputs as images, which share their memory; None without."""
    if not tensors:
        return None
    colours, validity = tensors.values()
    return PlateImage(colours[0], validity[0, :, :, 0])


@dataclass(frozen=True, slots=True)
class ShrunkPlate:
    """A plate that is fitted to a frame already, for a smaller grid."""

    plate: PlateImage

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """As ``PlateView.fit``."""
        size = guide.shape[1::-1]
        cv2.resize(self.plate.colours, size, dst=out.colours, interpolation=cv2.INTER_AREA)
        cv2.resize(self.plate.validity, size, dst=out.validity, interpolation=cv2.INTER_AREA)
        return True


class TwoGridEngine:
    """As ``Engine``, running each frame on the base grid and on the fine grid of ``adapter``."""

    def __init__(self, session: Session, adapter: Adapter, base: Adapter, size: Size) -> None:
        self.size = size
        self._fine, self._base = Engine(session, adapter, size), Engine(session.for_second_grid, base, size)
        self._limit: AlphaLimit | None = None
        self._own_states = object()

    def process(
        self, pixels: Pixels, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        """As ``Engine.process``. The plate is fitted to the fine grid; the base grid gets what the fine one got."""
        fine_state, base_state = self._split(state)
        fine, fine_state = self._fine.process(pixels, fine_state, plate)
        base, base_state = self._base.process(pixels, base_state, self._fine.shrunk_plate)
        if self._limit is None:
            self._limit = AlphaLimit(base.alpha.shape, fine.alpha.shape)
        self._limit.apply(fine.alpha, base.alpha)
        return fine, (self._own_states, fine_state, base_state)

    def state_arrays(self, state: RecurrentState | None) -> dict[str, NDArray[np.float32]]:
        """As ``Engine.state_arrays``, of both grids."""
        fine_state, base_state = self._split(state)
        base = self._base.state_arrays(base_state)
        return self._fine.state_arrays(fine_state) | {f"{name} of the base grid": base[name] for name in base}

    def _split(self, state: RecurrentState | None) -> tuple[RecurrentState | None, RecurrentState | None]:
        both = state[1:] if state and state[0] is self._own_states else (None, None)
        return cast("tuple[RecurrentState | None, RecurrentState | None]", both)


def make_engine(session: Session, adapter: Adapter, size: Size) -> Engine | TwoGridEngine:
    """An engine for frames of ``size``, on as many grids as the adapter asks for."""
    base = adapter.on_base_grid
    return TwoGridEngine(session, adapter, base, size) if base else Engine(session, adapter, size)


class AlphaLimit:
    """Limits fine alphas by base alphas. ``base``, ``fine``: their shapes (h, w) and (H, W); allocates only here."""

    def __init__(self, base: Sequence[int], fine: Sequence[int]) -> None:
        self._window = np.ones((2 * REACH_CELLS + 1, 2 * REACH_CELLS + 1), np.uint8)
        self._extreme, self._bound = np.empty(base, np.float32), np.empty(fine, np.float32)

    def apply(self, fine: Alpha, base: Alpha) -> None:
        """Clip ``fine``, in place, to the range of ``base`` within REACH_CELLS of each pixel."""
        for extreme, clip in ((cv2.dilate, np.minimum), (cv2.erode, np.maximum)):
            extreme(base, self._window, dst=self._extreme)
            cv2.resize(self._extreme, self._bound.shape[::-1], dst=self._bound)
            clip(fine, self._bound, out=fine)
