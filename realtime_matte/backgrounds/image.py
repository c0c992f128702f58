"""A still image: ``image:beach.jpg``, or just ``beach.jpg``."""

from pathlib import Path
from typing import Final

from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media.fit import fit_image
from realtime_matte.media.image import SUFFIXES, is_animated, load
from realtime_matte.paths import named


class StillBackground:
    """A background that never changes: the same array for each frame."""

    still: Final = True

    def __init__(self, pixels: Pixels, notices: tuple[str, ...] = ()) -> None:
        self.notices = notices
        self._pixels = pixels
        self._pixels.flags.writeable = False

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - the same for every frame
        """The image, read-only."""
        return self._pixels

    def close(self) -> None:
        """Nothing is open."""


def claims(spec: str) -> bool:
    """True for a path that ends like an image file's, except an animation, which is a video."""
    path = Path(spec)
    return path.suffix.lower() in SUFFIXES and not is_animated(path)


def open(rest: str, /, *, size: Size, fit: Fit) -> StillBackground:
    """Read the image and fit it to ``size``."""
    if not rest:
        raise SpecError("'image:' needs a file name", hint="such as image:beach.jpg")
    loaded = load(named(rest))
    return StillBackground(fit_image(loaded.pixels, size, fit), loaded.notices)
