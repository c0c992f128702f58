"""Something slow made beside the line, so that the standby card goes on being sent."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
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
    made, thread = begin(make, name="meanwhile", daemon=False)
    try:
        while not wait([made], every_s).done:
            call()
    except BaseException:
        made.add_done_callback(close_late)
        raise
    thread.join()
    return made.result()


def begin(make: Callable[[], Made], *, name: str, daemon: bool) -> tuple[Future[Made], threading.Thread]:
    """What ``make`` will give, and the thread of its own that it is made in."""
    made = Future[Made]()
    thread = threading.Thread(target=_run, args=(make, made), name=name, daemon=daemon)
    thread.start()
    return made, thread


def close_late(made: Future[Made]) -> None:
    """Close what came when nobody waited for it any more."""
    with suppress(BaseException):
        close = getattr(made.result(), "close", None)
        if close:
            close()


def _run(make: Callable[[], Made], made: Future[Made]) -> None:
    try:
        made.set_result(make())
    except BaseException as error:  # noqa: BLE001 - the top of a thread: handed on to the caller
        made.set_exception(error)
