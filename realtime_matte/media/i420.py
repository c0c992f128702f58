"""I420 images: the planes Y, U and V in one array (H * 3 / 2, W) uint8, limited range, BT.601, chroma 4:2:0.

This is what virtual cameras carry and their readers expect. W and H are even; chroma is the mean of 2 x 2 pixels.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Frame, Pixels, Size

Plane: TypeAlias = NDArray[np.uint8]
"""(h, w) uint8."""

BLACK: Final = 16
"""Luma of black; white is 235."""

GREY: Final = 128
"""Chroma of grey, in any range."""

LUMA_SCALE: Final = 219 / 255
CHROMA_SCALE: Final = 224 / 255
"""From full range, 0 to 255, to limited range."""


def _from_bgr(red: float, blue: float) -> NDArray[np.float64]:
    """(3, 3): from a colour, minus black, to Y, U and V of limited range, by luma's shares of red and blue."""
    green = 1 - red - blue
    luma = np.array([blue, green, red])
    u, v = (np.eye(3)[0] - luma) / (2 - 2 * blue), (np.eye(3)[2] - luma) / (2 - 2 * red)
    return np.stack([luma * LUMA_SCALE, u * CHROMA_SCALE, v * CHROMA_SCALE])


FROM_BGR: Final = _from_bgr(0.299, 0.114)
"""(3, 3): from a colour to Y, U and V of BT.601, minus (BLACK, GREY, GREY)."""

TO_BGR: Final = np.linalg.inv(FROM_BGR)
"""(3, 3): its inverse."""

OFFSET: Final = np.array([BLACK, GREY, GREY], np.float64)

TO_BGR_WITH_OFFSET: Final = np.column_stack([TO_BGR, -TO_BGR @ OFFSET])
"""(3, 4): as ``cv2.transform`` takes it, from Y, U and V to BGR."""

FROM_BGR_WITH_OFFSET: Final = np.column_stack([FROM_BGR, OFFSET])

_TO_601: Final = FROM_BGR @ np.linalg.inv(_from_bgr(0.2126, 0.0722))
"""(3, 3): from Y, U and V of BT.709 to those of BT.601, each minus black or grey. Luma's own gain is 1."""


def is_possible(size: Size) -> bool:
    """Whether an image of ``size`` can be I420: both sides are even."""
    return size[0] % 2 == 0 and size[1] % 2 == 0


def empty(size: Size) -> Pixels:
    """A new I420 image, undefined."""
    return np.empty((size[1] * 3 // 2, size[0]), np.uint8)


def planes(pixels: Pixels) -> tuple[Plane, Plane, Plane]:
    """The planes Y (H, W), U and V (H / 2, W / 2) of an I420 image: views."""
    height, width = pixels.shape[0] * 2 // 3, pixels.shape[1]
    chroma = pixels[height:].reshape(2, height // 2, width // 2)
    return pixels[:height], chroma[0], chroma[1]


def shrink_chroma(plane: Plane, out: Plane, *, full_range: bool) -> None:
    """Average a plane of chroma to the size of ``out``, half the luma's, and bring it to limited range."""
    scale = CHROMA_SCALE if full_range else 1.0
    shift = GREY * (1 - scale)
    height, width = out.shape
    if plane.shape == (2 * height, width):  # 4:2:2
        cv2.addWeighted(plane[0::2], scale / 2, plane[1::2], scale / 2, shift, dst=out)
        return
    if plane.shape != out.shape:
        cv2.resize(plane, (width, height), dst=out, interpolation=cv2.INTER_AREA)
        plane = out
    if full_range:
        cv2.convertScaleAbs(plane, dst=out, alpha=scale, beta=shift)
    elif plane is not out:
        np.copyto(out, plane)


def from_bgr(image: Pixels, out: Pixels | None = None) -> Pixels:
    """An image (H, W, 3) BGR as I420, into ``out`` or a new array. Allocates: for cards and other rare images."""
    height, width = image.shape[:2]
    out = empty((width, height)) if out is None else out
    luma, u, v = planes(out)
    cv2.convertScaleAbs(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dst=luma, alpha=LUMA_SCALE, beta=BLACK)
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    half = cv2.transform(half, FROM_BGR_WITH_OFFSET)
    cv2.extractChannel(half, 1, dst=u)
    cv2.extractChannel(half, 2, dst=v)
    return out


def to_bgr(pixels: Pixels, out: Pixels | None = None) -> Pixels:
    """An I420 image as (H, W, 3) BGR, into ``out`` or a new array."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_YUV2BGR_I420, dst=out), np.uint8)


def sample_bgr(pixels: Pixels, step: int, out: Pixels) -> None:
    """Every ``step``-th pixel of every ``step``-th row of an I420 image, as BGR; ``step`` is even."""
    luma, u, v = planes(pixels)
    half = step // 2
    sampled = np.dstack([luma[::step, ::step], u[::half, ::half], v[::half, ::half]])
    cv2.transform(sampled, TO_BGR_WITH_OFFSET, dst=out)


def bgr_frame(frame: Frame, out: Pixels | None = None) -> Frame:
    """A frame with BGR pixels: itself, or converted, into ``out`` or a new array."""
    if frame.pixel_format == "bgr":
        return frame
    return Frame(to_bgr(frame.pixels, out), frame.time, frame.index)


class BgrFrames:
    """Converts frames to BGR, into one buffer that is made for the first I420 frame."""

    def __init__(self) -> None:
        self._pixels: Pixels | None = None

    def __call__(self, frame: Frame) -> Frame:
        """The frame in BGR; overwritten by the next call."""
        converted = bgr_frame(frame, self._pixels)
        if converted is not frame:
            self._pixels = converted.pixels
        return converted


def from_yuyv(packed: Pixels, out: Pixels) -> None:
    """Packed 4:2:2, (H, W, 2) with Y and U or V of each pixel, in limited range, into ``out``."""
    luma, u, v = planes(out)
    cv2.extractChannel(packed, 0, dst=luma)
    height, width = luma.shape
    pairs = packed.reshape(height, width // 2, 4)
    means = cv2.addWeighted(pairs[0::2], 0.5, pairs[1::2], 0.5, 0)
    cv2.extractChannel(means, 1, dst=u)
    cv2.extractChannel(means, 3, dst=v)


def to_yuyv(pixels: Pixels, out: Pixels) -> None:
    """An I420 image as packed 4:2:2, into ``out`` (H, W, 2); two rows share their colour."""
    luma, u, v = planes(pixels)
    height, width = luma.shape
    out[..., 0] = luma
    pairs = out.reshape(height, width // 2, 4)
    for row in (0, 1):
        pairs[row::2, :, 1] = u
        pairs[row::2, :, 3] = v


def from_nv12(semi_planar: Pixels, out: Pixels) -> None:
    """Semi-planar 4:2:0, (H * 3 / 2, W) with U and V in turn, in limited range, into ``out``."""
    luma, u, v = planes(out)
    height, width = luma.shape
    np.copyto(luma, semi_planar[:height])
    cv2.split(semi_planar[height:].reshape(height // 2, width // 2, 2), [u, v])


def to_limited(pixels: Pixels) -> None:
    """Bring an I420 image of full range to limited range, in place."""
    luma, u, v = planes(pixels)
    cv2.convertScaleAbs(luma, dst=luma, alpha=LUMA_SCALE, beta=BLACK)
    for plane in (u, v):
        shrink_chroma(plane, plane, full_range=True)


def to_601(pixels: Pixels) -> None:
    """Bring an I420 image of BT.709 to BT.601, in place. Allocates: few cameras need it."""
    luma, u, v = planes(pixels)
    (_, luma_u, luma_v), (_, *of_u), (_, *of_v) = _TO_601.tolist()
    shift = cv2.addWeighted(u, luma_u, v, luma_v, -GREY * (luma_u + luma_v), dtype=cv2.CV_32F)
    cv2.add(luma, cv2.resize(shift, luma.shape[::-1], interpolation=cv2.INTER_NEAREST), dst=luma, dtype=cv2.CV_8U)
    new_u = cv2.addWeighted(u, of_u[0], v, of_u[1], GREY * (1 - sum(of_u)))
    cv2.addWeighted(u, of_v[0], v, of_v[1], GREY * (1 - sum(of_v)), dst=v)
    np.copyto(u, new_u)
