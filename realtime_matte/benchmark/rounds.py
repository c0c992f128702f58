"""Plan, the parameters of a measurement, and one measured round of an open pipeline after a warm-up."""

import time
from dataclasses import dataclass
from typing import Final

from realtime_matte.errors import MatteError, ModelError, SourceError
from realtime_matte.frame import Size
from realtime_matte.interfaces import OpenSource
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render.renderer import warm_up
from realtime_matte.stats import Report

WARM_UP_S: Final = 0.5
"""Run before each round and not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Parameters of a measurement: the pipeline from a source to the output ``null``.

    Attributes:
        size: Output size.
        seconds: Of all rounds together.
        rounds: Number of rounds; the figures are medians over them.
        camera: The spec of a source; None for frames in memory, which are read without waiting.
        bg: Specs of backgrounds; the first one is used.
        model: As ``rtmatte --model`` takes it.
        provider: Run the network only on this provider; None for the default.
        threads: Threads of the network on the CPU; None for the default.
        started: ``time.perf_counter()`` when the process was started.
    """

    size: Size
    seconds: float = 6.0
    rounds: int = 3
    camera: str | None = None
    bg: tuple[str, ...] = ("studio",)
    model: str = "auto"
    provider: str | None = None
    threads: int | None = None
    started: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The cost of one round. ``cpu_s``: processor time of all threads; ``report``: of its last output frames."""

    frames: int
    dropped: int
    wall_s: float
    cpu_s: float
    report: Report

    @property
    def fps(self) -> float:
        """Output frames per second."""
        return self.frames / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """Processor time per output frame."""
        return self.cpu_s / self.frames * 1e3

    @property
    def cores(self) -> float:
        """Average number of busy cores."""
        return self.cpu_s / self.wall_s


def open_pipeline(plan: Plan, source: str | OpenSource, notices: list[str]) -> Pipeline:
    """The plan's pipeline from ``source`` to ``null``; fall-backs are appended to ``notices``. Raises MatteError."""
    if notice := warm_up():  # before, so that no frame is measured that is composited without the kernels
        notices.append(notice)
    return Pipeline.open(
        source,
        plan.bg,
        outputs=["null"],
        model=plan.model,
        provider=plan.provider,
        threads=plan.threads,
        size=plan.size,
        notify=notices.append,
    )


def measure_round(pipeline: Pipeline, seconds: float, *, warm_up_s: float = WARM_UP_S) -> Round:
    """Run a warm-up, then measure for ``seconds``.

    Raises:
        ModelError, SourceError: there was no composite in that time.
        MatteError: of the pipeline.
    """
    stats = pipeline.stats
    _run_for(pipeline, warm_up_s)
    stats.restart()
    frames, dropped = stats.composites, pipeline.dropped
    wall, cpu = time.perf_counter(), time.process_time()
    _run_for(pipeline, seconds)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    frames, dropped = stats.composites - frames, pipeline.dropped - dropped
    if not frames:
        raise _no_composite(pipeline, seconds)
    return Round(frames=frames, dropped=dropped, wall_s=wall, cpu_s=cpu, report=stats.report())


def _run_for(pipeline: Pipeline, seconds: float) -> None:
    end = time.perf_counter() + seconds
    pipeline.run(until=lambda: time.perf_counter() >= end)


def _no_composite(pipeline: Pipeline, seconds: float) -> MatteError:
    if pipeline.frames is not None:
        return SourceError("the source ended before it was measured", hint="use an endless one, such as clip.mp4?loop")
    return ModelError(
        f"no output frame in {seconds:g} s", hint="use more --seconds, a smaller --size or another --model"
    )
