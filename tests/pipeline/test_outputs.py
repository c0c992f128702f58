import numpy as np
import pytest
from fakes.scripted import Recorder

from realtime_matte.errors import SinkError
from realtime_matte.frame import Pixels
from realtime_matte.pipeline.outputs import Outputs


class FailsToClose(Recorder):
    def close(self) -> None:
        super().close()
        raise SinkError("the disk is full")


def opened(*sinks: Recorder, told: list[str] | None = None) -> Outputs:
    outputs = Outputs(notify=(told if told is not None else []).append)
    for sink in sinks:
        outputs.add(sink)
    return outputs


def picture(value: int = 7) -> Pixels:
    return np.full((2, 4, 3), value, np.uint8)


def test_every_output_gets_every_picture() -> None:
    sinks = Recorder(), Recorder(live=True)
    outputs = opened(*sinks)
    outputs.send(picture(1), 5.0)
    outputs.send(picture(2), 5.5)
    for sink in sinks:
        assert [int(one[0, 0, 0]) for one in sink.pictures] == [1, 2]
        assert sink.times == [5.0, 5.5]


def test_live_outputs_alone_get_what_is_for_those_who_watch() -> None:
    recording, window = Recorder(), Recorder(live=True)
    outputs = opened(recording, window)
    outputs.send_live(picture(), 5.0)
    assert (len(recording.pictures), len(window.pictures)) == (0, 1)


def test_time_never_goes_back() -> None:
    sink = Recorder(live=True)
    outputs = opened(sink)
    for time in (5.0, 4.9, 5.1):
        outputs.send(picture(), time)
    assert sink.times == [5.0, 5.0, 5.1]


def test_a_card_that_nobody_watched_moves_no_time() -> None:
    sink = Recorder()
    outputs = opened(sink)
    outputs.send_live(picture(), 9.0)
    outputs.send(picture(), 5.0)
    assert sink.times == [5.0]


def test_one_output_that_fails_is_closed_and_told_and_the_others_go_on() -> None:
    told: list[str] = []
    good, bad = Recorder(), Recorder(fails_at=1)
    outputs = opened(bad, good, told=told)
    for time in (1.0, 2.0, 3.0):
        outputs.send(picture(), time)
    assert (len(bad.pictures), bad.closed) == (1, 1)
    assert (len(good.pictures), good.closed) == (3, 0)
    assert told == ["an output failed and is closed, the others go on: the output went away"]


def test_the_last_outputs_error_ends_the_run() -> None:
    bad = Recorder(fails_at=0)
    with pytest.raises(SinkError, match="the output went away"):
        opened(bad).send(picture(), 1.0)
    assert bad.closed == 1


def test_when_all_fail_at_once_the_last_ones_error_is_raised() -> None:
    told: list[str] = []
    with pytest.raises(SinkError):
        opened(Recorder(fails_at=0), Recorder(fails_at=0), told=told).send(picture(), 1.0)
    assert len(told) == 1


def test_a_failed_output_that_cannot_even_be_closed_hides_nothing() -> None:
    with pytest.raises(SinkError, match="the output went away") as caught:
        opened(FailsToClose(fails_at=0)).send(picture(), 1.0)
    assert caught.value.__notes__ == ["the disk is full"]


def test_close_closes_all_although_one_fails_to() -> None:
    sinks = FailsToClose(), Recorder(), FailsToClose()
    outputs = opened(*sinks)
    with pytest.raises(SinkError, match="the disk is full"):
        outputs.close()
    assert [sink.closed for sink in sinks] == [1, 1, 1]
    outputs.close()
    assert [sink.closed for sink in sinks] == [1, 1, 1]


def test_commands_of_all_outputs_are_heard() -> None:
    outputs = opened(Recorder(commands={0: "standby"}), Recorder(commands={0: "quit"}))
    assert outputs.commands() == ["standby", "quit"]
    assert outputs.commands() == []


def test_any_live_output_makes_the_run_live() -> None:
    assert opened(Recorder(), Recorder(live=True)).live
    assert not opened(Recorder()).live
