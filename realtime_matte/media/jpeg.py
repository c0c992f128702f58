"""JPEG by Pillow, whose libjpeg prints nothing: OpenCV's writes a line to standard error for each damaged image."""

import io
from math import prod
from typing import Final

import cv2
import numpy as np
from PIL import Image

from realtime_matte.frame import Pixels
from realtime_matte.media.image import DECODE_ERRORS

MAX_PIXELS: Final = 2**25
"""More than 8K: a damaged header may declare any size, which would be allocated."""


def decode(data: bytes, pixels: Pixels | None) -> Pixels | None:
    """The image as (H, W, 3) BGR; None if it is incomplete. What is damaged inside is decoded as far as possible.

    Args:
        data: The file.
        pixels: Written into and returned, if it has the image's size.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if prod(image.size) > MAX_PIXELS:
                return None
            rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except (Image.DecompressionBombError, *DECODE_ERRORS):
        return None
    if pixels is None or pixels.shape != rgb.shape:
        pixels = np.empty_like(rgb)
    cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR, dst=pixels)
    return pixels
