"""Previews: the newest output frame as a small JPEG, made only while somebody looks.

What is shown is what was sent last: a composite or the standby card, never a frame of the camera.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np

from realtime_matte.frame import Pixels
from realtime_matte.media import i420
from realtime_matte.panel.supervisor import Supervisor
from realtime_matte.pipeline.commands import Reply
from realtime_matte.pipeline.pipeline import Pipeline

WIDTHS: Final = (320, 480, 640, 960, 1280)
"""Widths of previews: few, so that pages with windows of different sizes share them."""

INTERVAL_S: Final = 1 / 15
"""Time between two previews, on average at least."""

LATE_S: Final = 1 / 30
"""A preview that is late by less, as it waits for a frame, does not delay the next one."""

AGAIN_S: Final = 1 / 30
"""How soon to look again for a pipeline when there is none."""

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
    """A JPEG, the count of output frames when it was taken, and the time: the next one is due INTERVAL_S later."""

    count: int
    time: float
    jpeg: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A client that waits for a preview of this width, of another output frame than that with ``count``."""

    count: int
    width: int
    show: Callable[[Preview], None]


class Previews:
    """Makes previews for any number of waiting clients, each image once. Used by one event loop.

    Made of callbacks: each task that an image had to pass cost as much time as a tenth of its encoding.

    Args:
        supervisor: Has the pipeline.
        clock: Seconds, monotonic.
    """

    def __init__(self, supervisor: Supervisor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._requests: list[Request] = []
        self._newest: dict[int, Preview] = {}  # by width
        self._copying: dict[int, Reply] = {}  # by width
        self._pipeline: Pipeline | None = None  # of these
        self._timer: asyncio.TimerHandle | None = None
        self._requested_at = float("-inf")
        self._watching = False

    def request(self, count: int, width: int, show: Callable[[Preview], None]) -> Request:
        """Call ``show`` once, with the first preview of another output frame than that with ``count``."""
        request = Request(count, fitting_width(width), show)
        self._requests.append(request)
        self._requested_at = self._clock()
        if not self._watching:
            self._watching = True
            self._supervisor.set_watched(watched=True)
        self._look()
        return request

    def forget(self, request: Request) -> None:
        """Do not answer this request any more."""
        if request in self._requests:
            self._requests.remove(request)

    def update_watched(self) -> None:
        """Called at intervals: no page is looked at any more if no preview was requested for LOOKING_S."""
        if self._watching and not self._requests and self._clock() >= self._requested_at + LOOKING_S:
            self._watching = False
            self._supervisor.set_watched(watched=False)

    def _look(self) -> None:
        """Answer the requests for which there is a preview, and have a frame copied for the others."""
        pipeline = self._supervisor.current.pipeline
        if pipeline is not self._pipeline:
            self._pipeline, self._newest, self._copying = pipeline, {}, {}
        for width in {request.width for request in self._requests}:
            newest = self._newest.get(width)
            if newest and (newest.count == _count(pipeline) or self._clock() < newest.time + INTERVAL_S):
                self._answer(newest, width)  # a newer one cannot be made yet
        if pipeline is None:
            self._look_again()
            return
        for width in {request.width for request in self._requests} - self._copying.keys():
            self._copy(pipeline, width)

    def _look_again(self) -> None:
        """Look again in a moment, if somebody waits: there is no pipeline, or it has ended."""

        def look() -> None:
            self._timer = None
            self._look()

        if self._requests and not self._timer:
            self._timer = asyncio.get_running_loop().call_later(AGAIN_S, look)

    def _answer(self, preview: Preview, width: int) -> None:
        """Answer the requests of a width with a preview, but for clients that have it."""
        waiting = []
        for request in self._requests:
            if request.width == width and request.count != preview.count:
                request.show(preview)
            else:
                waiting.append(request)
        self._requests = waiting

    def _copy(self, pipeline: Pipeline, width: int) -> None:
        """Have the pipeline's thread copy a frame when the next preview is due; this thread, woken once, encodes it."""
        loop, last = asyncio.get_running_loop(), self._newest.get(width)
        due = last.time + INTERVAL_S if last else float("-inf")

        def when() -> bool:
            """In the pipeline's thread, which looks before each frame: a timer here would be one more wake-up."""
            return self._clock() >= due and (last is None or _count(pipeline) != last.count)

        def copy() -> tuple[float, int, Pixels | None]:
            return max(due, self._clock() - LATE_S), _count(pipeline), pipeline.newest_small(width)

        def wake(reply: Reply) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._encode, reply, width)

        reply = self._copying[width] = pipeline.call(copy, when=when)
        reply.add_done_callback(wake)

    def _encode(self, reply: Reply, width: int) -> None:
        """Encode the copy in ``reply``, and answer with it."""
        if self._copying.get(width) is not reply:  # of a pipeline before
            return
        del self._copying[width]
        if reply.exception():
            self._look_again()
            return
        due, count, pixels = cast("tuple[float, int, Pixels | None]", reply.result())
        if pixels is not None and any(request.width == width for request in self._requests):
            self._newest[width] = preview = Preview(count, due, encode(pixels))
            self._answer(preview, width)
        if self._requests:
            self._look()


def fitting_width(width: int) -> int:
    """The smallest of WIDTHS that is as wide, or the largest there is."""
    return next((one for one in WIDTHS if one >= width), WIDTHS[-1])


def encode(pixels: Pixels) -> bytes:
    """A JPEG with half the resolution in colour, of I420, (H, W, 3) BGR, or (H, W, 4) over a checkerboard."""
    if pixels.ndim == 2:  # noqa: PLR2004 - planes
        pixels = i420.to_bgr(pixels)
    elif pixels.shape[2] > 3:  # noqa: PLR2004 - with alpha
        pixels = over_checks(pixels)
    _, data = cv2.imencode(".jpg", pixels, JPEG)
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
