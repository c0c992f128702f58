"""What takes long is made beside the line, and the line goes on."""

import threading

import pytest
from fakes.scripted import ScriptedNetwork

from realtime_matte.pipeline.loading import at_once, meanwhile

LONG_S = 30.0
"""Never waited for in a test that passes."""


def test_the_call_comes_again_and_again_until_it_is_made() -> None:
    calls: list[str] = []
    enough = threading.Event()

    def call() -> None:
        calls.append(threading.current_thread().name)
        if len(calls) == 3:
            enough.set()

    def make() -> str:
        assert enough.wait(LONG_S)
        return threading.current_thread().name

    threads = threading.active_count()
    assert meanwhile(make, call=call, every_s=0.001) == "meanwhile"
    assert set(calls) == {threading.current_thread().name}
    assert threading.active_count() == threads


def test_what_is_made_at_once_needs_no_call() -> None:
    assert meanwhile(lambda: 7, call=pytest.fail, every_s=LONG_S) == 7
    assert at_once(lambda: 7) == 7


def test_an_error_reaches_the_caller() -> None:
    def make() -> int:
        raise TimeoutError("the model does not answer")

    with pytest.raises(TimeoutError, match="does not answer"):
        meanwhile(make, call=pytest.fail, every_s=LONG_S)


def test_what_nobody_waits_for_any_more_is_closed() -> None:
    network = ScriptedNetwork()
    left = threading.Event()

    def make() -> ScriptedNetwork:
        assert left.wait(LONG_S)
        return network

    def call() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        meanwhile(make, call=call, every_s=0.001)
    left.set()
    for thread in threading.enumerate():
        if thread.name == "meanwhile":
            thread.join(LONG_S)
    assert network.closed == 1
