"""Whether the line keeps up with its camera."""

from collections.abc import Callable
from typing import Final

WINDOW: Final = 128
"""So many frames are judged together: some four seconds of a camera's."""

LATE: Final = 0.2
"""More than this part of them were never shown: others see jerks."""

IN_A_ROW: Final = 3
"""So many windows: a moment's load, or a change of the model, is no slow machine."""


class Pace:
    """Tells once that frames come faster than they are shown."""

    def __init__(self, *, model: Callable[[], str], tell: Callable[[str], None]) -> None:
        self._model = model
        self._tell = tell
        self._late = 0
        self._before: tuple[int, int] | None = None

    def look(self, *, shown: int, dropped: int) -> None:
        """After each frame; the counts are those of the whole run."""
        if self._before is None:
            self._before = shown, dropped
        new, lost = shown - self._before[0], dropped - self._before[1]
        if new + lost < WINDOW or self._late == IN_A_ROW:
            return
        self._before = shown, dropped
        self._late = self._late + 1 if lost > LATE * (new + lost) else 0
        if self._late == IN_A_ROW:
            self._tell(
                f"too slow for this camera: of the last {new + lost} frames {new} were shown, with {self._model()}; "
                "take --model small?quality=low or a smaller --size, or see with rtmatte bench what takes the time"
            )
