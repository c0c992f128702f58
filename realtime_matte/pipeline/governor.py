"""Whether the line keeps up with its camera, and what becomes of it where not."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

JUDGED: Final = 128
"""So many frames are judged together: some four seconds of a camera's."""

LATE: Final = 0.2
"""More than this part of them were never shown: others see jerks."""

IN_A_ROW: Final = 3
"""So many times, and it is told: a moment's load, or a change of the model, is no slow machine."""


class Runs(Protocol):
    """What is running now."""

    @property
    def network(self) -> str:
        """Its name."""

    @property
    def model(self) -> str:
        """Its name, and the provider that really runs it."""


class Governor:
    """Tells that frames come faster than they are shown, and asks for a lighter network while there is one."""

    def __init__(self, now: Runs, *, notify: Callable[[str], None]) -> None:
        self._now = now
        self._tell = notify
        self._late = 0
        self._before: tuple[int, int] | None = None
        self._lighter: list[str] = []
        self._change: Callable[[str], None]
        self._mend = ""

    def govern(self, lighter: Sequence[str], change: Callable[[str], None]) -> None:
        """Let ``change`` take networks of these specs, heaviest first, as they are needed; without any, none."""
        self._lighter = list(lighter)
        self._change = change
        self._mend = "a smaller --size" if lighter else "--model small?quality=low or a smaller --size"

    def look(self, *, shown: int, dropped: int) -> None:
        """After each frame; the counts are those of the whole run."""
        if self._before is None:
            self._before = shown, dropped
        new, lost = shown - self._before[0], dropped - self._before[1]
        if new + lost < JUDGED or self._late == IN_A_ROW:
            return
        self._before = shown, dropped
        self._late = self._late + 1 if lost > LATE * (new + lost) else 0
        if self._late == IN_A_ROW:
            self._behind(f"of the last {new + lost} frames {new} were shown, with {self._now.model}")

    def _behind(self, found: str) -> None:
        """Change what can be changed, and judge that anew; else say what the user can do."""
        lighter = next((spec for spec in self._lighter if spec != self._now.network), None)
        if lighter is None:
            mend = f"take {self._mend}, or see with rtmatte bench what takes the time"
            self._tell(f"too slow for this camera: {found}; {mend}")
            return
        self._lighter = self._lighter[self._lighter.index(lighter) + 1 :]
        self._late, self._before = 0, None
        self._tell(f"too slow for this camera: {found}; the model is {lighter} from now on")
        self._change(lighter)
