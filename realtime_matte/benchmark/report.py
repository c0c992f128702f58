"""What the whole line costs on this machine.

Each plan is measured in a process of its own (``python -m realtime_matte.benchmark.report PLAN``, a JSON object): its
memory and its start-up are then its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, TypeAlias

import cv2

from realtime_matte import __version__
from realtime_matte.benchmark import machine
from realtime_matte.benchmark.rounds import WARM_S, Line, Plan, opened
from realtime_matte.errors import MatteError, ModelError
from realtime_matte.frame import Size
from realtime_matte.stats import STAGES, Spread

__all__ = ["Percentiles", "Plan", "Result", "measure", "record", "result", "run"]

FAILED = 2
"""Exit status of a measured process that met a MatteError."""

PATIENCE_S = 60.0
"""So long the first matted picture is waited for."""

Percentiles: TypeAlias = tuple[float, float, float]
"""p50, p95 and p99: medians over the rounds of each round's, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one plan, medians over its rounds.

    ``cpu_ms``: processor time a picture, all threads; ``cores``: how many were busy. ``overhead_ms``: all stages but
    the network; ``work_ms``: all stages. ``age_ms``: from when a frame was taken until its picture was handed over;
    None for pictures in memory. ``first_picture_s``: from the start of the process to the first matted picture.
    ``peak_rss_mb``: of the process; ``held_mb`` of it are the pictures in memory. ``threads``: asked for.
    """

    camera: str | None
    mode: str
    size: Size
    pictures: int
    dropped: int
    fps: float
    cpu_ms: float
    cores: float
    overhead_ms: float
    work_ms: Percentiles
    age_ms: Percentiles | None
    stages_ms: dict[str, Percentiles]
    first_picture_s: float
    peak_rss_mb: float | None
    held_mb: float
    model: str
    threads: int | None
    notices: list[str]


def run(plan: Plan) -> Result:
    """Measure in a fresh process. Raises MatteError with its message."""
    wanted = json.dumps(asdict(plan) | {"began": time.perf_counter()})
    command = [sys.executable, "-m", "realtime_matte.benchmark.report", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode == FAILED:
        raise ModelError(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"the measured process ended with status {done.returncode}:\n{done.stderr}")
    return result(json.loads(done.stdout))


def measure(plan: Plan) -> Result:
    """Measure in this process."""
    first_s = _first_picture(plan)
    with closing(Line(plan)) as line:
        rounds = [line.round(plan.seconds / plan.rounds, warm_s=WARM_S) for _ in range(plan.rounds)]
        stages = {stage: _medians(one.report.stages.get(stage) for one in rounds) for stage in STAGES}
        return Result(
            camera=plan.camera,
            mode=line.mode,
            size=plan.size,
            pictures=sum(one.pictures for one in rounds),
            dropped=sum(one.dropped for one in rounds),
            fps=median(one.fps for one in rounds),
            cpu_ms=median(one.cpu_ms for one in rounds),
            cores=median(one.cores for one in rounds),
            overhead_ms=sum(ms for stage, (ms, *_) in stages.items() if stage not in {"wait", "matte"}),
            work_ms=_medians(one.report.work for one in rounds),
            age_ms=_medians(one.report.age for one in rounds) if line.live else None,
            stages_ms=stages,
            first_picture_s=first_s,
            peak_rss_mb=machine.peak_rss_mb(),
            held_mb=line.held_mb,
            model=line.model,
            threads=plan.threads,
            notices=line.notices,
        )


def record(results: Sequence[Result]) -> dict[str, Any]:
    """The results with what they were measured on and when, for JSON."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    figures = [asdict(one) for one in results]
    return {"version": __version__, "date": now, "machine": machine.describe(), "results": figures}


def result(told: Mapping[str, Any]) -> Result:
    """A result that was JSON."""
    return Result(**{**told, "size": tuple(told["size"])})


def _first_picture(plan: Plan) -> float:
    late = time.perf_counter() + PATIENCE_S
    with opened(plan, plan.camera or "demo", []) as pipeline:
        pipeline.run(until=lambda: pipeline.stats.composites > 0 or time.perf_counter() > late)
        if not pipeline.stats.composites:
            raise ModelError(f"no matted picture in {PATIENCE_S:g} s", hint="see rtmatte doctor")
    return time.perf_counter() - plan.began


def _medians(spreads: Iterable[Spread | None]) -> Percentiles:
    """Medians over the rounds, in milliseconds."""
    there = [spread for spread in spreads if spread]
    p50, p95, p99 = (median(getattr(spread, name) for spread in there) * 1e3 for name in ("p50", "p95", "p99"))
    return p50, p95, p99


def _main(wanted: str) -> int:
    given = json.loads(wanted)
    cv2.setNumThreads(1)  # as the program that is measured does
    try:
        print(json.dumps(asdict(measure(Plan(**given | {"size": tuple(given["size"])})))))  # noqa: T201  # the result
    except MatteError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the parent raises it again
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
