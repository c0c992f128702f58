"""``rtmatte``, the command line: one module a command, imported when that is called, so that ``--help`` is quick.

A command's module has ``main(words, *, prog, signals) -> int``, the exit status. It calls
``signals.raise_interrupts()`` before it opens anything.
"""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Final, TextIO

from realtime_matte.address_space import check_address_space
from realtime_matte.cli.signals import INTERRUPTED, Signals
from realtime_matte.errors import (
    OWN_VARIABLES,
    MatteError,
    MissingDependency,
    SinkError,
    SpecError,
    is_interrupt,
    missing_dependency,
    printable,
    suggest,
)

COMMANDS: Final = {
    "run": "camera in, new background, virtual camera out; the default command",
    "panel": "run with a control panel in the browser: live preview, backgrounds, settings",
    "calibrate": "learn the empty room while you are out of the camera's view; --plate FILE keeps it",
    "ctl": "status of a running rtmatte, and changes of it, for scripts and hotkeys",
    "matte": "matte many clips into a folder, resumable, on one machine or on a cluster",
    "demo": "process a built-in moving photograph and write the result to demo/; needs no camera",
    "devices": "list the cameras, virtual cameras and providers of this machine",
    "doctor": "check every part on this machine and say how to fix what does not work",
    "models": "list the shipped networks",
    "bench": "measure the speed on this machine",
    "install-desktop": "put rtmatte into the desktop's menu; --remove undoes it",
    "install-service": "start at every login (Linux with systemd); --remove undoes it",
}

USE_LIBRARIES: Final = {"run", "panel", "demo", "bench", "calibrate"}
"""Commands that open a pipeline, before which a damaged installation is reported."""

FAILED: Final = 2

FULL: Final = errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO
"""Errors of a write to standard output. An error of a named file has the same codes, and a ``filename``."""

OPENCV_NO_MEMORY: Final = -4
"""``code`` of a cv2.error: an allocation failed. A number: that of another error is its exit status, never negative."""


def main(words: Sequence[str] | None = None, *, signals: Signals | None = None) -> int:
    """Run the command line.

    Args:
        words: The arguments; None for those of the process.
        signals: Those of the process; None catches them until the return.

    Returns:
        The exit status: 0, FAILED after an error that was printed in one line, or INTERRUPTED. Some commands return 1.
    """
    if signals is None:
        with Signals() as caught:
            return main(words, signals=caught)
    words = sys.argv[1:] if words is None else words
    try:
        return _call_and_flush(words, signals)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        discard_output(sys.stdout)
        return 0
    except Exception as error:  # noqa: BLE001 - the top of the program: a bug is raised again
        hidden = signals.opening or isinstance(error, ImportError | SystemError)
        if is_interrupt(error) or (signals.interrupted and hidden):
            return INTERRUPTED  # libraries hide that Ctrl-C ended an import, or a callback: NumPy, llvmlite
        return _print_error(_to_matte_error(error))


def discard_output(stream: TextIO) -> None:
    """Send what is still written to ``stream`` nowhere. Python would report a failed flush at exit otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _call_and_flush(words: Sequence[str], signals: Signals) -> int:
    """The command's status. What it printed is flushed here, where an error of it can be reported."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack letters of a file name
    try:
        status = _call(words, signals)
    except SystemExit:  # --help and --version
        _flush()
        raise
    except OSError as error:
        if error.errno in FULL and error.filename is None:
            raise _output_error(error) from error
        raise
    _flush()
    return status


def _flush() -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _output_error(error) from error


def _output_error(error: OSError) -> SinkError:
    """The error of standard output, whose unwritten rest is discarded."""
    if sys.stdout is not None:
        discard_output(sys.stdout)
    return SinkError(f"cannot write the output: {error.strerror}", hint="redirect it to another place")


def _call(words: Sequence[str], signals: Signals) -> int:
    command = words[0] if words and words[0] in COMMANDS else None
    if command is None and words and not words[0].startswith("-"):
        raise _unknown_command(words[0])
    if not {"-h", "--help", "--version"}.intersection(words):
        check_address_space()
    variables = [name for name in os.environ if name.startswith(("OPENCV_", "NUMBA_")) and name not in OWN_VARIABLES]
    if variables:
        from realtime_matte.cli.environment import check_variables

        check_variables(variables)
    if (command or "run") in USE_LIBRARIES and not {"-h", "--help", "--version"}.intersection(words):
        _report_clashes()
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # its warnings would break the progress line
    module = import_module(f"realtime_matte.cli.{(command or 'run').replace('-', '_')}")
    prog = f"rtmatte {command}" if command else "rtmatte"
    status: int = module.main(words[1:] if command else words, prog=prog, signals=signals)
    return status


def _report_clashes() -> None:
    """Print a line for packages that overwrite each other's files. Raises MissingDependency if nothing is left."""
    from realtime_matte.doctor.clashes import find_clashes

    for clash in find_clashes():
        if clash.incomplete:
            raise MissingDependency(clash.message, hint=clash.fix)
        print(printable(f"rtmatte: {clash.message}, which can fail at any time; {clash.fix}"), file=sys.stderr)


def _unknown_command(word: str) -> SpecError:
    """The error for a word that is no command; it may be a background."""
    from realtime_matte import plugins

    hint = f"there are: {', '.join(COMMANDS)}"
    suggested = suggest(word, COMMANDS, hint)
    if suggested == hint:
        with suppress(SpecError, ImportError):
            plugins.background(word)
            suggested = f"did you mean --bg {word}? {hint}"
    return SpecError(f"no command called {word!r}", hint=suggested)


def _to_matte_error(error: Exception) -> MatteError:
    """The error to print. Raises ``error`` itself if it is a bug, so that it keeps its traceback."""
    if isinstance(error, MatteError):
        return error
    if isinstance(error, MemoryError) or getattr(error, "code", None) == OPENCV_NO_MEMORY:
        return SpecError("not enough memory", hint="choose a smaller --size")
    return missing_dependency(error)


def _print_error(error: MatteError) -> int:
    text = "; ".join([str(error), *getattr(error, "__notes__", ())])
    with suppress(OSError):  # stderr may be closed
        print(printable(f"rtmatte: {text}"), file=sys.stderr)
    return FAILED
