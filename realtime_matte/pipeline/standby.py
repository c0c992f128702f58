"""The standby card of one run: the only thing that is sent beside matted pictures."""

from collections.abc import Sequence

import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.pipeline import card
from realtime_matte.pipeline import text as lettering
from realtime_matte.pipeline.outputs import Outputs

STARTING = "One moment, starting"
CAMERA_AWAY = "The camera is away"
NO_MATTE = "One moment, please"
SWITCHING = "One moment, changing the model"
STANDBY = "Back in a moment"
STOPPED = "The camera is off"

RESTING = "standby: the camera is off"
OVER = "standby is over"

STANDBY_EVERY_S = 0.1
"""So often the card is sent, and a command looked for, on standby with the camera off."""

CARD_EVERY_S = 0.5
"""So often the card is sent again while there is nothing else to send: readers take a longer silence for a fault."""


class Standby:
    """Sends the card to ``outputs``; it is drawn when its text changes.

    ``text``: the user's own, shown instead of every reason; ``image``: the user's picture, shown without any text.

    Raises:
        MissingFile, BadFile: the user's picture, when it is made.
    """

    def __init__(self, outputs: Outputs, *, size: Size, alpha: bool, image: str | None, text: str | None) -> None:
        self._outputs = outputs
        self._size = size
        self._alpha = alpha
        self._text = text
        self._fixed = self._drawn(card.draw(size, image=image)) if image is not None else None
        self._notes = _told(text) if text and image is None else ()
        self._last: tuple[str, Pixels] | None = None
        self._shown: Pixels | None = None
        self._ended = False

    @property
    def notices(self) -> Sequence[str]:
        """What the user's text loses on the card."""
        return self._notes

    def show(self, reason: str, time: float) -> None:
        """Send the card to every output.

        Raises:
            SinkError: the last output failed.
        """
        self._shown = self._picture(reason)
        self._outputs.send(self._shown, time)

    def show_live(self, reason: str, time: float) -> None:
        """Send the card to those who watch, not into recordings: before the first frame and after the last."""
        self._shown = self._picture(reason)
        self._outputs.send_live(self._shown, time)

    def repeat(self, time: float) -> None:
        """Send the card that was shown last again, to those who watch."""
        if self._shown is not None:
            self._outputs.send_live(self._shown, time)

    def end(self, time: float) -> None:
        """Send the last card to those who watch; called again, nothing more."""
        if not self._ended:
            self._ended = True
            self.show_live(STOPPED, time)

    def set_timeout_image(self, reason: str) -> None:
        """Let the card be what those who watch are given if this program is killed."""
        self._outputs.set_timeout_image(self._picture(reason))

    def _picture(self, reason: str) -> Pixels:
        if self._fixed is not None:
            return self._fixed
        text = self._text or reason
        if self._last is None or self._last[0] != text:
            self._last = text, self._drawn(card.draw(self._size, text=text))
        return self._last[1]

    def _drawn(self, picture: Pixels) -> Pixels:
        return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]) if self._alpha else picture


def _told(text: str) -> tuple[str, ...]:
    lost = lettering.unwritten(text)
    return (f"the card shows ? for {lost}, which OpenCV has no letters for; take --card IMAGE instead",) if lost else ()
