"""Opens slow parts in a thread, while the standby card is sent."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Protocol, TypeVar

from realtime_matte.errors import refused_by_system

Result = TypeVar("Result")


class Load(Protocol):
    """Calls a slow function; may send the standby card until it returns."""

    def __call__(self, make: Callable[[], Result], /) -> Result:
        """The result of ``make``; raises what it raises."""


def load_now(make: Callable[[], Result], /) -> Result:
    """The result of ``make``, called in this thread, while nothing else has to be done."""
    return make()


def load_in_background(make: Callable[[], Result], /, *, call: Callable[[], None], every_s: float) -> Result:
    """The result of ``make``, called in a thread that ends with it; ``call`` is called here every ``every_s`` seconds.

    If ``call`` raises, or Ctrl-C is pressed, the result is closed when it arrives.
    """
    future, thread = start_thread(make, name="loading", daemon=False)
    try:
        while not wait([future], every_s).done:
            call()
    except BaseException:
        future.add_done_callback(close_result)
        raise
    thread.join()
    return future.result()


class LoadThread(threading.Thread):
    """A thread whose result only the running program needs: the command line ends without waiting for it.

    It is no daemon, as Python's own end may crash in a library that such a thread is in.
    """


def start_thread(
    make: Callable[[], Result], *, name: str, daemon: bool, writes: bool = False
) -> tuple[Future[Result], threading.Thread]:
    """The future result of ``make``, and the thread that it runs in. An OSError arrives as a MatteError.

    ``writes``: ``make`` writes a file, for which the end of the program waits.
    """
    future = Future[Result]()
    kind = threading.Thread if daemon or writes else LoadThread
    thread = kind(target=_run, args=(make, future), name=name, daemon=daemon)
    thread.start()
    return future, thread


def close_result(future: Future[Result]) -> None:
    """Close the result of a thread that is no longer waited for."""
    with suppress(BaseException):
        close = getattr(future.result(), "close", None)
        if close:
            close()


def _run(make: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(make())
    except OSError as error:
        future.set_exception(refused_by_system(error))
    except BaseException as error:  # noqa: BLE001 - the top of a thread: raised again in the caller's
        future.set_exception(error)
