"""The backgrounds the user chose, one of them shown at a time."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from realtime_matte import plugins
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Background, Fit, ImageSeries, OpenBackground
from realtime_matte.pipeline.loading import begin, close_late

DEFAULT = "studio"
"""Drawn by the program, so it is always there."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A choice, open. ``place``: of all choices; ``background``: None where pictures carry alpha."""

    choice: str | OpenBackground
    place: int
    background: Background | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for, if it can be opened, and what is to be told."""

    opened: Opened | None
    told: Sequence[str]

    def close(self) -> None:
        """Close it: it is not wanted any more."""
        if self.opened and self.opened.background:
            self.opened.background.close()


class BackgroundSwitcher:
    """Goes through ``choices`` (specs, or openers of one's own), from the first one on.

    A picture takes longer to open than a frame may: those that are asked for later are opened in a thread that does
    nothing else, and that nobody waits for at the end: a drive that went away may hold it for ever.

    Raises:
        SpecError, MissingFile, BadFile: one of them cannot be opened, or there is none to choose.
    """

    def __init__(
        self, choices: Sequence[str | OpenBackground], *, size: Size, fit: Fit, notify: Callable[[str], None]
    ) -> None:
        if not choices:
            raise SpecError("no background given", hint="give one, such as 'blur' or 'none'")
        self._choices = list(choices)
        self._place = 0
        self._size = size
        self._fit = fit
        self._tell = notify
        self._asked: deque[Callable[[], Found]] = deque()
        self._coming: Future[Found] | None = None
        self._shown = self._choices[0]
        self.current = self._opened(self._shown)
        self._alpha = self.current is None
        try:
            self._try_others()
        except BaseException:
            self.close()
            raise

    @property
    def alpha(self) -> bool:
        """True when pictures carry alpha instead of a background; stays so for the whole run."""
        return self._alpha

    def next(self) -> None:
        """Ask for the next choice that can be opened; the others are told. One that is several goes on by itself."""
        if len(self._choices) == 1 and isinstance(self.current, ImageSeries):
            self.current.next()
        else:
            self._asked.append(self._following)

    def use(self, choice: str | OpenBackground) -> None:
        """Ask for ``choice``; if it cannot be opened, that is told and the current one stays."""
        self._asked.append(lambda: self._found([(self._place, choice)]))

    def look(self, *, wait: bool) -> bool:
        """Go on to what was asked for, as soon as it is open; True when ``current`` is another. ``wait``: until then.

        Raises:
            Exception: what broke in the thread that opens, but for what is wrong with a choice.
        """
        changed = False
        while self._coming or self._asked:
            if not self._coming:
                self._coming, _ = begin(self._asked.popleft(), name="background", daemon=True)
            if not wait and not self._coming.done():
                break
            coming, self._coming = self._coming, None
            found = coming.result()
            for line in found.told:
                self._tell(line)
            if found.opened:
                self._take(found.opened)
                changed = True
        return changed

    def replace_failed(self, error: MatteError) -> None:
        """Put the drawn default in the place of a background that failed.

        Raises:
            MatteError: ``error``, where the default itself is what failed.
        """
        if self.current is None or self._shown == DEFAULT:
            raise error
        self._take(Opened(DEFAULT, self._place, self._fitting(DEFAULT)))
        self._tell(f"the background failed, {DEFAULT!r} stands in for it: {error}")

    def close(self) -> None:
        """Close the one that is open, and the one that is about to be as soon as it is."""
        if self._coming:
            self._coming.add_done_callback(close_late)
        if self.current:
            self.current.close()

    def _try_others(self) -> None:
        """What is wrong with one that is named is told at the start, not in the middle of a call."""
        for choice in self._choices[1:]:
            if isinstance(choice, str) and (background := self._fitting(choice)):
                background.close()

    def _take(self, opened: Opened) -> None:
        if self.current:
            self.current.close()
        self.current, self._shown, self._place = opened.background, opened.choice, opened.place

    def _following(self) -> Found:
        places = [*range(self._place + 1, len(self._choices)), *range(self._place)]
        found = self._found([(place, self._choices[place]) for place in places])
        if found.opened:
            return found
        return Found(None, [*found.told, "there is no other background to go on to"])

    def _found(self, choices: Sequence[tuple[int, str | OpenBackground]]) -> Found:
        """The first that can be opened, and what is to be told of those before it."""
        told: list[str] = []
        for place, choice in choices:
            try:
                return Found(Opened(choice, place, self._fitting(choice)), told)
            except MatteError as error:
                told.append(f"the background stays as it is: {error}")
        return Found(None, told)

    def _fitting(self, choice: str | OpenBackground) -> Background | None:
        background = self._opened(choice)
        if (background is None) != self._alpha:
            if background:
                background.close()
            raise SpecError(
                f"{choice!r} cannot be changed to while running: outputs keep alpha or they do not", hint="leave it out"
            )
        return background

    def _opened(self, choice: str | OpenBackground) -> Background | None:
        if not isinstance(choice, str):
            return choice("", size=self._size, fit=self._fit)
        plugin = plugins.background(choice)
        return plugin.open(plugin.rest, size=self._size, fit=self._fit)
