"""``rtmatte``, the command line: one module a verb, imported when that verb is called, so that ``--help`` is quick.

A verb's module has ``main(words, *, prog) -> int``, the exit status.
"""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Final, TextIO

from realtime_matte.errors import MatteError, SinkError, SpecError, missing_dependency

VERBS: Final = {
    "run": "camera in, new background, virtual camera out; the default verb",
    "demo": "process a built-in moving photograph and write the result to demo/; needs no camera",
    "devices": "list the cameras, virtual cameras and providers of this machine",
    "doctor": "check every part on this machine and say how to fix what does not work",
    "models": "list the shipped networks",
    "bench": "measure the speed on this machine",
    "install-service": "start at every login (Linux with systemd); --remove undoes it",
}

FAILED: Final = 2
INTERRUPTED: Final = 130

FULL: Final = errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO
"""Errors of a write to standard output. An error of a named file has the same codes, and a ``filename``."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        words: The arguments; None for those of the process.

    Returns:
        The exit status: 0, FAILED after an error that was printed in one line, or INTERRUPTED. Some verbs return 1.
    """
    words = sys.argv[1:] if words is None else words
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # its warnings would break the progress line
    try:
        return _call_and_flush(words)
    except MatteError as error:
        return _print_error(error)
    except ImportError as error:
        return _print_error(missing_dependency(error))
    except MemoryError:
        return _print_error(SpecError("not enough memory", hint="choose a smaller --size"))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        discard_output(sys.stdout)
        return 0


def discard_output(stream: TextIO) -> None:
    """Send what is still written to ``stream`` nowhere. Python would report a failed flush at exit otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _call_and_flush(words: Sequence[str]) -> int:
    """The verb's status. What it printed is flushed here, where an error of it can be reported."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack letters of a file name
    try:
        status = _call(words)
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


def _call(words: Sequence[str]) -> int:
    verb = words[0] if words and words[0] in VERBS else None
    if verb is None and words and not words[0].startswith("-"):
        raise SpecError(f"no verb called {words[0]!r}", hint=f"there are: {', '.join(VERBS)}")
    module = import_module(f"{__name__}.{(verb or 'run').replace('-', '_')}")
    status: int = module.main(words[1:] if verb else words, prog=f"rtmatte {verb}" if verb else "rtmatte")
    return status


def _print_error(error: MatteError) -> int:
    text = "; ".join([str(error), *getattr(error, "__notes__", ())])
    with suppress(OSError):  # stderr may be closed
        print(f"rtmatte: {text}", file=sys.stderr)
    return FAILED
