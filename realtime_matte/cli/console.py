"""What a run shows on stderr: a progress line in a terminal, plain lines elsewhere. Also tables on stdout."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from realtime_matte.cli.job_control import in_foreground
from realtime_matte.cli.main import discard_output
from realtime_matte.errors import printable

if TYPE_CHECKING:  # the commands that print tables alone do without them
    from realtime_matte.pipeline.pipeline import Pipeline
    from realtime_matte.stats import Report, Spread

REDRAW_INTERVAL_S: Final = 0.5
PRINT_INTERVAL_S: Final = 5.0

ERASE_LINE: Final = b"\r\x1b[2K"
SHOW_CURSOR: Final = b"\x1b[?25h"
HIDE_CURSOR: Final = b"\x1b[?25l"

MIN_STAGE_S: Final = 0.00005
"""A stage that takes less is not shown."""


class Screen(Protocol):
    """Shows one run."""

    def notify(self, line: str) -> None:
        """Show a message that stays: a fall-back or an error."""

    def start(self, pipeline: "Pipeline", *, frames: int | None) -> None:
        """The run starts. ``frames``: their total number, if known."""

    def update(self, pipeline: "Pipeline") -> None:
        """Called after each output frame; shows something only at intervals."""

    def end(self, pipeline: "Pipeline") -> None:
        """The run ended without an error."""

    def suspend(self) -> None:
        """Restore the terminal before the process stops or is killed; called in a signal handler."""

    def resume(self) -> None:
        """Take the terminal back after a stop; called in a signal handler."""


@contextmanager
def screen(*, quiet: bool, verbose: bool, console: Console | None = None) -> Iterator[Screen]:
    """The screen for these options: Quiet, ProgressLine in a terminal, else PlainLines."""
    console = console or Console(file=cast("TextIO", OptionalStream(sys.stderr)) if sys.stderr else None, stderr=True)
    if quiet:
        yield Quiet(console)
    elif not console.is_terminal:
        yield PlainLines(console, verbose=verbose)
    else:
        line = ProgressLine(console, verbose=verbose)
        try:
            yield line
        finally:
            line.close()


class OptionalStream:
    """A stream whose write errors are ignored: a closed terminal or a full disk must not end the run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- a stream's
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write; after the first error everything is discarded."""
        with self._discard_on_error():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush; after the first error everything is discarded."""
        with self._discard_on_error():
            self._stream.flush()

    @contextmanager
    def _discard_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            discard_output(self._stream)


class Quiet:
    """Shows errors and fall-backs only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def notify(self, line: str) -> None:
        """Print it."""
        self._console.print(printable(f"rtmatte: {line}"), markup=False, highlight=False, soft_wrap=True)

    def start(self, pipeline: "Pipeline", *, frames: int | None) -> None:
        """Show nothing."""

    def update(self, pipeline: "Pipeline") -> None:
        """Show nothing."""

    def end(self, pipeline: "Pipeline") -> None:
        """Show nothing."""

    def suspend(self) -> None:
        """The terminal is not changed."""

    def resume(self) -> None:
        """The terminal is not changed."""


class PlainLines(Quiet):
    """Prints a line every PRINT_INTERVAL_S, for logs and pipes."""

    def __init__(self, console: Console, *, verbose: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(console)
        self._verbose = verbose
        self._clock = clock
        self._frames: int | None = None
        self._start = clock()
        self._due = clock() + PRINT_INTERVAL_S

    def start(self, pipeline: "Pipeline", *, frames: int | None) -> None:
        """Print the source's mode and the model."""
        self._frames = frames
        self._start = self._clock()
        self.notify(f"{pipeline.mode}, {pipeline.model}; Ctrl-C ends")

    def update(self, pipeline: "Pipeline") -> None:
        """Print the figures when they are due, unless the camera is off."""
        now = self._clock()
        if now < self._due or pipeline.camera_off_reason:
            return
        self._due = now + PRINT_INTERVAL_S
        self.notify(self._progress(pipeline, now) + progress_line(pipeline, verbose=self._verbose))

    def end(self, pipeline: "Pipeline") -> None:
        """Print the totals."""
        self.notify(summary(pipeline, self._clock() - self._start))

    def _progress(self, pipeline: "Pipeline", now: float) -> str:
        done = pipeline.stats.composites + pipeline.stats.standby_cards
        if self._frames is None or not done:
            return ""
        left_s = (now - self._start) / done * max(0, self._frames - done)
        return f"{done}/{self._frames}, {left_s:.0f} s left | "


class ProgressLine(Quiet):
    """One line that is redrawn every REDRAW_INTERVAL_S, with a bar where the number of frames is known."""

    def __init__(self, console: Console, *, verbose: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(console)
        self._verbose = verbose
        self._clock = clock
        self._start = clock()
        self._due = clock()
        self._progress: Progress | None = None

    def start(self, pipeline: "Pipeline", *, frames: int | None) -> None:
        """Draw the line for the first time."""
        text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
        bar = [BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn()] if frames else []
        parts: list[ProgressColumn] = [*bar, text]
        self._progress = Progress(*parts, console=self._console, auto_refresh=False, transient=True, expand=True)
        self._progress.add_task(progress_line(pipeline, verbose=self._verbose), total=frames)
        self._start = self._clock()
        self._progress.start()

    def update(self, pipeline: "Pipeline") -> None:
        """Draw the figures when they are due."""
        now = self._clock()
        if now < self._due or self._progress is None:
            return
        self._due = now + REDRAW_INTERVAL_S
        done = pipeline.stats.composites + pipeline.stats.standby_cards
        line = progress_line(pipeline, verbose=self._verbose)
        self._progress.update(self._progress.task_ids[0], completed=done, description=line, refresh=True)

    def end(self, pipeline: "Pipeline") -> None:
        """Replace the line by the totals."""
        self.close()
        self.notify(summary(pipeline, self._clock() - self._start))

    def suspend(self) -> None:
        """Clear the line and show the cursor."""
        self._write_control(ERASE_LINE + SHOW_CURSOR)

    def resume(self) -> None:
        """Hide the cursor, unless the process goes on in the background. The line is drawn when it is due."""
        self._write_control(HIDE_CURSOR)

    def close(self) -> None:
        """Remove the line. Idempotent."""
        if self._progress:
            self._progress.stop()
        self._progress = None

    def _write_control(self, codes: bytes) -> None:
        """Write past the stream's buffer, which the signal may have interrupted."""
        with suppress(OSError, ValueError):  # the terminal is gone, or this is no terminal
            descriptor = self._console.file.fileno()
            if self._progress and in_foreground(descriptor):
                os.write(descriptor, codes)


def progress_line(pipeline: "Pipeline", *, verbose: bool) -> str:
    """Figures in one line: fps, age, time per stage, model and provider, the source's mode, drops."""
    if pipeline.camera_off_reason:
        return pipeline.camera_off_reason
    report = pipeline.stats.report()
    parts = [f"{report.fps:.1f} fps"] if report.fps else []  # 0 before the second frame
    if pipeline.live and report.age:
        parts.append(f"age {_p50_p95(report.age)} ms")
    if report.stages:
        parts.append(stage_times(report, verbose=verbose))
    parts += [pipeline.model, pipeline.mode]
    if pipeline.live:
        parts.append(f"{pipeline.dropped} dropped")
    if report.standby_cards:
        parts.append(f"{report.standby_cards} standby")
    return printable(" | ".join(parts))


def stage_times(report: "Report", *, verbose: bool) -> str:
    """Median time per stage in ms, if ``verbose`` also the 95th percentile. Waiting for the source is left out."""
    shown = {name: spread for name, spread in report.stages.items() if name != "wait" and spread.p95 > MIN_STAGE_S}
    times = [f"{name} {_p50_p95(spread) if verbose else f'{spread.p50 * 1e3:.1f}'}" for name, spread in shown.items()]
    return ", ".join(times) + " ms"


def summary(pipeline: "Pipeline", seconds: float) -> str:
    """The totals of a run that took ``seconds``."""
    stats = pipeline.stats
    cards = f" and {_count(stats.standby_cards, 'standby card')}" if stats.standby_cards else ""
    rate = f", {stats.composites / seconds:.1f} fps" if seconds > 0 else ""
    return f"{_count(stats.composites, 'frame')}{cards} in {seconds:.1f} s{rate}"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """The rows as text, each column as wide as its longest cell."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def limit_opencv_threads() -> None:
    """Let OpenCV run in the calling thread only: frames are too small to share, and the network needs the cores.

    Called by programs of this project; a library must not change it for the program that imports it.
    """
    import cv2

    cv2.setNumThreads(1)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _p50_p95(spread: "Spread") -> str:
    return f"{spread.p50 * 1e3:.1f}/{spread.p95 * 1e3:.1f}"
