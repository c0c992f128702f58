"""Notices: what changes while the pipeline runs, reported once each: a lost camera, a fall-back."""

from collections.abc import Callable, Sequence

from realtime_matte.capture.state import CaptureState
from realtime_matte.pipeline.builder import Parts


class Notices:
    """Reports what is new in the parts after each frame; not what they already reported when they were opened."""

    def __init__(self, parts: Parts, *, notify: Callable[[str], None]) -> None:
        self._parts = parts
        self._notify = notify
        self._reason = ""
        self._latest = self._live_notices(parts.capture.state)
        self._reported = set(parts.notices)

    def update(self, state: CaptureState) -> None:
        """Report what is new; costs next to nothing while nothing is. ``state``: of the capture, read after a take."""
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
        """Those that may change while the pipeline runs."""
        return state.notices, self._parts.renderer.notices, self._parts.backgrounds.notices
