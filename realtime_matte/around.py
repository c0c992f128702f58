"""A network around another."""

from collections.abc import Sequence

from realtime_matte.frame import Frame, Matte
from realtime_matte.stages import Network, State


class Around:
    """The same network under its own name; those who inherit change its mattes."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self.network = network

    @property
    def provider(self) -> str:
        """The provider that really runs it."""
        return self.network.provider

    @property
    def notes(self) -> Sequence[str]:
        """The network's."""
        return self.network.notes

    def matte(self, frame: Frame, state: State | None) -> tuple[Matte, State]:
        """The coarse matte of exactly this frame. Raises as the network."""
        return self.network.matte(frame, state)

    def close(self) -> None:
        """Close the network."""
        self.network.close()
