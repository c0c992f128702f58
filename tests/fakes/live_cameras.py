"""Cameras that run until they are closed, and a network that mattes the frames of any of them."""

import threading
from collections.abc import Iterator, Sequence
from itertools import count

from fakes.scripted import FPS, SIZE, START, ScriptedNetwork, camera_image, frame_time
from realtime_matte.errors import SourceError, SourceLost
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.interfaces import RecurrentState
from realtime_matte.media import i420

PERIOD_S = 0.004


class LiveCamera:
    """A device: each ``open`` gives a source with frames that no other camera of these ``frames`` has.

    A real device: it is open once at a time. ``faults``: errors of its next openings.
    """

    def __init__(self, frames: Iterator[int], *, sizes: Sequence[Size] = (SIZE,), faults: int = 0) -> None:
        self.opened: list[LiveSource] = []
        self.requests: list[tuple[Size | None, float | None]] = []
        self.may_open = threading.Event()
        self.may_open.set()
        self.busy = False
        self.faults = faults
        self.beside: list[LiveCamera] = []  # none of them may be open at the same time: one USB hub
        self._frames = frames
        self._sizes = sizes

    def __call__(self, _rest: str, /, *, size: Size | None, fps: float | None) -> "LiveSource":
        """Stand in for a source's ``open``."""
        self.requests.append((size, fps))
        assert self.may_open.wait(30)
        if self.faults:
            self.faults -= 1
            raise SourceError("the camera does not respond")
        if self.busy or any(other.busy for other in self.beside):
            raise SourceError("the camera is busy")
        self.busy = True
        self.opened.append(LiveSource(self, self._frames, size if size in self._sizes else self._sizes[0], fps or FPS))
        return self.opened[-1]


class LiveSource:
    """An open camera. ``lost``: its next read finds it unplugged."""

    notices: Sequence[str] = ("live camera",)
    live = True
    frames = None

    def __init__(self, camera: LiveCamera, frames: Iterator[int], size: Size, fps: float) -> None:
        self.size = size
        self.fps = fps
        self.lost = False
        self._camera = camera
        self._frames = frames
        self._count = count()
        self._closed = threading.Event()

    def read(self, pixels: Pixels) -> Frame:
        self._closed.wait(PERIOD_S)
        if self.lost:
            raise SourceLost("the camera is unplugged")
        number = next(self._frames)
        if pixels.ndim == 2:  # planes: see in_i420
            i420.from_bgr(camera_image(number, self.size), pixels)
            return Frame(pixels, frame_time(number), next(self._count), "i420")
        pixels[:] = camera_image(number, self.size)
        return Frame(pixels, frame_time(number), next(self._count))

    def close(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            self._camera.busy = False


class TimedNetwork(ScriptedNetwork):
    """As ScriptedNetwork, but finds the number of a frame by its time: another camera counts again."""

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        number = round((frame.time - START) * FPS)
        return super().process(Frame(frame.pixels, frame.time, number, frame.pixel_format), state)
