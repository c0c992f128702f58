"""Images in BGR to I420: backgrounds, and composites for outputs that carry I420."""

import numpy as np

from realtime_matte.frame import Pixels
from realtime_matte.media import i420
from realtime_matte.render.box_filter import Bytes
from realtime_matte.render.jit import kernel, read_only


def to_i420(image: Pixels, out: Pixels) -> None:
    """Convert an image (H, W, 3) BGR to I420."""
    luma, u, v = i420.planes(out)
    bgr_to_i420(read_only(image), luma, u, v)


@kernel
def bgr_to_i420(image: Pixels, luma: Bytes, u: Bytes, v: Bytes) -> None:
    """An image (H, W, 3) BGR as the planes of I420, in fixed point; chroma is the mean of four pixels.

    The coefficients are those of ``media.i420`` times 2^16, rounded.
    """
    half_height, half_width = u.shape
    for y in range(half_height):
        for line in range(2):
            row, to = image[2 * y + line].reshape(image.shape[1] * 3), luma[2 * y + line]
            for x in range(image.shape[1]):
                b, g, r = np.int32(row[3 * x]), np.int32(row[3 * x + 1]), np.int32(row[3 * x + 2])
                to[x] = np.uint8((6416 * b + 33039 * g + 16829 * r + 1081344) >> 16)
        top, bottom = image[2 * y].reshape(image.shape[1] * 3), image[2 * y + 1].reshape(image.shape[1] * 3)
        for x in range(half_width):
            at = 6 * x
            b = np.int32(top[at]) + np.int32(top[at + 3]) + np.int32(bottom[at]) + np.int32(bottom[at + 3])
            g = np.int32(top[at + 1]) + np.int32(top[at + 4]) + np.int32(bottom[at + 1]) + np.int32(bottom[at + 4])
            r = np.int32(top[at + 2]) + np.int32(top[at + 5]) + np.int32(bottom[at + 2]) + np.int32(bottom[at + 5])
            u[y, x] = np.uint8((28784 * b - 19070 * g - 9714 * r + 33685504) >> 18)
            v[y, x] = np.uint8((28784 * r - 24103 * g - 4681 * b + 33685504) >> 18)
