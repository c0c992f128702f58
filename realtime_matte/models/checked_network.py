"""Checks everything that a network returns, before it reaches a kernel, which reads memory unchecked.

Wraps any network, also one of the caller's. Not in network.py, because that imports ONNX Runtime.
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import MatteError, ModelError, printable
from realtime_matte.frame import Alpha, Frame, Matte, Pixels
from realtime_matte.interfaces import Network, PlateNetwork, PlateView, RecurrentState
from realtime_matte.media import i420

ALPHA_TOLERANCE: Final = 1e-3
"""How far outside [0, 1] rounding may bring an alpha: less than half a step of the 8-bit composite."""

MIN_SIDE: Final = 8
"""Cells: the filters' windows are 5 to 9 wide."""

MAX_CELLS: Final = 2**22
"""2048 x 2048: refining needs 200 bytes a cell."""

MAX_STRETCH: Final = 2.0
"""Largest factor between the aspect ratios of alpha and frame. A square network differs from a wide frame; an alpha
that differs more may be transposed. Not checked if the network returns its guide: that shows what its grid covers."""

NAME_LENGTH: Final = 100
"""Longest network name in a message, in characters."""


class CheckedNetwork:
    """Another ``Network``, with its errors and results checked. A fault is a ModelError with the network's name."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self._network = network
        self._plate_network = network if isinstance(network, PlateNetwork) else None
        self._in_bgr = i420.BgrFrames()

    @property
    def provider(self) -> str:
        """The network's."""
        return self._network.provider

    @property
    def notices(self) -> Sequence[str]:
        """The network's."""
        return self._network.notices

    @property
    def sees_plate(self) -> bool:
        """As ``PlateNetwork.sees_plate``; False for a network without the property."""
        return self._plate_network is not None and self._plate_network.sees_plate

    @property
    def pipeline(self) -> object:
        """As ``OnnxNetwork.pipeline``, a NetworkFile; None of other networks."""
        return getattr(self._network, "pipeline", None)

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        """As ``PlateNetwork.process``. The arrays of the matte are contiguous.

        Raises:
            ModelError: the network failed, or its result is not as ``Matte`` describes a coarse matte.
        """
        if frame.pixel_format == "i420" and not getattr(self._network, "reads_i420", False):
            frame = self._in_bgr(frame)
        try:
            if plate and self._plate_network and self._plate_network.sees_plate:
                result = self._plate_network.process(frame, state, plate)
            else:
                result = self._network.process(frame, state)
        except ModelError:
            raise
        except MatteError as error:  # such as a SourceError of the caller's network: not to be taken for the camera's
            raise ModelError(f"{self._title} failed: {error.message}", hint=error.hint) from error
        try:
            matte, after = _split(result)
            return check_matte(matte, frame), after
        except (TypeError, ValueError) as error:
            hint = "choose another --model, or correct its process()"
            raise ModelError(f"{self._title} returned {error}", hint=hint) from error

    def close(self) -> None:
        """Close the network."""
        self._network.close()

    @property
    def _title(self) -> str:
        return f"model {printable(str(self.name), NAME_LENGTH)!r}"


def _split(result: object) -> tuple[Matte, RecurrentState]:
    if not isinstance(result, tuple) or len(result) != 2:  # noqa: PLR2004 -- a matte and a state
        raise TypeError(f"{_kind(result)} instead of a matte and a state")
    if not isinstance(result[0], Matte):
        raise TypeError(f"{_kind(result[0])} instead of a Matte")
    return result


def check_matte(matte: Matte, frame: Frame) -> Matte:
    """The coarse matte of ``frame``, with contiguous arrays. Raises TypeError, ValueError with what it is instead."""
    is_complete = matte.foreground is not None and np.shape(matte.alpha) == frame.pixels.shape[:2]
    alpha, guide = _check_alpha(matte.alpha, sys.maxsize if is_complete else MAX_CELLS), matte.guide
    if guide is None:
        _check_stretch(alpha, frame)
    else:
        guide = _check_colours("guide", guide, (*alpha.shape, 3))
    if matte.foreground is not None:
        _check_colours("foreground", matte.foreground, (*frame.size[::-1], 3))
    return matte if alpha is matte.alpha and guide is matte.guide else Matte(alpha, matte.foreground, guide)


def _check_alpha(alpha: object, max_cells: int) -> Alpha:
    if not isinstance(alpha, np.ndarray):
        raise TypeError(f"{_kind(alpha)} as alpha instead of an array")
    if alpha.dtype != np.float32 or alpha.ndim != 2:  # noqa: PLR2004 -- rows and columns
        raise ValueError(f"an alpha of {_shape(alpha)} instead of (h, w) float32")
    if min(alpha.shape) < MIN_SIDE or alpha.size > max_cells:
        raise ValueError(f"an alpha of {_shape(alpha)}, not {MIN_SIDE} or more a side and {MAX_CELLS} values at most")
    low, high = float(alpha.min()), float(alpha.max())  # both are NaN if one value is
    if not (low >= -ALPHA_TOLERANCE and high <= 1 + ALPHA_TOLERANCE):
        raise ValueError(f"alphas in {low:g} .. {high:g} instead of 0 .. 1")
    return _contiguous(alpha)


def _check_colours(name: str, colours: object, shape: tuple[int, ...]) -> Pixels:
    if not isinstance(colours, np.ndarray):
        raise TypeError(f"{_kind(colours)} as {name} instead of an array")
    if colours.dtype != np.uint8 or colours.shape != shape:
        raise ValueError(f"a {name} of {_shape(colours)} instead of {shape} uint8")
    return _contiguous(colours)


def _check_stretch(alpha: Alpha, frame: Frame) -> None:
    (rows, columns), (width, height) = alpha.shape, frame.size
    stretch = columns * height / (rows * width)
    if not 1 / MAX_STRETCH <= stretch <= MAX_STRETCH:
        shapes = f"an alpha of {columns}x{rows} for a frame of {width}x{height}"
        raise ValueError(f"{shapes}, which is of another aspect ratio, without a guide")


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself, or a copy that kernels can read. Those of the shipped networks are never copied."""
    plain = type(array) is np.ndarray and array.flags.c_contiguous and array.flags.aligned
    return array if plain else np.require(np.asarray(array), requirements=["C", "A"])


def _shape(array: NDArray[Any]) -> str:
    return f"{array.shape} {array.dtype}"


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
