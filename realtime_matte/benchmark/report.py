"""The cost of the whole pipeline on this machine: figures of a plan, and their JSON.

Each plan is measured in its own process (``python -m realtime_matte.benchmark.report PLAN``, a JSON object), so that
memory and start-up time belong to that plan alone.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final, TypeAlias

import cv2

from realtime_matte import __version__
from realtime_matte.benchmark import machine
from realtime_matte.benchmark.memory_source import MemorySource, demo_frames
from realtime_matte.benchmark.rounds import WARM_UP_S, Plan, measure_round, open_pipeline
from realtime_matte.errors import MatteError, ModelError
from realtime_matte.frame import Size
from realtime_matte.stats import STAGES, Spread

__all__ = ["Percentiles", "Plan", "Result", "measure", "record", "result", "run"]

FAILED: Final = 2
"""Exit status of a measuring process that ended with a MatteError."""

TIMEOUT_S: Final = 60.0
"""Maximum time until the first composite."""

Percentiles: TypeAlias = tuple[float, float, float]
"""p50, p95 and p99 in milliseconds, each the median over the rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one plan, medians over its rounds. In JSON, an object with these keys.

    Attributes:
        camera: The source's spec; None for frames in memory.
        mode: Actual size and rate of the source.
        size: Output size (width, height).
        frames: Output frames of all rounds.
        dropped: Frames of the source that were never processed.
        fps: Output frames per second.
        cpu_ms: Processor time per output frame, all threads.
        cores: Average number of busy cores.
        overhead_ms: All stages but the network, p50.
        work_ms: All stages together.
        age_ms: From taking a frame until its composite was sent; None for frames in memory.
        stages_ms: By stage: wait, fit, matte, refine, background, composite, send.
        first_composite_s: From the start of the process to the first composite.
        peak_rss_mb: Of the process; None if the system does not report it.
        memory_frames_mb: The part of it that the frames in memory take.
        model: The network and the provider it ran on.
        threads: Requested threads of the network.
        notices: Every fall-back.
    """

    camera: str | None
    mode: str
    size: Size
    frames: int
    dropped: int
    fps: float
    cpu_ms: float
    cores: float
    overhead_ms: float
    work_ms: Percentiles
    age_ms: Percentiles | None
    stages_ms: dict[str, Percentiles]
    first_composite_s: float
    peak_rss_mb: float | None
    memory_frames_mb: float
    model: str
    threads: int | None
    notices: list[str]


def run(plan: Plan) -> Result:
    """Measure in a new process. Raises the MatteError of that process as a ModelError."""
    argument = json.dumps(asdict(plan) | {"started": time.perf_counter()})
    command = [sys.executable, "-m", "realtime_matte.benchmark.report", argument]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # this module
    if done.returncode == FAILED:
        error = json.loads(done.stdout)
        raise ModelError(error["message"], hint=error["hint"])
    if done.returncode:
        raise RuntimeError(f"the measuring process ended with status {done.returncode}:\n{done.stderr}")
    return result(json.loads(done.stdout))


def measure(plan: Plan) -> Result:
    """Measure in this process. Raises MatteError."""
    first_s = _first_composite(plan)
    frames = [] if plan.camera else demo_frames(plan.size)
    notices: list[str] = []
    with open_pipeline(plan, plan.camera or MemorySource(frames), notices) as pipeline:
        notices += pipeline.notices
        rounds = [measure_round(pipeline, plan.seconds / plan.rounds, warm_up_s=WARM_UP_S) for _ in range(plan.rounds)]
        stages = {stage: _medians(one.report.stages.get(stage) for one in rounds) for stage in STAGES}
        return Result(
            camera=plan.camera,
            mode=pipeline.mode,
            size=plan.size,
            frames=sum(one.frames for one in rounds),
            dropped=sum(one.dropped for one in rounds),
            fps=median(one.fps for one in rounds),
            cpu_ms=median(one.cpu_ms for one in rounds),
            cores=median(one.cores for one in rounds),
            overhead_ms=sum(ms for stage, (ms, *_) in stages.items() if stage not in {"wait", "matte"}),
            work_ms=_medians(one.report.work for one in rounds),
            age_ms=_medians(one.report.age for one in rounds) if pipeline.live else None,
            stages_ms=stages,
            first_composite_s=first_s,
            peak_rss_mb=machine.peak_rss_mb(),
            memory_frames_mb=sum(frame.nbytes for frame in frames) / 1e6,
            model=pipeline.model,
            threads=plan.threads,
            notices=notices,
        )


def record(results: Sequence[Result]) -> dict[str, Any]:
    """The output of ``rtmatte bench --json``.

    Keys: ``version`` of rtmatte, ``date`` (UTC, ISO 8601), ``machine`` (see ``machine.describe``), ``results``: a list
    of objects with the fields of Result.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    figures = [asdict(one) for one in results]
    return {"version": __version__, "date": now, "machine": machine.describe(), "results": figures}


def result(fields: Mapping[str, Any]) -> Result:
    """A Result from its JSON object. Raises TypeError or KeyError if it has other keys."""
    return Result(**{**fields, "size": tuple(fields["size"])})


def _first_composite(plan: Plan) -> float:
    """Seconds from the start of the process to the first composite. Raises ModelError after TIMEOUT_S."""
    end = time.perf_counter() + TIMEOUT_S
    with open_pipeline(plan, plan.camera or "demo", []) as pipeline:
        pipeline.run(until=lambda: pipeline.stats.composites > 0 or time.perf_counter() > end)
        if not pipeline.stats.composites:
            raise ModelError(f"no composite in {TIMEOUT_S:g} s", hint="see rtmatte doctor")
    return time.perf_counter() - plan.started


def _medians(spreads: Iterable[Spread | None]) -> Percentiles:
    """Medians over the rounds, in milliseconds."""
    known = [spread for spread in spreads if spread]
    p50, p95, p99 = (median(getattr(spread, name) for spread in known) * 1e3 for name in ("p50", "p95", "p99"))
    return p50, p95, p99


def _main(argument: str) -> int:
    fields = json.loads(argument)
    cv2.setNumThreads(1)  # as the measured program does
    try:
        print(json.dumps(asdict(measure(Plan(**fields | {"size": tuple(fields["size"])})))))  # noqa: T201  # the result
    except MatteError as error:
        print(json.dumps({"message": error.message, "hint": error.hint}))  # noqa: T201  # ``run`` raises it again
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
