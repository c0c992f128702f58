"""Whether a window can be opened here, asked beforehand: where it cannot, Qt would end the whole program."""

import os
import subprocess
import sys
from typing import Final

import cv2

from realtime_matte.errors import MissingDependency, SinkError

TRY: Final = "import cv2; cv2.namedWindow('rtmatte'); cv2.destroyAllWindows()"
LONGEST_S: Final = 30
ELSEWHERE: Final = "start this in a desktop session, or take another output, such as virtualcam or out.mp4"


def require_display() -> None:
    """Raise where no window can be opened.

    Raises:
        MissingDependency: this OpenCV has no windows.
        SinkError: there is no screen to open one on.
    """
    if not cv2.currentUIFramework():
        raise MissingDependency(
            "this OpenCV has no windows",
            hint="pip uninstall opencv-python-headless, then pip install --force-reinstall opencv-python",
        )
    if sys.platform != "linux":
        return
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # it complains of missing fonts on every system
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SinkError("no window without a screen (DISPLAY is not set)", hint=f"{ELSEWHERE}")
    _try_in_another_program()


def _try_in_another_program() -> None:
    try:
        tried = subprocess.run(  # noqa: S603 - our own lines, in our own Python
            [sys.executable, "-c", TRY], capture_output=True, check=False, text=True, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired as error:
        raise SinkError(f"the screen does not answer within {LONGEST_S} s", hint=f"{ELSEWHERE}") from error
    if tried.returncode:
        reason = next(iter(tried.stderr.splitlines()), f"a window ends the program ({tried.returncode})")
        raise SinkError(
            f"cannot open a window (DISPLAY is {os.environ.get('DISPLAY', '')!r}): {reason}", hint=f"{ELSEWHERE}"
        )
