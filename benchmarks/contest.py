"""Programs measured side by side: each in a process of its own, one round of each in turn. Standard library only.

A contender is a program that warms up, prints ``{}``, and from then on answers each line of its input, a number of
seconds, with what that long cost: ``{"pictures": 60, "wall_s": 2.01, "cpu_s": 0.4}``.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryFile
from typing import Any

TOLD = 2000
"""Last characters of what a contender that failed had to say."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one round. ``cpu_s``: processor time, all threads."""

    pictures: int
    wall_s: float
    cpu_s: float

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self.pictures / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """Processor time a picture."""
        return self.cpu_s / self.pictures * 1e3


class Contender:
    """A running program. Raises RuntimeError, with its last words, where it ends."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._words = TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words, text=True
        )
        self._answer()

    def round(self, seconds: float) -> Cost:
        """What ``seconds`` of its work cost."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        print(seconds, file=self._process.stdin, flush=True)
        return Cost(**self._answer())

    def close(self) -> None:
        """End it. Idempotent."""
        if self._process.poll() is None:
            self._process.communicate()
        self._words.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> RuntimeError:
        self._process.communicate()
        self._words.seek(0)
        words = self._words.read().decode(errors="replace")[-TOLD:].strip()
        self._words.close()
        return RuntimeError(f"{self.name} ended with status {self._process.returncode}:\n{words}")


def serve(work: Callable[[], object], *, lines: Iterable[str] = sys.stdin) -> None:
    """Be a contender whose ``work`` is one picture; it is warm by now."""
    print("{}", flush=True)
    for line in lines:
        pictures, start, cpu = 0, time.perf_counter(), time.process_time()
        while (wall := time.perf_counter() - start) < float(line):
            work()
            pictures += 1
        cost = {"pictures": pictures, "wall_s": wall, "cpu_s": time.process_time() - cpu}
        print(json.dumps(cost), flush=True)


def contest(contenders: Sequence[Contender], *, rounds: int, seconds: float) -> list[list[Cost]]:
    """The rounds of each, taken in turn, every other time in the opposite order, so that a drift favours nobody."""
    costs: list[list[Cost]] = [[] for _ in contenders]
    for number in range(rounds):
        order = list(zip(contenders, costs, strict=True))
        for contender, mine in order if number % 2 == 0 else reversed(order):
            mine.append(contender.round(seconds))
    return costs


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost], figure: str) -> float:
    """Median over the rounds of our ``figure`` ("fps", "cpu_ms") over theirs, round by round."""
    return median(getattr(one, figure) / getattr(other, figure) for one, other in zip(ours, theirs, strict=True))
