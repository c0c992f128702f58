"""Whether a program reads from a v4l2loopback device: by the driver's event, else by programs that have it open."""

import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.ioctl import Ioctl, kernel_ioctl
from realtime_matte.v4l2.open_files import programs_using

CLIENT_USAGE: Final = 0x0800_0000 + 0x08E0_0000 + 1
"""V4L2_EVENT_PRI_CLIENT_USAGE of v4l2loopback 0.13 and later; its data is 1 while a program reads frames, else 0."""

SCAN_EVERY_S: Final = 2.0
"""Scanning the open files of all programs takes some 20 ms on a desktop."""


class EventReaders:
    """Detects readers by the driver's event. Closes ``device``, a file descriptor.

    Raises:
        OSError: the driver has no such event.
    """

    notices: Sequence[str] = ()

    def __init__(self, device: int, *, ioctl: Ioctl = kernel_ioctl) -> None:
        self._device = device
        self._ioctl = ioctl
        self._poll = select.poll()
        self._poll.register(device, select.POLLPRI)
        self._subscribe()

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether a program reads; waits up to ``timeout_s`` for one."""
        if self._reads():
            return True
        if timeout_s <= 0:
            return False
        self._poll.poll(timeout_s * 1000)
        return self._reads()

    def close(self) -> None:
        """Close the device. Idempotent."""
        if self._device >= 0:
            os.close(self._device)
        self._device = -1

    def _reads(self) -> bool:
        """Subscribe again for the present value: an event that was missed is not sent again."""
        with suppress(OSError):  # the device is gone and has no reader; sending to it raises the error with the reason
            self._ioctl(
                self._device, v4l2.UNSUBSCRIBE_EVENT, bytearray(v4l2.EVENT_SUBSCRIPTION.pack(CLIENT_USAGE, 0, 0))
            )
            self._subscribe()
            event = bytearray(v4l2.EVENT.size)
            self._ioctl(self._device, v4l2.DQEVENT, event)
            return bool(v4l2.EVENT.unpack(event)[1])
        return False

    def _subscribe(self) -> None:
        subscription = v4l2.EVENT_SUBSCRIPTION.pack(CLIENT_USAGE, 0, v4l2.SEND_INITIAL)
        self._ioctl(self._device, v4l2.SUBSCRIBE_EVENT, bytearray(subscription))


class OpenFileReaders:
    """Counts every other program that has the device open as a reader."""

    def __init__(
        self,
        path: Path,
        *,
        reason: str,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        old = f"v4l2loopback reports its readers from version 0.13 on ({reason})"
        self.notices = [f"{old}; every program that has {path} open counts as a reader"]
        self._path = path
        self._root = root
        self._clock = clock
        self._sleep = sleep
        self._is_open = False
        self._next_scan = clock()

    def wait_for_reader(self, timeout_s: float) -> bool:
        """Whether a program has it open; waits up to ``timeout_s`` for one."""
        if not self._scan() and timeout_s > 0:
            self._sleep(timeout_s)
        return self._scan()

    def close(self) -> None:
        """Nothing is open."""

    def _scan(self) -> bool:
        now = self._clock()
        if now >= self._next_scan:
            self._next_scan = now + SCAN_EVERY_S
            self._is_open = bool(programs_using(self._path, root=self._root))
        return self._is_open


def open_readers(path: str) -> EventReaders | OpenFileReaders:
    """Start watching for readers of the device at ``path``. Raises OSError."""
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        return EventReaders(device)
    except OSError as error:
        os.close(device)
        return OpenFileReaders(Path(path), reason=error.strerror or "unknown")
