"""Rate limiter: drops frames of a live source above a requested rate, so that they cost nothing."""

from collections.abc import Callable, Sequence
from typing import Final

from realtime_matte.frame import Frame, PixelFormat, Pixels, Size
from realtime_matte.interfaces import CountsDamagedFrames, HasPixelFormats, Source

TOLERANCE: Final = 1.1
"""A source that delivers at most this many times the requested rate is not limited."""


class RateLimiter:
    """``source`` at ``fps`` frames per second on average; each frame is one of the source's, with its own time."""

    live = True

    def __init__(self, source: Source, fps: float) -> None:
        self.fps = fps
        self._source = source
        self._due: float | None = None
        self._index = 0

    @property
    def size(self) -> Size:
        """Size of the source's frames."""
        return self._source.size

    @property
    def frames(self) -> int | None:
        """None: the number of kept frames is unknown."""
        return None

    @property
    def notices(self) -> Sequence[str]:
        """The source's notices, and the rate that is kept."""
        return [*self._source.notices, f"{self.fps:g} of the camera's {self._source.fps:g} frames a second are used"]

    @property
    def pixel_formats(self) -> Sequence[PixelFormat]:
        """The source's."""
        return self._source.pixel_formats if isinstance(self._source, HasPixelFormats) else ("bgr",)

    @property
    def damaged(self) -> int:
        """Of the source, if it counts them."""
        return self._source.damaged if isinstance(self._source, CountsDamagedFrames) else 0

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame that is due. Raises SourceLost."""
        while frame := self._source.read(pixels):
            if self._is_due(frame.time):
                self._index += 1
                return Frame(frame.pixels, frame.time, self._index - 1, frame.pixel_format)
        return None

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _is_due(self, time: float) -> bool:
        """True for the frame nearest to each due time; after a gap of more than a period the schedule restarts."""
        if self._due is None or time > self._due + 1 / self.fps:
            self._due = time
        elif time < self._due - 0.5 / self._source.fps:
            return False
        self._due += 1 / self.fps
        return True


def rate_limited(open_source: Callable[[], Source], fps: float | None) -> Callable[[], Source]:
    """An opener of the same source, limited to ``fps`` if it is live and delivers more."""

    def open_limited() -> Source:
        source = open_source()
        return RateLimiter(source, fps) if fps and source.live and source.fps > TOLERANCE * fps else source

    return open_limited
