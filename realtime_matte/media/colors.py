"""Colours of decoded video frames: every matrix, range, transfer curve and alpha that a file can state, as sRGB."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from realtime_matte.frame import Pixels, Size
from realtime_matte.media import tone_map
from realtime_matte.media.fit import resize
from realtime_matte.media.image import over_black

HD_HEIGHT: Final = 720
"""Untagged files are taken as BT.709 from this height on, as players do, and as BT.601 below."""

MATRICES: Final = {  # AVColorSpace, ITU-T H.273 table 4
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
YCGCO: Final = 8
FROM_PRIMARIES: Final = 12  # the matrix is derived from the primaries
BYTES: Final = {"bgr24": 3, "bgra": 4, "bgr48le": 6}  # of a pixel
LIMITED, FULL = ColorRange.MPEG, ColorRange.JPEG

BT2020: Final = 9  # of AVColorPrimaries
BT709: Final = 1  # of AVColorPrimaries, AVColorTransferCharacteristic and AVColorSpace alike
SMPTE170M: Final = 6
UNSPECIFIED: Final = 2


@dataclass(frozen=True, slots=True)
class ColorTags:
    """How the colours of a video are stored, in the numbers of ITU-T H.273.

    Attributes:
        matrix: Of its YUV, by which it was converted to RGB.
        range: Limited or full levels.
        primaries: As the file states; UNSPECIFIED where it does not.
        transfer: The same for the curve.
        notices: Messages to the user.
    """

    matrix: int
    range: int
    primaries: int
    transfer: int
    notices: tuple[str, ...] = ()


def tags_of(frame: VideoFrame) -> ColorTags:
    """The tags with which what FrameConverter made of a frame is stored again: its own, or BT.709 where that changed.

    YCgCo and RGB, which encoders do not store again as they were, get the matrix of BT.709. HDR has become SDR.
    """
    if frame.color_trc in tone_map.CURVES:
        curve = "PQ" if frame.color_trc == tone_map.PQ else "HLG"
        return ColorTags(BT709, LIMITED, BT709, BT709, (f"its HDR ({curve}) becomes SDR (BT.709)",))
    rgb = frame.format.is_rgb or frame.colorspace == YCGCO
    known = matrix(frame)
    number = {Colorspace.ITU601: SMPTE170M, Colorspace.BT2020: BT2020}.get(known, int(known))
    if known == Colorspace.ITU601 and frame.colorspace in MATRICES:
        number = frame.colorspace  # 5 and 6 are the same matrix
    primaries, transfer = frame.color_primaries or UNSPECIFIED, frame.color_trc or UNSPECIFIED
    return ColorTags(BT709 if rgb else number, LIMITED if rgb else color_range(frame), primaries, transfer)


class FrameConverter:
    """Converts frames of one clip; keeps the tables of the last conversion. Used by one thread at a time."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def bgr(self, frame: VideoFrame, size: Size) -> Pixels:
        """The frame (H, W, 3) BGR in sRGB, not turned, its alpha over black, stretched to ``size``.

        Raises:
            FFmpegError: It cannot be converted.
        """
        if any(component.is_alpha for component in frame.format.components):
            straight = self._reformat(frame, (frame.width, frame.height), "bgra").view(np.uint8)
            return resize(over_black(straight.reshape(frame.height, frame.width, 4)), size)
        if frame.colorspace == YCGCO and not frame.format.is_rgb:
            return resize(_from_ycgco(frame), size)
        if frame.color_trc in tone_map.CURVES:
            wide = self._reformat(frame, size, "bgr48le").view("<u2")
            return tone_map.to_sdr(wide.reshape(size[1], size[0], 3), frame.color_trc)
        return self._reformat(frame, size, "bgr24").reshape(size[1], size[0], 3)

    def _reformat(self, frame: VideoFrame, size: Size, pixel_format: str) -> Pixels:
        """The bytes of each row, (H, W * bytes of a pixel)."""
        source = matrix(frame)
        plane = self._reformatter.reformat(
            frame,
            *size,
            pixel_format,
            src_colorspace=source,
            # BGR has none; where both are the same, older versions of FFmpeg take the matrix as not given
            dst_colorspace=Colorspace.ITU601 if source == Colorspace.ITU709 else Colorspace.ITU709,
            interpolation=_interpolation(frame, size),
            src_color_range=color_range(frame),
        ).planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return rows[: size[1], : size[0] * BYTES[pixel_format]]


def matrix(frame: VideoFrame) -> Colorspace:
    """The matrix from RGB to YUV with which a frame was stored."""
    stated = frame.colorspace
    if stated == FROM_PRIMARIES:
        stated = {BT2020: 9, 5: 5, 6: 6}.get(frame.color_primaries, 1)
    if stated in MATRICES:
        return MATRICES[stated]
    if frame.color_primaries == BT2020:
        return Colorspace.BT2020
    return Colorspace.ITU709 if frame.height >= HD_HEIGHT else Colorspace.ITU601


def color_range(frame: VideoFrame) -> ColorRange:
    """The range of a frame's levels: limited (16 to 235) unless it is stated, or it is stored as RGB."""
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    if frame.format.is_rgb and frame.color_range != LIMITED:
        full = True
    return FULL if full else LIMITED


def _interpolation(frame: VideoFrame, size: Size) -> Interpolation:
    shrinks = size[0] < frame.width or size[1] < frame.height
    return Interpolation.AREA if shrinks else Interpolation.BICUBIC


def _from_ycgco(frame: VideoFrame) -> Pixels:
    """BGR of YCgCo, which swscale does not know (ITU-T H.273, equations 46 to 49)."""
    full = color_range(frame) == FULL
    known = Colorspace.ITU601  # any that swscale knows, on both sides: the levels stay
    same = frame.reformat(format="yuv444p", src_colorspace=known, dst_colorspace=known)
    planes = np.asarray(same.to_ndarray(), np.float32)
    luma, green, orange = planes[0], planes[1] - 128, planes[2] - 128
    if not full:
        luma, green, orange = (luma - 16) * (255 / 219), green * (255 / 224), orange * (255 / 224)
    rest = luma - green
    return np.asarray(np.clip(np.dstack([rest - orange, luma + green, rest + orange]) + 0.5, 0, 255), np.uint8)
