"""On demand: the camera is open only while somebody looks at an output."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, Protocol

from realtime_matte.errors import SpecError
from realtime_matte.interfaces import Readers
from realtime_matte.pipeline.lifetime import own
from realtime_matte.pipeline.outputs import Outputs

LINGER_S: Final = 5.0
"""So long the camera stays on when nobody looks any more: calls switch theirs off and on as they please."""

LOOKED_EVERY_S: Final = 0.5
"""So often is looked while the camera is on."""

OFF: Final = "nobody watches: the camera is off"
ON: Final = "somebody watches: the camera is on"


class Rests(Protocol):
    """A camera that can be let go of for a while."""

    def rest(self, whom: object) -> None:
        """Close it, for a while."""

    def wake(self, whom: object) -> None:
        """Open it again, unless it rests for another too."""


class OnDemand:
    """Switches ``camera`` off, at once, and on and off again as those who look come and go. Caller's thread only."""

    def __init__(
        self,
        readers: Sequence[Readers],
        camera: Rests,
        *,
        notify: Callable[[str], None],
        clock: Callable[[], float] = time.perf_counter,
        linger_s: float = LINGER_S,
    ) -> None:
        self.asleep = True
        self._readers = readers
        self._camera = camera
        self._tell = notify
        self._clock = clock
        self._linger_s = linger_s
        self._seen = clock()  # when somebody looked last; this and the next: of use while the camera is on
        self._due = clock()
        camera.rest(self)

    @property
    def notices(self) -> list[str]:
        """How it is found out, where that is not exact."""
        return [note for one in self._readers for note in one.notices]

    def sleeps(self, timeout_s: float) -> bool:
        """True while nobody looks, with the camera off; then waits so long for one to come."""
        if self.asleep:
            self._sleep(timeout_s)
        elif self._clock() >= self._due:
            self._look()
        return self.asleep

    def _sleep(self, timeout_s: float) -> None:
        if self._anybody(timeout_s):
            self.asleep = False
            self._seen = self._clock()
            self._due = self._seen + LOOKED_EVERY_S
            self._camera.wake(self)
            self._tell(ON)

    def _look(self) -> None:
        now = self._clock()
        self._due = now + LOOKED_EVERY_S
        if self._anybody(0):
            self._seen = now
        elif now >= self._seen + self._linger_s:
            self.asleep = True
            self._camera.rest(self)
            self._tell(OFF)

    def _anybody(self, timeout_s: float) -> bool:
        return any(one.wait_for_reader(timeout_s / len(self._readers)) for one in self._readers)


def demand(
    stack: ExitStack,
    outputs: Outputs,
    camera: Rests | None,
    *,
    notify: Callable[[str], None],
    clock: Callable[[], float],
) -> OnDemand:
    """Of all outputs that can tell who looks.

    Raises:
        SpecError: there is none, or no camera.
        SinkError: one cannot be looked at.
    """
    if camera is None:
        raise SpecError("on demand is for a camera, and this source is a file", hint="leave out --on-demand")
    watched = outputs.watched()
    if not watched:
        raise SpecError(
            "on demand needs an output that tells whether somebody watches, and only virtual cameras of Linux do",
            hint="add --output virtualcam, or leave out --on-demand",
        )
    return OnDemand([own(stack, one.open_readers()) for one in watched], camera, notify=notify, clock=clock)
