from collections.abc import Callable
from itertools import pairwise

import pytest
from fakes.scripted import ScriptedNetwork, fails, room, taken

from realtime_matte.errors import MissingFile, ModelError, SinkError
from realtime_matte.frame import Frame, Pixels
from realtime_matte.interfaces import Background, Network
from realtime_matte.pipeline.recovery import PATIENCE, PAUSES_S, RecoveringRenderer


class BareRenderer:
    """The network's matte, and the frame as it is: what a picture looks like is not judged here."""

    def __init__(self, network: Network, background: Background | None) -> None:
        self.background = background
        self.notices = network.notices
        self.forgot = 0
        self._network = network

    def render(self, frame: Frame) -> Pixels:
        self._network.process(frame, None)
        if self.background:
            raise SinkError("the background failed")
        return frame.pixels

    def reset(self) -> None:
        self.forgot += 1

    def close(self) -> None:
        self.forgot = -1


class Shelf:
    """Opens networks in turn; an error in the list is raised in place of one."""

    def __init__(self, *networks: ScriptedNetwork | Exception) -> None:
        self._networks = list(networks)

    def __call__(self) -> Network:
        found = self._networks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


BROKEN = dict.fromkeys(range(1000), fails)


def renderer(shelf: Callable[[], Network], told: list[str] | None = None) -> RecoveringRenderer:
    notify = (told if told is not None else []).append
    return RecoveringRenderer(shelf, BareRenderer, background=None, notify=notify)


def frame(index: int, *, after_s: float = 0.0) -> Frame:
    return Frame(room(index), taken(index) + after_s, index)


def test_a_good_network_gives_a_picture_of_every_frame() -> None:
    line = renderer(Shelf(ScriptedNetwork()))
    assert all(line.render(frame(index)) is not None for index in range(3))
    assert line.model == "scripted on fake"


def test_the_first_network_has_to_open() -> None:
    with pytest.raises(ModelError, match="no such model"):
        renderer(Shelf(ModelError("no such model")))


def test_one_failure_costs_one_picture() -> None:
    told: list[str] = []
    line = renderer(Shelf(ScriptedNetwork({1: fails})), told)
    assert [line.render(frame(index)) is not None for index in range(3)] == [True, False, True]
    assert told == ["no matte, so the standby card is shown and the model tried again: the network failed"]


def test_a_network_that_goes_on_failing_is_closed_and_opened_anew() -> None:
    told: list[str] = []
    broken, good = ScriptedNetwork(BROKEN), ScriptedNetwork()
    line = renderer(Shelf(broken, good), told)
    assert [line.render(frame(index)) for index in range(PATIENCE)] == [None] * PATIENCE
    assert broken.closed == 1
    assert line.render(frame(PATIENCE)) is None, "too early to try again"
    assert line.render(frame(PATIENCE, after_s=PAUSES_S[0])) is not None
    assert told[-1] == "the model is open again"
    line.close()
    assert good.closed == 1


def test_it_waits_longer_each_time_it_cannot_be_opened() -> None:
    gone = [MissingFile("the model's file is gone")] * 50
    line = renderer(Shelf(ScriptedNetwork(BROKEN), *gone))
    tries: list[float] = []
    left = 50
    for step in range(1500):
        assert line.render(frame(0, after_s=step / 10)) is None
        shelf = line._open
        assert isinstance(shelf, Shelf)
        if len(shelf._networks) < left:
            left = len(shelf._networks)
            tries.append(step / 10)
    waits = [round(after - before) for before, after in pairwise(tries)]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_row_of_faults_is_told_now_and_then_only() -> None:
    told: list[str] = []
    line = renderer(Shelf(ScriptedNetwork(dict.fromkeys(range(0, 1000, 2), fails))), told)
    for index in range(300):  # 10 s, failing at every other frame
        line.render(frame(index))
    assert len(told) == 2


def test_another_network_takes_over_and_the_old_one_is_closed() -> None:
    old, new = ScriptedNetwork(), ScriptedNetwork(provider="new")
    line = renderer(Shelf(old))
    assert line.switch(Shelf(new))
    assert (old.closed, new.closed, line.provider) == (1, 0, "new")


def test_a_network_that_cannot_be_opened_takes_nothing_over() -> None:
    told: list[str] = []
    old = ScriptedNetwork()
    line = renderer(Shelf(old), told)
    assert not line.switch(Shelf(MissingFile("no file 'x.onnx'")))
    assert told == ["the model stays as it is: no file 'x.onnx'"]
    assert old.closed == 0
    assert line.render(frame(0)) is not None


def test_an_output_that_ends_while_a_network_opens_is_not_taken_for_the_network() -> None:
    line = renderer(Shelf(ScriptedNetwork(BROKEN), SinkError("the last output is gone"), SinkError("it still is")))
    with pytest.raises(SinkError, match="the last output is gone"):
        line.switch(Shelf(SinkError("the last output is gone")))
    for index in range(PATIENCE):
        line.render(frame(index))
    with pytest.raises(SinkError, match="the last output is gone"):
        line.render(frame(PATIENCE, after_s=1))


def test_after_a_switch_it_is_the_new_network_that_is_opened_again() -> None:
    line = renderer(Shelf(ScriptedNetwork()))
    line.switch(Shelf(ScriptedNetwork(BROKEN), ScriptedNetwork(provider="again")))
    for index in range(PATIENCE):
        line.render(frame(index))
    assert line.render(frame(PATIENCE, after_s=1)) is not None
    assert line.provider == "again"


def test_a_failed_background_is_not_taken_for_a_failed_model() -> None:
    line = RecoveringRenderer(Shelf(ScriptedNetwork()), BareRenderer, background=None, notify=[].append)
    line.background = object()  # type: ignore[assignment]  # any will do: BareRenderer fails with it
    with pytest.raises(SinkError, match="the background failed"):
        line.render(frame(0))


def test_a_background_chosen_while_the_model_is_away_is_there_when_it_comes_back() -> None:
    line = renderer(Shelf(ScriptedNetwork(BROKEN), ScriptedNetwork()))
    for index in range(PATIENCE):
        line.render(frame(index))
    line.reset()
    line.background = object()  # type: ignore[assignment]  # any will do: BareRenderer fails with it
    with pytest.raises(SinkError):
        line.render(frame(PATIENCE, after_s=1))
    assert line.notices == ()


def test_close_closes_the_network_once() -> None:
    network = ScriptedNetwork()
    line = renderer(Shelf(network))
    line.close()
    line.close()
    assert network.closed == 1
