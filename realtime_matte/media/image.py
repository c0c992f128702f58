"""Still images: read from a file as (H, W, 3) BGR, upright, 8 bits a channel, alpha over black."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels

SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tif", ".tiff", ".webp"}
)

JPEG_MAGIC: Final = b"\xff\xd8"

Image: TypeAlias = NDArray[Any]
"""(H, W) or (H, W, C) as the file holds it."""


def read(path: Path) -> Pixels:
    """The image in a file: upright by its EXIF orientation, 8 bits a channel, its alpha composited over black.

    Raises:
        MissingFile: There is no file, or it cannot be read.
        BadFile: It is not an image that OpenCV can read.
    """
    data = _read_bytes(path)
    pixels: Pixels = _decode(path, data, cv2.IMREAD_COLOR)
    if data[:2].tobytes() == JPEG_MAGIC:  # a JPEG has no alpha: do not decode many megapixels twice
        return pixels
    raw = _decode(path, data, cv2.IMREAD_UNCHANGED)
    if raw.ndim == 2 or raw.shape[2] != 4:  # noqa: PLR2004 - only BGRA has alpha
        return pixels
    orient = _find_orientation(_decode(path, data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION), pixels)
    return over_black(np.dstack([pixels, orient(_to_eight_bits(raw[..., 3]))]))


def over_black(bgra: Pixels) -> Pixels:
    """A straight BGRA image (H, W, 4) composited over black, (H, W, 3)."""
    alpha = bgra[..., 3:].astype(np.uint16)
    return np.asarray((bgra[..., :3] * alpha + 127) // 255, np.uint8)


def _read_bytes(path: Path) -> NDArray[np.uint8]:
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every name on Windows
    except OSError as error:
        reason = error.strerror or error
        raise MissingFile(f"cannot read the image {str(path)!r}: {reason}", hint="name an existing file") from error
    if not data.size:
        raise BadFile(f"{str(path)!r} is an empty file", hint="name an image such as a JPEG or PNG")
    return data


def _decode(path: Path, data: NDArray[np.uint8], flags: int) -> Image:
    try:
        image = cv2.imdecode(data, flags)
    except cv2.error as error:
        raise BadFile(
            f"{str(path)!r} is an image that OpenCV cannot read: {error.err}", hint="save it as a JPEG"
        ) from error
    if image is None:
        raise BadFile(f"{str(path)!r} is not an image that OpenCV can read", hint="save it as a JPEG or PNG")
    return image


def _to_eight_bits(alpha: Image) -> Image:
    return alpha if alpha.dtype == np.uint8 else np.asarray(alpha / np.iinfo(alpha.dtype).max * 255 + 0.5, np.uint8)


def _find_orientation(stored: Pixels, upright: Pixels) -> Callable[[Image], Image]:
    """The rotation that OpenCV did by the EXIF data; it does none for an image read with its alpha."""
    for quarter_turns, mirror in product(range(4), (False, True)):
        if np.array_equal(_turn(stored, quarter_turns, mirror=mirror), upright):
            return lambda image: _turn(image, quarter_turns, mirror=mirror)
    raise AssertionError("the same image, turned")


def _turn(image: Image, quarter_turns: int, *, mirror: bool) -> Image:
    turned = np.rot90(image, quarter_turns)
    return turned[:, ::-1] if mirror else turned
