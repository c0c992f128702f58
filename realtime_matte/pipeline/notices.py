"""Notices: messages about changes while the pipeline runs, each reported once: a lost camera, a fall-back."""

from collections.abc import Callable, Sequence
from typing import Final

from realtime_matte.capture.state import CaptureState
from realtime_matte.frame import Frame
from realtime_matte.media import i420
from realtime_matte.pipeline.builder import Parts

DARK: Final = 6.0
"""Mean brightness, of 255, below which a frame shows nothing: more than the noise of a covered sensor."""

DARK_S: Final = 2.0
"""Seconds of dark frames after which they are reported; cameras may start with a few."""

STEP: Final = 16
"""Step between the rows and columns that are measured."""


BLACK: Final = (
    "the camera gives black frames: open its lid, its shutter or its privacy switch, or turn on a light; "
    "some cameras are black while another program uses them"
)


class Notices:
    """Reports new notices of the parts after each frame; not those that were reported at the start."""

    def __init__(self, parts: Parts, *, notify: Callable[[str], None]) -> None:
        self._parts = parts
        self._notify = notify
        self._reason = ""
        self._latest = self._live_notices(parts.capture.state)
        self._reported = set(parts.notices)
        self._dark = DarkFrames()

    def update(self, state: CaptureState, frame: Frame | None) -> None:
        """Report new notices; costs almost no time if there are none.

        Args:
            state: The capture's state, read after a take.
            frame: The frame that was taken, if any.
        """
        if frame and self._parts.camera and self._dark.update(frame):
            self._notify(BLACK)
        latest = self._live_notices(state)
        if state.reason == self._reason and latest == self._latest:
            return
        if state.reason != self._reason:
            self._notify(state.reason or "the camera is back")
        self._reason, self._latest = state.reason, latest
        for notice in self._parts.notices:
            if notice not in self._reported:
                self._reported.add(notice)
                self._notify(notice)

    def _live_notices(self, state: CaptureState) -> tuple[Sequence[str], ...]:
        """The notices that may change while the pipeline runs."""
        parts = self._parts
        backgrounds, outputs = parts.backgrounds.notices, parts.outputs.notices
        return state.notices, parts.renderer.notices, backgrounds, outputs, parts.effects.failures


class DarkFrames:
    """Detects a camera whose frames are dark for DARK_S, once: a user who covers it later knows the reason."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._reported = False

    def update(self, frame: Frame) -> bool:
        """True for the frame at which it is to be reported."""
        if self._reported or _brightness(frame) >= DARK:
            self._since = None
            return False
        if self._since is None:
            self._since = frame.time
        self._reported = frame.time - self._since >= DARK_S
        return self._reported


def _brightness(frame: Frame) -> float:
    """Mean of the frame, 0 to 255."""
    if frame.pixel_format == "bgr":
        return float(frame.pixels[::STEP, ::STEP].mean())
    luma = i420.planes(frame.pixels)[0][::STEP, ::STEP]
    return float(luma.mean() - i420.BLACK) / i420.LUMA_SCALE
