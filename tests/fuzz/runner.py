"""Runs the command line on inputs: several servers at a time, each run in a fresh scratch folder."""

import json
import math
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from fuzz import inputs
from fuzz.outcome import Outcome, Run

TESTS = Path(__file__).parents[1]
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}

COMMAND_TIMEOUT_S = 120
"""Of a start in a new interpreter, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Attributes:
        name: Of the case, unique.
        words: The arguments; ``{scratch}`` stands for the scratch folder, ``{inputs}`` for that of ``inputs``.
        files: Written into the scratch folder before the run.
        inputs: Names of ``fuzz.inputs``, which all runs share.
        outputs: What the run is asked to write, relative to the scratch folder.
        may_print: The command prints its result on standard output.
        program: A key of ``server.PROGRAMS``.
    """

    name: str
    words: Sequence[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    may_print: bool = False
    program: str = "command"


class Runner:
    """Runs cases, as many at a time as there are servers. Closes them at the end of a ``with`` block.

    ``budget_s``: after this time no run starts.
    """

    def __init__(self, folder: Path, *, servers: int, budget_s: float = math.inf) -> None:
        self._folder = folder
        self._deadline = time.monotonic() + budget_s
        self._idle: queue.Queue[Server] = queue.Queue()
        self._servers = [Server(folder / f"server-{number}") for number in range(servers)]
        for server in self._servers:
            self._idle.put(server)
        self._pool = ThreadPoolExecutor(servers)
        self._count = 0
        self._inputs: dict[Path, tuple[int, int]] = {}
        self._lock = threading.Lock()
        """Of the count and the inputs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for server in self._servers:
            server.close()

    def submit(self, make: Callable[[], Case]) -> "Future[Run | None]":
        """The run to come; None if the time is over. ``make`` is called when its turn comes.

        The run's scratch folder is the caller's to remove.
        """
        return self._pool.submit(self._draw_and_run, make)

    def _draw_and_run(self, make: Callable[[], Case]) -> Run | None:
        if time.monotonic() > self._deadline:
            return None
        run = self.run(make())
        assert os.sched_getscheduler(0) == os.SCHED_OTHER, f"{run.folder}: drawing it left a real-time thread"
        return run

    def run(self, case: Case) -> Run:
        """Run one case."""
        with self._lock:
            self._count += 1
            scratch = self._folder / f"run-{self._count}"
            for name in case.inputs:
                path = inputs.write(self._folder / "inputs", name)
                self._inputs.setdefault(path, _state(path))
        words = [word.replace("{inputs}", str(self._folder / "inputs")) for word in prepare(scratch, case)]
        before = set(listed(scratch))
        server = self._idle.get()
        try:
            outcome = server.run(words, scratch, case.program)
        finally:
            self._idle.put(server)
        return finished(outcome, scratch, before)

    def changed_inputs(self) -> list[str]:
        """Inputs that a run has changed."""
        return [path.name for path, state in self._inputs.items() if _state(path) != state]


def _state(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_size, found.st_mtime_ns


def prepare(scratch: Path, case: Case) -> list[str]:
    """Make the scratch folder and its files. Returns the arguments."""
    for name in ("home", "tmp", "work"):
        (scratch / name).mkdir(parents=True)
    for name, data in case.files.items():
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes(data)
    return [word.replace("{scratch}", str(scratch)) for word in case.words]


def finished(outcome: Outcome, scratch: Path, before: set[tuple[str, int]]) -> Run:
    """The run with what it printed and wrote: files that were not there or had another size."""
    out, err = (
        (scratch / name).read_bytes().decode("utf-8", "surrogateescape") for name in ("stdout.txt", "stderr.txt")
    )
    written = sorted(name for name, size in set(listed(scratch)) - before)
    return Run(outcome, scratch, out.splitlines(), [line for line in err.split("\n") if line.strip()], written)


def listed(scratch: Path) -> list[tuple[str, int]]:
    """All files below the scratch folder with their sizes; links are not followed."""
    return [
        (os.path.relpath(os.path.join(place, name), scratch), os.lstat(os.path.join(place, name)).st_size)  # noqa: PTH118
        for place, _, names in os.walk(scratch)
        for name in names
    ]


def run_command(case: Case, scratch: Path) -> Run:
    """Run the command line as users do, in a new interpreter. For cases without ``inputs``."""
    words = prepare(scratch, case)
    before = set(listed(scratch))
    folders = {"HOME": str(scratch / "home"), "TMPDIR": str(scratch / "tmp")}
    with (scratch / "stdout.txt").open("wb") as out, (scratch / "stderr.txt").open("wb") as err:
        start = time.monotonic()
        ended = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-m", "realtime_matte", *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=scratch / "work",
            env=_environment() | folders,
            check=False,
            timeout=COMMAND_TIMEOUT_S,
        )
    killed_by = signal.Signals(-ended.returncode).name if ended.returncode < 0 else ""
    outcome = Outcome(ended.returncode if ended.returncode >= 0 else None, killed_by, "", time.monotonic() - start, 0)
    return finished(outcome, scratch, before)


def _environment() -> dict[str, str]:
    """Without a display, and without folders of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "PYTEST", "DISPLAY"))}
    return kept | ENVIRONMENT


class Server:
    """The client's side of ``server.py``."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self._errors = home / "errors.txt"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 -- our own Python
                [sys.executable, str(Path(__file__).with_name("server.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C ends the runner, which ends the servers
                env=_environment() | {"HOME": str(home), "TMPDIR": str(home)},
            )

    def run(self, words: Sequence[str], scratch: Path, program: str) -> Outcome:
        """Run a program in a child of the server."""
        assert self._process.stdin
        assert self._process.stdout
        request = json.dumps({"words": list(words), "folder": str(scratch), "program": program})
        self._process.stdin.write(request.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the server ended: {self._errors.read_text()[-2000:]}")
        return Outcome(**json.loads(answer))

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


def remove(run: Run) -> None:
    """Remove a run's scratch folder."""
    shutil.rmtree(run.folder, ignore_errors=True)
