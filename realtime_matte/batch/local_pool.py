"""The default engine: processes of this machine, as many as its cores and memory allow."""

import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from threading import Thread
from typing import Final

from realtime_matte.address_space import available_bytes
from realtime_matte.batch import worker
from realtime_matte.batch.running import POLL_S, Ended, Event, Progress, outcome
from realtime_matte.batch.task import Outcome, Task, run_task

PROCESS_BYTES: Final = 1_000_000_000
"""Resident memory of one process with the network ``large``: 505 MB on a clip of 1920x1080, 1020 MB on 3840x2160."""

USED_SHARE: Final = 0.8
"""Of the memory that is available."""

LOST: Final = Outcome(
    reason="its process was ended, twice: by a signal, or for want of memory",
    hint="use fewer --jobs; if it ends alone too, make a new copy of the clip",
)


def usable_processes() -> int:
    """As many as cores, or as fit into memory; one at least."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = available_bytes()
    return cores if memory is None else max(1, min(cores, int(memory * USED_SHARE / PROCESS_BYTES)))


def run_local(tasks: Sequence[Task], processes: int) -> Iterator[Event]:
    """Run all tasks in processes of this machine.

    Where a process is ended from outside, the tasks that were running are tried again, one at a time, so that only the
    one that causes it fails. All processes end when the iterator is closed, and when this process is killed.
    """
    waiting = deque(tasks)
    while waiting:
        for task in (yield from _run_until_broken(waiting, processes)):
            if (yield from _run_until_broken(deque([task]), 1)):
                yield Ended(task, LOST)


def _run_until_broken(waiting: deque[Task], processes: int) -> Generator[Event, None, list[Task]]:
    """Run tasks of the queue until it is empty, or a process is ended. Returns the tasks that were running then."""
    with _pool(min(processes, len(waiting))) as (executor, reports):
        running: dict[Future[Outcome], Task] = {}
        while waiting or running:
            try:
                while waiting and len(running) < processes:
                    with _interrupts_blocked():
                        future = executor.submit(run_task, waiting[0])
                    running[future] = waiting.popleft()
            except BrokenProcessPool:
                return list(running.values())
            ended, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            yield from _received(reports)
            for future in ended:
                if isinstance(future.exception(), BrokenProcessPool):
                    return list(running.values())
                yield Ended(running.pop(future), outcome(future))
    return []


@contextmanager
def _pool(processes: int) -> Iterator[tuple[ProcessPoolExecutor, Connection]]:
    """An executor, and the reports of its processes. The processes are ended when it closes."""
    context = get_context("spawn")  # a fork would copy locks that threads of FFmpeg and ONNX Runtime hold
    reports, reporting = context.Pipe(duplex=False)
    lives, life = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(processes, context, initializer=_prepare, initargs=(lives, reporting))
    try:
        yield executor, reports
    finally:
        life.close()  # each process ends when it sees this, also in the middle of a task
        executor.shutdown(cancel_futures=True)
        for end in (lives, reports, reporting):
            end.close()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process that is started within it leaves Ctrl-C to this one from its first moment: it inherits the mask.

    Here, Ctrl-C has its effect after it. Windows has no such mask.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its start, otherwise that of the first process, unblocks SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _received(reports: Connection) -> Iterator[Progress]:
    while reports.poll():
        yield Progress(*reports.recv())


def _prepare(lives: Connection, reporting: Connection) -> None:
    """Prepare a process of the pool: it ends with the one that started it, and leaves Ctrl-C to that.

    On Windows, and in libraries that unblock signals, by ignoring it.
    """
    import cv2  # noqa: PLC0415 - not needed by the process that starts others

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(lives,), daemon=True).start()
    cv2.setNumThreads(1)

    def send(name: str, done: int, count: int | None) -> None:
        with suppress(OSError):
            reporting.send((name, done, count))

    worker.report_to(send)


def _end_with(lives: Connection) -> None:
    """Wait until the other end is closed, by the process that has it or by the end of that process."""
    with suppress(EOFError, OSError):
        lives.recv()
    os._exit(1)
