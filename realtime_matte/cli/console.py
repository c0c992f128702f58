"""What a user sees of a run, on stderr: a live line in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from realtime_matte.cli import to_nowhere
from realtime_matte.cli.figures import live_line
from realtime_matte.pipeline.pipeline import Pipeline

REDRAWN_EVERY_S = 0.5
PRINTED_EVERY_S = 5.0


class Screen(Protocol):
    """Shows one run."""

    def notify(self, line: str) -> None:
        """Show a fall-back or a fault, to stay."""

    def start(self, pipeline: Pipeline, *, frames: int | None) -> None:
        """The run begins. ``frames``: how many there will be, if that is known."""

    def update(self, pipeline: Pipeline) -> None:
        """After each picture; draws only now and then."""

    def end(self, pipeline: Pipeline) -> None:
        """The run ended well."""


@contextmanager
def screen(*, quiet: bool, verbose: bool, console: Console | None = None) -> Iterator[Screen]:
    """The screen that suits the user and the terminal."""
    console = console or Console(file=cast("TextIO", Heedless(sys.stderr)) if sys.stderr else None, stderr=True)
    if quiet:
        yield Quiet(console)
    elif not console.is_terminal:
        yield Plain(console, verbose=verbose)
    else:
        live = LiveLine(console, verbose=verbose)
        try:
            yield live
        finally:
            live.close()


class Heedless:
    """A stream that may be lost, as a terminal that is closed: what cannot be written is lost, not the run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- a stream's
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """All of it, or nothing ever again."""
        with self._or_silence():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As far as it goes."""
        with self._or_silence():
            self._stream.flush()

    @contextmanager
    def _or_silence(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            to_nowhere(self._stream)


class Quiet:
    """Faults and fall-backs only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def notify(self, line: str) -> None:
        """Print it."""
        self._console.print(f"rtmatte: {line}", markup=False, highlight=False, soft_wrap=True)

    def start(self, pipeline: Pipeline, *, frames: int | None) -> None:
        """Nothing to say."""

    def update(self, pipeline: Pipeline) -> None:
        """Nothing to say."""

    def end(self, pipeline: Pipeline) -> None:
        """Nothing to say."""


class Plain(Quiet):
    """A line every few seconds."""

    def __init__(self, console: Console, *, verbose: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(console)
        self._verbose = verbose
        self._clock = clock
        self._frames: int | None = None
        self._began = clock()
        self._due = clock() + PRINTED_EVERY_S

    def start(self, pipeline: Pipeline, *, frames: int | None) -> None:
        """Say what runs."""
        self._frames = frames
        self._began = self._clock()
        self.notify(f"{pipeline.mode}, {pipeline.model}; Ctrl-C ends")

    def update(self, pipeline: Pipeline) -> None:
        """Print the figures when it is time and there are any."""
        now = self._clock()
        if now < self._due or pipeline.camera_off_reason:
            return
        self._due = now + PRINTED_EVERY_S
        self.notify(self._progress(pipeline, now) + live_line(pipeline, verbose=self._verbose))

    def end(self, pipeline: Pipeline) -> None:
        """Say how much there was."""
        self.notify(summary(pipeline, self._clock() - self._began))

    def _progress(self, pipeline: Pipeline, now: float) -> str:
        done = pipeline.stats.composites + pipeline.stats.standby_cards
        if self._frames is None or not done:
            return ""
        left_s = (now - self._began) / done * max(0, self._frames - done)
        return f"{done}/{self._frames}, {left_s:.0f} s left | "


class LiveLine(Quiet):
    """One line that renews itself, with a bar where the end is known."""

    def __init__(self, console: Console, *, verbose: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(console)
        self._verbose = verbose
        self._clock = clock
        self._began = clock()
        self._due = clock()
        self._live: Progress | None = None

    def start(self, pipeline: Pipeline, *, frames: int | None) -> None:
        """Draw the line for the first time."""
        figures = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
        bar = [BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn()] if frames else []
        columns: list[ProgressColumn] = [*bar, figures]
        self._live = Progress(*columns, console=self._console, auto_refresh=False, transient=True, expand=True)
        self._live.add_task(live_line(pipeline, verbose=self._verbose), total=frames)
        self._began = self._clock()
        self._live.start()

    def update(self, pipeline: Pipeline) -> None:
        """Draw the figures when it is time."""
        now = self._clock()
        if now < self._due or self._live is None:
            return
        self._due = now + REDRAWN_EVERY_S
        done = pipeline.stats.composites + pipeline.stats.standby_cards
        line = live_line(pipeline, verbose=self._verbose)
        self._live.update(self._live.task_ids[0], completed=done, description=line, refresh=True)

    def end(self, pipeline: Pipeline) -> None:
        """Say how much there was."""
        self.close()
        self.notify(summary(pipeline, self._clock() - self._began))

    def close(self) -> None:
        """Take the line away."""
        if self._live:
            self._live.stop()
        self._live = None


def summary(pipeline: Pipeline, seconds: float) -> str:
    """What a run came to."""
    stats = pipeline.stats
    cards = f" and {stats.standby_cards} standby cards" if stats.standby_cards else ""
    rate = f", {stats.composites / seconds:.1f} fps" if seconds > 0 else ""
    return f"{stats.composites} pictures{cards} in {seconds:.1f} s{rate}"
