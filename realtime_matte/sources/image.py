"""``image:me.jpg``: a still as a camera; with ``?frames=90``, that many frames as fast as possible."""

from pathlib import Path

from realtime_matte.config.specs import count, parse, split
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import image as images
from realtime_matte.paths import named
from realtime_matte.sources import _clock as _pace
from realtime_matte.sources._clock import Ticks

OPTIONS = {"frames": count}


def claims(spec: str) -> bool:
    """True for a path that ends like a picture's."""
    return Path(split(spec, OPTIONS)[0]).suffix.lower() in images.SUFFIXES


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "Still":
    """Read the picture, filling ``size``."""
    name, given = parse(rest, OPTIONS)
    if not name:
        raise SpecError("no picture is named after 'image:'", hint="name a file, as in image:me.jpg")
    ticks = _pace.ticks(fps, given.get("frames"))
    picture = images.read(named(name))
    return Still(picture if size is None else images.fill(picture, size, "cover"), ticks)


class Still:
    """The same picture at each tick."""

    notices = ()

    def __init__(self, picture: Pixels, ticks: Ticks) -> None:
        self.size = picture.shape[1], picture.shape[0]
        self.fps = ticks.fps
        self.live = ticks.live
        self.frames = ticks.frames
        self._picture = picture
        self._ticks = ticks

    def read(self, pixels: Pixels) -> Frame | None:  # noqa: ARG002 - it holds its picture
        """The picture, when it is due."""
        tick = self._ticks.next()
        return None if tick is None else Frame(self._picture, tick.time, tick.index)

    def close(self) -> None:
        """There is nothing open."""
