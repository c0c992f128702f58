"""A PipeWire camera: ``pipewire``, or ``pipewire:Name to show``. Linux, without a kernel module.

Programs that use cameras through PipeWire list it. It needs the library libpipewire, which every desktop with PipeWire
has.
"""

import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from realtime_matte.config.specs import parse
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Readers
from realtime_matte.media import i420
from realtime_matte.pipewire.node import CameraNode

NAME: Final = "Virtual Camera"
MAX_NAME_LENGTH: Final = 60

CONNECT_EVERY_S: Final = 1.0
"""Seconds between two attempts to find PipeWire again."""

HINT: Final = "systemctl --user start pipewire wireplumber, or use --output virtualcam"


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "PipeWire":
    """Start a camera called ``rest``, or NAME."""
    if alpha:
        raise SpecError(
            "a PipeWire camera cannot carry alpha (background 'none')",
            hint="choose a background, or another output such as out.webm, out.mov or frames:folder",
        )
    even = size[0] & ~1, size[1] & ~1  # two pixels share their colour
    if not all(even):
        raise SpecError(
            f"a PipeWire camera cannot be {size[0]}x{size[1]}", hint="use at least 2x2, as in --size 1280x720"
        )
    name = _checked_name(parse(rest, {})[0] or NAME)
    node = CameraNode(_properties(name), size=even, fps=fps)
    try:
        node.connect()
        node.wait_connected()
    except OSError as error:
        node.close()
        reason = error.strerror or "it gives no reason"
        raise SinkError(f"PipeWire does not accept a camera: {reason}", hint=HINT) from error
    return PipeWire(node, name, size=size, even=even)


class PipeWire:
    """Gives readers the newest output frame, and makes the camera again when PipeWire was restarted.

    ``size``: of the output frames; ``even``: of the camera, the upper left part of them.
    """

    alpha: Final = False
    live: Final = True

    def __init__(
        self, node: CameraNode, name: str, *, size: Size, even: Size, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._node = node
        self._clock = clock
        self._cut = slice(even[1]), slice(even[0])
        self._planes = i420.empty(even)
        cut = "" if size == even else f" (such cameras have even sizes, {size[0]}x{size[1]} is cut)"
        self._title = f"PipeWire camera {name}, {even[0]}x{even[1]}{cut}"
        self._news: tuple[str, ...] = ()
        self._connect_at = 0.0
        self._is_lost = False

    @property
    def notices(self) -> Sequence[str]:
        """Its name and size; whether PipeWire has stopped since."""
        return [self._title, *self._news]

    def send(self, image: Pixels, time: float) -> None:
        """Show the standby card, or another BGR image, to the readers."""
        self.send_i420(i420.from_bgr(image[self._cut], self._planes), time)

    def send_i420(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown at once
        """Show the output frame, as it is, to the readers."""
        if self._node.is_lost:
            self._connect_again()
        self._node.show(image)

    def open_readers(self) -> Readers:
        """Start watching whether a program reads it."""
        return NodeReaders(self._node)

    def close(self) -> None:
        """Remove the camera. Idempotent."""
        self._node.close()

    def _connect_again(self) -> None:
        """Make the camera again, if PipeWire runs; tried every CONNECT_EVERY_S, without waiting."""
        now = self._clock()
        if not self._is_lost:
            self._is_lost = True
            self._connect_at = now
            self._news = ("PipeWire has stopped: its camera comes back when PipeWire is started again",)
        if now < self._connect_at:
            return
        self._connect_at = now + CONNECT_EVERY_S
        try:
            self._node.connect()
        except OSError:
            return
        self._is_lost = False
        self._news = ("PipeWire was started again, and has its camera again: restart programs that had it open",)


class NodeReaders:
    """Detects readers by the state of the node: it runs while a program reads it."""

    notices: Sequence[str] = ()

    def __init__(self, node: CameraNode) -> None:
        self._node = node

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether a program reads it; waits up to ``timeout_s`` for one."""
        return self._node.wait_for_reader(timeout_s)

    def close(self) -> None:
        """Nothing is open."""


def _checked_name(name: str) -> str:
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise SpecError(f"no PipeWire camera can be called {name[:MAX_NAME_LENGTH]!r}", hint="use a shorter name")
    return name


def _properties(name: str) -> dict[str, str]:
    """What programs and the session manager know of the camera; the portal passes on nodes with the role Camera."""
    return {
        "media.class": "Video/Source",
        "media.type": "Video",
        "media.category": "Capture",
        "media.role": "Camera",
        "media.name": name,
        "node.name": f"rtmatte.{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-') or 'camera'}",
        "node.description": name,
        "node.nick": name,
        "application.name": "rtmatte",
    }
