"""A renderer whose network is opened again when it fails. No matte, no picture, whatever happens."""

from collections.abc import Callable, Sequence

from realtime_matte.errors import MatteError, ModelError, SinkError
from realtime_matte.frame import Frame, Pixels
from realtime_matte.interfaces import Background, Network, Renderer
from realtime_matte.models.checked import Checked

PATIENCE = 3
"""So many failures in a row, and the network is opened anew."""

PAUSES_S = (0.5, 1, 2, 4, 8, 16, 30)
"""How long to wait before each try to open it; the last one stays."""

TOLD_EVERY_S = 5.0

OpenNetwork = Callable[[], Network]
MakeRenderer = Callable[[Network, Background | None], Renderer]


class RecoveringRenderer:
    """Renders, or says that there is no picture of this frame. ``make`` gives the renderer of an open network.

    Time is that of the frames, so that a file's run is the same each time.

    Raises:
        ModelError: the first network cannot be opened; later ones are tried again.
    """

    def __init__(
        self,
        open_network: OpenNetwork,
        make: MakeRenderer,
        *,
        background: Background | None,
        notify: Callable[[str], None],
    ) -> None:
        self._open = open_network
        self._make = make
        self._tell = notify
        self._background = background
        self._failures = 0
        self._retry_at = float("-inf")
        self._told_at = float("-inf")
        self._network: Network
        self._renderer: Renderer | None = None
        self._start(open_network)

    @property
    def network(self) -> str:
        """Name of the network."""
        return self._network.name

    @property
    def model(self) -> str:
        """Name of the network, and the provider that really runs it."""
        return f"{self.network} on {self.provider}"

    @property
    def provider(self) -> str:
        """The provider that really runs the network."""
        return self._network.provider

    @property
    def notices(self) -> Sequence[str]:
        """The renderer's; empty while there is none."""
        return self._renderer.notices if self._renderer else ()

    @property
    def background(self) -> Background | None:
        """What is put behind the person."""
        return self._background

    @background.setter
    def background(self, background: Background | None) -> None:
        self._background = background
        if self._renderer:
            self._renderer.background = background

    def render(self, frame: Frame) -> Pixels | None:
        """The picture, or None when the network has no matte of this very frame.

        Raises:
            MatteError: of the background, or of the last output, which shows the card while a network opens.
        """
        if self._renderer is None and frame.time < self._retry_at:
            return None
        try:
            picture = (self._renderer or self._reopened()).render(frame)
        except ModelError as error:
            self._fail(frame.time, error)
            return None
        self._failures = 0
        return picture

    def switch(self, open_network: OpenNetwork) -> bool:
        """Put another network in the old one's place. If it cannot be opened, that is told and the old one stays.

        Raises:
            SinkError: of the last output, which shows the card meanwhile.
        """
        try:
            self._start(open_network)
        except SinkError:
            raise
        except MatteError as error:
            self._tell(f"the model stays as it is: {error}")
            return False
        self._open = open_network
        self._failures = 0
        return True

    def reset(self) -> None:
        """Drop every memory of earlier frames."""
        if self._renderer:
            self._renderer.reset()

    def close(self) -> None:
        """Close the renderer and its network."""
        if self._renderer:
            self._renderer.close()
            self._network.close()
        self._renderer = None

    def _start(self, open_network: OpenNetwork) -> Renderer:
        network = Checked(open_network())
        self.close()
        self._network = network
        self._renderer = self._make(network, self._background)
        return self._renderer

    def _reopened(self) -> Renderer:
        try:
            renderer = self._start(self._open)
        except SinkError:
            raise
        except MatteError as error:
            raise ModelError(str(error)) from error
        self._tell("the model is open again")
        return renderer

    def _fail(self, now: float, error: ModelError) -> None:
        self._failures += 1
        if self._failures >= PATIENCE:
            self.close()
            pause = PAUSES_S[min(self._failures - PATIENCE, len(PAUSES_S) - 1)]
            self._retry_at = now + pause
        if now >= self._told_at + TOLD_EVERY_S:
            self._told_at = now
            self._tell(f"no matte, so the standby card is shown and the model tried again: {error}")
