"""A live source of which only so many frames a second are taken: what nobody asked for costs nothing."""

from collections.abc import Callable, Sequence
from typing import Final

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Source

NEAR: Final = 1.1
"""A source that gives no more than so many times what was wished is left as it is."""


class RateLimiter:
    """``source``, at ``fps`` frames a second on the average; each is one of the source's, at its own time."""

    live = True

    def __init__(self, source: Source, fps: float) -> None:
        self.fps = fps
        self._source = source
        self._due: float | None = None
        self._index = 0

    @property
    def size(self) -> Size:
        """The source's."""
        return self._source.size

    @property
    def frames(self) -> int | None:
        """Nobody knows how many of them will be taken."""
        return None

    @property
    def notices(self) -> Sequence[str]:
        """The source's, and what is done about its rate."""
        return [*self._source.notices, f"of its {self._source.fps:g} frames a second {self.fps:g} are taken"]

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame that is due. Raises SourceLost."""
        while frame := self._source.read(pixels):
            if self._is_due(frame.time):
                self._index += 1
                return Frame(frame.pixels, frame.time, self._index - 1)
        return None

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _is_due(self, time: float) -> bool:
        """The frame nearest to each moment; after a pause they begin anew."""
        if self._due is None or time > self._due + 1 / self.fps:
            self._due = time
        elif time < self._due - 0.5 / self._source.fps:
            return False
        self._due += 1 / self.fps
        return True


def rate_limited(open_source: Callable[[], Source], fps: float | None) -> Callable[[], Source]:
    """Opens a source, thinned where it is live and gives more than ``fps``."""

    def opened() -> Source:
        source = open_source()
        return RateLimiter(source, fps) if fps and source.live and source.fps > NEAR * fps else source

    return opened
