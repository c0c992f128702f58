"""What changes while a line runs, told once: a camera that goes and comes, a fall-back."""

from collections.abc import Callable

from realtime_matte.line.opening import Line


class News:
    """Looks at a line after each frame. What its parts had to say when it was opened is no news."""

    def __init__(self, line: Line, *, tell: Callable[[str], None]) -> None:
        self._line = line
        self._tell = tell
        self._away: str | None = None
        self._notes = line.feed.notes, line.renderer.notes
        self._told = set(line.notes)

    def look(self) -> None:
        """Tell what is new; costs nothing while there is nothing."""
        away, notes = self._line.feed.status, (self._line.feed.notes, self._line.renderer.notes)
        if away == self._away and notes == self._notes:
            return
        if away != self._away:
            self._tell(away or "the camera is back")
        self._away, self._notes = away, notes
        for note in self._line.notes:
            if note not in self._told:
                self._told.add(note)
                self._tell(note)
