"""What changes while a line runs, told once: a camera that goes and comes, a fall-back."""

from collections.abc import Callable

from realtime_matte.pipeline.builder import Line


class Notices:
    """Looks at a line after each frame. What its parts had to say when it was opened is no news."""

    def __init__(self, line: Line, *, notify: Callable[[str], None]) -> None:
        self._line = line
        self._tell = notify
        self._away: str | None = None
        self._notes = line.feed.notices, line.renderer.notices
        self._told = set(line.notices)

    def look(self) -> None:
        """Tell what is new; costs nothing while there is nothing."""
        away, notices = self._line.feed.status, (self._line.feed.notices, self._line.renderer.notices)
        if away == self._away and notices == self._notes:
            return
        if away != self._away:
            self._tell(away or "the camera is back")
        self._away, self._notes = away, notices
        for note in self._line.notices:
            if note not in self._told:
                self._told.add(note)
                self._tell(note)
