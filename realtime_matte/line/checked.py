"""A network that is not believed: what is no alpha is a failure, not a picture."""

from collections.abc import Sequence

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte
from realtime_matte.stages import Network, State

SLACK = 1e-3
"""How far out of [0, 1] an alpha may be by rounding: less than half a step of the compositing."""


class Checked:
    """The same network, raising ModelError for an alpha with a value that is no number, or far out of [0, 1]."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self._network = network

    @property
    def provider(self) -> str:
        """The provider that really runs it."""
        return self._network.provider

    @property
    def notes(self) -> Sequence[str]:
        """The network's."""
        return self._network.notes

    def matte(self, frame: Frame, state: State | None) -> tuple[Matte, State]:
        """The coarse matte of exactly this frame."""
        matte, after = self._network.matte(frame, state)
        low, high = float(matte.alpha.min()), float(matte.alpha.max())  # both are NaN if one value is
        if not (low >= -SLACK and high <= 1 + SLACK):
            raise ModelError(f"model {self.name!r} gave {low:g} .. {high:g} for alphas of 0 .. 1; take another --model")
        return matte, after

    def close(self) -> None:
        """Close the network."""
        self._network.close()
