"""What a worker process keeps between tasks: the open network, and where it reports progress.

The one cache of the package: opening a network takes longer than matting a short clip.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from realtime_matte.batch.settings import BatchSettings
from realtime_matte.frame import Matte, Pixels
from realtime_matte.remover import BackgroundRemover, Shot

Report = Callable[[str, int, int | None], object]
"""Called with the result's name, the number of frames done, and how many there are."""

_lock = Lock()
_kept: list[tuple[tuple[object, ...], "SharedRemover"]] = []
"""The network that was used last, with what it was opened with; guarded by ``_lock``."""

_report: list[Report] = []
"""Set once, before the first task."""


class SharedRemover:
    """A network for the shots of several threads, one frame at a time."""

    def __init__(self, remover: BackgroundRemover) -> None:
        self._remover = remover
        self._busy = Lock()
        self.users = 0  # guarded by _lock
        self.model = remover.model
        self.provider = remover.provider
        self.notices = tuple(remover.notices)

    def shot(self) -> Shot:
        """A new shot."""
        return self._remover.shot()

    def process(self, shot: Shot, frame: Pixels, time: float) -> Matte:
        """As ``Shot.process``."""
        with self._busy:
            return shot.process(frame, time)

    def close(self) -> None:
        """Free the network."""
        self._remover.close()


@contextmanager
def borrowed(settings: BatchSettings) -> Iterator[SharedRemover]:
    """The network of these settings, which stays open for the next task.

    Raises:
        MatteError: It cannot be opened.
    """
    remover = _take(settings)
    try:
        yield remover
    finally:
        with _lock:
            remover.users -= 1


def report_to(report: Report) -> None:
    """Report the progress of all tasks of this process there."""
    _report[:] = [report]


def report(name: str, done: int, count: int | None) -> None:
    """Report progress, where somebody listens."""
    for listener in _report:
        listener(name, done, count)


def close() -> None:
    """Free the network that is kept. Tasks open it again."""
    with _lock:
        for _, remover in _kept:
            remover.close()
        _kept.clear()


def _take(settings: BatchSettings) -> SharedRemover:
    key = settings.model, settings.provider, settings.threads
    with _lock:
        if not _kept or _kept[0][0] != key:
            opened = BackgroundRemover(settings.model, provider=settings.provider, threads=settings.threads)
            for _, unused in _kept:
                if not unused.users:
                    unused.close()
            _kept[:] = [(key, SharedRemover(opened))]
        remover = _kept[0][1]
        remover.users += 1
        return remover
