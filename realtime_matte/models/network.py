"""A running network: on the best verified provider, and on the next one from the frame on which that one fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte, Size
from realtime_matte.interfaces import PlateView, RecurrentState
from realtime_matte.models.engine import Engine, TwoGridEngine, make_engine
from realtime_matte.models.family import Adapter
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.providers import Provider
from realtime_matte.models.runtime import ORT_ERRORS, Runtime, short_reason
from realtime_matte.models.session import Session

MAX_SIZES: Final = 8
"""Frame sizes whose engines are kept, so that shots of several sizes can be mixed; an engine holds a few MB."""


@dataclass(frozen=True, slots=True)
class StartedNetwork:
    """A network on one provider."""

    name: str
    session: Session
    adapter: Adapter


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network's file, its family's adapter, and where to run it: for a renderer that makes it a part of its graph."""

    graph: Graph
    adapter: Adapter
    provider: Provider
    runtime: Runtime
    threads: int


class OnnxNetwork:
    """The ``Network`` on ONNX Runtime.

    Args:
        started: The one to use, then those that replace it, in order.
        notices: Of the start.
        pipeline: The network for a graph of the whole pipeline, if that is requested.
    """

    reads_i420: Final = True

    def __init__(
        self, started: Sequence[StartedNetwork], notices: Sequence[str], pipeline: NetworkFile | None = None
    ) -> None:
        self.pipeline = pipeline
        self._started = list(started)
        self._current = started[0]
        self._sees_plate = _sees_plate(started[0].adapter)
        self._notices = list(notices)
        self._engines: dict[Size, Engine | TwoGridEngine] = {}  # the last used is at the end

    @property
    def name(self) -> str:
        """Name of the network that runs now."""
        return self._current.name

    @property
    def provider(self) -> str:
        """Name of the provider, as on the command line."""
        return self._current.session.provider.name

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back, oldest first."""
        return tuple(self._notices)

    @property
    def sees_plate(self) -> bool:
        """As ``PlateNetwork.sees_plate``, of the network that runs now."""
        return self._sees_plate

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        """As ``PlateNetwork.process``. A state of another frame size or of a failed provider starts a new shot."""
        if not self._started:
            raise ModelError(f"model {self.name!r} is closed", hint="open it again")
        try:
            return self._run(frame, state, plate)
        except ORT_ERRORS as error:
            self._fall_back(state, error)
        try:
            return self._run(frame, None, plate)
        except ORT_ERRORS as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Drop the sessions; ONNX Runtime frees each with its last reference. Idempotent."""
        self._started.clear()
        self._engines.clear()

    def _run(self, frame: Frame, state: RecurrentState | None, plate: PlateView | None) -> tuple[Matte, RecurrentState]:
        engine = self._engines.pop(frame.size, None)
        if engine is None:
            engine = make_engine(self._current.session, self._current.adapter, frame.size)
            while len(self._engines) >= MAX_SIZES:
                del self._engines[next(iter(self._engines))]
        self._engines[frame.size] = engine
        return engine.process(frame.pixels, state, plate)

    def _fall_back(self, state: RecurrentState | None, error: Exception) -> None:
        """Switch to the next session; on the last one drop the state, which may be the cause."""
        if len(self._started) > 1:
            failed = self._started.pop(0)
            self._current = self._started[0]
            self._sees_plate = _sees_plate(self._current.adapter)
            self._engines.clear()
            model = f"{self._current.name!r} " if self._current.name != failed.name else ""
            failure = f"{failed.session.provider.title} failed while running ({short_reason(error)})"
            title = self._current.session.provider.title
            self._notify(f"{failure}; now running {model}on {title} until rtmatte is restarted")
        elif state is None:
            raise self._failed(error) from error
        else:
            self._notify(f"model {self.name!r} failed and started a new shot: {short_reason(error)}")

    def _notify(self, notice: str) -> None:
        if notice not in self._notices:
            self._notices.append(notice)

    def _failed(self, error: Exception) -> ModelError:
        return ModelError(
            f"model {self.name!r} failed on the CPU: {short_reason(error)}", hint="choose another --model"
        )


def _sees_plate(adapter: Adapter) -> bool:
    return adapter.signature((1280, 720)).plate is not None  # the same for frames of every size
