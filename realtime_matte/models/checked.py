"""A check of every alpha, around any network. Not in network.py, which imports ONNX Runtime at once."""

from collections.abc import Sequence

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte
from realtime_matte.interfaces import Network, RecurrentState

ALPHA_TOLERANCE = 1e-3
"""How far outside [0, 1] rounding may bring an alpha: less than half a step of the 8-bit composite."""


class CheckedNetwork:
    """Another ``Network``, with a check of every alpha: one with NaN, or far outside [0, 1], is a ModelError."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self._network = network

    @property
    def provider(self) -> str:
        """The network's."""
        return self._network.provider

    @property
    def notices(self) -> Sequence[str]:
        """The network's."""
        return self._network.notices

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """As ``Network.process``."""
        matte, after = self._network.process(frame, state)
        low, high = float(matte.alpha.min()), float(matte.alpha.max())  # both are NaN if one value is
        if not (low >= -ALPHA_TOLERANCE and high <= 1 + ALPHA_TOLERANCE):
            message = f"model {self.name!r} returned alphas in {low:g} .. {high:g} instead of 0 .. 1"
            raise ModelError(message, hint="choose another --model")
        return matte, after

    def close(self) -> None:
        """Close the network."""
        self._network.close()
