"""Compositing (Porter and Duff 1984): one pass over 8-bit images, in fixed point."""

import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.jit import kernel

FAINT = 4
"""Largest alpha, of 255, stored as 0 and black. Video encoders may store it as 0 but keep the colour behind it."""


@kernel
def composite(foreground: Pixels, alpha: Alpha, background: Pixels, weights: NDArray[np.uint16], out: Pixels) -> None:
    """``out`` = alpha x foreground + (1 - alpha) x background; images (H, W, 3) uint8, alpha (H, W) float32 in [0, 1].

    Exact where alpha is 0 or 1; in between alpha is rounded to 1/256 and the result is rounded once. ``weights``
    (3W) is scratch: a row's weight for each byte, so that the inner loop is vectorised.
    """
    height, width = alpha.shape
    for y in range(height):
        for x in range(width):
            weight = np.uint16(alpha[y, x] * np.float32(256) + np.float32(0.5))
            weights[3 * x] = weight
            weights[3 * x + 1] = weight
            weights[3 * x + 2] = weight
        foreground_row, background_row = foreground[y].reshape(width * 3), background[y].reshape(width * 3)
        row = out[y].reshape(width * 3)
        for i in range(width * 3):
            mixed = np.uint16(foreground_row[i]) * weights[i] + np.uint16(background_row[i]) * (
                np.uint16(256) - weights[i]
            )
            row[i] = np.uint8((mixed + np.uint16(128)) >> np.uint16(8))


@kernel
def pack_bgra(foreground: Pixels, alpha: Alpha, out: Pixels) -> None:
    """``foreground`` (H, W, 3) and ``alpha`` (H, W) as one straight BGRA image ``out`` (H, W, 4).

    Black and 0 where alpha, rounded to 1/255, is at most FAINT: such a pixel may have the background's colour.
    """
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            opacity = np.uint8(alpha[y, x] * np.float32(255) + np.float32(0.5))
            visible = np.uint8(opacity > FAINT)
            for c in range(3):
                out[y, x, c] = foreground[y, x, c] * visible
            out[y, x, 3] = opacity * visible
