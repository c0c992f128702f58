"""A program that reads a PipeWire camera: GStreamer's. It classifies every frame that it was sent."""

import subprocess
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self

import numpy as np

from fakes.privacy import REASONS, marked
from fakes.scripted import NEW_BACKGROUND
from realtime_matte.frame import Pixels, Size
from realtime_matte.pipeline import standby

LIMIT_S = 60.0
TOLERANCE = 24
"""Of 255, for cards and backgrounds: GStreamer spreads the colour of four pixels differently at their outlines."""

READER_PROGRAMS = ("gst-launch-1.0",)

FrameKind = Literal["card", "composite", "marker", "unexpected"]


class Reader:
    """Reads in the background until the end of the ``with``, or until PipeWire stops.

    ``node``: name of the camera; ``size``: of its frames.
    """

    def __init__(self, node: str, *, size: Size, environment: Mapping[str, str]) -> None:
        self.seen: list[FrameKind] = []  # guarded by _changed
        self.newest: Pixels | None = None  # guarded by _changed
        self._changed = threading.Condition()
        self._size = size
        self._cards = [standby.draw_card(size, text=reason).astype(int) for reason in REASONS]
        pipeline = f"pipewiresrc target-object={node} ! videoconvert ! video/x-raw,format=BGR ! fdsink fd=1"
        self._process = subprocess.Popen(
            ["gst-launch-1.0", "-q", *pipeline.split()],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def wait_for(self, kind: FrameKind, *, frames: int = 1) -> None:
        """Wait for that many more frames of this kind."""
        with self._changed:
            start = len(self.seen)
            came = self._changed.wait_for(lambda: self.seen[start:].count(kind) >= frames, LIMIT_S)
            assert came, f"no {frames} x {kind}, but {self.seen[start:]}; it runs: {self._process.poll() is None}"

    def assert_private(self) -> None:
        """No frame ever showed anything but the standby card and composites."""
        assert self.seen
        assert set(self.seen) <= {"card", "composite"}, self.seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)
        self._thread.join(LIMIT_S)

    def _watch(self) -> None:
        assert self._process.stdout
        width, height = self._size
        with self._process.stdout as frames:
            while len(raw := frames.read(width * height * 3)) == width * height * 3:
                image = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
                with self._changed:
                    self.seen.append(self._classify(image))
                    self.newest = image
                    self._changed.notify_all()

    def _classify(self, image: Pixels) -> FrameKind:
        if marked(image):
            return "marker"
        if any(_near(image, card) for card in self._cards):
            return "card"
        corners = image[:4, :: image.shape[1] - 1]
        return "composite" if _near(corners, np.array(NEW_BACKGROUND)) else "unexpected"


def _near(image: Pixels, expected: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> bool:
    return bool(np.abs(image.astype(int) - expected).max() <= TOLERANCE)
