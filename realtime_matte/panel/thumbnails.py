"""Thumbnails of the gallery. Those of ``blur`` and ``room`` are of a drawn scene: none shows anything of the camera."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np

from realtime_matte.backgrounds import studio
from realtime_matte.backgrounds.color import bgr
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Matte, Pixels, RefinedMatte, Size
from realtime_matte.panel.gallery import DEFAULT_COLOR, Entry, open_background
from realtime_matte.panel.preview import JPEG, over_checks

SIZE: Final[Size] = (240, 135)
BLUR_PX: Final = 7.0


def thumbnail(entry: Entry, spec: str, cache: Path) -> bytes:
    """A JPEG of SIZE; of a file, kept in ``cache`` until the file changes.

    Args:
        entry: The background.
        spec: Its spec with options, for the colour.
        cache: The folder of thumbnails; made if it is not there.

    Raises:
        MatteError: The file cannot be shown.
    """
    if entry.path is None:
        return _encode(_drawn(entry, spec))
    kept = cache / f"{_key(entry.path)}.jpg"
    with suppress(OSError):
        return kept.read_bytes()
    data = _encode(_shown(entry.spec))
    part = kept.with_suffix(".part")
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(kept)
    except OSError:
        with suppress(OSError):
            part.unlink()
    return data


def _drawn(entry: Entry, spec: str) -> Pixels:
    width, height = SIZE
    if entry.kind == "none":
        return over_checks(np.zeros((height, width, 4), np.uint8))
    if entry.kind == "color":
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = bgr(spec.removeprefix("color:") if spec.startswith("color:#") else DEFAULT_COLOR)
        return pixels
    if entry.kind == "blur":
        return np.asarray(cv2.GaussianBlur(studio.draw(SIZE), (0, 0), BLUR_PX), np.uint8)
    return _shown(entry.spec)


def _shown(spec: str) -> Pixels:
    """The first image of a background; the drawn studio stands in for the camera's frame."""
    width, height = SIZE
    background = open_background(spec, SIZE)
    if background is None:  # none, which is drawn
        raise SpecError(f"{spec} has no image")
    try:
        frame = Frame(studio.draw(SIZE), 0.0, 0)
        matte = Matte(np.zeros((height, width), np.float32), frame.pixels)
        return background.image(frame, cast("RefinedMatte", matte)).copy()
    finally:
        background.close()


def _encode(pixels: Pixels) -> bytes:
    _, data = cv2.imencode(".jpg", pixels, JPEG)
    return data.tobytes()


def _key(path: Path) -> str:
    """Changes with the file's content, by its time and size."""
    found = path.stat()
    return hashlib.sha256(
        f"{path}\0{found.st_mtime_ns}\0{found.st_size}".encode("utf-8", "surrogateescape")
    ).hexdigest()[:32]
