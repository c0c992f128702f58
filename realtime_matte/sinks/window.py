"""A window with what is sent, mirrored as people know themselves: ``window``, or ``window?mirror=no``.

Nothing is mirrored for the others. Keys: b next background, space standby card, m mirror, q or Escape quit.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import cv2
import numpy as np

from realtime_matte.config.specs import parse, switch
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import KEYS, Command
from realtime_matte.sinks._display import require_display

TITLE: Final = "rtmatte preview"
WIDEST: Final = 1280  # larger pictures open in a window of this width, which can be pulled larger
ESCAPE: Final = 27
COMMANDS: Final[dict[int, Command]] = {ord(key): command for key, command in KEYS.items()} | {ESCAPE: "quit"}
SQUARE_PX: Final = 16
SQUARES: Final = (102, 153)  # greys of the chequers behind clear parts


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Window":  # noqa: ARG001 - it shows what comes
    """Open the window."""
    name, options = parse(rest, {"mirror": switch})
    if name:
        raise SpecError(f"the output 'window' takes no name, {name!r}", hint="write window, or window?mirror=no")
    require_display()
    return Window(size, mirror=options.get("mirror", True), alpha=alpha)


class Window:
    """Shows each picture at once and takes the keys that were pressed."""

    live: Final = True

    def __init__(self, size: Size, *, mirror: bool, alpha: bool) -> None:
        self.alpha = alpha
        self._mirror = mirror
        self._shown = np.empty((size[1], size[0], 3), np.uint8)
        self._chequers = _chequers(size) if alpha else None
        self._asked: list[Command] = []
        self._open = True
        scale = min(1.0, WIDEST / size[0])
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(TITLE, max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        except cv2.error as error:
            raise SinkError(
                f"cannot open a window: {error.err}", hint="take another output, such as virtualcam"
            ) from error

    @property
    def notices(self) -> Sequence[str]:
        """The keys."""
        return ["preview window: b next background, space standby card, m mirror, q quit"]

    def send(self, picture: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown as soon as it is there
        """Show the picture; once the user has closed the window, nothing more."""
        if not self._open:
            return
        try:
            cv2.imshow(TITLE, self._seen(picture))
        except cv2.error as error:
            raise SinkError(f"the preview window takes no more pictures: {error.err}", hint="open it anew") from error
        self._press(cv2.pollKey())
        if _closed():
            self._open = False
            self._asked.append("quit")

    def commands(self) -> Sequence[Command]:
        """The keys pressed since the last call; a closed window asks to quit."""
        asked, self._asked = self._asked, []
        return asked

    def close(self) -> None:
        """Close the window."""
        if self._open:
            self._open = False
            with suppress(cv2.error):  # the user closed it this very moment
                cv2.destroyWindow(TITLE)
            cv2.pollKey()  # some systems take it away only while keys are asked for

    def _seen(self, picture: Pixels) -> Pixels:
        if self._chequers is not None:
            picture = _over(picture, self._chequers)
        return np.asarray(cv2.flip(picture, 1, dst=self._shown), np.uint8) if self._mirror else picture

    def _press(self, key: int) -> None:
        pressed = key & 0xFF if key >= 0 else key  # the high bits tell of Shift and the like
        if pressed == ord("m"):
            self._mirror = not self._mirror
        elif pressed in COMMANDS:
            self._asked.append(COMMANDS[pressed])


def _closed() -> bool:
    """Whether the user has closed the window; on macOS one that is put away in the Dock only is not seen either."""
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < (0 if sys.platform == "darwin" else 1)
    except cv2.error:
        return True  # Qt, when it was the last one


def _chequers(size: Size) -> Pixels:
    y, x = np.ogrid[: size[1], : size[0]]
    dark = (x // SQUARE_PX + y // SQUARE_PX) % 2 == 0
    return np.repeat(np.where(dark, *SQUARES).astype(np.uint8)[..., None], 3, axis=2)


def _over(picture: Pixels, behind: Pixels) -> Pixels:
    alpha = picture[..., 3].astype(np.float32) / 255
    colors = cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    return np.asarray(cv2.blendLinear(colors, behind, alpha, 1 - alpha), np.uint8)
