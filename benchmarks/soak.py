"""Hours of a call in minutes of looking: does rtmatte's memory grow, its handles, its threads, the age of its pictures?

    python benchmarks/soak.py --minutes 30 --camera demo --output null
    python benchmarks/soak.py --minutes 30 --reader /dev/video10 --camera 0 --output virtualcam:/dev/video10

What it does not know itself is rtmatte's. With ``--reader`` a program reads that camera, leaves and comes back, again
and again. Linux only. Standard library only. Exit status: 0 steady, 1 something grew, 2 rtmatte did not run.
"""

import re
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self

EVERY_S = 5.0
"""As often as rtmatte tells its figures."""

STAYS, ROUND = 12, 15
"""So many samples of a round a reader stays; for the rest of it, it is away."""

WARM_UP = 0.2
"""Part of a run that is not judged: caches fill, the allocator finds its size."""

MEMORY_MB, AGE = 8.0, 1.5
"""More growth than this, in megabytes, and as a factor of the age (with 10 ms on top), is told."""


@dataclass(frozen=True, slots=True)
class Sample:
    """rtmatte at one moment. ``age_ms``: median and 95th percentile of its last pictures; None before the first."""

    second: float
    memory_mb: float
    handles: int
    threads: int
    age_ms: tuple[float, float] | None

    def __str__(self) -> str:
        age = "-" if self.age_ms is None else "{:.1f}/{:.1f}".format(*self.age_ms)
        return (
            f"{self.second:6.0f} s {self.memory_mb:7.1f} MB {self.handles:4} handles {self.threads:3} threads {age} ms"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = ArgumentParser(description="Run rtmatte for long and look whether anything grows.")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="how long (%(default)g)")
    parser.add_argument("--reader", metavar="DEVICE", help="a virtual camera to be read meanwhile, by v4l2-ctl")
    options, words = parser.parse_known_args(arguments)
    samples: list[Sample] = []
    with Run([sys.executable, "-m", "realtime_matte", *words]) as run, Reader(options.reader) as reader:
        began = time.monotonic()
        while time.monotonic() - began < 60 * options.minutes and run.wait(EVERY_S):
            samples.append(run.sample(time.monotonic() - began))
            print(samples[-1], flush=True)
            reader.turn(len(samples))
    if not samples or run.ended:
        print(f"soak: rtmatte ended by itself: {run.last}", file=sys.stderr)
        return 2
    grew = growth(samples)
    print("\n".join(grew) or f"steady over {len(samples)} samples")
    return 1 if grew else 0


def growth(samples: Sequence[Sample]) -> list[str]:
    """What grew from the first third after the warm-up to the last one, in words."""
    judged = samples[int(WARM_UP * len(samples)) :]
    third = max(1, len(judged) // 3)
    first, last = judged[:third], judged[-third:]
    found = [
        _grown("memory", "MB", [median(one.memory_mb for one in part) for part in (first, last)], MEMORY_MB),
        _grown("handles", "", [max(one.handles for one in part) for part in (first, last)], 0),
        _grown("threads", "", [max(one.threads for one in part) for part in (first, last)], 0),
    ]
    ages = [[one.age_ms[0] for one in part if one.age_ms] for part in (first, last)]  # the p95 is other programs'
    if all(ages):
        before, after = (median(part) for part in ages)
        found.append(_grown("age", "ms", [before, after], (AGE - 1) * before + 10))
    return [line for line in found if line]


def _grown(what: str, unit: str, values: Sequence[float], allowed: float) -> str:
    before, after = values
    return f"{what} grew from {before:.1f} to {after:.1f} {unit}".rstrip() if after > before + allowed else ""


class Run:
    """rtmatte, and what it tells; ended politely when it is left."""

    def __init__(self, words: Sequence[str]) -> None:
        self.last = ""
        self.ended = False
        self._age_ms: tuple[float, float] | None = None  # this and ``last``: written by the listening thread
        pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(words, **pipes, text=True)  # noqa: S603 - our own program
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """True when it still runs after so long."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        self.ended = True
        return False

    def sample(self, second: float) -> Sample:
        """How it is now."""
        folder = Path(f"/proc/{self._process.pid}")
        status = dict(re.findall(r"^(\w+):\s+(\d+)", (folder / "status").read_text(), re.MULTILINE))
        handles = len(list((folder / "fd").iterdir()))
        return Sample(second, int(status["VmRSS"]) / 1024, handles, int(status["Threads"]), self._age_ms)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def _listen(self) -> None:
        assert self._process.stderr  # noqa: S101 - it was asked for
        with self._process.stderr as lines:
            for line in lines:
                self.last = line.strip()
                if age := re.search(r"age ([\d.]+)/([\d.]+) ms", line):
                    self._age_ms = float(age[1]), float(age[2])


class Reader:
    """A program that reads the virtual camera for a while, leaves, and comes back."""

    def __init__(self, device: str | None) -> None:
        self._device = device
        self._process: subprocess.Popen[bytes] | None = None

    def turn(self, sample: int) -> None:
        """Come or go, as it is time."""
        if self._device is None:
            return
        if sample % ROUND >= STAYS:
            self._leave()
        elif self._process is None or self._process.poll() is not None:
            words = ["v4l2-ctl", "-d", self._device, "--stream-mmap=2", "--stream-to=/dev/null"]
            nowhere = subprocess.DEVNULL
            self._process = subprocess.Popen(words, stdout=nowhere, stderr=nowhere)  # noqa: S603 - a fixed program

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = None


if __name__ == "__main__":
    sys.exit(main())
