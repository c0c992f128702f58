"""Programs measured side by side: each in its own process, one round of each in turn. Standard library only.

A program warms up, prints ``{}``, and then answers each line of its input, a number of seconds, with the cost of
working for that long: ``{"frames": 60, "wall_s": 2.01, "cpu_s": 0.4}``.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryFile
from typing import Any, Final

ERROR_CHARACTERS: Final = 2000
"""How much of the end of a failed program's error output is shown."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one round. ``cpu_s``: processor time of all threads."""

    frames: int
    wall_s: float
    cpu_s: float

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.frames / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """Processor time per frame."""
        return self.cpu_s / self.frames * 1e3


class MeasuredProgram:
    """A running program. Raises RuntimeError, with the end of its error output, if it ends."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._errors = TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - programs of this folder
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._answer()

    def round(self, seconds: float) -> Cost:
        """The cost of working for ``seconds``."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        print(seconds, file=self._process.stdin, flush=True)
        return Cost(**self._answer())

    def close(self) -> None:
        """End the program. Idempotent."""
        if self._process.poll() is None:
            self._process.communicate()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> RuntimeError:
        self._process.communicate()
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace")[-ERROR_CHARACTERS:].strip()
        self._errors.close()
        return RuntimeError(f"{self.name} ended with status {self._process.returncode}:\n{text}")


def serve(work: Callable[[], object], *, lines: Iterable[str] = sys.stdin) -> None:
    """The side of the measured program, after its warm-up. ``work`` processes one frame."""
    print("{}", flush=True)
    for line in lines:
        frames, start, cpu = 0, time.perf_counter(), time.process_time()
        while (wall := time.perf_counter() - start) < float(line):
            work()
            frames += 1
        cost = {"frames": frames, "wall_s": wall, "cpu_s": time.process_time() - cpu}
        print(json.dumps(cost), flush=True)


def measure_in_turn(programs: Sequence[MeasuredProgram], *, rounds: int, seconds: float) -> list[list[Cost]]:
    """The rounds of each program, in turn, every other time in the opposite order, so that a drift favours none."""
    costs: list[list[Cost]] = [[] for _ in programs]
    for number in range(rounds):
        order = list(zip(programs, costs, strict=True))
        for program, measured in order if number % 2 == 0 else reversed(order):
            measured.append(program.round(seconds))
    return costs


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost], figure: str) -> float:
    """The median over the rounds of our ``figure`` ("fps" or "cpu_ms") divided by theirs of the same round."""
    pairs = zip(ours, theirs, strict=True)
    return median(float(getattr(one, figure) / getattr(other, figure)) for one, other in pairs)
