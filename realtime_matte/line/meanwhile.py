"""Something slow made beside the line, so that the standby card goes on being sent."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol, TypeVar

Made = TypeVar("Made")


class Load(Protocol):
    """Calls what takes long, and does what has to be done meanwhile."""

    def __call__(self, make: Callable[[], Made], /) -> Made:
        """What ``make`` gives; raises what it raises."""


def at_once(make: Callable[[], Made], /) -> Made:
    """There is nothing to do meanwhile."""
    return make()


def meanwhile(make: Callable[[], Made], /, *, call: Callable[[], None], every_s: float) -> Made:
    """What ``make`` gives, made in a thread of its own that ends with it; ``call`` is called here every so often.

    If ``call`` raises, or Ctrl-C does, the result is closed as soon as it is there. The program does not end before.
    """
    made = Future[Made]()
    done = threading.Event()
    thread = threading.Thread(target=_run, args=(make, made, done), name="meanwhile")
    thread.start()
    try:
        while not done.wait(every_s):
            call()
    except BaseException:
        made.add_done_callback(_close)
        raise
    thread.join()
    return made.result()


def _run(make: Callable[[], Made], made: Future[Made], done: threading.Event) -> None:
    try:
        made.set_result(make())
    except BaseException as error:  # noqa: BLE001 - the top of a thread: handed on to the caller
        made.set_exception(error)
    finally:
        done.set()


def _close(made: Future[Made]) -> None:
    with suppress(BaseException):  # nobody waits for it any more
        close = getattr(made.result(), "close", None)
        if close:
            close()
