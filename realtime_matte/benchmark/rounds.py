"""The whole line, measured in rounds, each after a warm-up of its own."""

import time
from contextlib import ExitStack
from dataclasses import dataclass

from realtime_matte.benchmark.memory import Held, pictures
from realtime_matte.errors import MatteError, ModelError, SourceError
from realtime_matte.frame import Size
from realtime_matte.interfaces import OpenSource
from realtime_matte.pipeline.lifetime import own
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.stats import Report

WARM_S = 0.5
"""Run before each round, and not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, from ``camera`` (None: pictures in memory, as fast as they are taken) to nowhere.

    ``seconds``: of all rounds together; ``began``: ``time.perf_counter()`` of the start-up.
    """

    size: Size
    seconds: float = 6.0
    rounds: int = 3
    camera: str | None = None
    bg: tuple[str, ...] = ("studio",)
    model: str = "auto"
    provider: str | None = None
    threads: int | None = None
    began: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round cost. ``cpu_s``: processor time, all threads; ``report``: of its last pictures."""

    pictures: int
    dropped: int
    wall_s: float
    cpu_s: float
    report: Report

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self.pictures / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """Processor time a picture."""
        return self.cpu_s / self.pictures * 1e3

    @property
    def cores(self) -> float:
        """How many cores were busy."""
        return self.cpu_s / self.wall_s


class Line:
    """The open line of a plan. ``notes``: every fall-back; ``held_mb``: pictures in memory."""

    def __init__(self, plan: Plan) -> None:
        held = [] if plan.camera else pictures(plan.size)
        self.notices: list[str] = []
        self.held_mb = sum(picture.nbytes for picture in held) / 1e6
        with ExitStack() as stack:
            self._pipeline = own(stack, opened(plan, plan.camera or Held(held), self.notices))
            self.notices += self._pipeline.notices
            self._stack = stack.pop_all()

    @property
    def model(self) -> str:
        """The network, and the provider that really runs it."""
        return self._pipeline.model

    @property
    def live(self) -> bool:
        """True when pictures come at their own time, so that they have an age."""
        return self._pipeline.live

    @property
    def mode(self) -> str:
        """What the source really gives."""
        return self._pipeline.mode

    def round(self, seconds: float, *, warm_s: float = WARM_S) -> Round:
        """Warm up, then count.

        Raises:
            MatteError: of the line; ModelError, SourceError: there was no picture in that time.
        """
        stats = self._pipeline.stats
        self._run_for(warm_s)
        stats.restart()
        pictures, dropped = stats.composites, self._pipeline.dropped
        wall, cpu = time.perf_counter(), time.process_time()
        self._run_for(seconds)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        pictures, dropped = stats.composites - pictures, self._pipeline.dropped - dropped
        if not pictures:
            raise self._nothing(seconds)
        return Round(pictures=pictures, dropped=dropped, wall_s=wall, cpu_s=cpu, report=stats.report())

    def step(self) -> None:
        """One picture."""
        self._pipeline.step()

    def close(self) -> None:
        """Close the line."""
        self._stack.close()

    def _run_for(self, seconds: float) -> None:
        until = time.perf_counter() + seconds
        self._pipeline.run(until=lambda: time.perf_counter() >= until)

    def _nothing(self, seconds: float) -> MatteError:
        if self._pipeline.frames is not None:
            return SourceError(
                "the source was over before it was measured", hint="take it without end, such as clip.mp4?loop"
            )
        return ModelError(
            f"no picture in {seconds:g} s", hint="take more --seconds, a smaller --size or another --model"
        )


def opened(plan: Plan, source: str | OpenSource, notices: list[str]) -> Pipeline:
    """The plan's line from ``source`` to nowhere; every fall-back goes into ``notes``."""
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
