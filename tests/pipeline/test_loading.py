"""Slow parts are opened in a thread, and the caller continues."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from fakes.scripted import ScriptedNetwork, SolidBackground

from realtime_matte import models
from realtime_matte.errors import MatteError, ModelError
from realtime_matte.interfaces import Network
from realtime_matte.pipeline.kernels import KernelCompiler
from realtime_matte.pipeline.loading import load_in_background, load_now
from realtime_matte.pipeline.network_opening import EarlyNetwork, network_opener
from realtime_matte.pipeline.renderer_opening import RendererMaker
from realtime_matte.pipeline.slow_changes import SlowChange, SlowChanges
from realtime_matte.render import renderer
from realtime_matte.render.jit import COMPILED_NOTICE, COMPILING_NOTICE

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

    threads = threading.active_count()
    assert load_in_background(make, call=call, every_s=0.001) == "loading"
    assert set(calls) == {threading.current_thread().name}
    assert threading.active_count() == threads


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


def test_kernels_are_loaded_beside_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    network, loading, opened = ScriptedNetwork(), threading.Event(), threading.Event()

    def load_kernels() -> None:
        loading.set()
        assert opened.wait(LONG_S)

    def open_network() -> Network:
        assert loading.wait(LONG_S)
        opened.set()
        return network

    monkeypatch.setattr(renderer, "load_kernels", load_kernels)
    threads = threading.active_count()
    assert network_opener(open_network, provider=None, threads=None)() is network
    assert threading.active_count() == threads


@pytest.mark.parametrize("cached", [True, False])
def test_compiling_is_reported_before_it_begins(monkeypatch: pytest.MonkeyPatch, *, cached: bool) -> None:
    reported: list[str] = []

    def warm_up() -> str:
        assert reported == ([] if cached else [COMPILING_NOTICE])
        return "" if cached else COMPILED_NOTICE

    monkeypatch.setattr(renderer, "load_kernels", lambda: cached)
    monkeypatch.setattr(renderer, "warm_up", warm_up)
    RendererMaker((64, 36), lambda _stage: None, reported.append)(ScriptedNetwork(), SolidBackground()).close()
    assert reported == ([] if cached else [COMPILING_NOTICE, COMPILED_NOTICE])


@pytest.fixture
def early_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Network]], EarlyNetwork]]:
    """Opens a spec by a function; kernels are ready."""
    networks: list[EarlyNetwork] = []

    def early(open_spec: Callable[[], Network]) -> EarlyNetwork:
        monkeypatch.setattr(models, "open", lambda _spec, **_options: open_spec())
        networks.append(EarlyNetwork("small", provider=None, threads=None, kernels=KernelCompiler(lambda: True)))
        return networks[-1]

    yield early
    for network in networks:
        network.close()


def test_a_network_is_opened_beside_other_parts_and_again_after_a_failure(
    early_network: Callable[[Callable[[], Network]], EarlyNetwork],
) -> None:
    opened = [ScriptedNetwork(), ScriptedNetwork()]
    began, left = threading.Event(), list(opened)

    def open_spec() -> Network:
        began.set()
        return left.pop(0)

    network = early_network(open_spec)
    assert began.wait(LONG_S), "before it is asked for"
    assert network() is opened[0]
    assert network() is opened[1]
    network.close()
    assert [each.closed for each in opened] == [0, 0], "they belong to who took them"


def test_a_network_that_another_part_makes_useless_is_closed(
    early_network: Callable[[Callable[[], Network]], EarlyNetwork],
) -> None:
    opened, may_open = ScriptedNetwork(), threading.Event()

    def open_spec() -> Network:
        assert may_open.wait(LONG_S)
        return opened

    early_network(open_spec).close()
    may_open.set()
    for thread in threading.enumerate():
        if thread.name == "network":
            thread.join(LONG_S)
    assert opened.closed == 1


def test_an_early_network_that_cannot_be_opened_is_reported_when_it_is_asked_for(
    early_network: Callable[[Callable[[], Network]], EarlyNetwork],
) -> None:
    def open_spec() -> Network:
        raise ModelError("no such model")

    with pytest.raises(ModelError, match="no such model"):
        early_network(open_spec)()


def test_a_network_that_cannot_be_opened_is_reported_though_kernels_fail_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_network() -> Network:
        raise ModelError("no such model")

    monkeypatch.setattr(renderer, "load_kernels", lambda: 1 / 0)
    with pytest.raises(ModelError):
        network_opener(open_network, provider=None, threads=None)()


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
