"""A network around another."""

from collections.abc import Sequence

from realtime_matte.interfaces import Network


class Around:
    """All of a network but its mattes, which those who inherit make of its."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self.network = network

    @property
    def provider(self) -> str:
        """The provider that really runs it."""
        return self.network.provider

    @property
    def notices(self) -> Sequence[str]:
        """The network's."""
        return self.network.notices

    def close(self) -> None:
        """Close the network."""
        self.network.close()
