"""Matte many clips: find them, leave out what is whole already, run the rest, record it."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from realtime_matte.batch import inputs, manifest, parts
from realtime_matte.batch.inputs import Input
from realtime_matte.batch.local_pool import run_local, usable_processes
from realtime_matte.batch.manifest import Manifest, Record
from realtime_matte.batch.naming import Result, name_results
from realtime_matte.batch.running import Ended, Event, Notice, Progress, run_on
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.batch.task import Outcome, Task
from realtime_matte.errors import MatteError, SinkError, SpecError
from realtime_matte.paths import named


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What became of one input.

    Attributes:
        input: Its path; of a sequence, with # for the number.
        result: Path of the file, or of the images with # for the number.
        state: ``skipped``: it was whole already.
        reason: Why it failed.
        hint: What to do about it.
        frames: How many were written, now or before.
        seconds: How long it took, in its worker.
        cuts: Numbers of the first frames of all later shots.
        notices: Messages to the user.
        trace: The traceback of a bug.
        weight: Bytes of the input: its share of all the work, for progress bars.
        name: Of the result, relative to the folder of results: its key in ``Planned`` and ``Progress``.
    """

    input: str
    result: str
    state: Literal["done", "skipped", "failed"]
    reason: str = ""
    hint: str = ""
    frames: int = 0
    seconds: float = 0.0
    cuts: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()
    trace: str = ""
    weight: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """Everything is found: the tasks by the names of their results, each with its weight, and what was left out."""

    tasks: dict[str, int]
    skipped: int


Notify: TypeAlias = Callable[[Planned | Progress | Notice | ClipResult], object]
Engine: TypeAlias = Callable[[Sequence[Task]], Iterator[Event]]


@dataclass(frozen=True, slots=True)
class _Job:
    """A task with its record."""

    task: Task
    described: Record


def matte_clips(
    names: Sequence[str],
    out: str | Path,
    settings: BatchSettings | None = None,
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
    checksum: bool = False,
    overwrite: bool = False,
    stills: bool = False,
    notify: Notify | None = None,
) -> list[ClipResult]:
    """Matte clips, image sequences and stills into a folder. What an earlier call has made whole is left out.

    In a program of your own, call it below ``if __name__ == "__main__":``, as every use of processes.

    Args:
        names: Files, folders, globs, patterns such as ``shot.%04d.png``.
        out: Folder of the results; it is created.
        settings: What is made of each.
        executor: Runs the tasks, such as Dask's or MPI's; its workers need the same paths. None: processes of this
            machine.
        jobs: How many processes; None: as many as its cores and memory allow.
        checksum: Compare inputs by their hash instead of their time.
        overwrite: Make everything again, and replace files that are not of an earlier call.
        stills: Take each image by itself, also where names are numbered.
        notify: Called with what is planned, with progress, with messages, and with each result.

    Returns:
        What became of each input, in order of ``names``.

    Raises:
        SpecError: Two inputs would have the same result, or a result would replace another file.
        MissingFile: A name stands for nothing.
        SinkError: The folder cannot be written, or its disk is full.

    Example:
        >>> matte_clips(["no such folder/*.mp4"], "mattes")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        realtime_matte.errors.MissingFile: 'no such folder/*.mp4' holds no clip and no image; ...
    """
    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise SpecError(f"jobs is {jobs!r}", hint="it must be a whole number from 1")

    def engine(tasks: Sequence[Task]) -> Iterator[Event]:
        return run_on(executor, tasks) if executor else run_local(tasks, jobs or usable_processes())

    batch = Batch(
        names,
        named(str(out)),
        settings or BatchSettings(),
        checksum=checksum,
        overwrite=overwrite,
        stills=stills,
        notify=notify or (lambda _event: None),
    )
    return batch.run(engine)


class Batch:
    """One call of ``matte_clips``. Finds and names everything when it is made; raises as that does."""

    def __init__(
        self,
        names: Sequence[str],
        out: Path,
        settings: BatchSettings,
        *,
        checksum: bool,
        overwrite: bool,
        stills: bool,
        notify: Notify,
    ) -> None:
        self._out = out.absolute()
        self._settings = settings
        self._notify = notify
        self._run = secrets.token_hex(4)
        self._inputs = inputs.find(names, out=self._out, stills=stills)
        self._results = name_results(self._inputs, self._out, settings)
        self._manifest = Manifest(self._out)
        self._model = manifest.describe_model(settings.model)
        self._ended: dict[str, ClipResult] = {}  # by the result's name
        self._jobs: dict[str, _Job] = {}
        for one, result in zip(self._inputs, self._results, strict=True):
            self._plan(one, result, checksum=checksum, overwrite=overwrite)

    def run(self, engine: Engine) -> list[ClipResult]:
        """Run what is not whole yet."""
        weights = {name: job.described["input_bytes"] for name, job in self._jobs.items()}
        skipped = [one for one in self._ended.values() if one.state == "skipped"]
        self._notify(Planned(weights, len(skipped)))
        for ended in list(self._ended.values()):
            self._notify(ended)
        for job in self._jobs.values():
            self._manifest.append(job.described)
        if self._jobs:
            events = engine([job.task for job in self._jobs.values()])
            try:
                self._follow(events)
            finally:
                _close(events)
                parts.remove_run(self._out, self._run)
        return [self._ended[result.name] for result in self._results]

    def _plan(self, one: Input, result: Result, *, checksum: bool, overwrite: bool) -> None:
        try:
            described = manifest.describe(one, result, self._settings, self._model, checksum=checksum)
        except MatteError as error:
            self._ended[result.name] = _failed(one, result, self._out, error.message, error.hint)
            return
        record = self._manifest.find(result, self._settings)
        if not overwrite and manifest.is_current(record, described, one, result):
            assert record is not None  # noqa: S101 - it is current
            self._ended[result.name] = ClipResult(
                one.name,
                str(self._out / result.name),
                "skipped",
                frames=record["frames"],
                cuts=tuple(record["cuts"]),
                name=result.name,
            )
            return
        if not overwrite and manifest.exists(result, one, self._settings) and not self._manifest.lists(result):
            raise SpecError(
                f"{str(self._out / result.name)!r} exists, and the manifest of that folder does not list it",
                hint="choose another folder for --out, or add --overwrite to replace it",
            )
        self._jobs[result.name] = _Job(Task(one, result, self._settings, self._run), described)

    def _follow(self, events: Iterator[Event]) -> None:
        for event in events:
            if isinstance(event, Ended):
                self._end(self._jobs[event.task.result.name], event.outcome)
            else:
                self._notify(event)

    def _end(self, job: _Job, outcome: Outcome) -> None:
        """Record how a task ended. Raises SinkError if its disk is full: no other one could go on."""
        one, result = job.task.input, job.task.result
        if outcome.disk_full:
            left = len(self._results) - len(self._ended)
            raise SinkError(
                f"{outcome.reason}: {left} of {len(self._results)} results are not made",
                hint=f"{outcome.hint}, and start the same command again",
            )
        self._manifest.append(manifest.finished(job.described, result, outcome))
        if outcome.reason:
            ended = _failed(one, result, self._out, outcome.reason, outcome.hint, trace=outcome.trace)
        else:
            ended = ClipResult(
                one.name,
                str(self._out / result.name),
                "done",
                frames=outcome.frames,
                seconds=outcome.seconds,
                cuts=outcome.cuts,
                notices=outcome.notices,
                weight=job.described["input_bytes"],
                name=result.name,
            )
        self._ended[result.name] = ended
        self._notify(ended)


def _failed(one: Input, result: Result, out: Path, reason: str, hint: str, *, trace: str = "") -> ClipResult:
    return ClipResult(one.name, str(out / result.name), "failed", reason, hint, trace=trace, name=result.name)


def _close(events: Any) -> None:  # noqa: ANN401 - a generator, which Iterator does not say
    """End the workers of an engine that was left early."""
    if hasattr(events, "close"):
        events.close()
