"""``video:clip.mp4``: every frame as fast as possible; ``?live``: in real time; ``?loop``: in real time, repeated.

A path that ends like a video file needs no ``video:``.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from realtime_matte.config.specs import SpecOption, parse, split, switch
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media.clip import SUFFIXES, Clip, ClipFrame
from realtime_matte.media.fit import whole_size
from realtime_matte.paths import named
from realtime_matte.sources._clock import LiveTicks, Ticks, checked_fps

OPTIONS = {
    "live": SpecOption(switch, "in real time, as a camera", default=False),
    "loop": SpecOption(switch, "in real time, repeated without end", default=False),
}

LOWEST_LIVE_FPS = 10.0
"""An animation of one frame a second is still shown at a camera's rate."""

MAX_LAG_S = 1.0
"""A live clip that is later than this continues from where it is, instead of catching up."""


def claims(spec: str) -> bool:
    """True for a path that ends like a video file's."""
    return Path(split(spec, OPTIONS)[0]).suffix.lower() in SUFFIXES


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "EveryFrame | RealTime":
    """Open the file; a clip that loops is live."""
    name, given = parse(rest, OPTIONS)
    if not name:
        raise SpecError("'video:' needs a file name", hint="such as video:clip.mp4")
    requested_fps = None if fps is None else checked_fps(fps)
    clip = Clip(named(name))
    if not any(given.values()):
        return EveryFrame(clip, size=size)
    ticks = LiveTicks(requested_fps or max(clip.fps, LOWEST_LIVE_FPS))
    return RealTime(clip, ticks, size=size, loop=given["loop"])


class EveryFrame:
    """Every frame of a clip once, as fast as it is read; ``time`` is the start of the run plus its time in the file."""

    live = False
    notices = ()

    def __init__(self, clip: Clip, *, size: Size | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.size = whole_size(clip.size, size) if size else clip.size
        self.fps = clip.fps
        self.frames = clip.frames
        self._clip = clip
        self._start = clock()
        self._index = 0

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame."""
        frame = self._clip.next()
        if frame is None:
            return None
        self._clip.draw(frame, pixels)
        self._index += 1
        return Frame(pixels, self._start + frame.time, self._index - 1)

    def close(self) -> None:
        """Close the file."""
        self._clip.close()


class RealTime:
    """A clip as a camera: at each tick, the frame that is due then."""

    live = True
    notices = ()

    def __init__(self, clip: Clip, ticks: Ticks, *, size: Size | None, loop: bool) -> None:
        self.size = whole_size(clip.size, size) if size else clip.size
        self.fps = ticks.fps
        self.frames = None if loop or not clip.frames else math.ceil(clip.frames / clip.fps * ticks.fps)
        self._clip = clip
        self._ticks = ticks
        self._loop = loop
        self._tolerance = 0.5 / max(ticks.fps, clip.fps)  # s; the times in a file are rounded
        self._lag = 0.0  # s, of the clip behind the ticks
        self._repetition_start = 0.0  # s, in the time that runs on over all repetitions
        self._current: ClipFrame | None = None
        self._next = clip.next()

    def read(self, pixels: Pixels) -> Frame | None:
        """The frame that is due at the next tick; None after the last one."""
        tick = self._ticks.next()
        if tick is None or not self._advance(tick.index / self.fps):
            return None
        if self._current:
            self._clip.draw(self._current, pixels)
        return Frame(pixels, tick.time, tick.index)

    def close(self) -> None:
        """Close the file."""
        self._clip.close()

    def _advance(self, tick_time: float) -> bool:
        """Go on to the frame of that moment. False after the end."""
        if self._next and tick_time - self._lag > self._next.time + MAX_LAG_S:
            self._lag = tick_time - self._next.time
        now = tick_time - self._lag + self._tolerance
        while self._next and self._next.time <= now:
            self._current, self._next = self._next, self._after(self._next)
        return self._next is not None or (self._current is not None and now < self._current.time + 1 / self._clip.fps)

    def _after(self, frame: ClipFrame) -> ClipFrame | None:
        following = self._clip.next()
        if following is None and self._loop:
            self._repetition_start = frame.time + 1 / self._clip.fps
            self._clip.rewind()
            following = self._clip.next()
        return following and replace(following, time=self._repetition_start + following.time)
