"""How many live streams one process carries on one network, and how the age of composites grows with them.

    python benchmarks/streams.py --streams 1 2 3 4

Each stream delivers a frame every thirtieth of a second, the streams one after the other within that time. One thread
takes the newest frame of each stream in turn; older ones are dropped, as by examples/webrtc_server.py. Reported for
each number of streams: composites a second of each stream, dropped frames, the age of a frame when its composite is
ready (p50, p95), and processor time a frame, from which follows how many streams the cores carry.

The clock is the processor time of the process, which jumps to the next frame where nothing waits: the figures are those
of a machine that runs nothing else. ``--real`` takes the clock on the wall.
"""

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte import BackgroundRemover, __version__
from realtime_matte.config import parsers
from realtime_matte.frame import Pixels, Size
from realtime_matte.portrait import sample_portrait

FPS: Final = 30.0
FRAMES: Final = 16


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one number of streams: ``fps`` of each, share of frames ``dropped``, ages, processor time a frame."""

    streams: int
    fps: float
    dropped: float
    age_p50_ms: float
    age_p95_ms: float
    cpu_ms: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = ArgumentParser(description="Measure several live streams on one network in one process.")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 2, 3, 4], metavar="N", help="(1 2 3 4)")
    parser.add_argument("--size", type=parsers.size, default=(1280, 720), metavar="WxH", help="(1280x720)")
    parser.add_argument("--model", default="small", metavar="NAME", help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="N", help="of each number (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--real", action="store_true", help="measure by the clock on the wall")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    frames = moving(options.size)
    with BackgroundRemover(options.model) as remover:
        found = [measure(remover, frames, count, options.seconds, real=options.real) for count in options.streams]
    print(f"rtmatte {__version__}, {options.model}, {options.size[0]}x{options.size[1]}, {os.cpu_count()} cores")
    print("streams   fps of each   dropped   age p50   p95 ms   processor ms a frame   streams a core")
    for one in found:
        print(
            f"{one.streams:7} {one.fps:13.1f} {one.dropped:8.0%} {one.age_p50_ms:9.0f} {one.age_p95_ms:8.0f}"
            f" {one.cpu_ms:22.1f} {1000 / FPS / one.cpu_ms:16.1f}"
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=1))
    return 0


def moving(size: Size) -> list[Pixels]:
    """The sample portrait at that size, moving to and fro."""
    scaled = cv2.resize(sample_portrait()[60:348], size, interpolation=cv2.INTER_AREA)
    return [np.roll(scaled, 6 * abs(index - FRAMES // 2), axis=1).astype(np.uint8) for index in range(FRAMES)]


class Clock:
    """Seconds since the start."""

    def __init__(self, *, real: bool) -> None:
        self._read = time.perf_counter if real else time.process_time
        self._real = real
        self._start = self._read()

    def now(self) -> float:
        """The time."""
        return self._read() - self._start

    def wait_until(self, moment: float) -> None:
        """Let the time pass until then; none of it is processor time."""
        left = moment - self.now()
        if left > 0 and self._real:
            time.sleep(left)
        elif left > 0:
            self._start -= left


def measure(remover: BackgroundRemover, frames: Sequence[Pixels], count: int, seconds: float, *, real: bool) -> Figures:
    """Run that many streams for that long."""
    shots = [remover.shot() for _ in range(count)]
    for shot in shots:
        shot.process(frames[0], time=0.0).over((0, 160, 0))
    offsets = [index / count / FPS for index in range(count)]
    taken = [-1] * count  # the last frame of each stream
    ages: list[float] = []
    clock, cpu = Clock(real=real), time.process_time()
    while (now := clock.now()) < seconds:
        due = [int((now - offset) * FPS) if now >= offset else -1 for offset in offsets]
        waiting = [index for index in range(count) if due[index] > taken[index]]
        if not waiting:
            clock.wait_until(min((taken[index] + 1) / FPS + offsets[index] for index in range(count)) + 1e-6)
            continue
        index = min(waiting, key=lambda one: taken[one] / FPS + offsets[one])  # the one that waits longest
        taken[index] = due[index]
        arrived = due[index] / FPS + offsets[index]
        shots[index].process(frames[due[index] % FRAMES], time=1 + arrived).over((0, 160, 0))
        ages.append(clock.now() - arrived)
    total = seconds * FPS * count
    p50, p95 = (float(value) * 1e3 for value in np.percentile(ages, [50, 95]))
    cpu_ms = (time.process_time() - cpu) / len(ages) * 1e3
    return Figures(count, len(ages) / seconds / count, max(0.0, 1 - len(ages) / total), p50, p95, cpu_ms)


if __name__ == "__main__":
    sys.exit(main())
