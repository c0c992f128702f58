"""``image:me.jpg``: a still image as a camera; with ``?frames=90``, that many frames as fast as possible.

A path that ends like an image file needs no ``image:``.
"""

from pathlib import Path

from realtime_matte.config.specs import SpecOption, count, parse, split
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.media import fit, image
from realtime_matte.paths import named
from realtime_matte.sources._clock import Ticks, make_ticks

OPTIONS = {"frames": SpecOption(count, "end after this many frames, delivered as fast as possible", default=None)}


def claims(spec: str) -> bool:
    """True for a path that ends like an image file's."""
    return Path(split(spec, OPTIONS)[0]).suffix.lower() in image.SUFFIXES


def open(rest: str, /, *, size: Size | None, fps: float | None) -> "StillImage":
    """Read the image, whole; it is not larger than what covers ``size``."""
    name, given = parse(rest, OPTIONS)
    if not name:
        raise SpecError("'image:' needs a file name", hint="such as image:me.jpg")
    ticks = make_ticks(fps, given["frames"])
    loaded = image.load(named(name))
    height, width = loaded.pixels.shape[:2]
    pixels = loaded.pixels if size is None else fit.resize(loaded.pixels, fit.whole_size((width, height), size))
    return StillImage(pixels, ticks, loaded.notices)


class StillImage:
    """The same image at each tick."""

    def __init__(self, pixels: Pixels, ticks: Ticks, notices: tuple[str, ...]) -> None:
        self.notices = notices
        self.size = pixels.shape[1], pixels.shape[0]
        self.fps = ticks.fps
        self.live = ticks.live
        self.frames = ticks.frames
        self._pixels = pixels
        self._ticks = ticks

    def read(self, pixels: Pixels) -> Frame | None:  # noqa: ARG002 - the source holds its own pixels
        """The image, when it is due."""
        tick = self._ticks.next()
        return None if tick is None else Frame(self._pixels, tick.time, tick.index)

    def close(self) -> None:
        """Nothing is open."""
