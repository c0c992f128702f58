"""Runs tasks on any executor, and reports what happens as events."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import Final, TypeAlias

from realtime_matte.batch.task import Outcome, Task, run_task

POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """Frames of a running task that are done; ``name``: of its result. ``count``: how many there are, if known."""

    name: str
    done: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A task has ended."""

    task: Task
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to the user while tasks run."""

    text: str


Event: TypeAlias = Progress | Ended | Notice


def run_on(executor: Executor, tasks: Sequence[Task]) -> Iterator[Event]:
    """Run all tasks, in any order; they are handed over at once, since the executor knows its workers.

    What an executor raises, such as for a worker that was lost too often, is the outcome of that task. Tasks that have
    not begun are cancelled when the iterator is closed.
    """
    futures: dict[Future[Outcome], Task] = {executor.submit(run_task, task): task for task in tasks}
    try:
        while futures:
            ended, _ = wait(futures, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in [one for one in futures if one in ended]:  # in order
                yield Ended(futures.pop(future), outcome(future))
    finally:
        for future in futures:
            future.cancel()


def outcome(future: "Future[Outcome]") -> Outcome:
    """The outcome of a task whose future is done."""
    try:
        return future.result()
    except CancelledError:
        return Outcome(reason="it was cancelled", hint="start the same command again")
    except Exception as error:  # noqa: BLE001 - an executor may raise anything of its own
        return Outcome(reason=f"its worker failed: {type(error).__name__}: {error}", hint="see the worker's log")
