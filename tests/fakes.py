"""Hardware played at its lowest line."""

from collections.abc import Callable
from typing import TypeAlias

from realtime_matte.frame import Frame, Pixels, Size

# Cameras

Step: TypeAlias = int | Exception | Callable[[], object]
"""A picture of one grey, an error, or a call made in the reader's thread (wait for an Event, move a clock)."""


class ScriptedSource:
    """A source that plays ``steps``, one picture or error a read, and then is at its end."""

    def __init__(
        self, *steps: Step, size: Size = (8, 6), fps: float = 30.0, live: bool = True, notes: tuple[str, ...] = ()
    ) -> None:
        self.size = size
        self.fps = fps
        self.live = live
        self.frames = None
        self.notes = notes
        self.buffers: list[Pixels] = []
        self.closed = 0
        self._steps = iter(steps)
        self._index = 0

    def read(self, pixels: Pixels) -> Frame | None:
        assert pixels.shape == (self.size[1], self.size[0], 3)
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            if not isinstance(step, int):
                step()
                continue
            pixels[:] = step
            self.buffers.append(pixels)
            self._index += 1
            return Frame(pixels, float(step), self._index - 1)
        return None

    def close(self) -> None:
        self.closed += 1


class Reopened:
    """Gives one source after the other, each time it is called; errors are raised."""

    def __init__(self, *openings: ScriptedSource | Exception | Callable[[], ScriptedSource]) -> None:
        self._openings = iter(openings)

    def __call__(self) -> ScriptedSource:
        opening = next(self._openings)
        if isinstance(opening, Exception):
            raise opening
        return opening if isinstance(opening, ScriptedSource) else opening()
