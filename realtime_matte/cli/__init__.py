"""``rtmatte``: one file a verb, imported when it is called."""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import TextIO

from realtime_matte.errors import MatteError, SinkError, SpecError, missing_dependency

VERBS = {
    "run": "camera in, matted picture out: the default, its word may be left out",
    "demo": "the whole line on a built-in picture, into demo/: no camera needed",
    "devices": "the cameras, virtual cameras and model providers of this machine",
    "doctor": "try every part for real and say how to mend what would not work",
    "models": "the networks there are, and what each is",
    "bench": "measure the whole line on this machine",
    "install-service": "start at every login (Linux with systemd); --remove undoes it",
}

INTERRUPTED = 130
FULL = errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO
"""What a stream fails with, where files, which are told apart by their names, are not meant."""


def main(words: Sequence[str] | None = None) -> int:
    """The exit status: 0 well, 2 an error that the user can mend, told in one line."""
    words = sys.argv[1:] if words is None else words
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # its warnings would tear the live line
    try:
        status = _called(words)
    except MatteError as error:
        return _told(error)
    except ImportError as error:
        return _told(missing_dependency(error))
    except MemoryError:
        return _told(SpecError("there is not enough memory for that", hint="take a smaller --size"))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        to_nowhere(sys.stdout)
        return 0
    return status


def to_nowhere(stream: TextIO) -> None:
    """What a stream cannot write any more, or Python complains of it while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _called(words: Sequence[str]) -> int:
    """The verb's status, and what it printed handed on: also what --help did, which ends in SystemExit."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal's encoding has no letters for
    try:
        status = _call(words)
    except SystemExit:
        _flush()
        raise
    except OSError as error:
        if error.errno in FULL and error.filename is None:
            raise _unprinted(error) from error
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
        raise _unprinted(error) from error


def _unprinted(error: OSError) -> SinkError:
    """The line for what standard output did not take, and no more of it."""
    if sys.stdout is not None:
        to_nowhere(sys.stdout)
    return SinkError(f"cannot print all of it: {error.strerror}", hint="let it go to another place")


def _call(words: Sequence[str]) -> int:
    verb = words[0] if words and words[0] in VERBS else None
    if verb is None and words and not words[0].startswith("-"):
        raise SpecError(f"no verb called {words[0]!r}", hint=f"there are: {', '.join(VERBS)}")
    module = import_module(f"{__name__}.{(verb or 'run').replace('-', '_')}")
    status: int = module.main(words[1:] if verb else words, prog=f"rtmatte {verb}" if verb else "rtmatte")
    return status


def _told(error: MatteError) -> int:
    text = "; ".join([str(error), *getattr(error, "__notes__", ())])
    with suppress(OSError):  # nobody is there to be told
        print(f"rtmatte: {text}", file=sys.stderr)
    return 2
