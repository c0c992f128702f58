"""Still images: read from a file as (H, W, 3) BGR, and made to fill a size."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Fit

SUFFIXES = frozenset(
    {".avif", ".bmp", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tif", ".tiff", ".webp"}
)

JPEG = b"\xff\xd8"

Image: TypeAlias = NDArray[Any]
"""(H, W) or (H, W, C) as the file holds it."""


def read(path: Path) -> Pixels:
    """The picture in a file: upright by its EXIF orientation, 8 bits a channel, its alpha laid over black.

    Raises:
        MissingFile, BadFile
    """
    data = _bytes(path)
    pixels: Pixels = _decode(path, data, cv2.IMREAD_COLOR)
    if data[:2].tobytes() == JPEG:  # it has no alpha: do not decode many megapixels twice
        return pixels
    raw = _decode(path, data, cv2.IMREAD_UNCHANGED)
    if raw.ndim == 2 or raw.shape[2] != 4:  # noqa: PLR2004 - only BGRA has alpha
        return pixels
    turn = _orientation(_decode(path, data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION), pixels)
    return over_black(np.dstack([pixels, turn(_eight_bits(raw[..., 3]))]))


def over_black(picture: Pixels) -> Pixels:
    """Straight BGRA as it looks on black."""
    alpha = picture[..., 3:].astype(np.uint16)
    return np.asarray((picture[..., :3] * alpha + 127) // 255, np.uint8)


def fill(pixels: Pixels, size: Size, fit: Fit) -> Pixels:
    """The picture on a canvas of ``size``.

    ``cover`` cuts what sticks out, ``contain`` leaves black bars, ``stretch`` bends the shape, ``tile`` repeats it
    unscaled from the upper left corner.
    """
    return {"cover": _cover, "contain": _contain, "stretch": resize, "tile": _tile}[fit](pixels, size)


def scaled(inner: Size, size: Size, fit: Fit) -> Size:
    """What a picture of size ``inner`` is scaled to before ``fill`` cuts it or adds bars."""
    if fit in {"stretch", "tile"}:
        return size if fit == "stretch" else inner
    ways = size[0] / inner[0], size[1] / inner[1]
    scale = max(ways) if fit == "cover" else min(ways)
    return max(round(inner[0] * scale), 1), max(round(inner[1] * scale), 1)


def middle(pixels: Pixels, size: Size) -> Pixels:
    """The largest part in the middle that has the shape of ``size``: a view."""
    height, width = pixels.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    across = min(width, max(1, round(size[0] / scale)))
    down = min(height, max(1, round(size[1] / scale)))
    left, top = (width - across) // 2, (height - down) // 2
    return pixels[top : top + down, left : left + across]


def resize(pixels: Pixels, size: Size) -> Pixels:
    """Stretched to ``size``: averaged where it shrinks, smooth where it grows."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return np.ascontiguousarray(pixels)
    shrinks = size[0] < pixels.shape[1] or size[1] < pixels.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def _cover(pixels: Pixels, size: Size) -> Pixels:
    return resize(middle(pixels, size), size)


def _contain(pixels: Pixels, size: Size) -> Pixels:
    inner = scaled((pixels.shape[1], pixels.shape[0]), size, "contain")
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = resize(pixels, inner)
    return canvas


def _tile(pixels: Pixels, size: Size) -> Pixels:
    times = -(-size[1] // pixels.shape[0]), -(-size[0] // pixels.shape[1]), 1
    return np.ascontiguousarray(np.tile(pixels, times)[: size[1], : size[0]])


def _bytes(path: Path) -> NDArray[np.uint8]:
    try:
        data = np.fromfile(path, np.uint8)  # imread cannot open every name on Windows
    except OSError as error:
        why = error.strerror or error
        raise MissingFile(f"cannot read the picture {str(path)!r}: {why}", hint="name one that is there") from error
    if not data.size:
        raise BadFile(f"{str(path)!r} is an empty file", hint="give a picture such as a JPEG or PNG")
    return data


def _decode(path: Path, data: NDArray[np.uint8], flags: int) -> Image:
    try:
        image = cv2.imdecode(data, flags)
    except cv2.error as error:
        raise BadFile(
            f"{str(path)!r} is a picture that OpenCV cannot read: {error.err}", hint="save it as a JPEG"
        ) from error
    if image is None:
        raise BadFile(f"{str(path)!r} is no picture that OpenCV can read", hint="save it as a JPEG or PNG")
    return image


def _eight_bits(alpha: Image) -> Image:
    return alpha if alpha.dtype == np.uint8 else np.asarray(alpha / np.iinfo(alpha.dtype).max * 255 + 0.5, np.uint8)


def _orientation(stored: Pixels, upright: Pixels) -> Callable[[Image], Image]:
    """The turn that OpenCV made by the EXIF data; it makes none for a picture read with its alpha."""
    for quarters, mirror in product(range(4), (False, True)):
        if np.array_equal(_turn(stored, quarters, mirror=mirror), upright):
            return lambda image: _turn(image, quarters, mirror=mirror)
    raise AssertionError("the same picture, turned")


def _turn(image: Image, quarters: int, *, mirror: bool) -> Image:
    turned = np.rot90(image, quarters)
    return turned[:, ::-1] if mirror else turned
