"""A network at work: on the best provider that was proven, and on the CPU from the frame on which that one fails."""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.engine import Engine
from realtime_matte.models.family import Family
from realtime_matte.models.runtime import FAILURES, reason
from realtime_matte.models.session import Session
from realtime_matte.models.two_grids import Anchored, wired


@dataclass(frozen=True, slots=True)
class Running:
    """A network, started on a provider, as its family wants it there."""

    name: str
    session: Session
    family: Family


class OnnxNetwork:
    """Keeps the promise of ``stages.Network``. ``runs``: the one to use and those that take over, in order."""

    def __init__(self, runs: Sequence[Running], notices: Sequence[str]) -> None:
        self._runs = list(runs)
        self._now = runs[0]
        self._notes = list(notices)
        self._engine: Engine | Anchored | None = None

    @property
    def name(self) -> str:
        """Of the network that runs."""
        return self._now.name

    @property
    def provider(self) -> str:
        """As users name it."""
        return self._now.session.provider.name

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back, oldest first."""
        return tuple(self._notes)

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """A state of another frame size, or of a provider that failed since, starts a new shot."""
        if not self._runs:
            raise ModelError(f"model {self.name!r} was closed", hint="open it again")
        try:
            return self._run(frame, state)
        except FAILURES as error:
            self._fall_back(state, error)
        try:
            return self._run(frame, None)
        except FAILURES as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Sessions end with their last reference."""
        self._runs.clear()
        self._engine = None

    def _run(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        if self._engine is None or self._engine.size != frame.size:
            self._engine = wired(self._now.session, self._now.family, frame.size)
        return self._engine.process(frame.pixels, state)

    def _fall_back(self, state: RecurrentState | None, error: Exception) -> None:
        """To the next session; the last one may only have met a spoilt state."""
        if len(self._runs) > 1:
            failed = self._runs.pop(0)
            self._now = self._runs[0]
            self._engine = None
            titles = [one.session.provider.title for one in (failed, self._now)]
            other = f"{self._now.name!r} " if self._now.name != failed.name else ""
            told = f"{titles[0]} failed while running ({reason(error)}); running {other}on {titles[1]} since"
            self._tell(f"{told}, until rtmatte is started again")
        elif state is None:
            raise self._lost(error) from error
        else:
            self._tell(f"model {self.name!r} started a new shot, as it failed in the old one: {reason(error)}")

    def _tell(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def _lost(self, error: Exception) -> ModelError:
        return ModelError(f"model {self.name!r} failed on the CPU: {reason(error)}", hint="take another --model")
