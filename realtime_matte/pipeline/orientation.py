"""Orientation hint: a camera that hangs upside down or sideways makes the person vanish, and this says so.

Networks are trained on upright people. If no person is found for two seconds, one frame is tried turned, in a thread.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

import cv2
import numpy as np

from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame, Pixels
from realtime_matte.interfaces import Network
from realtime_matte.media import i420
from realtime_matte.pipeline.loading import start_thread

NO_PERSON: Final = 0.04
"""Mean alpha below which no person is found: 5 % of 80 photographs of people had 0.05 or less, none less than this."""

PERSON: Final = 0.10
"""Mean alpha of the turned frame from which there is a person: of 30 empty rooms one had more in any orientation."""

RATIO: Final = 3.0
"""How many times the mean alpha of the frame as it is the turned one must have."""

WAIT_S: Final = 2.0

CLOSE_S: Final = 5.0
"""``close`` waits at most so long for the thread: a network is opened within it."""

TURNS: Final = {180: cv2.ROTATE_180, 90: cv2.ROTATE_90_CLOCKWISE, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
"""Clockwise turns, the most frequent first."""

HINT: Final = "no person is found, but there is one if the camera's image is turned: {fix}"


class OrientationHint:
    """Reports once if people are found in turned frames only. The pipeline's thread only.

    Args:
        open_network: Opens a network of its own, in the thread.
        notify: Gets the hint.
    """

    def __init__(self, open_network: Callable[[], Network], *, notify: Callable[[str], None]) -> None:
        self._open_network = open_network
        self._notify = notify
        self._since: float | None = None
        self._tried = False  # in this shot
        self._said = False
        self._trial: Future[int | None] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def close(self) -> None:
        """End the trial, after the network's present call. Idempotent."""
        self._closed = True
        if self._thread:
            self._thread.join(CLOSE_S)

    def start_shot(self) -> None:
        """The camera was opened again: it may be tried again."""
        self._tried = False
        self._since = None

    def update(self, frame: Frame, *, covered: float, rotate: int) -> None:
        """Look at a frame that was matted.

        Args:
            frame: The frame that the network got.
            covered: Mean of its alpha.
            rotate: The degrees by which it is turned already.
        """
        if self._trial and self._trial.done():
            self._report(self._trial, rotate)
            self._trial = None
        if covered >= NO_PERSON or self._since is None or frame.time < self._since:
            self._since = frame.time
        if frame.time - self._since >= WAIT_S and not self._tried and not self._said:
            self._tried = True
            pixels = i420.bgr_frame(frame).pixels.copy()  # once a shot at most
            trial = partial(self._try, pixels, covered)
            self._trial, self._thread = start_thread(trial, name="orientation", daemon=True)

    def _report(self, trial: "Future[int | None]", rotate: int) -> None:
        turn = trial.result()
        if turn is not None and not self._said:
            self._said = True
            total = (rotate + turn) % 360
            self._notify(HINT.format(fix=f"add --rotate {total}" if total else "leave out --rotate"))

    def _try(self, pixels: Pixels, covered: float) -> int | None:
        """The turn with the most of a person; None if there is none in any, or the network cannot be opened."""
        try:
            network = self._open_network()
        except MatteError:  # the pipeline has the same network, so this is a lack of memory or the like: no hint then
            return None
        try:
            found = {
                turn: self._covered(network, np.asarray(cv2.rotate(pixels, TURNS[turn]), np.uint8)) for turn in TURNS
            }
        except MatteError:
            return None
        finally:
            network.close()
        turn = max(found, key=lambda one: found[one])
        return turn if found[turn] >= max(PERSON, RATIO * covered) else None

    def _covered(self, network: Network, pixels: Pixels) -> float:
        """Mean alpha of an image; 0 after ``close``."""
        if self._closed:
            return 0.0
        matte, _ = network.process(Frame(np.ascontiguousarray(pixels), 0.0, 0), None)
        return float(matte.alpha.mean())
