"""The end of the process, while threads are left that a library has."""

import subprocess
import sys

import pytest

LEAVE_A_THREAD = """
import sys, threading
import numpy as np
import realtime_matte.__main__ as program
import realtime_matte.cli.main as cli
from realtime_matte import models
from realtime_matte.frame import Frame

def run(*, signals):
    network, entered = models.open("small", provider="cpu", threads=1), threading.Event()

    def work():
        frame = Frame(np.zeros((720, 1280, 3), np.uint8), 0.0, 0)
        while True:
            network.process(frame, None)
            entered.set()

    threading.Thread(target=work, daemon=True).start()
    entered.wait()
    print("written")
    {end}

cli.main = run
sys.exit(program.main())
"""


LOAD = """
import sys, threading
import realtime_matte.__main__ as program
import realtime_matte.cli.main as cli
from realtime_matte.pipeline.loading import start_thread

def run(*, signals):
    start_thread(threading.Event().wait, name="network", daemon=False)
    print("ended")
    return 130

cli.main = run
sys.exit(program.main())
"""


def test_the_end_does_not_wait_for_a_part_that_is_being_loaded() -> None:
    """That one never is."""
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LOAD], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "ended\n", "")


def test_the_end_waits_for_a_file_that_is_being_written() -> None:
    code = LOAD.replace("daemon=False", "daemon=False, writes=True").replace("Event().wait", "Timer(0.1, print).run")
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "ended\n\n", "")


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        ("return 3", 3, ""),
        ("return 0", 0, ""),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise RuntimeError('a bug')", 1, "RuntimeError: a bug"),
    ],
)
def test_a_thread_within_a_library_changes_no_exit_status(end: str, status: int, message: str) -> None:
    """Python's own end would abort the process: "terminate called without an active exception", -6."""
    code = LEAVE_A_THREAD.replace("{end}", end)
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stdout) == (status, "written\n")
    assert ended.stderr.strip().splitlines()[-1:] == ([message] if message else [])
