"""What the whole line costs, on pictures that are already in memory, so that the source costs nothing.

Each plan is measured in a process of its own (``python -m realtime_matte.bench PLAN``, a JSON object): its memory and
its start-up are then its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from realtime_matte import plugins
from realtime_matte.errors import MatteError, ModelError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.machine import peak_rss_mb
from realtime_matte.pipeline import Pipeline
from realtime_matte.stages import OpenSource
from realtime_matte.stats import STAGES, Report, Spread

HELD = 16
"""Pictures in memory, gone through to and fro so that movement goes on; fewer at large sizes, as memory allows."""

HELD_BYTES = 100e6

WARM_S = 0.5
"""Run before each measuring."""

ROUNDS = 3
"""Figures are the medians of so many rounds."""


FAILED = 2
"""Exit status of a measured process that met a MatteError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure. ``seconds``: of all rounds together; ``began``: ``time.monotonic()`` of the start-up."""

    size: Size
    seconds: float = 6.0
    bg: tuple[str, ...] = ("studio",)
    model: str = "small"
    provider: str | None = None
    threads: int | None = None
    began: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one plan; pairs are medians over the rounds of each round's p50 and p95.

    ``cpu_ms``: processor time a picture, all threads. ``overhead_ms``: all stages but the network. ``work_ms``: all
    stages. ``first_picture_s``: from the start of the process to the first matted picture of the demo camera.
    ``peak_rss_mb``: of the process; ``held_mb`` of it are the pictures in memory.
    """

    size: Size
    pictures: int
    fps: float
    cpu_ms: float
    overhead_ms: float
    work_ms: tuple[float, float]
    stages_ms: dict[str, tuple[float, float]]
    first_picture_s: float
    peak_rss_mb: float | None
    held_mb: float
    model: str
    threads: int | None
    notes: list[str]


class Held:
    """A source of pictures in memory, without end."""

    live = False
    frames = None
    notes: Sequence[str] = ()

    fps = 30.0

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self.size = pictures[0].shape[1], pictures[0].shape[0]
        self._order = [*pictures, *pictures[-2:0:-1]]
        self._index = -1

    def __call__(self, _rest: str, /, *, size: Size | None, fps: float | None) -> "Held":  # noqa: ARG002
        """Already open: it stands for its own ``open``."""
        return self

    def read(self, pixels: Pixels) -> Frame:  # noqa: ARG002  # it holds its pictures
        """The next one."""
        self._index += 1
        return Frame(self._order[self._index % len(self._order)], self._index / self.fps, self._index)

    def close(self) -> None:
        """Nothing to close."""


def run(plan: Plan) -> Result:
    """Measure in a fresh process. Raises MatteError with its message."""
    wanted = json.dumps(asdict(plan) | {"began": time.monotonic()})
    command = [sys.executable, "-m", "realtime_matte.bench", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode == FAILED:
        raise ModelError(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"the measured process ended with status {done.returncode}:\n{done.stderr}")
    told = json.loads(done.stdout)
    return Result(**told | {"size": tuple(told["size"])})


def measure(plan: Plan) -> Result:
    """Measure in this process."""
    notes: list[str] = []
    with _opened(plan, "demo", notes) as pipeline:
        pipeline.run(until=lambda: pipeline.stats.pictures > 0)
        first_s = time.monotonic() - plan.began
        notes += pipeline.notes
    held = _pictures(plan.size)
    with _opened(plan, Held(held), notes) as pipeline:
        rounds = [_round(pipeline, plan.seconds / ROUNDS) for _ in range(ROUNDS)]
        model = pipeline.model
    stages = {stage: _spread(one.report.stages[stage] for one in rounds) for stage in STAGES}
    return Result(
        size=plan.size,
        pictures=sum(one.pictures for one in rounds),
        fps=median(one.fps for one in rounds),
        cpu_ms=median(one.cpu_ms for one in rounds),
        overhead_ms=sum(p50 for stage, (p50, _) in stages.items() if stage not in {"wait", "matte"}),
        work_ms=_spread(one.report.work for one in rounds),
        stages_ms=stages,
        first_picture_s=first_s,
        peak_rss_mb=peak_rss_mb(),
        held_mb=sum(picture.nbytes for picture in held) / 1e6,
        model=model,
        threads=plan.threads,
        notes=notes,
    )


@dataclass(frozen=True, slots=True)
class _Round:
    pictures: int
    fps: float
    cpu_ms: float
    report: Report


def _round(pipeline: Pipeline, seconds: float) -> _Round:
    _run_for(pipeline, WARM_S)
    before, wall, cpu = pipeline.stats.pictures, time.perf_counter(), time.process_time()
    _run_for(pipeline, seconds)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pictures = pipeline.stats.pictures - before
    if not pictures:
        raise ModelError(f"no picture in {seconds:g} s; take more --seconds, a smaller --size or another --model")
    return _Round(pictures, pictures / wall, cpu / pictures * 1e3, pipeline.stats.report())


def _run_for(pipeline: Pipeline, seconds: float) -> None:
    until = time.perf_counter() + seconds
    pipeline.run(until=lambda: time.perf_counter() >= until)


def _spread(spreads: Iterable[Spread | None]) -> tuple[float, float]:
    """Medians over the rounds, in milliseconds."""
    there = [spread for spread in spreads if spread]
    return median(spread.p50 for spread in there) * 1e3, median(spread.p95 for spread in there) * 1e3


def _opened(plan: Plan, source: str | OpenSource, notes: list[str]) -> Pipeline:
    return Pipeline.open(
        source,
        plan.bg,
        outputs=["null"],
        model=plan.model,
        provider=plan.provider,
        threads=plan.threads,
        size=plan.size,
        tell=notes.append,
    )


def _pictures(size: Size) -> list[Pixels]:
    count = max(3, min(HELD, int(HELD_BYTES / (size[0] * size[1] * 3))))
    plugin = plugins.source("demo")
    with closing(plugin.open(f"?frames={count}", size=size, fps=None)) as source:
        pixels = np.empty((size[1], size[0], 3), np.uint8)
        return [frame.pixels.copy() for _ in range(count) if (frame := source.read(pixels))]


def _main(wanted: str) -> int:
    given = json.loads(wanted)
    try:
        print(json.dumps(asdict(measure(Plan(**given | {"size": tuple(given["size"])})))))  # noqa: T201  # the result
    except MatteError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the parent raises it again
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
