"""``video:clip.mp4``: every frame as fast as possible; ``?live``: once, at its own pace; ``?loop``: so, for ever."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from realtime_matte.config.specs import parse, split, switch
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media.clip import SUFFIXES, Shot
from realtime_matte.paths import named
from realtime_matte.sources import _clock as _pace
from realtime_matte.sources._clip import Clip
from realtime_matte.sources._clock import Ticks

OPTIONS = {"live": switch, "loop": switch}

SLOWEST_FPS = 10.0
"""Of a live clip: an animation of one picture a second is still shown as a camera would."""

LAG_S = 1.0
"""A live clip that is later than that goes on from where it is, and does not hurry to catch up."""


def claims(spec: str) -> bool:
    """True for a path that ends like a video's."""
    return Path(split(spec, OPTIONS)[0]).suffix.lower() in SUFFIXES


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Whole | Playing":
    """Open the file; a clip that loops is live."""
    name, given = parse(rest, OPTIONS)
    if not name:
        raise SpecError("no video is named after 'video:'", hint="name a file, as in video:clip.mp4")
    wanted = None if fps is None else _pace.checked(fps)
    clip = Clip(named(name))
    if not any(given.values()):
        return Whole(clip, size=size)
    ticks = _pace.Live(wanted or max(clip.fps, SLOWEST_FPS))
    return Playing(clip, ticks, size=size, loop=given.get("loop", False))


class Whole:
    """Every frame of a clip, each at its place in time."""

    live = False
    notices = ()

    def __init__(self, clip: Clip, *, size: Size | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.size = size or clip.size
        self.fps = clip.fps
        self.frames = clip.frames
        self._clip = clip
        self._start = clock()
        self._index = 0

    def read(self, pixels: Pixels) -> Frame | None:
        """The next frame."""
        shot = self._clip.next()
        if shot is None:
            return None
        self._clip.draw(shot, pixels)
        self._index += 1
        return Frame(pixels, self._start + shot.place, self._index - 1)

    def close(self) -> None:
        """Close the file."""
        self._clip.close()


class Playing:
    """A clip as a camera: at each tick, the picture that is to be seen then."""

    live = True
    notices = ()

    def __init__(self, clip: Clip, ticks: Ticks, *, size: Size | None, loop: bool) -> None:
        self.size = size or clip.size
        self.fps = ticks.fps
        self.frames = None if loop or not clip.frames else math.ceil(clip.frames / clip.fps * ticks.fps)
        self._clip = clip
        self._ticks = ticks
        self._loop = loop
        self._slack = 0.5 / max(ticks.fps, clip.fps)  # a file's times are rounded
        self._shift = 0.0  # seconds the clip is behind the ticks
        self._round = 0.0  # where the clip last began, in its own seconds
        self._shown: Shot | None = None
        self._coming = clip.next()

    def read(self, pixels: Pixels) -> Frame | None:
        """The picture of the next tick; None when the last was shown."""
        tick = self._ticks.next()
        if tick is None or not self._advance(tick.index / self.fps):
            return None
        if self._shown:
            self._clip.draw(self._shown, pixels)
        return Frame(pixels, tick.time, tick.index)

    def close(self) -> None:
        """Close the file."""
        self._clip.close()

    def _advance(self, seconds: float) -> bool:
        """Go on to the picture of that moment. False behind the end."""
        if self._coming and seconds - self._shift > self._coming.place + LAG_S:
            self._shift = seconds - self._coming.place
        now = seconds - self._shift + self._slack
        while self._coming and self._coming.place <= now:
            self._shown, self._coming = self._coming, self._after(self._coming)
        return self._coming is not None or (self._shown is not None and now < self._shown.place + 1 / self._clip.fps)

    def _after(self, shot: Shot) -> Shot | None:
        following = self._clip.next()
        if following is None and self._loop:
            self._round = shot.place + 1 / self._clip.fps
            self._clip.rewind()
            following = self._clip.next()
        return following and Shot(following.frame, self._round + following.place)
