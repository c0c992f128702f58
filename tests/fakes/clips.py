"""Clips that tests write, and clips that take their time."""

import threading
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from realtime_matte.backgrounds import video
from realtime_matte.backgrounds._read_ahead import BUFFERS
from realtime_matte.frame import Pixels
from realtime_matte.media.clip import LoopedClip

SIZE = (64, 48)


def grey(level: int, size: tuple[int, int] = SIZE) -> Pixels:
    return np.full((size[1], size[0], 3), level, np.uint8)


def write(
    path: Path, frames: Sequence[Pixels], *, codec: str = "libx264", fmt: str = "yuv420p", rate: int = 10
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = fmt
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode())
    return path


def wait_for_clip(background: video.VideoBackground) -> None:
    """Until the thread has decoded ahead as far as it may."""
    ahead = background._ahead
    assert ahead is not None
    with ahead._changed:
        assert ahead._changed.wait_for(lambda: len(ahead._decoded) == BUFFERS - 1 or ahead._error, 10)


class CountingClip(LoopedClip):
    """Counts the frames that are decoded."""

    steps = 0

    def step(self, *, hurry: bool) -> None:
        self.steps += 1
        super().step(hurry=hurry)


class HeavyClip(CountingClip):
    """Each step waits for a permission, and takes 45 ms by the clip's clock."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.permitted = threading.Semaphore(0)
        self.begun = threading.Event()
        """Set by the first step."""

    def step(self, *, hurry: bool) -> None:
        self.begun.set()
        assert self.permitted.acquire(timeout=60)
        super().step(hurry=hurry)

    def clock(self) -> float:
        return self.steps * 0.045
