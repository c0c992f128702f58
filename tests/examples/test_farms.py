"""The job templates: a shell loop, Open Job Description's own tool, Slurm. Ranges together are the run in one piece."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from socket import create_server

import numpy as np
import pytest
from fakes.batch import Inline, shade, write_clip

from realtime_matte.batch.matte_clips import matte_clips
from realtime_matte.batch.settings import BatchSettings

FARMS = Path(__file__).parents[2] / "examples/farms"
SLURM = Path(__file__).with_name("slurm_loopback.sh")
COUNT = 9
OPTIONS = ("--provider", "cpu")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="shell scripts")]

Run = Callable[..., None]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", [np.roll(shade(index), index) for index in range(COUNT)])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command with ``rtmatte`` on the path."""
    program = tmp_path / "bin/rtmatte"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m realtime_matte "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    python = f"{FARMS.parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"

    def call(*command: str | Path, **more: str) -> None:
        environment = {**os.environ, "PATH": path, "PYTHONPATH": python, **more}
        ended = subprocess.run(  # noqa: S603
            list(map(str, command)), env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    return call


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "clip").iterdir()}


def expected(clip: Path, out: Path, tiny: str, inline: Inline) -> dict[str, bytes]:
    """The images of a run in one piece."""
    matte_clips([str(clip)], out, BatchSettings(write="alpha", model=tiny, provider="cpu"), executor=inline)
    found = images(out)
    assert len(found) == COUNT
    return found


def test_the_loop_makes_every_range(clip: Path, run: Run, tmp_path: Path, tiny: str, inline: Inline) -> None:
    run(FARMS / "loop.sh", clip, tmp_path / "out", str(COUNT), "5", "--model", tiny, *OPTIONS)
    assert images(tmp_path / "out") == expected(clip, tmp_path / "whole", tiny, inline)


def test_openjd_runs_the_template(clip: Path, run: Run, tmp_path: Path, tiny: str, inline: Inline) -> None:
    openjd = Path(sys.executable).with_name("openjd")
    if not openjd.exists():
        pytest.skip("openjd-cli is not installed")
    template = FARMS / "matte.openjd.yaml"
    values = {"Input": clip, "Out": tmp_path / "out", "Model": tiny, "Starts": "0-8:5", "Step": "5"}
    given = [word for name, value in values.items() for word in ("-p", f"{name}={value}")]
    run(sys.executable, openjd, "run", template, "--step", "Matte", *given)
    assert images(tmp_path / "out") == expected(clip, tmp_path / "whole", tiny, inline)


@pytest.mark.skipif("RTMATTE_SLURM" not in os.environ, reason="set RTMATTE_SLURM: starts Slurm's daemons as root")
def test_slurm_runs_the_array(clip: Path, run: Run, tmp_path: Path, tiny: str, inline: Inline) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    out, log = tmp_path / "out", tmp_path / "job.log"
    job = ["sbatch", "--wait", "--array=0-1", f"--output={log}", FARMS / "slurm_array.sh", clip, out, "5"]
    home = Path("/run/rtmatte-slurm")  # munge refuses folders that others may write to, such as /tmp
    try:
        run(SLURM, home, *job, "--model", tiny, *OPTIONS, SLURM_TEST_PORT=str(port))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert images(out) == expected(clip, tmp_path / "whole", tiny, inline)
