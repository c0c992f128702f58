"""A matte as the samples that a file format stores."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Matte, Pixels
from realtime_matte.render.composite import FAINT

SHORT: Final = np.float32(65535)


def alpha8(alpha: Alpha) -> Pixels:
    """(H, W) uint8."""
    return np.asarray(alpha * np.float32(255) + np.float32(0.5), np.uint8)


def alpha16(alpha: Alpha) -> NDArray[np.uint16]:
    """(H, W) uint16."""
    return np.asarray(alpha * SHORT + np.float32(0.5), np.uint16)


def bgra16(matte: Matte) -> NDArray[np.uint16]:
    """(H, W, 4) straight; black and 0 where alpha is so small that a lossy encoder would keep the colour alone."""
    alpha = alpha16(matte.alpha) * _visible(matte.alpha)
    colors = np.multiply(_colors(matte), (alpha > 0)[..., None] * np.uint16(257), dtype=np.uint16)
    return np.dstack([colors, alpha])


def bgra8(matte: Matte) -> Pixels:
    """The same with 8 bits."""
    alpha = alpha8(matte.alpha) * _visible(matte.alpha)
    return np.dstack([_colors(matte) * (alpha > 0)[..., None], alpha])


def linear(pixels: Pixels) -> NDArray[np.float32]:
    """Light of 8-bit values of the sRGB curve, 0 to 1."""
    return np.take(_light(), pixels)


def premultiplied(matte: Matte) -> NDArray[np.float32]:
    """(H, W, 4) RGBA in linear light, multiplied by alpha."""
    alpha = (matte.alpha * _visible(matte.alpha))[..., None]
    return np.dstack([linear(_colors(matte)[..., ::-1]) * alpha, alpha])


def _visible(alpha: Alpha) -> NDArray[np.bool_]:
    return np.asarray(alpha > np.float32((FAINT + 0.5) / 255))


def _colors(matte: Matte) -> Pixels:
    assert matte.foreground is not None  # noqa: S101 - a refined matte has them
    return matte.foreground


@cache
def _light() -> NDArray[np.float32]:
    """IEC 61966-2-1."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - of the standard
    return light.astype(np.float32)
