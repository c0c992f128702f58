"""The command ``rtmatte``, also as ``python -m realtime_matte``."""

import atexit
import os
import sys

from realtime_matte.cli.signals import INTERRUPTED, Signals

TYPE_CHECKING = False  # typing takes long to import
if TYPE_CHECKING:
    from typing import Never


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
    _end_without_loads(returned[0])
    return returned[0]


def _end_with_threads(returned: list[int]) -> None:
    """End the process at once if a thread is left, such as one that waits for a camera's driver.

    ``returned``: the exit status; empty after a bug, whose traceback was printed.

    Python ends such a thread when it returns from a library. A library in C++ through which it is ended aborts the
    process: "terminate called without an active exception", exit status 134.
    """
    threading = sys.modules.get("threading")
    if threading is not None and any(thread.daemon for thread in threading.enumerate()):
        _end(returned[0] if returned else 1)


def _end_without_loads(status: int) -> None:
    """End the process at once if Python's own end would wait only for a network or kernels that are being loaded."""
    loading = sys.modules.get("realtime_matte.pipeline.loading")
    if loading is None:
        return
    import threading  # noqa: PLC0415 - as below

    waited_for = [one for one in threading.enumerate() if not (one.daemon or one is threading.main_thread())]
    if waited_for and all(isinstance(one, loading.LoadThread) for one in waited_for):
        _end(status)


def _end(status: int) -> "Never":
    """End the process at once, whatever its threads do."""
    from contextlib import suppress  # noqa: PLC0415 - loaded long ago, after the signals were caught

    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, it is closed, or its disk is full
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
