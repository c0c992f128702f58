"""The command ``rtmatte``, also as ``python -m realtime_matte``."""

import atexit
import os
import sys

from realtime_matte.cli.signals import INTERRUPTED, Signals


def main() -> int:
    """Run the command line of this process. Signals are caught before anything else is imported."""
    signals = Signals()
    signals.catch()
    returned: list[int] = []
    atexit.register(_end_with_threads, returned)  # the first one registered is the last one called
    try:
        from realtime_matte.cli.main import main as run  # noqa: PLC0415

        returned.append(run(signals=signals))
    except KeyboardInterrupt:  # after the command, which has its own
        returned.append(INTERRUPTED)
    finally:
        signals.finish()
    return returned[0]


def _end_with_threads(returned: list[int]) -> None:
    """End the process at once if a thread is left, such as one that waits for a camera's driver.

    ``returned``: the exit status; empty after a bug, whose traceback was printed.

    Python ends such a thread when it returns from a library. A library in C++ through which it is ended aborts the
    process: "terminate called without an active exception", exit status 134.
    """
    threading = sys.modules.get("threading")
    if threading is None or not any(thread.daemon for thread in threading.enumerate()):
        return
    from contextlib import suppress  # noqa: PLC0415 - loaded long ago, after the signals were caught

    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, it is closed, or its disk is full
            stream.flush()
    os._exit(returned[0] if returned else 1)


if __name__ == "__main__":
    sys.exit(main())
