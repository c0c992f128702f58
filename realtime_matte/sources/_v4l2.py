"""Reads a camera of Linux without OpenCV: its raw frames, decoded to BGR or straight to I420 planes."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import PixelFormat, Pixels, Size
from realtime_matte.media import i420
from realtime_matte.media.turbojpeg import Data, JpegDecoder
from realtime_matte.v4l2.ioctl import Ioctl, kernel_ioctl
from realtime_matte.v4l2.streaming import NotSupported, Stream, StreamMode

COMPRESSED: Final = ("MJPG", "JPEG")
RAW: Final = ("YUYV", "NV12", "YU12")
FORMATS: Final = (*COMPRESSED, *RAW)
"""MJPG comes first: without it, USB carries 720p at 10 frames a second."""

_TO_BGR: Final[Mapping[str, int]] = {
    "YUYV": cv2.COLOR_YUV2BGR_YUY2,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "YU12": cv2.COLOR_YUV2BGR_I420,
}


class V4l2Reader:
    """A CameraReader on the kernel's own interface.

    Raises:
        MissingDependency: there is no libjpeg-turbo.
    """

    notices: Sequence[str] = ()

    def __init__(self, path: str, *, ioctl: Ioctl = kernel_ioctl) -> None:
        self._decoder = JpegDecoder()
        self._path = path
        self._ioctl = ioctl
        self._stream: Stream | None = None
        self._frame: Data | None = None
        self.is_open = True

    @property
    def pixel_formats(self) -> Sequence[PixelFormat]:
        """I420 too, at even sizes."""
        mode = self._mode()
        return ("i420", "bgr") if i420.is_possible(mode.size) else ("bgr",)

    def request_mode(self, size: Size, fps: float) -> None:
        """Open the device and start it. One that is in use, or gone, is not open.

        Raises:
            NotSupported: another reader has to be used.
        """
        try:
            self._stream = Stream(self._path, FORMATS, size=size, fps=fps, ioctl=self._ioctl)
        except NotSupported:
            raise
        except OSError:
            self.is_open = False

    def is_ready(self, timeout_s: float) -> bool:
        """As ``CameraReader.is_ready``."""
        return self._stream is not None and self._stream.wait(timeout_s)

    def grab(self) -> bool:
        """As ``CameraReader.grab``; False also if the device is gone."""
        try:
            self._frame = self._stream.take() if self._stream else None
        except OSError:
            self._frame = None
        return self._frame is not None

    def retrieve(self, pixels: Pixels | None) -> Pixels | None:
        """As ``CameraReader.retrieve``."""
        data, mode = self._frame, self._mode()
        if data is None:
            return None
        size = self._decoder.size(data) if mode.fourcc in COMPRESSED else mode.size
        if size is None:
            return None
        if pixels is None or (pixels.shape[1], _height(pixels)) != size:
            pixels = np.empty((size[1], size[0], 3), np.uint8)
        decoded = self._decoder.decode(data, pixels) if mode.fourcc in COMPRESSED else _convert(data, mode, pixels)
        return pixels if decoded else None

    def timestamp_ms(self) -> float:
        """As ``CameraReader.timestamp_ms``."""
        return self._stream.timestamp_s * 1000 if self._stream else 0.0

    def actual_fps(self) -> float | None:
        """As ``CameraReader.actual_fps``."""
        return self._mode().fps

    def fourcc(self) -> str:
        """As ``CameraReader.fourcc``."""
        return self._mode().fourcc

    def release(self) -> None:
        """As ``CameraReader.release``."""
        self.is_open = False
        self._frame = None
        self._decoder.close()
        if self._stream:
            self._stream.close()

    def _mode(self) -> StreamMode:
        assert self._stream  # noqa: S101 - asked of an open camera only
        return self._stream.mode


def _height(pixels: Pixels) -> int:
    return len(pixels) if pixels.ndim == 3 else len(pixels) * 2 // 3  # noqa: PLR2004 - colours


def _convert(data: Data, mode: StreamMode, pixels: Pixels) -> bool:
    """An uncompressed frame into ``pixels``; False if it is incomplete."""
    width, height = mode.size
    rows = _rows(data, mode)
    if rows is None:
        return False
    if pixels.ndim == 3:  # noqa: PLR2004 - colours
        if not (mode.full_range or mode.bt709) or not i420.is_possible(mode.size):
            shaped = rows.reshape(height, width, 2) if mode.fourcc == "YUYV" else rows
            cv2.cvtColor(shaped, _TO_BGR[mode.fourcc], dst=pixels)
            return True
        planes = i420.empty(mode.size)
        _to_i420(rows, mode, planes)
        i420.to_bgr(planes, pixels)
        return True
    _to_i420(rows, mode, pixels)
    return True


def _to_i420(rows: Pixels, mode: StreamMode, out: Pixels) -> None:
    if mode.fourcc == "YUYV":
        i420.from_yuyv(rows.reshape(len(rows), -1, 2), out)
    elif mode.fourcc == "NV12":
        i420.from_nv12(rows, out)
    else:
        np.copyto(out, rows)
    if mode.full_range:
        i420.to_limited(out)
    if mode.bt709:
        i420.to_601(out)


def _rows(data: Data, mode: StreamMode) -> Pixels | None:
    """The rows of an uncompressed frame without padding, (rows, bytes): a view where there is none; None: too short."""
    width, height = mode.size
    count, used = (height, 2 * width) if mode.fourcc == "YUYV" else (height * 3 // 2, width)
    if mode.fourcc == "YU12" and mode.stride > width:
        return _without_padding(data, mode)
    stride = max(mode.stride, used)
    if data.size < stride * (count - 1) + used:
        return None
    if stride == used:
        return data[: count * used].reshape(count, used)
    padded = np.lib.stride_tricks.as_strided(data, (count, used), (stride, 1))
    return np.ascontiguousarray(padded)


def _without_padding(data: Data, mode: StreamMode) -> Pixels | None:
    """Planes whose rows are padded, those of chroma by half as much, as one image."""
    (width, height), stride = mode.size, mode.stride
    if data.size < stride * height * 3 // 2:
        return None
    out = i420.empty(mode.size)
    start = 0
    for plane in i420.planes(out):
        rows, columns = plane.shape
        step = stride * columns // width
        plane[:] = data[start : start + rows * step].reshape(rows, step)[:, :columns]
        start += rows * step
    return out
