"""What is shown of the camera's image: ``--rotate``, ``--zoom``, ``--center`` and ``--camera-fit``.

All of it is one resampling of a part of the camera's frame; turning and mirroring only move pixels.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from realtime_matte.config.config import Config
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Area

STAGE: Final = "view"
OPTIONS: Final = ("rotate", "zoom", "center", "camera_fit", "mirror")

TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

MARGIN_PX: Final = 8
"""Width of the strip at an edge of the camera's image whose colours continue beside it."""

MARGIN_CELLS: Final = 12
"""Colours along that strip: few, so that what is beside the image looks out of focus."""


def open(config: Config, *, size: Size) -> "FixedView | None":
    """The view of a configuration; None if it shows the camera's image as it is."""
    rotate = int(config.rotate)
    if (rotate, config.zoom, config.center, config.camera_fit) == (0, 1, (0.5, 0.5), "cover"):
        return None
    return FixedView(
        size,
        rotate=rotate,
        zoom=config.zoom,
        center=config.center,
        contain=config.camera_fit == "contain",
        mirror=config.mirror,
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """Which part of a camera frame is shown where.

    ``part``: of the camera's frame. ``area``: of the output, which the part fills after it was turned.
    """

    part: Area
    area: Area

    @property
    def area_size(self) -> Size:
        """(width, height) of the area."""
        rows, columns = self.area
        return columns.stop - columns.start, rows.stop - rows.start


def place(
    camera: Size, output: Size, *, rotate: int, zoom: float, center: tuple[float, float], contain: bool
) -> Placement:
    """Which part of a camera frame of size ``camera`` is shown where in the ``output``.

    Example:
        >>> place((1280, 720), (640, 360), rotate=0, zoom=2, center=(0, 0), contain=False).part
        (slice(0, 360, None), slice(0, 640, None))
    """
    turned = camera[::-1] if rotate in {90, 270} else camera
    ratios = output[0] / turned[0], output[1] / turned[1]
    scale = (min(ratios) if contain else max(ratios)) * zoom
    spans = [_span(turned[axis], output[axis], scale, center[axis]) for axis in (0, 1)]
    (x, shown_x), (y, shown_y) = spans
    return Placement(_unturned((y, x), camera, rotate), (shown_y, shown_x))


def _span(length: int, output: int, scale: float, center: float) -> tuple[slice, slice]:
    """Along one axis: the part of ``length`` pixels that is shown, and where in ``output`` pixels."""
    part = min(length, max(1, round(output / scale)))
    first = min(max(round(center * length - part / 2), 0), length - part)
    shown = output if part < length else min(output, max(1, round(length * scale)))
    start = (output - shown) // 2
    return slice(first, first + part), slice(start, start + shown)


def _unturned(area: Area, camera: Size, rotate: int) -> Area:
    """The part of the camera's frame that an area of the turned frame was."""
    rows, columns = area
    width, height = camera
    if rotate == 90:  # noqa: PLR2004 - the frame's lower left corner became the upper left one
        return _reversed(columns, height), rows
    if rotate == 180:  # noqa: PLR2004
        return _reversed(rows, height), _reversed(columns, width)
    return (columns, _reversed(rows, width)) if rotate == 270 else area  # noqa: PLR2004


def _reversed(span: slice, length: int) -> slice:
    return slice(length - span.stop, length - span.start)


class FixedView:
    """Turns, crops and scales frames to ``size``, into buffers that are made for the first frame."""

    def __init__(
        self, size: Size, *, rotate: int, zoom: float, center: tuple[float, float], contain: bool, mirror: bool
    ) -> None:
        self.area: Area | None = None
        self._size = size
        self._rotate = rotate
        self._zoom = zoom
        self._center = (1 - center[0], center[1]) if mirror else center  # as the user sees it
        self._contain = contain
        self._mirror = mirror
        self._camera = 0, 0
        self._buffers: _Buffers

    def __call__(self, frame: Frame) -> Frame:
        """The frame that is matted; overwritten by the next call."""
        if frame.size != self._camera:
            self._prepare(frame.size)
        buffers = self._buffers
        rows, columns = buffers.place.part
        pixels = frame.pixels[rows, columns]
        if buffers.scaled is not None:
            interpolation = cv2.INTER_AREA if buffers.shrinks else cv2.INTER_LINEAR
            cv2.resize(pixels, buffers.scaled.shape[1::-1], dst=buffers.scaled, interpolation=interpolation)
            pixels = buffers.scaled
        if self._rotate:
            cv2.rotate(pixels, TURNS[self._rotate], dst=buffers.turned)
            pixels = buffers.turned
        if self._mirror:
            cv2.flip(pixels, 1, dst=buffers.shown)
        elif pixels is not buffers.shown:
            np.copyto(buffers.shown, pixels)
        if self.area:
            _fill_beside(buffers.output, buffers.shown, self.area)
        return Frame(buffers.output, frame.time, frame.index)

    def _prepare(self, camera: Size) -> None:
        placed = place(
            camera, self._size, rotate=self._rotate, zoom=self._zoom, center=self._center, contain=self._contain
        )
        width, height = placed.area_size
        self._buffers = _Buffers(placed, self._size, rotate=self._rotate, mirror=self._mirror)
        self.area = None if (width, height) == self._size else placed.area
        self._camera = camera


class _Buffers:
    """Buffers of a view for camera frames of one size. Steps that are not needed have none, or share the next one's.

    ``scaled``: the part, scaled, before it is turned; None if it has the right size. ``turned``: after that.
    ``shown``: a view of ``output``, where the part ends.
    """

    def __init__(self, placed: Placement, size: Size, *, rotate: int, mirror: bool) -> None:
        self.place = placed
        rows, columns = placed.part
        part = rows.stop - rows.start, columns.stop - columns.start
        width, height = placed.area_size
        before_turn = (width, height) if rotate in {90, 270} else (height, width)
        self.output = np.zeros((size[1], size[0], 3), np.uint8)
        self.shown: Pixels = self.output[placed.area]
        self.turned = np.empty((height, width, 3), np.uint8) if rotate and mirror else self.shown
        self.shrinks = before_turn[0] < part[0] or before_turn[1] < part[1]
        self.scaled: Pixels | None = None
        if part != before_turn:
            is_last = not rotate and not mirror
            self.scaled = self.shown if is_last else np.empty((*before_turn, 3), np.uint8)


def _fill_beside(output: Pixels, shown: Pixels, area: Area) -> None:
    """Continue the image's edge colours beside it, smooth: a blurred background then has no dark bars."""
    rows, columns = area
    if columns.start or columns.stop < output.shape[1]:
        for beside, strip in (
            (output[rows, : columns.start], shown[:, :MARGIN_PX]),
            (output[rows, columns.stop :], shown[:, -MARGIN_PX:]),
        ):
            _fill(beside, strip, (1, MARGIN_CELLS))
    if rows.start or rows.stop < output.shape[0]:
        for beside, strip in (
            (output[: rows.start], output[rows][:MARGIN_PX]),
            (output[rows.stop :], output[rows][-MARGIN_PX:]),
        ):
            _fill(beside, strip, (MARGIN_CELLS, 1))


def _fill(beside: Pixels, strip: Pixels, cells: Size) -> None:
    if beside.size:
        colors = cv2.resize(strip, cells, interpolation=cv2.INTER_AREA)
        cv2.resize(colors, beside.shape[1::-1], dst=beside, interpolation=cv2.INTER_LINEAR)
