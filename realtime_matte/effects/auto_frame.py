"""Automatic framing from the matte: ``--auto-frame`` keeps head and shoulders at a chosen size and place.

The crop rests while the person stays near its place (a dead zone). When she has left it for a moment (a hold), the crop
moves in one smooth second. It grows at once when a raised hand or a second person would be cut off. With no person it
returns to the whole image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.config.config import Config
from realtime_matte.frame import Alpha, Size

STAGE: Final = "framing"
OPTIONS: Final = ("auto_frame", "auto_frame_size", "auto_frame_place")

GRID_WIDTH: Final = 128
MIN_ALPHA: Final = 0.5
MIN_AREA: Final = 0.004
"""Share of the grid: smaller parts are ignored."""

MAX_ZOOM: Final = 2.5
"""Beyond it, the camera's pixels are seen."""

SHOULDERS: Final = 75
"""Percentile of a figure's widths, row by row, that is its width at the shoulders: a raised arm changes it little."""

HEAD_WIDTH: Final = 0.3
"""Of the shoulders' width: narrower rows at the top are a raised hand (an arm has 0.2, a head 0.45)."""

HEAD_AND_SHOULDERS: Final = 0.85
"""Height of head and shoulders, in widths of the shoulders: 0.35 m of 0.42."""

HEAD: Final = 0.6
MARGIN: Final = 0.02
"""Of the image, around what must not be cut off."""

DEAD_ZONE: Final = 0.09
SIZE_ZONE: Final = 0.15
"""Shares of the crop: how far the person may move, and how much its size may differ, before the crop follows."""

HOLD_S: Final = 0.4
"""How long that has to last."""

GROWN_HOLD_S: Final = 2.0
"""The same after the crop grew for a hand or another person, and before it shrinks."""

MOVE_S: Final = 1.0
GROW_S: Final = 0.25
GONE_S: Final = 1.0

Mask = NDArray[np.uint8]


def open(config: Config, *, size: Size) -> "AutoFrame | None":
    """The framing of a configuration; None if it is off."""
    if not config.auto_frame:
        return None
    return AutoFrame(size[0] / size[1], size=config.auto_frame_size, place=config.auto_frame_place)


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the image with its aspect ratio: its centre, and its size as a share of the image's, each of 0 to 1."""

    x: float
    y: float
    size: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        half = self.size / 2
        return self.x - half, self.y - half, self.x + half, self.y + half

    def inside(self) -> "Crop":
        """The crop moved, or made smaller, so that it lies inside the image."""
        size = min(self.size, 1.0)
        half = size / 2
        return Crop(min(max(self.x, half), 1 - half), min(max(self.y, half), 1 - half), size)

    def around(self, box: Sequence[float]) -> "Crop":
        """The smallest crop around this one and a box."""
        left, top, right, bottom = (
            pick(one, other) for pick, one, other in zip((min, min, max, max), self.box, box, strict=True)
        )
        size = min(max(right - left, bottom - top), 1.0)
        return Crop((left + right) / 2, (top + bottom) / 2, size).inside()

    def contains(self, box: Sequence[float]) -> bool:
        """Whether a box lies inside, as far as the image reaches."""
        left, top, right, bottom = self.box
        return left <= box[0] + 1e-6 and top <= box[1] + 1e-6 and right >= box[2] - 1e-6 and bottom >= box[3] - 1e-6


WHOLE: Final = Crop(0.5, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A person in the matte: left, top, right, bottom of what must be shown; top of the head; width of the shoulders.

    Positions are shares of the image; ``shoulders`` is a share of its height.
    """

    needed: tuple[float, float, float, float]
    head_x: float
    head_top: float
    shoulders: float


class AutoFrame:
    """Follows people through a shot. ``aspect``: width by height of the image and of its crop."""

    def __init__(self, aspect: float, *, size: float, place: tuple[float, float]) -> None:
        self._aspect = aspect
        self._size = size
        self._place = place
        self._grid: Mask = np.empty((0, 0), np.uint8)
        self.reset()

    def reset(self) -> None:
        """Start a new shot, with the whole image."""
        self._crop = self._from = self._to = WHOLE
        self._move_start = -math.inf
        self._move_s = MOVE_S
        self._outside_since: float | None = None
        self._seen: float | None = None
        self._grown = -math.inf

    def update(self, alpha: Alpha, time: float) -> Crop:
        """The crop for the frame of this coarse matte, at this time."""
        figures = self._figures(alpha)
        if figures:
            self._seen = time
            self._follow(figures, time)
        elif self._seen is None or time - self._seen >= GONE_S:
            self._move_to(WHOLE, time, MOVE_S)
        self._crop = self._position(time)
        return self._crop

    def _follow(self, figures: Sequence[Figure], time: float) -> None:
        needed = _union([figure.needed for figure in figures])
        if not self._to.contains(needed):
            self._grow(self._position(time).around(self._to.box).around(needed), time)
        target = self._target(figures, needed)
        hold = GROWN_HOLD_S if time - self._grown < GROWN_HOLD_S or target.size < self._to.size else HOLD_S
        if self._is_near(target):
            self._outside_since = None
        elif self._outside_since is None:
            self._outside_since = time
        elif time - self._outside_since >= hold:
            self._outside_since = None
            self._move_to(target, time, MOVE_S)

    def _grow(self, crop: Crop, time: float) -> None:
        """Grow to a crop. While a person goes on walking out of it, that is one movement: each start would be slow."""
        if time - self._grown <= GROW_S:
            self._to = crop
        else:
            self._move_to(crop, time, GROW_S)
        self._grown = time

    def _is_near(self, target: Crop) -> bool:
        """Whether the crop that is moved to is good enough."""
        reach = DEAD_ZONE * self._to.size
        near = abs(target.x - self._to.x) <= reach and abs(target.y - self._to.y) <= reach
        return near and abs(target.size / self._to.size - 1) <= SIZE_ZONE

    def _target(self, figures: Sequence[Figure], needed: Sequence[float]) -> Crop:
        """The crop in which head and shoulders of the largest figure have their size and place."""
        main = max(figures, key=lambda figure: figure.shoulders)
        size = max(HEAD_AND_SHOULDERS * main.shoulders / self._size, 1 / MAX_ZOOM)
        x = main.head_x + (0.5 - self._place[0]) * size
        y = main.head_top + (0.5 - self._place[1]) * size
        return Crop(x, y, size).inside().around(needed)

    def _move_to(self, crop: Crop, time: float, seconds: float) -> None:
        if crop != self._to:
            self._from, self._to = self._position(time), crop
            self._move_start, self._move_s = time, seconds

    def _position(self, time: float) -> Crop:
        """Where the move is: smoothstep, which begins and ends at rest and never goes too far."""
        part = min(max((time - self._move_start) / self._move_s, 0.0), 1.0)
        part = part * part * (3 - 2 * part)
        start, end = self._from, self._to
        return Crop(
            start.x + part * (end.x - start.x),
            start.y + part * (end.y - start.y),
            start.size + part * (end.size - start.size),
        )

    def _figures(self, alpha: Alpha) -> list[Figure]:
        height = max(8, round(GRID_WIDTH / self._aspect))
        small = cv2.resize(alpha, (GRID_WIDTH, height), interpolation=cv2.INTER_AREA)
        mask = (small >= MIN_ALPHA).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        large = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= MIN_AREA * mask.size]
        return [_figure(labels == label, self._aspect) for label in large]


def _figure(mask: NDArray[np.bool_], aspect: float) -> Figure:
    """A person's head and needed part, from its cells."""
    rows, columns = mask.shape
    widths = mask.sum(axis=1)
    filled = np.flatnonzero(widths)
    top, last = int(filled[0]), int(filled[-1])
    shoulders = max(float(np.percentile(widths[filled], SHOULDERS)), 1.0)  # in cells across
    head_rows = np.flatnonzero(widths >= HEAD_WIDTH * shoulders)
    head_top = int(head_rows[0])
    cell = columns / rows / aspect  # of a cell's width, in rows: cells are nearly square
    head_end = min(last, head_top + max(1, round(HEAD * shoulders / cell)))
    across = np.flatnonzero(mask[top : head_end + 1].any(axis=0))
    head = np.flatnonzero(mask[head_top : head_end + 1].any(axis=0))
    weights = mask[head_top : head_end + 1].sum(axis=0)[head]
    needed = (
        max(float(across[0]) / columns - MARGIN, 0.0),
        max(top / rows - MARGIN, 0.0),
        min((float(across[-1]) + 1) / columns + MARGIN, 1.0),
        min((head_end + 1) / rows, 1.0),
    )
    center = float((head * weights).sum() / weights.sum() + 0.5) / columns
    return Figure(needed, center, head_top / rows, shoulders / columns * aspect)


def _union(boxes: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
