"""A still image: ``image:beach.jpg``, or just ``beach.jpg``."""

from pathlib import Path

from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media.animation import is_animated_webp
from realtime_matte.media.fit import fit_image
from realtime_matte.media.image import SUFFIXES, read
from realtime_matte.paths import named


class StillBackground:
    """A background that never changes: the same array for each frame."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._pixels.flags.writeable = False

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - the same for every frame
        """The image, read-only."""
        return self._pixels

    def close(self) -> None:
        """Nothing is open."""


def claims(spec: str) -> bool:
    """True for a path that ends like an image file's, except an animated WebP, which is a video."""
    path = Path(spec)
    suffix = path.suffix.lower()
    return suffix in SUFFIXES and not (suffix == ".webp" and is_animated_webp(path))


def open(rest: str, /, *, size: Size, fit: Fit) -> StillBackground:
    """Read the image and fit it to ``size``."""
    if not rest:
        raise SpecError("no image is named after 'image:'", hint="name a file, as in image:beach.jpg")
    return StillBackground(fit_image(read(named(rest)), size, fit))
