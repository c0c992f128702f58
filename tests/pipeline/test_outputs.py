from unittest.mock import Mock

import numpy as np
import pytest
from fakes.scripted import FPS, Recorder

from realtime_matte.errors import SinkError
from realtime_matte.frame import Pixels
from realtime_matte.media import i420
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.recorder import SinkFormat


class FailsToClose(Recorder):
    def close(self) -> None:
        super().close()
        raise SinkError("the disk is full")


def opened(*sinks: Recorder, reported: list[str] | None = None) -> Outputs:
    outputs = Outputs(
        SinkFormat(size=(4, 2), fps=FPS, alpha=False), notify=(reported if reported is not None else []).append
    )
    for sink in sinks:
        outputs.add(sink)
    return outputs


def image(value: int = 7) -> Pixels:
    return np.full((2, 4, 3), value, np.uint8)


def test_every_output_gets_every_image() -> None:
    sinks = Recorder(), Recorder(live=True)
    outputs = opened(*sinks)
    outputs.send(image(1), 5.0)
    outputs.send(image(2), 5.5)
    for sink in sinks:
        assert [int(sent[0, 0, 0]) for sent in sink.images] == [1, 2]
        assert sink.times == [5.0, 5.5]


def test_send_live_sends_to_live_outputs_only() -> None:
    recording, window = Recorder(), Recorder(live=True)
    outputs = opened(recording, window)
    outputs.send_live(image(), 5.0)
    assert (len(recording.images), len(window.images)) == (0, 1)


class PlanesRecorder(Recorder):
    """A live sink that carries I420 and keeps what it gets, not copies."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.planes: list[Pixels] = []

    def send_i420(self, image: Pixels, _time: float) -> None:
        self.planes.append(image)


def test_a_card_is_converted_once_however_often_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, cards = PlanesRecorder(), [image(40), image(200)]
    expected = [i420.from_bgr(card) for card in cards]
    converted = Mock(side_effect=i420.from_bgr)
    monkeypatch.setattr(i420, "from_bgr", converted)
    outputs = opened(sink)
    outputs.send_live(cards[0], 1.0)
    outputs.send_card(cards[0], 1.1)
    outputs.send(i420.empty((4, 2)), 1.2)
    outputs.send_card(cards[0], 1.3)
    assert sink.images == []
    assert all(np.array_equal(sink.planes[index], expected[0]) for index in (0, 1, 3))
    assert converted.call_count == 1
    outputs.send_card(cards[1], 1.4)
    assert np.array_equal(sink.planes[-1], expected[1])


def test_an_output_that_is_added_gets_the_composite_of_now_not_that_of_an_earlier_one() -> None:
    composite, sinks = image(1), [PlanesRecorder(), PlanesRecorder()]
    outputs = opened()
    outputs.add(Recorder())
    outputs.send(composite, 1.0)
    for sink, value in zip(sinks, (50, 90), strict=True):
        composite[:] = value  # the renderer's buffer
        outputs.add(sink)
        assert np.array_equal(sink.planes[0], i420.from_bgr(image(value)))


def test_an_output_that_is_added_gets_a_composite_in_planes_as_the_others_get_it() -> None:
    composite = np.random.default_rng(0).integers(0, 256, i420.empty((4, 2)).shape, np.uint8)
    first, added, window = PlanesRecorder(), PlanesRecorder(), Recorder(live=True)
    outputs = opened(first)
    outputs.send(composite, 1.0)
    outputs.add(added)
    outputs.add(window)
    assert np.array_equal(added.planes[0], composite)
    assert np.array_equal(window.images[0], i420.to_bgr(composite))


def test_time_never_goes_back() -> None:
    sink = Recorder(live=True)
    outputs = opened(sink)
    for time in (5.0, 4.9, 5.1):
        outputs.send(image(), time)
    assert sink.times == [5.0, 5.0, 5.1]


def test_a_card_that_was_sent_to_no_output_does_not_advance_time() -> None:
    sink = Recorder()
    outputs = opened(sink)
    outputs.send_live(image(), 9.0)
    outputs.send(image(), 5.0)
    assert sink.times == [5.0]


def test_an_output_that_fails_is_closed_and_reported_and_the_others_continue() -> None:
    reported: list[str] = []
    good, bad = Recorder(), Recorder(fails_at=1)
    outputs = opened(bad, good, reported=reported)
    for time in (1.0, 2.0, 3.0):
        outputs.send(image(), time)
    assert (len(bad.images), bad.closed) == (1, 1)
    assert (len(good.images), good.closed) == (3, 0)
    assert reported == ["an output failed and is closed, the others continue: the output went away"]


def test_the_error_of_the_last_output_is_raised() -> None:
    bad = Recorder(fails_at=0)
    with pytest.raises(SinkError, match="the output went away"):
        opened(bad).send(image(), 1.0)
    assert bad.closed == 1


def test_the_last_error_is_raised_if_all_outputs_fail_at_once() -> None:
    reported: list[str] = []
    with pytest.raises(SinkError):
        opened(Recorder(fails_at=0), Recorder(fails_at=0), reported=reported).send(image(), 1.0)
    assert len(reported) == 1


def test_an_error_while_closing_does_not_hide_the_failure() -> None:
    with pytest.raises(SinkError, match="the output went away") as caught:
        opened(FailsToClose(fails_at=0)).send(image(), 1.0)
    assert caught.value.__notes__ == ["the disk is full"]


def test_close_closes_all_outputs_despite_errors() -> None:
    sinks = FailsToClose(), Recorder(), FailsToClose()
    outputs = opened(*sinks)
    with pytest.raises(SinkError, match="the disk is full"):
        outputs.close()
    assert [sink.closed for sink in sinks] == [1, 1, 1]
    outputs.close()
    assert [sink.closed for sink in sinks] == [1, 1, 1]


def test_commands_of_all_outputs_are_returned() -> None:
    outputs = opened(Recorder(commands={0: "standby"}), Recorder(commands={0: "quit"}))
    assert outputs.commands() == ["standby", "quit"]
    assert outputs.commands() == []


def test_one_live_output_makes_the_outputs_live() -> None:
    assert opened(Recorder(), Recorder(live=True)).live
    assert not opened(Recorder()).live
