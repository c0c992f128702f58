"""A scripted pipeline for tests: camera images in a marker colour, an exact network, sinks that keep everything.

The person of each frame stands at its own place in its own colour, so an output frame shows which frame it was made of
and which frame's matte cut it out; a pixel in the marker's colour is a part of the camera's background that got out.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from realtime_matte.capture.state import CaptureState
from realtime_matte.errors import BadFile, ModelError, SinkError, SourceLost
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.interfaces import Action, Fit, OpenSource, RecurrentState
from realtime_matte.media import i420
from realtime_matte.pipeline.recorder import SinkFormat

SIZE: Size = (96, 64)
FPS = 30.0
SINK_FORMAT = SinkFormat(size=SIZE, fps=FPS, alpha=False)
START = 100.0
MARKER = (255, 0, 255)
NEW_BACKGROUND = (30, 60, 90)
"""Colour of the background that composites get, BGR."""

MARGIN = 4
"""Pixels on both sides of the person's outline that are not judged by value: the refiner softens it."""


def person_box(index: int, size: Size = SIZE) -> tuple[slice, slice]:
    """Where the person of a frame stands: at least 7 of 96 pixels away from the frames before and after."""
    width, height = size
    left = (5 + index * 7 % 48) * width // 96
    return slice(height // 4, height), slice(left, left + 40 * width // 96)


def person_color(index: int) -> tuple[int, int, int]:
    """The person's colour, BGR: never near the marker."""
    return 20, 120 + index * 37 % 120, 40


def camera_image(index: int, size: Size = SIZE) -> Pixels:
    """What the camera sees: the marker, and the person in front of it."""
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    pixels[:] = MARKER
    pixels[person_box(index, size)] = person_color(index)
    return pixels


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until another thread has done its part."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def frame_time(index: int) -> float:
    """The time of a frame."""
    return START + index / FPS


def index_at(time: float) -> int:
    """The index of the frame with this time."""
    return round((time - START) * FPS)


class ScriptedSource:
    """Gives the frames with these indices, then ends; a text is the loss of the camera."""

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
        self._count += 1
        if pixels.ndim == 2:  # planes: see in_i420
            i420.from_bgr(camera_image(event, self.size), pixels)
            return Frame(pixels, frame_time(event), self._count - 1, "i420")
        pixels[:] = camera_image(event, self.size)
        return Frame(pixels, frame_time(event), self._count - 1)

    def close(self) -> None:
        self.closed += 1


class ScriptedNetwork:
    """The exact matte of each frame, from its index alone; does what ``faults`` has for some frames."""

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
        alpha[person_box(frame.index, frame.size)] = 1
        return self._faults.get(frame.index, unchanged)(Matte(alpha)), (frame.index,)

    def close(self) -> None:
        self.closed += 1


class TimedNetwork(ScriptedNetwork):
    """As ``ScriptedNetwork``, from each frame's time alone.

    The worker counts what it reads. Whether it reads one more frame before a pause is up to the threads, so the counts
    of a camera's second script are not always the same.
    """

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        return super().process(replace(frame, index=index_at(frame.time)), state)


def unchanged(matte: Matte) -> Matte:
    return matte


def fails(_matte: Matte) -> Matte:
    raise ModelError("the network failed")


def filled(value: float) -> Callable[[Matte], Matte]:
    """A matte that is ``value`` everywhere, such as NaN."""
    return lambda matte: Matte(np.full_like(matte.alpha, value))


class Recorder:
    """A sink that keeps every image with its time; may fail at one call, and give commands at others."""

    notices: Sequence[str] = ("recorder",)

    def __init__(
        self,
        *,
        live: bool = False,
        alpha: bool = False,
        fails_at: int | None = None,
        commands: dict[int, Action] | None = None,
    ) -> None:
        self.live = live
        self.alpha = alpha
        self.images: list[Pixels] = []
        self.times: list[float] = []
        self.opened: tuple[Size, float, bool] | None = None
        self.closed = 0
        self._fails_at = fails_at
        self._commands = commands or {}
        self._calls = -1

    def __call__(self, _rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Recorder":
        """Stand in for a sink's ``open``."""
        self.opened = (size, fps, alpha)
        return self

    def send(self, image: Pixels, time: float) -> None:
        assert not self.closed, "sent after close"
        if len(self.images) == self._fails_at:
            raise SinkError("the output went away")
        self.images.append(image.copy())
        self.times.append(time)

    def _send_i420(self, image: Pixels, time: float) -> None:
        """As ``send``, where ``in_i420`` is used."""
        self.send(i420.to_bgr(image), time)

    def commands(self) -> Sequence[Action]:
        self._calls += 1
        return [self._commands[self._calls]] if self._calls in self._commands else []

    def close(self) -> None:
        self.closed += 1


def in_i420(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every scripted source and every recorder carry I420 images, so that nothing is BGR between them."""
    monkeypatch.setattr(ScriptedSource, "pixel_formats", ("i420", "bgr"), raising=False)
    monkeypatch.setattr(Recorder, "send_i420", Recorder._send_i420, raising=False)


class SolidBackground:
    """A background of one colour; may fail at one frame."""

    def __init__(self, bgr: tuple[int, int, int] = NEW_BACKGROUND, *, fails_at: int | None = None) -> None:
        self.closed = 0
        self._bgr = bgr
        self._fails_at = fails_at
        self._pixels: Pixels | None = None

    def __call__(self, _rest: str, /, *, size: Size, fit: Fit) -> "SolidBackground":  # noqa: ARG002  # as ``open``
        self._pixels = np.empty((size[1], size[0], 3), np.uint8)
        self._pixels[:] = self._bgr
        return self

    def image(self, frame: Frame, matte: Matte) -> Pixels:  # noqa: ARG002  # as every background
        if frame.index == self._fails_at:
            raise BadFile("the clip is gone")
        assert self._pixels is not None
        return self._pixels

    def close(self) -> None:
        self.closed += 1


def opener(source: ScriptedSource) -> OpenSource:
    """Stand in for a source's ``open``."""

    def open_source(_rest: str, /, *, size: Size | None, fps: float | None) -> ScriptedSource:  # noqa: ARG001
        return source

    return open_source


class ScriptedCapture:
    """A capture without a thread: a frame's index, a frame of another size, or None while the camera is lost."""

    def __init__(self, script: Iterable[int | tuple[int, Size] | None], *, size: Size = SIZE) -> None:
        self.state = CaptureState(size=size, fps=FPS, notices=("scripted camera",))
        self.closed = 0
        self.timeouts: list[float] = []
        self.on = True
        self._script = list(script)

    def pause(self, _owner: object) -> None:
        self.on = False

    def resume(self, _owner: object) -> None:
        self.on = True

    def take(self, timeout_s: float) -> Frame | None:
        self.timeouts.append(timeout_s)
        if not self._script:
            self.state = replace(self.state, phase="ended")
            return None
        event = self._script.pop(0)
        if event is None:
            self.state = replace(self.state, phase="lost", reason="camera lost: it was unplugged")
            return None
        self.state = replace(self.state, phase="running", reason="")
        index, size = event if isinstance(event, tuple) else (event, self.state.size)
        return Frame(camera_image(index, size), frame_time(index), index)

    def close(self) -> None:
        self.closed += 1
