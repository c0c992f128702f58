"""A network is opened beside other parts, and its failure is reported where it is taken."""

import threading
from collections.abc import Callable, Iterator

import pytest
from fakes.scripted import ScriptedNetwork
from fakes.threads import started_since

from realtime_matte import models
from realtime_matte.errors import ModelError
from realtime_matte.interfaces import Network
from realtime_matte.pipeline.kernels import KernelCompiler
from realtime_matte.pipeline.network_opening import EarlyNetwork, network_opener
from realtime_matte.render import renderer

LONG_S = 30.0
"""Longer than any wait of a test that passes."""


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
    before = threading.enumerate()
    assert network_opener(open_network, provider=None, threads=None)() is network
    assert started_since(before) == []


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
