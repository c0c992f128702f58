"""What ``rtmatte matte`` shows: a bar over all clips in a terminal, a line a clip elsewhere, JSON for programs."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from realtime_matte.batch import running
from realtime_matte.batch.matte_clips import ClipResult, Planned
from realtime_matte.cli.console import OptionalStream
from realtime_matte.errors import printable

SPEED_PERIOD_S: Final = 3600.0
"""The time left is estimated from the speed of the last hour: clips differ."""

UNKNOWN: Final = 1000
"""Frames of a clip whose number is not known."""


@contextmanager
def follow(*, as_json: bool, quiet: bool, console: Console | None = None) -> Iterator["Screen"]:
    """The screen for these options; the bar is removed at the end, also after an error."""
    stream = OptionalStream(sys.stderr) if sys.stderr else None
    console = console or Console(file=cast("None", stream), stderr=True)
    screen = Screen(console, as_json=as_json, quiet=quiet)
    try:
        yield screen
    finally:
        screen.close()


class Screen:
    """Shows one call."""

    def __init__(self, console: Console, *, as_json: bool, quiet: bool) -> None:
        self._console = console
        self._json = as_json
        self._quiet = quiet
        self._bar: Progress | None = None
        self._weights: dict[str, int] = {}
        self._shares: dict[str, float] = {}  # of each result that is done
        self._number = 0  # of tasks that have ended
        self._written = 0
        self._listed = False  # whether a result was printed
        self._start = time.monotonic()

    def notify(self, event: Planned | running.Progress | running.Notice | ClipResult) -> None:
        """Show what happened."""
        if isinstance(event, Planned):
            self._plan(event)
        elif isinstance(event, running.Progress):
            self._shares[event.name] = min(event.done / (event.count or max(UNKNOWN, 2 * event.done)), 1.0)
            self._draw()
        elif isinstance(event, running.Notice):
            self._print(f"rtmatte: {event.text}")
        else:
            self._show(event)

    def end(self, results: Sequence[ClipResult]) -> None:
        """Print how many there were of each kind, and each that failed with its reason."""
        self.close()
        counts = {state: sum(one.state == state for one in results) for state in ("done", "skipped", "failed")}
        seconds = time.monotonic() - self._start
        if self._json:
            print(json.dumps({"summary": counts | {"seconds": round(seconds, 3)}}), flush=True)
            return
        failed = [one for one in results if one.state == "failed"]
        if failed and len(results) == 1 and self._listed:
            return
        if not self._quiet:
            frames = sum(one.frames for one in results if one.state == "done")
            rate = f", {frames / seconds:.1f} frames a second" if frames and seconds else ""
            whole = f", {counts['skipped']} whole before" if counts["skipped"] else ""
            lost = f", {counts['failed']} failed:" if failed else ""
            self._print(f"rtmatte: {counts['done']} written{whole}{lost}{rate if not failed else ''}")
        for one in failed:
            self._print(f"rtmatte: {_failure(one)}")

    def interrupt(self) -> None:
        """Say what an end in the middle leaves."""
        self.close()
        if not self._quiet:
            text = f"interrupted: {self._written} of {len(self._weights)} results are written"
            self._print(f"rtmatte: {text}; the same command goes on from there")

    def close(self) -> None:
        """Remove the bar. Idempotent."""
        if self._bar:
            self._bar.stop()
        self._bar = None

    def _plan(self, plan: Planned) -> None:
        self._weights = {name: max(weight, 1) for name, weight in plan.tasks.items()}
        if self._quiet or self._json or not self._console.is_terminal or not self._weights:
            return
        columns = TextColumn("{task.description}", markup=False), BarColumn(None), TaskProgressColumn()
        self._bar = Progress(
            *columns,
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            transient=True,
            expand=True,
            speed_estimate_period=SPEED_PERIOD_S,
        )
        self._bar.add_task(self._title(), total=sum(self._weights.values()))
        self._bar.start()

    def _show(self, result: ClipResult) -> None:
        if self._json:
            print(json.dumps(asdict(result)), flush=True)
            return
        task = result.name in self._weights  # others were left out before anything ran
        if task:
            self._shares[result.name] = 1.0
            self._number += 1
            self._written += result.state == "done"
        self._draw()
        if self._quiet or (self._bar and not result.notices):
            return
        self._listed = True
        title = f"{self._title()} " if task else ""
        self._print(f"rtmatte: {title}{_line(result)}")

    def _title(self) -> str:
        return f"{self._number}/{len(self._weights)}" if self._weights else ""

    def _draw(self) -> None:
        if self._bar:
            done = sum(weight * self._shares.get(name, 0.0) for name, weight in self._weights.items())
            self._bar.update(self._bar.task_ids[0], completed=done, description=self._title())

    def _print(self, text: str) -> None:
        self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


def _line(result: ClipResult) -> str:
    if result.state == "failed":
        return f"failed: {_failure(result)}"
    if result.state == "skipped":
        return f"{result.result}: whole before"
    rate = result.frames / result.seconds if result.seconds else 0.0
    cuts = f", cuts at {', '.join(map(str, result.cuts))}" if result.cuts else ""
    notices = "".join(f"; {notice}" for notice in result.notices)
    count = "1 frame" if result.frames == 1 else f"{result.frames} frames, {rate:.1f} a second"
    return f"{result.result}: {count}{cuts}{notices}"


def _failure(result: ClipResult) -> str:
    hint = f"; {result.hint}" if result.hint else ""
    named = repr(result.input) if Path(result.input).name not in result.reason else ""
    return f"{named}{': ' if named else ''}{result.reason}{hint}"
