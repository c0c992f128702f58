"""On demand: the camera is open only while a program reads an output."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, runtime_checkable

from realtime_matte.errors import MatteError, SpecError
from realtime_matte.interfaces import HasReaders, Readers

LINGER_S: Final = 5.0
"""The camera stays on for this time after the last reader left: calls turn theirs off and on again."""

CHECK_EVERY_S: Final = 0.5
"""Seconds between two checks for readers while the camera is on."""

OFF: Final = "no program reads the output: the camera is off"
ON: Final = "a program reads the output: the camera is on"


@runtime_checkable
class Pausable(Protocol):
    """A camera that can be closed for a while."""

    def pause(self, owner: object) -> None:
        """Close it until it is resumed."""

    def resume(self, owner: object) -> None:
        """Open it again, unless another owner paused it too."""


class OnDemand:
    """While it is enabled, turns ``camera`` on while there is a reader; off at the start and after the last.

    The pipeline's thread only, except ``set_watched``.

    Attributes:
        off: True while the camera is off for lack of readers.
    """

    def __init__(
        self,
        camera: Pausable,
        *,
        notify: Callable[[str], None],
        clock: Callable[[], float] = time.perf_counter,
        linger_s: float = LINGER_S,
    ) -> None:
        self.off = False
        self._watched = False  # any thread replaces it
        self._readers: Sequence[Readers] = ()
        self._camera = camera
        self._notify = notify
        self._clock = clock
        self._linger_s = linger_s
        self._last_read = clock()  # last check with a reader; this and the next: valid while the camera is on
        self._check_at = clock()

    @property
    def enabled(self) -> bool:
        """Whether the camera is turned off without readers."""
        return bool(self._readers)

    def enable(self, readers: Sequence[Readers]) -> None:
        """Look at these readers, which it closes, from now on. If it was not enabled, the camera is turned off."""
        was_enabled = self.enabled
        self._close_readers()
        self._readers = readers
        if not was_enabled:
            self.off = True
            self._camera.pause(self)

    def disable(self) -> None:
        """Leave the camera on."""
        self._close_readers()
        if self.off:
            self.off = False
            self._camera.resume(self)

    def close(self) -> None:
        """Stop looking for readers. Idempotent."""
        self._close_readers()

    @property
    def notices(self) -> list[str]:
        """How readers are detected, if that is not exact."""
        return [notice for readers in self._readers for notice in readers.notices]

    def set_watched(self, *, watched: bool) -> None:
        """Count one more reader while ``watched``, such as a preview that a user looks at. Any thread."""
        self._watched = watched

    def update(self, timeout_s: float) -> bool:
        """Turn the camera on or off; returns True while it is off, after waiting up to ``timeout_s`` for a reader."""
        if not self.enabled:
            return False
        if self.off:
            self._wait(timeout_s)
        elif self._clock() >= self._check_at:
            self._check()
        return self.off

    def _wait(self, timeout_s: float) -> None:
        if self._has_reader(timeout_s):
            self.off = False
            self._last_read = self._clock()
            self._check_at = self._last_read + CHECK_EVERY_S
            self._camera.resume(self)
            self._notify(ON)

    def _check(self) -> None:
        now = self._clock()
        self._check_at = now + CHECK_EVERY_S
        if self._has_reader(0):
            self._last_read = now
        elif now >= self._last_read + self._linger_s:
            self.off = True
            self._camera.pause(self)
            self._notify(OFF)

    def _has_reader(self, timeout_s: float) -> bool:
        if self._watched:
            return True
        return any(readers.wait_for_reader(timeout_s / len(self._readers)) for readers in self._readers)

    def _close_readers(self) -> None:
        readers, self._readers = self._readers, ()
        for reader in readers:
            reader.close()


def open_readers(sinks: Sequence[HasReaders]) -> list[Readers]:
    """Start watching for readers of the outputs that know them.

    Raises:
        SpecError: None of them does.
        SinkError: The readers of an output cannot be found.
    """
    if not sinks:
        raise SpecError(
            "on demand needs an output that knows whether a program reads it, which only Linux virtual cameras do",
            hint="add --output virtualcam or --output pipewire, or leave out --on-demand",
        )
    found: list[Readers] = []
    try:
        for sink in sinks:
            found.append(sink.open_readers())  # noqa: PERF401 -- those that are open are closed after an error
    except MatteError:
        for readers in found:
            readers.close()
        raise
    return found
