"""Clip frames decoded and fitted ahead in a thread of their own, into three preallocated buffers.

So a clip that is too heavy for the machine never holds up a frame of the camera: the clip plays slower instead.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import numpy as np

from realtime_matte.frame import Pixels

BUFFERS: Final = 3
"""One is shown; the others are decoded ahead."""

MAX_LAG_S: Final = 0.25
"""If decoding is later than that, the clip plays slower instead of catching up."""

MAX_SKIPPING_S: Final = 0.025
"""Longest decoding of frames that are too late to be shown, before one is shown anyway."""

TOLERANCE_S: Final = 0.001
"""Times of camera and clip frames are rounded."""

NICER_BY: Final = 10
"""Added to the niceness of the thread: where cores are rare, the network gets nine times as much of them."""

CLOSE_S: Final = 1.0
"""Longest wait for the thread: a file on a network may block; the thread then closes the clip when it returns."""


class Steps(Protocol):
    """A clip in a loop."""

    @property
    def until(self) -> float:
        """When the next frame is due, in seconds since the first repetition began."""

    def restart(self) -> None:
        """Open the file again, so that threads of its decoder have the priority of this one. Before the first step."""

    def step(self, *, hurry: bool) -> None:
        """Go on to the next frame."""

    def close(self) -> None:
        """Close the file."""


class ReadAhead:
    """The frames of ``clip`` in real time. ``fit``: its current frame at the output's size; in the clip's thread only.

    From the first ``newest`` on, the clip belongs to the thread, which closes it.
    """

    def __init__(self, clip: Steps, fit: Callable[[], Pixels], first: Pixels, *, clock: Callable[[], float]) -> None:
        self._clip = clip
        self._fit = fit
        self._clock = clock
        self._shown = first  # the caller's thread only
        self._changed = threading.Condition()
        self._free = [np.empty_like(first) for _ in range(BUFFERS)]  # this and the rest: guarded by _changed
        self._decoded: deque[tuple[float, Pixels]] = deque()  # (due, image)
        self._until = clip.until
        self._position = 0.0
        self._error: Exception | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="clip", daemon=True)
        self._thread.start()

    def newest(self, position: float) -> tuple[Pixels, float]:
        """The newest decoded frame that is due at ``position``, and the position that the clip has reached.

        The image is valid until the next call. Raises what decoding raised.
        """
        with self._changed:
            if self._error:
                raise self._error
            position = min(position, self._until + MAX_LAG_S)
            self._position = position
            while self._decoded and self._decoded[0][0] <= position + TOLERANCE_S:
                self._free.append(self._shown)
                self._shown = self._decoded.popleft()[1]
            self._changed.notify_all()
            return self._shown, position

    def close(self) -> None:
        """End the thread, which closes the clip. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        try:
            if _lower_priority():
                self._clip.restart()
            while self._wait_for_buffer():
                self._decode()
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            self._clip.close()

    def _wait_for_buffer(self) -> bool:
        """Wait until there is one to write into; False after ``close``."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._decoded) < BUFFERS - 1)
            return not self._closed

    def _decode(self) -> None:
        """Go on to the next frame that is still to be shown, and hand it over."""
        deadline = self._clock() + MAX_SKIPPING_S
        hurry = False
        while True:
            due = self._clip.until
            self._clip.step(hurry=hurry)
            with self._changed:
                late = self._clip.until <= self._position + TOLERANCE_S
                if self._closed:
                    return
            if not late or self._clock() >= deadline:
                break
            hurry = True
        image = self._fit()
        with self._changed:
            buffer = self._free.pop()
        np.copyto(buffer, image)
        with self._changed:
            self._decoded.append((due, buffer))
            self._until = self._clip.until
            self._changed.notify_all()


def _lower_priority() -> bool:
    """Let other threads of the program run first; False where that is not possible for one thread."""
    if sys.platform != "linux":
        return False
    thread = threading.get_native_id()
    with suppress(OSError):  # a container may forbid it
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICER_BY))
        return True
    return False
