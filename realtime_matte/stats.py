"""Figures of a running pipeline: time per stage, fps, age, counts. Memory is fixed; recording allocates nothing."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

STAGES = ("wait", "fit", "matte", "refine", "background", "composite", "send")
"""In the order of the pipeline. ``wait`` is the time in the source: decoding a file, or waiting for a camera."""

_COLUMN = {stage: column for column, stage in enumerate(STAGES)}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 95th and 99th percentile, in seconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of the run, and figures of the last composites.

    Attributes:
        composites: Output frames sent since the start.
        standby_cards: Standby cards sent since the start.
        fps: Rate of the last composites; 0 before the second one.
        age: Time from capture to output, s; None before the first composite.
        work: All stages of one composite but ``wait``, s; None before the first composite.
        stages: Time of each of STAGES, s; empty before the first composite.
    """

    composites: int
    standby_cards: int
    fps: float
    age: Spread | None
    work: Spread | None
    stages: Mapping[str, Spread]


class Stats:
    """Records one run. ``window``: number of last composites in the figures. Caller's thread only."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter, window: int = 256) -> None:
        self.composites = 0
        self.standby_cards = 0
        self._clock = clock
        self._laps = np.zeros((window, len(STAGES)))
        self._ages = np.zeros(window)
        self._sent = np.zeros(window)
        self._row = 0
        self._filled = 0
        self._lapped = clock()

    def begin(self) -> None:
        """Start an iteration of the pipeline; times of one that sent nothing are discarded."""
        self._laps[self._row] = 0
        self._lapped = self._clock()

    def lap(self, stage: str) -> None:
        """Add the time since the last lap to ``stage``, one of STAGES."""
        now = self._clock()
        self._laps[self._row, _COLUMN[stage]] += now - self._lapped
        self._lapped = now

    def composite_sent(self, taken: float) -> None:
        """End an iteration that sent the composite of the frame captured at ``taken``."""
        self._ages[self._row] = self._lapped - taken
        self._sent[self._row] = self._lapped
        self._row = (self._row + 1) % len(self._sent)
        self._filled = min(self._filled + 1, len(self._sent))
        self.composites += 1

    def card_sent(self) -> None:
        """End an iteration that sent the standby card. Figures start again, so that a pause is not a slow frame."""
        self.restart()
        self.standby_cards += 1

    def restart(self) -> None:
        """Start the figures again; the counts continue."""
        self._filled = 0

    def medians(self) -> dict[str, float]:
        """Median time of each stage of the last composites, s; empty before the first one. Allocates."""
        rows = (self._row - 1 - np.arange(self._filled)) % len(self._sent)
        if not self._filled:
            return {}
        return dict(zip(STAGES, map(float, np.median(self._laps[rows], axis=0)), strict=True))

    def report(self) -> Report:
        """The current figures. Allocates: call it a few times a second at most."""
        rows = (self._row - 1 - np.arange(self._filled)) % len(self._sent)
        if not self._filled:
            return Report(self.composites, self.standby_cards, 0.0, None, None, {})
        span, laps = float(self._sent[rows[0]] - self._sent[rows[-1]]), self._laps[rows]
        age, work, *stages = _spreads(np.column_stack((self._ages[rows], laps[:, 1:].sum(axis=1), laps)))
        return Report(
            composites=self.composites,
            standby_cards=self.standby_cards,
            fps=(self._filled - 1) / span if span > 0 else 0.0,
            age=age,
            work=work,
            stages=dict(zip(STAGES, stages, strict=True)),
        )


def _spreads(seconds: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[Spread]:
    """Of each column; in one call, as each call of NumPy's takes longer than it sorts."""
    return [Spread(*column) for column in np.percentile(seconds, (50, 95, 99), axis=0).T.tolist()]
