"""The process pool: its size, a process that is killed, and a command that is killed and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes.batch import Inline, shade, write_clip

from realtime_matte.batch import local_pool
from realtime_matte.batch.matte_clips import Batch, ClipResult, matte_clips
from realtime_matte.batch.running import Progress
from realtime_matte.batch.settings import BatchSettings

Make = Callable[..., BatchSettings]

LONG_S = 60.0


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def children(process: int) -> set[int]:
    """The processes that a process has started."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return {int(word) for word in text.split()}


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_pool_fits_into_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_pool, "available_bytes", lambda: 1)
    assert local_pool.usable_processes() == 1
    monkeypatch.setattr(local_pool, "available_bytes", lambda: None)
    assert local_pool.usable_processes() == len(os.sched_getaffinity(0))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found through /proc")
def test_a_killed_process_costs_only_the_clip_that_kills_it_twice(
    tmp_path: Path, settings: Make, inline: Inline
) -> None:
    """Every process that begins the poisoned clip is killed; the others are made in new processes, equal bit by bit."""
    for name in ("a", "poison", "z"):
        write_clip(
            tmp_path / f"in/{name}.mp4",
            [np.roll(shade(index), index) for index in range(400 if name == "poison" else 6)],
        )
    made = settings(write="alpha")
    killed: set[int] = set()

    def notify(event: object) -> None:
        if isinstance(event, Progress) and event.name.startswith("poison"):
            for process in children(os.getpid()) - killed:
                command = Path(f"/proc/{process}/cmdline").read_bytes()
                if b"spawn_main" in command:
                    killed.add(process)
                    os.kill(process, signal.SIGKILL)

    results = matte_clips([str(tmp_path / "in")], tmp_path / "out", made, jobs=2, notify=notify)
    assert [one.state for one in results] == ["done", "failed", "done"]
    assert "ended, twice" in results[1].reason
    names = [str(tmp_path / "in/a.mp4"), str(tmp_path / "in/z.mp4")]
    matte_clips(names, tmp_path / "expected", made, executor=inline)
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


COMMAND = """
import sys
from realtime_matte.cli.main import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found through /proc")
@pytest.mark.parametrize("write", ["composite"])  # images take as long again: tried by hand
def test_a_command_killed_at_any_moment_goes_on_to_the_same_bytes(
    tmp_path: Path, tiny: str, settings: Make, inline: Inline, write: str
) -> None:
    for number in range(3):
        write_clip(tmp_path / f"in/{number}.mp4", [np.roll(shade(index), number) for index in range(40)])
    program = tmp_path / "command.py"
    program.write_text(COMMAND)
    words = [str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--write", write, "--model", tiny]
    command = [sys.executable, str(program), "matte", *words, "--jobs", "2", "--provider", "cpu", "--quiet"]
    out = tmp_path / "out"

    def parts() -> list[Path]:
        return list(out.rglob(".rtmatte-*"))

    def results() -> list[Path]:
        return [path for path in out.iterdir() if path.name != "manifest.jsonl" and path.suffix != ".part"]

    moments: list[Callable[[], object]] = [
        (out / "manifest.jsonl").exists,
        parts,
        lambda: any(path.is_file() or list(path.iterdir()) for path in parts() if path.exists()),
        results,
    ]
    for moment in moments:
        with subprocess.Popen(command) as process:  # noqa: S603
            wait_until(lambda: process.poll() is not None or moment())  # noqa: B023
            started = children(process.pid) if process.poll() is None else set()
            process.kill()
        wait_until(lambda: not any(map(is_running, started)))  # noqa: B023
        for path in results():
            assert path.is_file() or len(list(path.iterdir())) == 40, "a result is whole"
    assert subprocess.run(command, check=False).returncode == 0  # noqa: S603
    made = settings(write=write)
    matte_clips([str(tmp_path / "in")], tmp_path / "expected", made, executor=inline)
    assert contents(out) == contents(tmp_path / "expected")
    last = Batch([str(tmp_path / "in")], out, made, checksum=False, overwrite=False, stills=False, notify=print)
    assert {one.state for one in last.run(lambda _tasks: iter(()))} == {"skipped"}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found through /proc")
def test_an_interrupt_ends_every_process_and_leaves_no_part(tmp_path: Path, settings: Make) -> None:
    write_clip(tmp_path / "in/a.mp4", [shade(index % 9) for index in range(400)])
    seen: set[int] = set()

    def interrupt(event: object) -> None:
        if isinstance(event, Progress):
            seen.update(children(os.getpid()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matte_clips([str(tmp_path / "in")], tmp_path / "out", settings(write="alpha"), jobs=1, notify=interrupt)
    wait_until(lambda: not any(is_running(one) for one in seen if b"spawn_main" in command_of(one)))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["manifest.jsonl"]
    assert ClipResult("", "", "done").reason == ""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found through /proc")
def test_an_interrupt_while_a_process_starts_is_one_line(tmp_path: Path, tiny: str) -> None:
    """Ctrl-C goes to every process of the terminal, also to one that is still importing its packages."""
    write_clip(tmp_path / "in/a.mp4", [shade(index % 9) for index in range(400)])
    words = ["matte", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--model", tiny, "--jobs", "1"]
    command = [sys.executable, "-m", "realtime_matte", *words, "--provider", "cpu"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:  # noqa: S603
        wait_until(lambda: any(is_importing(one) for one in children(process.pid)))
        os.killpg(process.pid, signal.SIGINT)
        _, printed = process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert printed == "rtmatte: interrupted: 0 of 1 results are written; the same command goes on from there\n"


def is_importing(process: int) -> bool:
    """Whether it is a process of the pool that has loaded NumPy; it loads more."""
    if b"spawn_main" not in command_of(process):
        return False
    return "_multiarray_umath" in Path(f"/proc/{process}/maps").read_text("utf-8")


def command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
