"""Previews: the newest output frame as a small JPEG, made only while somebody looks.

What is shown is what was sent last: a composite or the standby card, never a frame of the camera.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np

from realtime_matte.errors import MatteError
from realtime_matte.frame import Pixels
from realtime_matte.panel.supervisor import Supervisor
from realtime_matte.pipeline.pipeline import Pipeline

WIDTHS: Final = (320, 480, 640, 960, 1280)
"""Widths of previews: few, so that pages with windows of different sizes share them."""

INTERVAL_S: Final = 1 / 15
"""Shortest time between two previews."""

FRAME_S: Final = 1 / 60
"""How soon to look again when there is no newer output frame."""

ANSWER_S: Final = 2.0
"""How long the pipeline's thread may take to copy a frame; it may be opening a network."""

LOOKING_S: Final = 2.0
"""No page is looked at any more when no preview was requested for this time."""

JPEG: Final = (
    cv2.IMWRITE_JPEG_QUALITY,
    75,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
)

CHECKS: Final = 150, 200
"""Grey of the checkerboard behind output frames with alpha."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG, the count of output frames when it was taken, and that time."""

    count: int
    time: float
    jpeg: bytes


class Previews:
    """Makes previews for any number of waiting clients, each image once. Used by one event loop.

    Args:
        supervisor: Has the pipeline.
        clock: Seconds, monotonic.
    """

    def __init__(self, supervisor: Supervisor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._lock = asyncio.Lock()
        self._newest: dict[int, Preview] = {}  # by width
        self._pipeline: Pipeline | None = None  # of ``_newest``
        self._requested_at = float("-inf")
        self._watching = False
        self._waiting = 0

    async def newer_than(self, count: int, width: int) -> Preview:
        """The first preview of another output frame than that with ``count``. Waits until there is one."""
        width = fitting_width(width)
        self._waiting += 1
        try:
            while True:
                self._watch()
                async with self._lock:
                    preview = await self._newest_of(width, count)
                if preview and preview.count != count:
                    return preview
                await asyncio.sleep(FRAME_S)
        finally:
            self._waiting -= 1

    def update_watched(self) -> None:
        """Called at intervals: no page is looked at any more if no preview was requested for LOOKING_S."""
        if self._watching and not self._waiting and self._clock() >= self._requested_at + LOOKING_S:
            self._watching = False
            self._supervisor.set_watched(watched=False)

    def _watch(self) -> None:
        self._requested_at = self._clock()
        if not self._watching:
            self._watching = True
            self._supervisor.set_watched(watched=True)

    async def _newest_of(self, width: int, count: int) -> Preview | None:
        """The newest preview of this width; None without one. After that of ``count``, waits until the next is due."""
        last = self._last(width)
        if last and last.count == count:
            await asyncio.sleep(last.time + INTERVAL_S - self._clock())
            last = self._last(width)
        pipeline, now = self._pipeline, self._clock()
        if pipeline is None or (last and (last.count == _count(pipeline) or now < last.time + INTERVAL_S)):
            return last
        made = await _make(pipeline, width)
        if made is None:
            return last
        self._newest[width] = Preview(made[0], now, made[1])
        return self._newest[width]

    def _last(self, width: int) -> Preview | None:
        """The last preview of this width of the present pipeline."""
        pipeline = self._supervisor.current.pipeline
        if pipeline is not self._pipeline:
            self._pipeline, self._newest = pipeline, {}
        return self._newest.get(width)


async def _make(pipeline: Pipeline, width: int) -> tuple[int, bytes] | None:
    """The count of output frames and the newest one as a JPEG; None if there is none.

    The pipeline's thread copies a frame between two others; the server's thread, woken once, encodes it.
    """
    try:
        copied = asyncio.wrap_future(pipeline.call(lambda: _scaled(pipeline, width)))
        count, pixels = cast("tuple[int, Pixels | None]", await asyncio.wait_for(copied, ANSWER_S))
    except (TimeoutError, MatteError):  # it is busy, or has ended
        return None
    return None if pixels is None else (count, encode(pixels))


def fitting_width(width: int) -> int:
    """The smallest of WIDTHS that is as wide, or the largest there is."""
    return next((one for one in WIDTHS if one >= width), WIDTHS[-1])


def encode(pixels: Pixels) -> bytes:
    """A JPEG with half the resolution in colour, (H, W, 3) BGR or (H, W, 4) over a checkerboard."""
    _, data = cv2.imencode(".jpg", over_checks(pixels) if pixels.shape[2] > 3 else pixels, JPEG)  # noqa: PLR2004
    return data.tobytes()


def over_checks(bgra: Pixels) -> Pixels:
    """A straight BGRA image over a checkerboard, (H, W, 3)."""
    height, width = bgra.shape[:2]
    rows, columns = np.arange(height)[:, None] // 16, np.arange(width) // 16
    board = np.where((rows + columns) % 2, *CHECKS)[..., None].astype(np.uint16)
    alpha = bgra[..., 3:].astype(np.uint16)
    return np.asarray((bgra[..., :3] * alpha + board * (255 - alpha) + 127) // 255, np.uint8)


def _count(pipeline: Pipeline | None) -> int:
    return pipeline.stats.composites + pipeline.stats.standby_cards if pipeline else -1


def _scaled(pipeline: Pipeline, width: int) -> tuple[int, Pixels | None]:
    """The count of output frames, and a small copy of the last one. The pipeline's thread.

    Scaling by a half costs less than to copy the whole image for another thread.
    """
    newest = pipeline.newest
    if newest is None or width >= newest.shape[1]:
        return _count(pipeline), None if newest is None else newest.copy()
    height = max(1, round(newest.shape[0] * width / newest.shape[1]))
    return _count(pipeline), np.asarray(cv2.resize(newest, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
