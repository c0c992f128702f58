"""Whether somebody takes pictures from a v4l2loopback device: by its own event, else by who has it open."""

import fcntl
import os
import select
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from realtime_matte.v4l2.ioctl import Ioctl, request
from realtime_matte.v4l2.open_files import holders

CLIENT_USAGE: Final = 0x0800_0000 + 0x08E0_0000 + 1
"""V4L2_EVENT_PRI_CLIENT_USAGE of v4l2loopback 0.13 and later; it carries 1 while a program takes pictures, else 0."""

SEND_INITIAL: Final = 1

SUBSCRIPTION: Final = struct.Struct("3I20x")
"""struct v4l2_event_subscription: type, id, flags."""

EVENT: Final = struct.Struct("I4xI124x")
"""struct v4l2_event: type, the first word of what it carries, and more."""

SUBSCRIBE: Final = request(1, 90, SUBSCRIPTION.size)
UNSUBSCRIBE: Final = request(1, 91, SUBSCRIPTION.size)
DEQUEUE: Final = request(2, 89, EVENT.size)

LOOKED_FOR_EVERY_S: Final = 2.0
"""Looking through all programs costs some 20 ms on a desktop."""


class ByEvent:
    """The driver tells. ``device``: a file descriptor of it, closed here. Raises OSError where it does not tell."""

    notices: Sequence[str] = ()

    def __init__(self, device: int, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._device = device
        self._ioctl = ioctl
        self._bell = select.poll()
        self._bell.register(device, select.POLLPRI)
        self._subscribe()

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether somebody reads; waits for one so long."""
        if self._told():
            return True
        if timeout_s <= 0:
            return False
        self._bell.poll(timeout_s * 1000)
        return self._told()

    def close(self) -> None:
        """Look no more."""
        if self._device >= 0:
            os.close(self._device)
        self._device = -1

    def _told(self) -> bool:
        """How it is now: asked for anew each time, as an event that was missed would never come again."""
        with suppress(OSError):  # the device is gone, and nobody reads it: sending to it says more
            self._ioctl(self._device, UNSUBSCRIBE, bytearray(SUBSCRIPTION.pack(CLIENT_USAGE, 0, 0)))
            self._subscribe()
            event = bytearray(EVENT.size)
            self._ioctl(self._device, DEQUEUE, event)
            return bool(EVENT.unpack(event)[1])
        return False

    def _subscribe(self) -> None:
        self._ioctl(self._device, SUBSCRIBE, bytearray(SUBSCRIPTION.pack(CLIENT_USAGE, 0, SEND_INITIAL)))


class ByHolders:
    """Programs other than ours that have it open count as reading, whatever they do with it."""

    def __init__(
        self,
        path: Path,
        *,
        reason: str,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.notices = [f"v4l2loopback tells from 0.13 on who reads it ({reason}): whoever has {path} open is watching"]
        self._path = path
        self._root = root
        self._clock = clock
        self._sleep = sleep
        self._held = False
        self._due = clock()

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether somebody has it open; waits for one so long."""
        if not self._looked() and timeout_s > 0:
            self._sleep(timeout_s)
        return self._looked()

    def close(self) -> None:
        """Nothing is held."""

    def _looked(self) -> bool:
        now = self._clock()
        if now >= self._due:
            self._due = now + LOOKED_FOR_EVERY_S
            self._held = bool(holders(self._path, root=self._root))
        return self._held


def readers(path: str) -> ByEvent | ByHolders:
    """Begin to look at the device at ``path``. Raises OSError."""
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        return ByEvent(device)
    except OSError as error:
        os.close(device)
        return ByHolders(Path(path), reason=error.strerror or "unknown")
