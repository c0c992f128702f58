"""A decoded picture's colours: by the matrix and range they are stored in."""

from typing import Final

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from realtime_matte.frame import Size

SD_MATRICES: Final = (4, 5, 6)  # AVColorSpace: FCC, BT.470BG and SMPTE 170M, all as BT.601
UNTAGGED: Final = (0, 2, 3)
HD_HEIGHT: Final = 720  # untagged files are taken for BT.709 from here on, as players do
FULL_RANGE: Final = 2


def bgr(reformatter: VideoReformatter, frame: VideoFrame, size: Size) -> VideoFrame:
    """The picture in BGR, stretched to ``size``."""
    untagged = frame.colorspace in UNTAGGED
    sd = frame.height < HD_HEIGHT if untagged else frame.colorspace in SD_MATRICES
    full = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    shrinks = size[0] < frame.width or size[1] < frame.height
    return reformatter.reformat(
        frame,
        *size,
        "bgr24",
        src_colorspace=Colorspace.ITU601 if sd else Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709 if sd else Colorspace.ITU601,  # BGR has none: older PyAV wants another one
        interpolation=Interpolation.AREA if shrinks else Interpolation.BILINEAR,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    )
