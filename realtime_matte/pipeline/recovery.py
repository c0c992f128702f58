"""Recovery: a renderer that opens its network again when it fails. Without a matte there is no output frame."""

from collections.abc import Callable, Sequence
from typing import Final

from realtime_matte.errors import MatteError, ModelError, NoMatte, SinkError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Background, Network, Renderer
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.render.clean_plate import CleanPlate

MAX_FAILURES: Final = 3
"""Failures in a row after which the network is opened again."""

RETRY_S: Final = (0.5, 1, 2, 4, 8, 16, 30)
"""Seconds to wait before each attempt to open it; the last value repeats."""

REPORT_EVERY_S: Final = 5.0
"""Least time between two reports of a failure."""

OpenNetwork = Callable[[], Network]
MakeRenderer = Callable[[Network, Background | None], Renderer]


class RecoveringRenderer:
    """Renders frames, or returns None for one without a trusted matte.

    Waits are measured in the frames' time, so a file gives the same output on every run.

    Args:
        open_network: Opens the network; again after failures.
        make: Makes the renderer of an open network.
        background: The background; None for alpha.
        notify: Gets each failure and recovery, and each kind of doubt once.
        card_on_doubt: Return None for a doubtful matte, so that the standby card is shown.

    Raises:
        ModelError: the first network cannot be opened.
    """

    def __init__(
        self,
        open_network: OpenNetwork,
        make: MakeRenderer,
        *,
        background: Background | None,
        notify: Callable[[str], None],
        card_on_doubt: bool = False,
    ) -> None:
        self._open_network = open_network
        self._make = make
        self._notify = notify
        self._background = background
        self._card_on_doubt = card_on_doubt
        self._doubts = set[str]()  # that were reported
        self._failures = 0
        self._retry_at = float("-inf")
        self._reported = ""  # the failure that was reported last, until there is a matte again
        self._reported_at = float("-inf")
        self._network: Network
        self._renderer: Renderer | None = None
        self._start(open_network)

    @property
    def network(self) -> str:
        """Name of the network."""
        return self._network.name

    @property
    def model(self) -> str:
        """Name of the network and the provider that runs it."""
        return f"{self.network} on {self.provider}"

    @property
    def provider(self) -> str:
        """The provider that really runs the network."""
        return self._network.provider

    @property
    def notices(self) -> Sequence[str]:
        """The renderer's notices; empty while there is none."""
        return self._renderer.notices if self._renderer else ()

    @property
    def grid(self) -> Size | None:
        """As ``Renderer.grid``."""
        return self._renderer.grid if self._renderer else None

    @property
    def covered(self) -> float:
        """As ``Renderer.covered``."""
        return self._renderer.covered if self._renderer else 0.0

    @property
    def first_frames(self) -> bool:
        """Whether the renderer composites first frames, without a clean plate: see FirstFrames."""
        return getattr(self._renderer, "waiting", False)

    @property
    def clean_plate(self) -> CleanPlate | None:
        """The clean plate that the network sees; None if it sees none."""
        plate = getattr(self._renderer, "clean_plate", None)
        return plate if isinstance(plate, CleanPlate) else None

    @property
    def background(self) -> Background | None:
        """The background; None for alpha."""
        return self._background

    @background.setter
    def background(self, background: Background | None) -> None:
        self._background = background
        if self._renderer:
            self._renderer.background = background

    def render(self, frame: Frame) -> Pixels | None:
        """The composite, or None if the network has no matte of this very frame, or a doubtful one.

        After a failure the next frame starts a new shot. After a doubtful matte it does not: the clean plate is
        needed to see when the matte is right again.

        Raises:
            MatteError: of the background, or of the last output, which shows the card while a network opens.
        """
        if self._renderer is None and frame.time < self._retry_at:
            return None
        try:
            renderer = self._renderer or self._reopen()
            composite = renderer.render(frame)
        except ModelError as error:
            self._handle_failure(frame.time, error)
            return None
        self._failures, self._reported = 0, ""
        if renderer.doubt:
            self._report_doubt(renderer.doubt)
        return None if renderer.doubt and self._card_on_doubt else composite

    def use(self, network: CheckedNetwork, open_network: OpenNetwork) -> None:
        """Replace the network by an open one, which processes the next frame without a recurrent state.

        Args:
            network: The new network; the old one is closed.
            open_network: Opens the new one again after failures.
        """
        previous, old = self._renderer, self._network
        self._renderer = self._make(network, self._background)
        self._network, self._open_network = network, open_network
        self._failures, self._retry_at = 0, float("-inf")
        if previous:
            self._renderer.continue_shot(previous)
            previous.close()
            old.close()

    def remake(self, make: MakeRenderer) -> None:
        """Replace the function that makes the renderer, and the renderer; keep the network."""
        self._make = make
        if self._renderer:
            self._renderer.close()
            self._renderer = make(self._network, self._background)

    def set_card_on_doubt(self, *, card_on_doubt: bool) -> None:
        """Show the card for a doubtful matte from the next frame on, or no longer."""
        self._card_on_doubt = card_on_doubt

    def reset(self) -> None:
        """Forget earlier frames: the next one starts a new shot."""
        if self._renderer:
            self._renderer.reset()

    def close(self) -> None:
        """Close the renderer and its network. Idempotent."""
        if self._renderer:
            self._renderer.close()
            self._network.close()
        self._renderer = None

    def _start(self, open_network: OpenNetwork) -> Renderer:
        network = CheckedNetwork(open_network())
        self.close()
        self._network = network
        self._renderer = self._make(network, self._background)
        return self._renderer

    def _reopen(self) -> Renderer:
        try:
            renderer = self._start(self._open_network)
        except SinkError:
            raise
        except MatteError as error:
            raise ModelError(error.message, hint=error.hint) from error
        self._notify("the model is open again")
        return renderer

    def _report_doubt(self, doubt: str) -> None:
        if doubt not in self._doubts:
            self._doubts.add(doubt)
            hint = (
                "the standby card is shown" if self._card_on_doubt else "--card-on-doubt shows the standby card instead"
            )
            self._notify(f"{doubt}; {hint}, and another --model may not do this")

    def _handle_failure(self, now: float, error: ModelError) -> None:
        self.reset()
        self._failures = 0 if isinstance(error, NoMatte) else self._failures + 1
        if self._failures >= MAX_FAILURES:
            self.close()
            self._retry_at = now + RETRY_S[min(self._failures - MAX_FAILURES, len(RETRY_S) - 1)]
        if now >= self._reported_at + REPORT_EVERY_S and str(error) != self._reported:
            self._reported_at, self._reported = now, str(error)
            self._notify(f"no matte, so the standby card is shown and the model is tried again: {error}")
