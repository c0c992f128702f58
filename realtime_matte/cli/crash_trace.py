"""The Python trace that a crash leaves: a signal such as SIGSEGV in a native library, after which nothing else runs."""

import faulthandler
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_log_path

FILE_NAME: Final = "crash.txt"
REPORTED_NAME: Final = "last-crash.txt"


def log_crashes() -> None:
    """Write the trace of a crash to the log folder, until the process ends; to stderr where that is not possible.

    Does nothing where Python already writes traces (PYTHONFAULTHANDLER).
    """
    if faulthandler.is_enabled():
        return
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / FILE_NAME).open("a")  # not closed: a crash writes to it
    except (OSError, RuntimeError):
        if sys.stderr is not None:
            faulthandler.enable()
    else:
        faulthandler.enable(file)


def earlier_crash() -> list[str]:
    """The notice of a crash since the last call, with the file that its trace is kept in; empty without one."""
    with suppress(OSError, RuntimeError):
        file, kept = _folder() / FILE_NAME, _folder() / REPORTED_NAME
        if file.stat().st_size:
            file.replace(kept)
            return [f"an earlier run crashed; its trace is in {kept}: please report it with that file"]
    return []


def _folder() -> Path:
    """Raises RuntimeError without a home folder."""
    return user_log_path("rtmatte", appauthor=False)
