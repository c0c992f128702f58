"""The backgrounds the user chose, one of them open at a time."""

from collections.abc import Callable, Sequence

from realtime_matte import plugins
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.frame import Size
from realtime_matte.stages import Background, Fit, OpenBackground, Several

DEFAULT = "studio"
"""Drawn by the program, so it is always there."""


class Backdrops:
    """Goes through ``choices`` (specs, or openers of one's own), from the first one on.

    Raises:
        SpecError, MissingFile, BadFile: the first one cannot be opened, or there is none to choose.
    """

    def __init__(
        self, choices: Sequence[str | OpenBackground], *, size: Size, fit: Fit, tell: Callable[[str], None]
    ) -> None:
        if not choices:
            raise SpecError("no background given; give one, such as 'blur' or 'none'")
        self._choices = list(choices)
        self._place = 0
        self._size = size
        self._fit = fit
        self._tell = tell
        self._shown = self._choices[0]
        self.current = self._opened(self._shown)
        self._alpha = self.current is None

    @property
    def alpha(self) -> bool:
        """True when pictures carry alpha instead of a background; stays so for the whole run."""
        return self._alpha

    def next(self) -> None:
        """Go on to the next choice that can be opened; the others are told. One that is several goes on by itself."""
        if len(self._choices) == 1 and isinstance(self.current, Several):
            self.current.next()
            return
        for step in range(1, len(self._choices)):
            place = (self._place + step) % len(self._choices)
            if self.use(self._choices[place]):
                self._place = place
                return
        self._tell("there is no other background to go on to")

    def use(self, choice: str | OpenBackground) -> bool:
        """Open ``choice`` in place of the current one; if it cannot be, that is told and the current one stays."""
        try:
            background = self._fitting(choice)
        except MatteError as error:
            self._tell(f"the background stays as it is: {error}")
            return False
        self.close()
        self.current = background
        self._shown = choice
        return True

    def replace_failed(self, error: MatteError) -> None:
        """Put the drawn default in the place of a background that failed.

        Raises:
            MatteError: ``error``, where the default itself is what failed.
        """
        if self.current is None or self._shown == DEFAULT or not self.use(DEFAULT):
            raise error
        self._tell(f"the background failed, {DEFAULT!r} stands in for it: {error}")

    def close(self) -> None:
        """Close the one that is open."""
        if self.current:
            self.current.close()

    def _fitting(self, choice: str | OpenBackground) -> Background | None:
        background = self._opened(choice)
        if (background is None) != self._alpha:
            if background:
                background.close()
            raise SpecError(f"{choice!r} cannot be changed to while running: outputs keep alpha or they do not")
        return background

    def _opened(self, choice: str | OpenBackground) -> Background | None:
        if not isinstance(choice, str):
            return choice("", size=self._size, fit=self._fit)
        plugin = plugins.background(choice)
        return plugin.open(plugin.rest, size=self._size, fit=self._fit)
