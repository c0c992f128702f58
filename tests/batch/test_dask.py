"""Dask: a real scheduler and three workers on loopback, one of which is killed in the middle of a clip."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from socket import create_server

import numpy as np
import pytest
from fakes.batch import Inline, shade, write_clip

from realtime_matte.batch.dask_workers import run_on_dask
from realtime_matte.batch.matte_clips import Batch, ClipResult, matte_clips
from realtime_matte.batch.running import Notice
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.errors import SourceError

pytest.importorskip("distributed")

Make = Callable[..., BatchSettings]

LONG_S = 60.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """The scheduler's address, and the processes of its workers, each with one thread."""
    with create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny"]
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "dask.log").open("wb"))

        def start(*command: str) -> int:
            process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path))  # noqa: S603
            stack.callback(process.kill)
            return process.pid

        start(*dask, "--no-dashboard")
        workers = [start(*worker, "--no-dashboard", "--local-directory", str(tmp_path / f"w{i}")) for i in range(3)]
        yield address, workers


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def process_of(part: Path) -> int:
    return int(part.name.removesuffix(".part").rpartition("-")[2])


@pytest.mark.slow
def test_a_worker_killed_in_mid_clip_loses_nothing_and_doubles_nothing(
    tmp_path: Path, cluster: tuple[str, list[int]], settings: Make, inline: Inline
) -> None:
    address, workers = cluster
    for number in range(6):
        write_clip(tmp_path / f"in/{number}.mp4", [np.roll(shade(index), number) for index in range(60)])
    out, made = tmp_path / "out", settings(write="composite")
    events: list[object] = []
    batch = Batch(
        [str(tmp_path / "in")], out, made, checksum=False, overwrite=False, stills=False, notify=events.append
    )
    killer = subprocess.Popen([sys.executable, "-c", KILLER, str(out), json.dumps(workers)], stdout=subprocess.PIPE)  # noqa: S603
    with killer:
        results = batch.run(lambda tasks: run_on_dask(address, tasks))
        killed = int(killer.communicate(timeout=LONG_S)[0])
    assert killed in workers
    assert [one.state for one in results] == ["done"] * 6
    assert len([one for one in events if isinstance(one, ClipResult)]) == 6, "each result once"
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert sorted(one["result"] for one in lines if one["state"] == "done") == [f"{number}.mp4" for number in range(6)]
    matte_clips([str(tmp_path / "in")], tmp_path / "expected", made, executor=inline)
    assert contents(out) == contents(tmp_path / "expected"), "bit by bit, and nothing else is left"


KILLER = """
import json, os, signal, sys, time
from pathlib import Path
workers = json.loads(sys.argv[2])
while True:
    for part in Path(sys.argv[1]).glob('.rtmatte-*.part'):
        process = int(part.name[:-5].rpartition('-')[2])
        if process in workers and part.stat().st_size > 0:
            os.kill(process, signal.SIGKILL)
            print(process)
            sys.exit()
    time.sleep(0.002)
"""
"""Kills the first worker that has written a part of a result."""


def test_no_scheduler_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.batch.dask_workers.CONNECT_S", 0.2)
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match="no Dask scheduler answers") as raised:
        next(run_on_dask(f"tcp://127.0.0.1:{port}", []))
    assert "dask scheduler" in raised.value.hint


def test_a_wait_for_the_first_worker_is_reported() -> None:
    """Else the command looks as if it hung."""
    from distributed import LocalCluster  # noqa: PLC0415 - an extra

    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster:
        (event,) = run_on_dask(cluster.scheduler_address, [])
    assert isinstance(event, Notice)
    assert "dask worker" in event.text
