from collections.abc import Callable
from itertools import pairwise

import pytest
from fakes.scripted import ScriptedNetwork, camera_image, fails, frame_time

from realtime_matte.errors import MissingFile, ModelError, NoMatte, SinkError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import Background, Network
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.pipeline.recovery import MAX_FAILURES, REPORT_EVERY_S, RETRY_S, RecoveringRenderer


class BareRenderer:
    """Runs the network and returns the frame as it is: what a composite looks like is not judged here."""

    def __init__(self, network: Network, background: Background | None, *, doubt: str = "") -> None:
        self.background = background
        self.doubt = doubt
        self.notices = network.notices
        self.resets = 0
        self.continued: list[object] = []
        self._network = network

    def render(self, frame: Frame) -> Pixels:
        self._network.process(frame, None)
        if self.background:
            raise SinkError("the background failed")
        return frame.pixels

    def reset(self) -> None:
        self.resets += 1

    def continue_shot(self, previous: object) -> None:
        self.continued.append(previous)

    def close(self) -> None:
        self.resets = -1


class NetworkOpener:
    """Opens networks in turn; an error in the list is raised instead."""

    def __init__(self, *networks: ScriptedNetwork | Exception) -> None:
        self._networks = list(networks)

    def __call__(self) -> Network:
        found = self._networks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


BROKEN = dict.fromkeys(range(1000), fails)


def recovering(open_network: Callable[[], Network], reported: list[str] | None = None) -> RecoveringRenderer:
    notify = (reported if reported is not None else []).append
    return RecoveringRenderer(open_network, BareRenderer, background=None, notify=notify)


def frame(index: int, *, after_s: float = 0.0) -> Frame:
    return Frame(camera_image(index), frame_time(index) + after_s, index)


def test_a_working_network_renders_every_frame() -> None:
    renderer = recovering(NetworkOpener(ScriptedNetwork()))
    assert all(renderer.render(frame(index)) is not None for index in range(3))
    assert renderer.model == "scripted on fake"


def test_a_first_network_that_cannot_be_opened_is_an_error() -> None:
    with pytest.raises(ModelError, match="no such model"):
        recovering(NetworkOpener(ModelError("no such model")))


def test_one_failure_costs_one_frame() -> None:
    reported: list[str] = []
    renderer = recovering(NetworkOpener(ScriptedNetwork({1: fails})), reported)
    assert [renderer.render(frame(index)) is not None for index in range(3)] == [True, False, True]
    assert reported == ["no matte, so the standby card is shown and the model is tried again: the network failed"]


def test_a_failure_that_lasts_is_reported_once_until_there_is_a_matte_again() -> None:
    def without(_matte: Matte) -> Matte:
        raise NoMatte("no screen")

    reported: list[str] = []
    renderer = recovering(NetworkOpener(ScriptedNetwork({0: without, 1: without, 2: without, 4: without})), reported)
    for index in range(3):
        renderer.render(frame(index, after_s=index * 2 * REPORT_EVERY_S))
    assert len(reported) == 1
    for index in (3, 4):
        renderer.render(frame(index, after_s=index * 2 * REPORT_EVERY_S))
    assert len(reported) == 2


def test_a_network_that_keeps_failing_is_closed_and_opened_again() -> None:
    reported: list[str] = []
    broken, good = ScriptedNetwork(BROKEN), ScriptedNetwork()
    renderer = recovering(NetworkOpener(broken, good), reported)
    assert [renderer.render(frame(index)) for index in range(MAX_FAILURES)] == [None] * MAX_FAILURES
    assert broken.closed == 1
    assert renderer.render(frame(MAX_FAILURES)) is None, "too early to try again"
    assert renderer.render(frame(MAX_FAILURES, after_s=RETRY_S[0])) is not None
    assert reported[-1] == "the model is open again"
    renderer.close()
    assert good.closed == 1


def test_waits_grow_while_the_network_cannot_be_opened() -> None:
    gone = [MissingFile("the model's file is gone")] * 50
    renderer = recovering(NetworkOpener(ScriptedNetwork(BROKEN), *gone))
    tries: list[float] = []
    left = 50
    for step in range(1500):
        assert renderer.render(frame(0, after_s=step / 10)) is None
        open_network = renderer._open_network
        assert isinstance(open_network, NetworkOpener)
        if len(open_network._networks) < left:
            left = len(open_network._networks)
            tries.append(step / 10)
    waits = [round(after - before) for before, after in pairwise(tries)]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_repeated_failures_are_reported_rarely() -> None:
    reported: list[str] = []
    renderer = recovering(NetworkOpener(ScriptedNetwork(dict.fromkeys(range(0, 1000, 2), fails))), reported)
    for index in range(300):  # 10 s, failing at every other frame
        renderer.render(frame(index))
    assert len(reported) == 2


def test_a_new_network_continues_the_shot_and_the_old_one_is_closed() -> None:
    old, new = ScriptedNetwork(), ScriptedNetwork(provider="new")
    renderer = recovering(NetworkOpener(old))
    before = renderer._renderer
    renderer.use(CheckedNetwork(new), NetworkOpener())
    after = renderer._renderer
    assert isinstance(after, BareRenderer)
    assert after.continued == [before]
    assert (old.closed, new.closed, renderer.provider) == (1, 0, "new")


def test_a_new_network_replaces_a_failed_one_at_once() -> None:
    renderer = recovering(NetworkOpener(ScriptedNetwork(BROKEN)))
    for index in range(MAX_FAILURES):
        renderer.render(frame(index))
    assert renderer.render(frame(MAX_FAILURES)) is None, "it is opened again later"
    renderer.use(CheckedNetwork(ScriptedNetwork(provider="new")), NetworkOpener())
    assert renderer.render(frame(MAX_FAILURES)) is not None


def test_a_failed_output_is_not_taken_for_a_failed_network() -> None:
    renderer = recovering(NetworkOpener(ScriptedNetwork(BROKEN), SinkError("the last output is gone")))
    for index in range(MAX_FAILURES):
        renderer.render(frame(index))
    with pytest.raises(SinkError, match="the last output is gone"):
        renderer.render(frame(MAX_FAILURES, after_s=1))


def test_the_new_network_is_the_one_reopened_after_a_switch() -> None:
    renderer = recovering(NetworkOpener(ScriptedNetwork()))
    renderer.use(CheckedNetwork(ScriptedNetwork(BROKEN)), NetworkOpener(ScriptedNetwork(provider="again")))
    for index in range(MAX_FAILURES):
        renderer.render(frame(index))
    assert renderer.render(frame(MAX_FAILURES, after_s=1)) is not None
    assert renderer.provider == "again"


def test_a_failed_background_is_not_taken_for_a_failed_network() -> None:
    renderer = RecoveringRenderer(NetworkOpener(ScriptedNetwork()), BareRenderer, background=None, notify=[].append)
    renderer.background = object()  # type: ignore[assignment]  # any will do: BareRenderer fails with it
    with pytest.raises(SinkError, match="the background failed"):
        renderer.render(frame(0))


def test_a_background_set_while_there_is_no_network_is_used_after_reopening() -> None:
    renderer = recovering(NetworkOpener(ScriptedNetwork(BROKEN), ScriptedNetwork()))
    for index in range(MAX_FAILURES):
        renderer.render(frame(index))
    renderer.reset()
    renderer.background = object()  # type: ignore[assignment]  # any will do: BareRenderer fails with it
    with pytest.raises(SinkError):
        renderer.render(frame(MAX_FAILURES, after_s=1))
    assert renderer.notices == ()


def test_close_closes_the_network_once() -> None:
    network = ScriptedNetwork()
    renderer = recovering(NetworkOpener(network))
    renderer.close()
    renderer.close()
    assert network.closed == 1


@pytest.mark.parametrize("card_on_doubt", [True, False])
def test_each_kind_of_doubt_is_reported_once_and_may_show_the_card(card_on_doubt: bool) -> None:  # noqa: FBT001 -- a case
    reported = list[str]()
    made = list[BareRenderer]()

    def make(network: Network, background: Background | None) -> BareRenderer:
        made.append(BareRenderer(network, background))
        return made[0]

    renderer = RecoveringRenderer(
        ScriptedNetwork, make, background=None, notify=reported.append, card_on_doubt=card_on_doubt
    )
    shown = list[bool]()
    for index, doubt in enumerate(["", "too much", "too much", "", "too sudden", "too much"]):
        made[0].doubt = doubt
        shown.append(renderer.render(frame(index)) is not None)
    assert shown == [True, not card_on_doubt, not card_on_doubt, True, not card_on_doubt, not card_on_doubt]
    card = "the standby card is shown" if card_on_doubt else "--card-on-doubt shows the standby card instead"
    assert reported == [f"{doubt}; {card}, and another --model may not do this" for doubt in ("too much", "too sudden")]
    assert made[0].resets == 0, "the clean plate would be forgotten, and the next frame trusted"
