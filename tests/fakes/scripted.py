"""A scripted line for tests: a room painted in a marker colour, an exact network, outputs that remember everything.

The person of each frame stands at its own place in its own colour, so a picture tells which frame it shows and which
frame's matte cut it out; a pixel in the marker's colour is a piece of the room that got out.
"""

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from realtime_matte.errors import BadFile, ModelError, SinkError, SourceLost
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.interfaces import Command, Fit, OpenSource, RecurrentState

SIZE: Size = (96, 64)
FPS = 30.0
START = 100.0
MARKER = (255, 0, 255)
WALL = (30, 60, 90)
"""The new background, BGR."""

MARGIN = 4
"""Pixels beside the person's outline that are not judged by value: the refiner softens it."""


def box(index: int, size: Size = SIZE) -> tuple[slice, slice]:
    """Where the person of a frame stands: at least 7 pixels of a 96 beside the frames before and after."""
    width, height = size
    left = (5 + index * 7 % 48) * width // 96
    return slice(height // 4, height), slice(left, left + 40 * width // 96)


def color(index: int) -> tuple[int, int, int]:
    """The person's, BGR: never near the marker."""
    return 20, 120 + index * 37 % 120, 40


def room(index: int, size: Size = SIZE) -> Pixels:
    """The camera's picture: the room, and the person before it."""
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    pixels[:] = MARKER
    pixels[box(index, size)] = color(index)
    return pixels


def wait_until(seen: Callable[[], bool]) -> None:
    """Until another thread has done its part."""
    late = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < late
        time.sleep(0.001)


def taken(index: int) -> float:
    """The time of a frame."""
    return START + index / FPS


class ScriptedSource:
    """Gives what the script says, then ends: which room is seen, or what becomes of the camera."""

    notices: Sequence[str] = ("scripted camera",)
    fps = FPS

    def __init__(self, script: Iterable[int | str], *, size: Size = SIZE, live: bool = False) -> None:
        self.size = size
        self.live = live
        self.frames = None
        self.closed = 0
        self._script = list(script)
        self._count = 0

    def read(self, pixels: Pixels) -> Frame | None:
        if not self._script:
            return None
        event = self._script.pop(0)
        if isinstance(event, str):
            raise SourceLost(f"the camera is {event}")
        pixels[:] = room(event, self.size)
        self._count += 1
        return Frame(pixels, taken(event), self._count - 1)

    def close(self) -> None:
        self.closed += 1


class ScriptedNetwork:
    """The exact matte of each frame, from its index alone; does what ``faults`` says at some of them."""

    name = "scripted"
    notices: Sequence[str] = ()

    def __init__(self, faults: dict[int, Callable[[Matte], Matte]] | None = None, *, provider: str = "fake") -> None:
        self.provider = provider
        self.states: list[RecurrentState | None] = []
        self.closed = 0
        self._faults = faults or {}

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        self.states.append(state)
        alpha = np.zeros(frame.pixels.shape[:2], np.float32)
        alpha[box(frame.index, frame.size)] = 1
        return self._faults.get(frame.index, as_it_is)(Matte(alpha)), (frame.index,)

    def close(self) -> None:
        self.closed += 1


def as_it_is(matte: Matte) -> Matte:
    return matte


def fails(_matte: Matte) -> Matte:
    raise ModelError("the network failed")


def spoiled(value: float) -> Callable[[Matte], Matte]:
    """A matte that is ``value`` everywhere, such as not a number."""
    return lambda matte: Matte(np.full_like(matte.alpha, value))


class Recorder:
    """Remembers every picture with its time; fails at a call, says commands at others, if told so."""

    notices: Sequence[str] = ("recorder",)

    def __init__(
        self,
        *,
        live: bool = False,
        alpha: bool = False,
        fails_at: int | None = None,
        commands: dict[int, Command] | None = None,
    ) -> None:
        self.live = live
        self.alpha = alpha
        self.pictures: list[Pixels] = []
        self.times: list[float] = []
        self.opened: tuple[Size, float, bool] | None = None
        self.closed = 0
        self._fails_at = fails_at
        self._commands = commands or {}
        self._asked = -1

    def __call__(self, _rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Recorder":
        """Stand in for an output's ``open``."""
        self.opened = (size, fps, alpha)
        return self

    def send(self, picture: Pixels, time: float) -> None:
        assert not self.closed, "sent after close"
        if len(self.pictures) == self._fails_at:
            raise SinkError("the output went away")
        self.pictures.append(picture.copy())
        self.times.append(time)

    def commands(self) -> Sequence[Command]:
        self._asked += 1
        return [self._commands[self._asked]] if self._asked in self._commands else []

    def close(self) -> None:
        self.closed += 1


class Wall:
    """A background of one colour; fails at a frame if told so."""

    def __init__(self, bgr: tuple[int, int, int] = WALL, *, fails_at: int | None = None) -> None:
        self.closed = 0
        self._bgr = bgr
        self._fails_at = fails_at
        self._pixels: Pixels | None = None

    def __call__(self, _rest: str, /, *, size: Size, fit: Fit) -> "Wall":  # noqa: ARG002  # as backgrounds are opened
        self._pixels = np.empty((size[1], size[0], 3), np.uint8)
        self._pixels[:] = self._bgr
        return self

    def image(self, frame: Frame, matte: Matte) -> Pixels:  # noqa: ARG002  # as backgrounds are asked
        if frame.index == self._fails_at:
            raise BadFile("the clip is gone")
        assert self._pixels is not None
        return self._pixels

    def close(self) -> None:
        self.closed += 1


def opening(source: ScriptedSource) -> OpenSource:
    """Stand in for a source's ``open``."""

    def open_source(_rest: str, /, *, size: Size | None, fps: float | None) -> ScriptedSource:  # noqa: ARG001
        return source

    return open_source


class ScriptedFeed:
    """A camera without its thread: a frame's index, a frame of another size, or None while it is away."""

    fps = FPS
    notices: Sequence[str] = ("scripted camera",)
    dropped = 0
    dark = False
    began = 0

    def __init__(self, script: Iterable[int | tuple[int, Size] | None], *, size: Size = SIZE) -> None:
        self.size = size
        self.status: str | None = None
        self.ended = False
        self.closed = 0
        self.waits: list[float] = []
        self.on = True
        self._script = list(script)

    def rest(self, _whom: object) -> None:
        self.on = False

    def wake(self, _whom: object) -> None:
        self.on = True

    def take(self, timeout_s: float) -> Frame | None:
        self.waits.append(timeout_s)
        if not self._script:
            self.ended = True
            return None
        event = self._script.pop(0)
        self.status = "camera lost: it was unplugged" if event is None else None
        if event is None:
            return None
        index, size = event if isinstance(event, tuple) else (event, self.size)
        return Frame(room(index, size), taken(index), index)

    def close(self) -> None:
        self.closed += 1
