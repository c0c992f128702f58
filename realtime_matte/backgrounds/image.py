"""A still picture: ``image:beach.jpg``, or just ``beach.jpg``."""

from pathlib import Path

from realtime_matte.backgrounds._still import Still
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit
from realtime_matte.media.image import SUFFIXES, fill, read
from realtime_matte.paths import named

HEADER = 32
FLAGS = 20  # where a WebP's VP8X chunk has its byte of flags
ANIMATED = 0x02


def claims(spec: str) -> bool:
    """Names that end like a picture; an animated WebP is a video's."""
    path = Path(spec)
    return path.suffix.lower() in SUFFIXES and not (path.suffix.lower() == ".webp" and moves(path))


def open(rest: str, /, *, size: Size, fit: Fit) -> Still:
    """Read the picture and make it fill ``size``."""
    if not rest:
        raise SpecError("no picture is named after 'image:'", hint="name a file, as in image:beach.jpg")
    return Still(fill(read(named(rest)), size, fit))


def moves(path: Path) -> bool:
    """Whether a file is an animated WebP."""
    try:
        with path.expanduser().open("rb") as file:
            header = file.read(HEADER)
    except (OSError, RuntimeError, ValueError):  # there is none, nor could there be
        return False
    return header[8:16] == b"WEBPVP8X" and len(header) > FLAGS and bool(header[FLAGS] & ANIMATED)
