"""Runs the command line once for each line on standard input, each time in a forked process with limits.

A start of the command takes seconds of the processor, nearly all of it for imports. Here a first run imports
everything, and each child of a fork goes on from there, with its own arguments, folders and limits.

A line is a JSON object: ``program``, ``words`` and ``folder``, a scratch folder with ``home``, ``tmp`` and ``work`` in
it, where ``stdout.txt`` and ``stderr.txt`` are written. The answer is a line with the fields of ``outcome.Outcome``.
"""

import atexit
import contextlib
import ctypes
import faulthandler
import gc
import json
import logging
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from fuzz import own_network
from fuzz.outcome import MAX_MB, MAX_SECONDS, Outcome

from realtime_matte.__main__ import main as command
from realtime_matte.cli.main import main as warm

POLL_S = 0.01
MAX_ADDRESS_SPACE = 16 << 30
"""Bytes; a last resort, as memory in use is watched."""

MAX_FILE_SIZE = 512 << 20
PR_SET_PDEATHSIG = 1
"""<linux/prctl.h>: the signal that a process gets when its parent ends."""

WARM_UP = ["--camera", "demo?frames=1", "--bg", "green", "--output", "null", "--quiet"]


PROGRAMS = {"command": command, "own_network": own_network.main}


def main() -> None:
    """Answer until standard input ends."""
    answers = os.dup(1)
    os.dup2(2, 1)
    end_with_parent()
    prepare()
    for line in open(0, "rb", buffering=0, closefd=False):  # noqa: SIM115 -- a child replaces it
        request = json.loads(line)
        child = os.fork()
        if not child:
            os.close(answers)
            become(Path(request["folder"]), request["words"])
            end(PROGRAMS[request["program"]])
        os.write(answers, json.dumps(asdict(watch(child))).encode() + b"\n")


def end_with_parent() -> None:
    """Be killed when the parent ends, whatever ends it: a run that hangs must not outlive the tests."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def prepare() -> None:
    """Import everything by a run, and forget what that run set."""
    assert warm(WARM_UP) == 0
    faulthandler.disable()
    logging.getLogger().handlers.clear()
    gc.collect()
    gc.freeze()
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork copies one thread only"


def become(folder: Path, words: list[str]) -> None:
    """Turn this process into one that a user started with these words in ``folder/work``."""
    end_with_parent()
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_SIZE, MAX_FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for descriptor, name in enumerate(("/dev/null", folder / "stdout.txt", folder / "stderr.txt")):
        opened = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.update(HOME=str(folder / "home"), TMPDIR=str(folder / "tmp"))
    tempfile.tempdir = None
    os.chdir(folder / "work")
    sys.argv[1:] = words


def end(run: Callable[[], int]) -> NoReturn:
    """Run, and end this process as the interpreter does, but for freeing memory, which would copy all of it first."""
    status: object = 1
    try:
        status = run()
    except SystemExit as error:
        status = error.code
    except BaseException:  # noqa: BLE001 -- printed as the interpreter does
        traceback.print_exc()
    threading._shutdown()  # waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(bool(status)))


def watch(child: int) -> Outcome:
    """Wait for the child; kill it at a limit."""
    start, peak, limit = time.monotonic(), 0.0, ""
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        peak = max(peak, _peak_mb(child))
        if peak > MAX_MB:
            limit = f"over {MAX_MB} MB"
        elif time.monotonic() - start > MAX_SECONDS + _waited_s(child):
            limit = f"over {MAX_SECONDS} s"
        if limit:
            os.killpg(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            break
        time.sleep(POLL_S)
    with contextlib.suppress(ProcessLookupError):  # what the child left running
        os.killpg(child, signal.SIGKILL)
    signalled = os.WIFSIGNALED(status) and not limit
    return Outcome(
        status=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        signal=signal.Signals(os.WTERMSIG(status)).name if signalled else "",
        limit=limit,
        seconds=usage.ru_utime + usage.ru_stime,
        megabytes=max(peak, usage.ru_maxrss / 1024),
    )


def _peak_mb(process: int) -> float:
    """The most memory it had in use so far; 0 when it has just ended."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
    return 0.0


def _waited_s(process: int) -> float:
    """How long its threads were ready but the processor was busy with other programs."""
    waited = 0.0
    for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            waited += int(path.read_text().split()[1]) / 1e9
    return waited


if __name__ == "__main__":
    main()
