"""Orientation hint: a camera that hangs upside down or sideways makes the person vanish, and this says so.

Networks are trained on upright people. If none is found for two seconds, or only so little that it may be a part of
one, one frame is tried turned, in a thread.
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

UPRIGHT: Final = 0.3
"""Mean alpha from which on a person is surely upright: of 40 people with gestures seen upside down, 4 had more."""

PERSON: Final = 0.1
"""Mean alpha of the turned frame from which there is a person. With SOLID and RATIO, none of 83 upright people and 2 of
150 empty rooms were reported; of 40 people with gestures upside down 34, and of 80 on their side 66."""

SOLID: Final = 0.8
SOLID_ALPHA: Final = 0.9
"""Share of that alpha in cells above SOLID_ALPHA: what looks like a person in an empty room is half transparent."""

RATIO: Final = 1.5
"""How many times the mean alpha of the frame as it is the turned one must have."""

WAIT_S: Final = 2.0

CLOSE_S: Final = 5.0
"""``close`` waits at most so long for the thread: a network is opened within it."""

TURNS: Final = {180: cv2.ROTATE_180, 90: cv2.ROTATE_90_CLOCKWISE, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
"""Clockwise turns, the most frequent first."""

HINTS: Final = {
    False: "no person is found, but there is one if the camera's image is turned: {fix}",
    True: "only a part of a person is found, but all of one if the camera's image is turned: {fix}",
}
"""Without and with a part of the person in the frame as it is."""

PART: Final = 0.02
"""Mean alpha from which on a part is found."""


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
        self._trial: Future[tuple[int, bool] | None] | None = None
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
        if covered >= UPRIGHT or self._since is None or frame.time < self._since:
            self._since = frame.time
        if frame.time - self._since >= WAIT_S and not self._tried and not self._said:
            self._tried = True
            pixels = i420.bgr_frame(frame).pixels.copy()  # once a shot at most
            trial = partial(self._try, pixels, covered)
            self._trial, self._thread = start_thread(trial, name="orientation", daemon=True)

    def _report(self, trial: "Future[tuple[int, bool] | None]", rotate: int) -> None:
        found = trial.result()
        if found and not self._said:
            turn, partly = found
            self._said = True
            total = (rotate + turn) % 360
            self._notify(HINTS[partly].format(fix=f"add --rotate {total}" if total else "leave out --rotate"))

    def _try(self, pixels: Pixels, covered: float) -> tuple[int, bool] | None:
        """The turn with the most of a person, and whether a part of it is found without.

        None if there is no person in any turn, or not more of it, or the network cannot be opened.
        """
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
        whole, solid = found[turn]
        if whole >= max(PERSON, RATIO * covered) and solid >= SOLID * whole:
            return turn, covered >= PART
        return None

    def _covered(self, network: Network, pixels: Pixels) -> tuple[float, float]:
        """Mean alpha of an image, and what cells above SOLID_ALPHA add to it; 0 after ``close``."""
        if self._closed:
            return 0.0, 0.0
        matte, _ = network.process(Frame(np.ascontiguousarray(pixels), 0.0, 0), None)
        return float(matte.alpha.mean()), float((matte.alpha > SOLID_ALPHA).mean())
