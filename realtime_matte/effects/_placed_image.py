"""A small image with alpha that is drawn at a fixed place of every composite: blended by two calls of OpenCV."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Area
from realtime_matte.media import i420

ANCHORS: Final = {
    "top-left": (0.0, 0.0),
    "top": (0.5, 0.0),
    "top-right": (1.0, 0.0),
    "left": (0.0, 0.5),
    "center": (0.5, 0.5),
    "right": (1.0, 0.5),
    "bottom-left": (0.0, 1.0),
    "bottom": (0.5, 1.0),
    "bottom-right": (1.0, 1.0),
}
"""Where an image is, as shares of the free width and height."""

MARGIN: Final = 0.03
"""Distance from the edges of the output, as a share of its height."""


class PlacedImage:
    """An image (h, w, 4), straight BGRA, at an anchor of outputs of ``size``."""

    def __init__(self, pixels: Pixels, *, size: Size, anchor: str, opacity: float = 1.0) -> None:
        self._area, pixels = _place(pixels, size, anchor)
        alpha = pixels[..., 3:].astype(np.float32) * (opacity / 255)
        self._straight = pixels[..., :3].astype(np.float32)
        self._alpha = alpha
        self._colors = np.ascontiguousarray(self._straight * alpha + 0.5, dtype=np.float32).astype(np.uint8)
        self._rest = np.repeat(255 - np.rint(alpha * 255).astype(np.uint8), 3, axis=2)
        self._scratch = np.empty_like(self._rest)
        self._planes: Sequence[_PlacedPlane] | None = None  # from the first I420 image on

    def draw(self, image: Pixels) -> None:
        """Blend it into an output frame, BGR or straight BGRA."""
        part = image[self._area]
        if image.shape[2] == 3:  # noqa: PLR2004 - BGR
            cv2.multiply(part, self._rest, dst=self._scratch, scale=1 / 255)
            cv2.add(self._scratch, self._colors, dst=part)
        else:
            self._draw_straight(part)

    def draw_planes(self, image: Pixels) -> None:
        """Blend it into an output frame, I420."""
        if self._planes is None:
            self._planes = _placed_planes(self._straight, self._alpha, self._area)
        for placed, plane in zip(self._planes, i420.planes(image), strict=True):
            placed.draw(plane)

    def _draw_straight(self, part: Pixels) -> None:
        """Over straight alpha (Porter and Duff 1984); files keep it, so the time is no matter."""
        below = part[..., 3:].astype(np.float32) / 255 * (1 - self._alpha)
        total = self._alpha + below
        mixed = self._straight * self._alpha + part[..., :3] * below
        np.divide(mixed, total, out=mixed, where=total > 0)
        part[..., :3] = np.rint(mixed)
        part[..., 3:] = np.rint(total * 255)


class _PlacedPlane:
    """One plane of it. ``alpha``: (h, w); ``values``: those of the plane, times alpha."""

    def __init__(self, alpha: NDArray[np.float32], values: NDArray[np.float32], area: Area) -> None:
        self._area = area
        self._rest = 255 - np.rint(alpha * 255).astype(np.uint8)
        self._values = np.rint(values).astype(np.uint8)
        self._scratch = np.empty_like(self._rest)

    def draw(self, plane: NDArray[np.uint8]) -> None:
        part = plane[self._area]
        cv2.multiply(part, self._rest, dst=self._scratch, scale=1 / 255)
        cv2.add(self._scratch, self._values, dst=part)


def _placed_planes(
    straight: NDArray[np.float32], alpha: NDArray[np.float32], area: Area
) -> tuple[_PlacedPlane, _PlacedPlane, _PlacedPlane]:
    """Luma and chroma of an image (h, w, 3) BGR in ``area``. Chroma is the mean of whole 2 x 2 pixels."""
    rows, columns = area
    before, after = (rows.start % 2, columns.start % 2), (rows.stop % 2, columns.stop % 2)
    yuv = cv2.transform(straight, i420.FROM_BGR_WITH_OFFSET) * alpha
    around = [(start, end) for start, end in zip(before, after, strict=True)]
    padded_alpha, padded = np.pad(alpha[..., 0], around), np.pad(yuv, [*around, (0, 0)])
    half = padded.shape[1] // 2, padded.shape[0] // 2
    small_alpha, small = (
        np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.float32)
        for image in (padded_alpha, padded)
    )
    half_area = slice(rows.start // 2, (rows.stop + 1) // 2), slice(columns.start // 2, (columns.stop + 1) // 2)
    u, v = (_PlacedPlane(small_alpha, small[..., channel], half_area) for channel in (1, 2))
    return _PlacedPlane(alpha[..., 0], np.ascontiguousarray(yuv[..., 0]), area), u, v


def _place(pixels: Pixels, size: Size, anchor: str) -> tuple[Area, Pixels]:
    """Where the image lies on the output, and the part of it that fits there."""
    margin = round(MARGIN * size[1])
    x, y = ANCHORS[anchor]
    corner: list[int] = []
    lengths: list[int] = []
    for share, length, whole in ((y, pixels.shape[0], size[1]), (x, pixels.shape[1], size[0])):
        shown = min(length, whole)
        inset = min(margin, (whole - shown) // 2)
        corner.append(round(inset + share * (whole - shown - 2 * inset)))
        lengths.append(shown)
    rows, columns = (slice(start, start + length) for start, length in zip(corner, lengths, strict=True))
    return (rows, columns), pixels[: lengths[0], : lengths[1]]
