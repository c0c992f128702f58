"""Slow parts are opened in a thread, and the caller continues."""

import errno
import os
import threading
from concurrent.futures import Future

import pytest
from fakes.scripted import ScriptedNetwork
from fakes.threads import started_since

from realtime_matte.errors import MatteError
from realtime_matte.pipeline.loading import load_in_background, load_now
from realtime_matte.pipeline.slow_changes import SlowChange, SlowChanges

LONG_S = 30.0
"""Longer than any wait of a test that passes."""


def test_the_call_is_repeated_until_loading_is_done() -> None:
    calls: list[str] = []
    enough = threading.Event()

    def call() -> None:
        calls.append(threading.current_thread().name)
        if len(calls) == 3:
            enough.set()

    def make() -> str:
        assert enough.wait(LONG_S)
        return threading.current_thread().name

    before = threading.enumerate()
    assert load_in_background(make, call=call, every_s=0.001) == "loading"
    assert set(calls) == {threading.current_thread().name}
    assert started_since(before) == []


def test_a_quick_result_needs_no_call() -> None:
    assert load_in_background(lambda: 7, call=pytest.fail, every_s=LONG_S) == 7
    assert load_now(lambda: 7) == 7


def test_an_error_reaches_the_caller() -> None:
    def make() -> int:
        raise RuntimeError("the model does not answer")

    with pytest.raises(RuntimeError, match="does not answer"):
        load_in_background(make, call=pytest.fail, every_s=LONG_S)


def test_a_result_that_is_no_longer_waited_for_is_closed() -> None:
    network = ScriptedNetwork()
    left = threading.Event()

    def make() -> ScriptedNetwork:
        assert left.wait(LONG_S)
        return network

    def call() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_in_background(make, call=call, every_s=0.001)
    left.set()
    for thread in threading.enumerate():
        if thread.name == "loading":
            thread.join(LONG_S)
    assert network.closed == 1


def test_what_the_system_refuses_is_a_refusal_and_a_bug_stays_a_bug() -> None:
    def full() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "/dev/video0")

    def wrong() -> None:
        raise ValueError("a bug")

    changes = SlowChanges[None](daemon=True)
    refused, reply = list[MatteError](), Future[object]()
    parts = {"key": "camera", "use": lambda _: None, "refused": refused.append}
    changes.put(SlowChange(begin=lambda: full, reply=reply, **parts))  # type: ignore[arg-type]
    changes.update(wait=True)
    assert str(refused[0]).startswith("the system refuses '/dev/video0': Too many open files; ")
    assert reply.exception() is refused[0]
    assert isinstance(refused[0].__cause__, OSError)
    changes.put(SlowChange(begin=full, reply=Future(), **parts))  # type: ignore[arg-type]
    changes.update(wait=True)
    assert len(refused) == 2
    changes.put(SlowChange(begin=lambda: wrong, reply=Future(), **parts))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a bug"):
        changes.update(wait=True)
