"""Fake devices: sources that play steps, a clock, and ``cv2.VideoCapture``."""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from realtime_matte.frame import Frame, Pixels, Size

Step: TypeAlias = int | Exception | Callable[[], object]
"""A frame of one grey level, an error, or a call made in the reader's thread (wait for an Event, advance a clock)."""


class StepSource:
    """A source that plays ``steps``, one frame or error a read, and then ends."""

    def __init__(
        self, *steps: Step, size: Size = (8, 6), fps: float = 30.0, live: bool = True, notices: tuple[str, ...] = ()
    ) -> None:
        self.size = size
        self.fps = fps
        self.live = live
        self.frames = None
        self.notices = notices
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


class SourceOpener:
    """Returns one source after the other, each time it is called; raises errors."""

    def __init__(self, *openings: StepSource | Exception | Callable[[], StepSource]) -> None:
        self._openings = iter(openings)

    def __call__(self) -> StepSource:
        opening = next(self._openings)
        if isinstance(opening, Exception):
            raise opening
        return opening if isinstance(opening, StepSource) else opening()


class Clock:
    """Time that advances only in ``sleep``."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


Event: TypeAlias = int | Pixels | str | Callable[[], object]
"""What a ScriptedDevice does next: an image of one grey level, or this image; "repeat": the previous one again, as a
success; "broken", "empty", "torn": one that cannot be decoded; "nothing": fails; or a call, and then what follows."""


class ScriptedDevice:
    """``cv2.VideoCapture`` for a camera with one mode. It fails at the end of its script."""

    def __init__(
        self,
        *script: Event,
        size: Size = (8, 6),
        fps: float = 30.0,
        fourcc: str = "MJPG",
        stamps: float | None = 1.0,
        undecoded: bool = False,
    ) -> None:
        self.opened = True
        self.released = 0
        self.requested: list[tuple[int, float]] = []
        self._script = iter(script)
        self._settings = {
            cv2.CAP_PROP_FRAME_WIDTH: float(size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(size[1]),
            cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_CONVERT_RGB: 1.0,
            cv2.CAP_PROP_FOURCC: float(int.from_bytes(fourcc.encode(), "little")),
        }
        self._undecoded = undecoded  # whether CAP_PROP_CONVERT_RGB can be switched off; images are JPEG data then
        self._size = size
        self._step_s = stamps  # between two images; None: the driver has no timestamps
        self._stamp = 0.0
        self._image: Pixels | None = None
        self._fault = "broken"

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, number: int, value: float) -> bool:
        self.requested.append((number, value))
        if number == cv2.CAP_PROP_CONVERT_RGB:
            self._settings[number] = float(value or not self._undecoded)
        return True

    def get(self, number: int) -> float:
        return self._stamp if number == cv2.CAP_PROP_POS_MSEC else self._settings.get(number, 0.0)

    def grab(self) -> bool:
        event = next(self._script, "nothing")
        while callable(event):
            event()
            event = next(self._script, "nothing")
        if isinstance(event, str):
            if event in {"broken", "empty", "torn"}:
                self._image, self._fault = None, event
            return event != "nothing"
        width, height = self._size
        self._image = event if isinstance(event, np.ndarray) else np.full((height, width, 3), event, np.uint8)
        self._stamp += 1000 * (self._step_s or 0)
        return True

    def retrieve(self, image: Pixels | None = None) -> tuple[bool, Pixels | None]:
        if self._image is None:
            if self._fault == "empty":
                raise cv2.error("(-215:Assertion failed) !buf.empty() in function 'imdecode_'")
            return (True, None) if self._fault == "torn" else (False, image)
        if image is None or image.shape != self._image.shape:
            return True, self._image.copy()
        np.copyto(image, self._image)
        return True, image

    def release(self) -> None:
        self.released += 1
        self.opened = False
