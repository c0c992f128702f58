"""Changes that need a slow part opened: in a thread, while the pipeline runs; used between two frames."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from realtime_matte.errors import MatteError, refused_by_system
from realtime_matte.pipeline.commands import ENDED, Reply, refuse
from realtime_matte.pipeline.loading import close_result, start_thread

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowChange(Generic[Result]):
    """One change.

    Attributes:
        key: A later change of the same key replaces this one while it waits.
        begin: Called in the pipeline's thread when its turn has come. Returns the function that opens the new part,
            which is called in another thread. May raise MatteError.
        use: Gets the new part, in the pipeline's thread. Raises MatteError if it cannot be used.
        refused: Called in the pipeline's thread if the change failed: the old part stays.
        reply: Is set when the change is made or refused.
    """

    key: str
    begin: Callable[[], Callable[[], Result]]
    use: Callable[[Result], None]
    refused: Callable[[MatteError], None]
    reply: Reply


class SlowChanges(Generic[Result]):
    """Makes one change at a time, in their order. The pipeline's thread only.

    Args:
        daemon: The program may end while a part is opened, such as a camera that does not respond.
    """

    def __init__(self, *, daemon: bool) -> None:
        self._daemon = daemon
        self._waiting: deque[SlowChange[Result]] = deque()
        self._current: tuple[SlowChange[Result], Future[Result]] | None = None

    @property
    def busy(self) -> bool:
        """True while a part is being opened."""
        return self._current is not None

    def put(self, change: SlowChange[Result]) -> None:
        """Request a change; the reply of one that it replaces is set."""
        for waiting in [waiting for waiting in self._waiting if waiting.key == change.key]:
            self._waiting.remove(waiting)
            waiting.reply.set_result(None)
        self._waiting.append(change)

    def update(self, *, wait: bool) -> None:
        """Use a part that is open, and begin the next change. ``wait``: until all are made.

        Raises:
            Exception: an error that is neither a MatteError nor an OSError.
        """
        while self._current or self._waiting:
            if self._current is None and not self._begin(self._waiting.popleft()):
                continue
            assert self._current  # noqa: S101
            change, future = self._current
            if not wait and not future.done():
                break
            try:
                result = future.result()
                self._current = None
                change.use(result)
            except (MatteError, OSError) as error:
                self._current = None
                self._refuse(change, error)
            else:
                _set(change.reply)

    def close(self) -> None:
        """Refuse all changes, and close a part that is being opened as soon as it is open. Idempotent."""
        changes = [*self._waiting]
        self._waiting.clear()
        if self._current:
            changes.append(self._current[0])
            self._current[1].add_done_callback(close_result)
            self._current = None
        for change in changes:
            refuse(change.reply, MatteError(ENDED))

    def _begin(self, change: SlowChange[Result]) -> bool:
        try:
            make = change.begin()
        except (MatteError, OSError) as error:
            self._refuse(change, error)
            return False
        self._current = change, start_thread(make, name="loading", daemon=self._daemon)[0]
        return True

    def _refuse(self, change: SlowChange[Result], error: MatteError | OSError) -> None:
        shown = refused_by_system(error) if isinstance(error, OSError) else error
        change.refused(shown)
        refuse(change.reply, shown)


def _set(reply: Reply) -> None:
    if not reply.done():
        reply.set_result(None)
