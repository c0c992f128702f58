"""A long run of rtmatte, sampled every few seconds: whether memory, file handles, threads or the frames' age grow.

    python benchmarks/soak.py --minutes 30 --camera demo --output null
    python benchmarks/soak.py --minutes 30 --reader /dev/video10 --camera 0 --output virtualcam:/dev/video10

Unknown options are passed to rtmatte. With ``--reader``, a program opens, reads and closes that camera repeatedly.
Linux only. Standard library only. Exit status: 0 steady, 1 something grew, 2 rtmatte did not run.
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
from typing import Final, Self

INTERVAL_S: Final = 5.0
"""Seconds between two samples, as between rtmatte's figures."""

READING_SAMPLES, CYCLE_SAMPLES = 12, 15
"""The reader reads during the first samples of each cycle; for the rest of it, the camera is closed."""

WARM_UP: Final = 0.2
"""Part of a run that is not judged: caches fill, the memory allocator reaches its size."""

MEMORY_MB: Final = 8.0
"""A larger growth of the memory is reported."""
AGE_FACTOR, AGE_MS = 1.5, 10.0
"""A larger growth of the median age is reported: by this factor, and by this much on top."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of rtmatte. ``age_ms``: median and 95th percentile of the last frames; None before the first."""

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
    parser = ArgumentParser(description="Run rtmatte for a long time and report what grows.")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="how long (%(default)g)")
    parser.add_argument("--reader", metavar="DEVICE", help="a virtual camera that v4l2-ctl reads from time to time")
    options, words = parser.parse_known_args(arguments)
    samples: list[Sample] = []
    with Run([sys.executable, "-m", "realtime_matte", *words]) as run, Reader(options.reader) as reader:
        start = time.monotonic()
        while time.monotonic() - start < 60 * options.minutes and run.wait(INTERVAL_S):
            samples.append(run.sample(time.monotonic() - start))
            print(samples[-1], flush=True)
            reader.update(len(samples))
    if not samples or run.ended:
        print(f"soak: rtmatte ended by itself: {run.last_line}", file=sys.stderr)
        return 2
    grown = growth(samples)
    print("\n".join(grown) or f"steady over {len(samples)} samples")
    return 1 if grown else 0


def growth(samples: Sequence[Sample]) -> list[str]:
    """What grew from the first third after the warm-up to the last one, in lines to print."""
    judged = samples[int(WARM_UP * len(samples)) :]
    third = max(1, len(judged) // 3)
    first, last = judged[:third], judged[-third:]
    found = [
        _growth("memory", "MB", [median(one.memory_mb for one in part) for part in (first, last)], MEMORY_MB),
        _growth("handles", "", [max(one.handles for one in part) for part in (first, last)], 0),
        _growth("threads", "", [max(one.threads for one in part) for part in (first, last)], 0),
    ]
    # the median of the ages only: the 95th percentile depends on other programs' load
    ages = [[one.age_ms[0] for one in part if one.age_ms] for part in (first, last)]
    if all(ages):
        before, after = (median(part) for part in ages)
        found.append(_growth("age", "ms", [before, after], (AGE_FACTOR - 1) * before + AGE_MS))
    return [line for line in found if line]


def _growth(name: str, unit: str, values: Sequence[float], allowed: float) -> str:
    before, after = values
    return f"{name} grew from {before:.1f} to {after:.1f} {unit}".rstrip() if after > before + allowed else ""


class Run:
    """A running rtmatte and its output; terminated at the end of the ``with`` block."""

    def __init__(self, words: Sequence[str]) -> None:
        self.last_line = ""
        self.ended = False
        self._age_ms: tuple[float, float] | None = None  # this and ``last_line`` are written by the reading thread
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._read_output, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for ``seconds``. True if it still runs then."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        self.ended = True
        return False

    def sample(self, second: float) -> Sample:
        """Its present state."""
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

    def _read_output(self) -> None:
        assert self._process.stderr  # noqa: S101 - it is a pipe
        with self._process.stderr as lines:
            for line in lines:
                self.last_line = line.strip()
                if age := re.search(r"age ([\d.]+)/([\d.]+) ms", line):
                    self._age_ms = float(age[1]), float(age[2])


class Reader:
    """A program that reads the virtual camera for a while, closes it and opens it again; none without a device."""

    def __init__(self, device: str | None) -> None:
        self._device = device
        self._process: subprocess.Popen[bytes] | None = None

    def update(self, sample: int) -> None:
        """Start or stop the program, by the number of the sample."""
        if self._device is None:
            return
        if sample % CYCLE_SAMPLES >= READING_SAMPLES:
            self._stop()
        elif self._process is None or self._process.poll() is not None:
            words = ["v4l2-ctl", "-d", self._device, "--stream-mmap=2", "--stream-to=/dev/null"]
            null = subprocess.DEVNULL
            self._process = subprocess.Popen(words, stdout=null, stderr=null)  # noqa: S603 - a fixed program

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = None


if __name__ == "__main__":
    sys.exit(main())
