"""A preview window, mirrored left to right, as in a mirror: ``window``, or ``window?mirror=no``.

Only the window is mirrored, and the standby card never, so that its text can be read. Keys: b next background, space
standby card, m mirror, q or Escape quit.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import cv2
import numpy as np

from realtime_matte.config.specs import SpecOption, parse, switch
from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import KEYS, Action

OPTIONS: Final = {"mirror": SpecOption(switch, "swap left and right in this window only", default=True)}

TITLE: Final = "rtmatte preview"
MAX_WIDTH: Final = 1280  # larger frames open in a window of this width, which can be resized
ESCAPE: Final = 27
COMMANDS: Final[dict[int, Action]] = {ord(key): command for key, command in KEYS.items()} | {ESCAPE: "quit"}
SQUARE_PX: Final = 16
SQUARE_GREYS: Final = 102, 153  # of the checkerboard behind transparent parts

TRIAL: Final = "import cv2; cv2.namedWindow('rtmatte'); cv2.destroyAllWindows()"
TRIAL_TIMEOUT_S: Final = 30
X_LIBRARIES: Final = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
}
"""The libraries of the system that Qt's windows need, each with its package in Debian and Ubuntu."""

OTHER_OUTPUT: Final = "start this in a desktop session, or use another output, such as virtualcam or out.mp4"


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Window":  # noqa: ARG001 - it shows frames as they come
    """Open the window."""
    name, options = parse(rest, OPTIONS)
    if name:
        raise SpecError(f"the output 'window' takes no name, {name!r}", hint="write window, or window?mirror=no")
    require_display()
    return Window(size, mirror=options["mirror"], alpha=alpha)


def require_display() -> None:
    """Raise where no window can be opened: Qt would end the whole program.

    Raises:
        MissingDependency: this OpenCV has no windows.
        SinkError: there is no screen.
    """
    if not cv2.currentUIFramework():
        raise MissingDependency(
            "this OpenCV has no windows",
            hint="pip uninstall opencv-python-headless, then pip install --force-reinstall opencv-python",
        )
    if sys.platform != "linux":
        return
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # it warns of missing fonts on every system
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SinkError("cannot open a window without a screen (DISPLAY is not set)", hint=OTHER_OUTPUT)
    _try_in_another_process()


def _try_in_another_process() -> None:
    try:
        trial = subprocess.run(  # noqa: S603 - our own code, in our own Python
            [sys.executable, "-c", TRIAL], capture_output=True, check=False, text=True, timeout=TRIAL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise SinkError(f"the screen did not respond within {TRIAL_TIMEOUT_S} s", hint=OTHER_OUTPUT) from error
    if trial.returncode:
        _require_x_libraries()
        reason = next(iter(trial.stderr.splitlines()), f"a window ends the program ({trial.returncode})")
        display = os.environ.get("DISPLAY", "")
        raise SinkError(f"cannot open a window (DISPLAY is {display!r}): {reason}", hint=OTHER_OUTPUT)


def _require_x_libraries() -> None:
    """Raise MissingDependency for the libraries that this system lacks: Qt names none of them."""
    missing = [name for name in X_LIBRARIES if not _can_load(name)]
    if missing:
        packages = " ".join(X_LIBRARIES[name] for name in missing)
        raise MissingDependency(
            f"cannot open a window: the system has no {', '.join(missing)}",
            hint=f"Debian and Ubuntu: sudo apt install {packages}; elsewhere the packages of these libraries",
        )


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


class Window:
    """Shows each output frame at once, and collects the keys that were pressed."""

    live: Final = True

    def __init__(self, size: Size, *, mirror: bool, alpha: bool) -> None:
        self.alpha = alpha
        self._mirror = mirror
        self.set_size(size)
        self._commands: list[Action] = []
        self._open = True
        scale = min(1.0, MAX_WIDTH / size[0])
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(TITLE, max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        except cv2.error as error:
            raise SinkError(
                f"cannot open a window: {error.err}", hint="use another output, such as virtualcam"
            ) from error

    def set_size(self, size: Size) -> None:
        """Show output frames of this size from now on; the window keeps its own."""
        self._mirrored = np.empty((size[1], size[0], 3), np.uint8)
        self._checkerboard = _checkerboard(size) if self.alpha else None

    @property
    def notices(self) -> Sequence[str]:
        """The keys."""
        return ["preview window: b next background, space standby card, m mirror, q quit"]

    def send(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown at once
        """Show the output frame; nothing once the user has closed the window."""
        self._show(image, mirror=self._mirror)

    def send_card(self, image: Pixels, time: float) -> None:  # noqa: ARG002
        """Show the standby card, never mirrored: it has a text."""
        self._show(image, mirror=False)

    def _show(self, image: Pixels, *, mirror: bool) -> None:
        if not self._open:
            return
        if self._checkerboard is not None:
            image = _over(image, self._checkerboard)
        if mirror:
            image = np.asarray(cv2.flip(image, 1, dst=self._mirrored), np.uint8)
        try:
            cv2.imshow(TITLE, image)
        except cv2.error as error:
            raise SinkError(f"the preview window accepts no more frames: {error.err}", hint="open it again") from error
        self._handle_key(cv2.pollKey())
        if _closed_by_user():
            self._open = False
            self._commands.append("quit")

    def commands(self) -> Sequence[Action]:
        """The keys pressed since the last call; a closed window is ``quit``."""
        commands, self._commands = self._commands, []
        return commands

    def close(self) -> None:
        """Close the window."""
        if self._open:
            self._open = False
            with suppress(cv2.error):  # the user has just closed it
                cv2.destroyWindow(TITLE)
            cv2.pollKey()  # some systems remove it only when keys are polled

    def _handle_key(self, key: int) -> None:
        code = ord(chr(key & 0xFF).lower()) if key >= 0 else key  # the high bits hold Shift and the like
        if code == ord("m"):
            self._mirror = not self._mirror
        elif code in COMMANDS:
            self._commands.append(COMMANDS[code])


def _closed_by_user() -> bool:
    """Whether the user has closed the window. On macOS the property is 0 as well while it is minimised."""
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < (0 if sys.platform == "darwin" else 1)
    except cv2.error:
        return True  # Qt, when it was the last one


def _checkerboard(size: Size) -> Pixels:
    y, x = np.ogrid[: size[1], : size[0]]
    dark = (x // SQUARE_PX + y // SQUARE_PX) % 2 == 0
    return np.repeat(np.where(dark, *SQUARE_GREYS).astype(np.uint8)[..., None], 3, axis=2)


def _over(image: Pixels, background: Pixels) -> Pixels:
    alpha = image[..., 3].astype(np.float32) / 255
    colors = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    return np.asarray(cv2.blendLinear(colors, background, alpha, 1 - alpha), np.uint8)
