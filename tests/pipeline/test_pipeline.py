import logging
import re
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.scripted import (
    FPS,
    SIZE,
    Recorder,
    ScriptedFeed,
    ScriptedNetwork,
    ScriptedSource,
    Wall,
    fails,
    opening,
    taken,
)
from test_privacy import is_card

from realtime_matte import models
from realtime_matte.cli.figures import live_line
from realtime_matte.errors import MissingFile, ModelError, SinkError, SourceError, SourceLost, SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Network, OpenSource, Source
from realtime_matte.pipeline import card, standby
from realtime_matte.pipeline import parts as assembly
from realtime_matte.pipeline.governor import IN_A_ROW, JUDGED
from realtime_matte.pipeline.lifetime import own
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import CARD_EVERY_S, STANDBY_EVERY_S
from realtime_matte.sinks import file


def opened(
    source: str | OpenSource,
    *sinks: Recorder,
    background: Wall | Sequence[Wall] | None = None,
    network: ScriptedNetwork | None = None,
    told: list[str] | None = None,
    size: Size | None = None,
    fps: float | None = None,
) -> Pipeline:
    network = network or ScriptedNetwork()
    return Pipeline.open(
        source,
        background or Wall(),
        outputs=sinks,
        model=lambda: network,
        size=size,
        fps=fps,
        notify=(told if told is not None else []).append,
    )


def clip(frames: int, *, size: Size = SIZE) -> OpenSource:
    return opening(ScriptedSource(range(frames), size=size))


def live(monkeypatch: pytest.MonkeyPatch, feed: ScriptedFeed) -> OpenSource:
    """A source whose thread is the scripted feed."""
    monkeypatch.setattr(assembly, "watch", lambda stack, _device, _reopen: own(stack, feed))
    return opening(ScriptedSource([], live=True))


def test_a_finite_source_gives_every_frame_without_a_thread() -> None:
    sink = Recorder()
    threads = threading.active_count()
    with opened(clip(20), sink) as pipeline:
        pipeline.run()
        assert threading.active_count() == threads
    assert sink.times == [taken(index) for index in range(20)]
    assert (pipeline.stats.composites, pipeline.stats.standby_cards) == (20, 0)


def test_two_runs_of_a_finite_source_are_the_same_to_the_bit() -> None:
    sinks = Recorder(), Recorder()
    for sink in sinks:
        with opened(clip(8), sink, network=ScriptedNetwork({3: fails})) as pipeline:
            pipeline.run()
    assert sinks[0].times == sinks[1].times
    assert all(np.array_equal(one, other) for one, other in zip(*(sink.pictures for sink in sinks), strict=True))


def test_outputs_are_opened_in_the_sources_size_and_rate() -> None:
    sink = Recorder()
    opened(clip(0, size=(64, 32)), sink).close()
    assert sink.opened == ((64, 32), FPS, False)


def test_a_given_size_is_the_outputs_and_the_rate_is_what_the_source_grants() -> None:
    sink = Recorder()
    choices: list[tuple[Size | None, float | None]] = []

    def open_source(_rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        choices.append((size, fps))
        return ScriptedSource(range(2), size=(64, 32))

    with opened(open_source, sink, size=(48, 32), fps=15) as pipeline:
        pipeline.run()
    assert choices == [((48, 32), 15)]
    assert sink.opened == ((48, 32), FPS, False)
    assert [picture.shape for picture in sink.pictures] == [(32, 48, 3)] * 2


def test_run_stops_when_until_says_so() -> None:
    sink = Recorder()
    with opened(clip(20), sink) as pipeline:
        pipeline.run(until=lambda: pipeline.stats.composites == 5)
    assert len(sink.pictures) == 5


def test_step_says_when_there_is_nothing_more() -> None:
    with opened(clip(2), Recorder()) as pipeline:
        assert [pipeline.step() for _ in range(4)] == [True, True, False, False]


def test_asked_to_quit_it_stops_before_the_next_frame() -> None:
    sink = Recorder()
    with opened(clip(20), sink) as pipeline:
        pipeline.step()
        pipeline.request("quit")
        assert not pipeline.step()
    assert len(sink.pictures) == 1


def test_asked_from_another_thread_it_obeys() -> None:
    sink = Recorder()
    with opened(clip(4), sink) as pipeline:
        other = threading.Thread(target=pipeline.request, args=("quit",))
        other.start()
        other.join()
        pipeline.run()
    assert sink.pictures == []


def test_while_the_camera_is_away_the_card_is_repeated_often_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = ScriptedFeed([0, None, None, None])
    sink = Recorder(live=True)
    with opened(live(monkeypatch, feed), sink) as pipeline:
        pipeline.run()
    assert set(feed.waits) == {CARD_EVERY_S}
    assert CARD_EVERY_S <= 0.5
    assert pipeline.stats.standby_cards == 3
    away = card.draw(SIZE, text=standby.CAMERA_AWAY)
    assert [np.array_equal(picture, away) for picture in sink.pictures[2:5]] == [True] * 3


def test_a_camera_that_was_away_for_less_than_a_turn_begins_a_new_shot(monkeypatch: pytest.MonkeyPatch) -> None:
    feed, network = ScriptedFeed(range(5)), ScriptedNetwork()
    with opened(live(monkeypatch, feed), Recorder(live=True), network=network) as pipeline:
        pipeline.step()
        pipeline.step()
        feed.began = 3
        pipeline.run()
    assert network.states == [None, (0,), (1,), None, (3,)]


def test_on_standby_the_camera_is_off_and_the_card_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    feed, sink, told = ScriptedFeed(range(4)), Recorder(live=True), list[str]()
    with opened(live(monkeypatch, feed), sink, told=told) as pipeline:
        pipeline.step()
        pipeline.request("standby")
        pipeline.step()
        assert not feed.on
        assert pipeline.camera_off_reason == live_line(pipeline, verbose=True) == "standby: the camera is off"
        pipeline.step()
        pipeline.request("standby")
        pipeline.step()
        assert feed.on
        assert pipeline.camera_off_reason is None
    assert told == ["standby: the camera is off", "standby is over"]
    assert [is_card(one) for one in sink.pictures] == [True, False, True, True, False, True]
    assert [np.array_equal(one, card.draw(SIZE, text=standby.STANDBY)) for one in sink.pictures[2:4]] == [True] * 2
    assert set(feed.waits[1:3]) == {STANDBY_EVERY_S}


def test_a_file_goes_on_behind_the_card() -> None:
    sink = Recorder(commands={1: "standby", 3: "standby"})
    with opened(clip(4), sink) as pipeline:
        pipeline.run()
    assert [is_card(one) for one in sink.pictures] == [False, True, True, False]


def test_live_outputs_show_the_card_first_and_last_and_recordings_never(monkeypatch: pytest.MonkeyPatch) -> None:
    window, recording = Recorder(live=True), Recorder()
    with opened(live(monkeypatch, ScriptedFeed([0, 1])), window, recording) as pipeline:
        pipeline.run()
    assert np.array_equal(window.pictures[0], card.draw(SIZE, text=standby.STARTING))
    assert np.array_equal(window.pictures[-1], card.draw(SIZE, text=standby.STOPPED))
    assert (len(window.pictures), len(recording.pictures)) == (4, 2)


@pytest.mark.parametrize(
    ("model", "switched", "specs"),
    [
        ("auto", None, ["auto", "small", "small?quality=low"]),
        ("small", None, ["small"]),
        ("auto", "other.onnx", ["auto", "other.onnx"]),
        ("small", "auto", ["small", "auto", "small", "small?quality=low"]),
    ],
)
def test_a_line_too_slow_takes_a_lighter_network_unless_the_user_chose_one(
    monkeypatch: pytest.MonkeyPatch, model: str, switched: str | None, specs: list[str]
) -> None:
    opened: list[str] = []

    def open_network(spec: str, *, provider: str | None, threads: int | None) -> Network:
        assert (provider, threads) == ("cpu", 1)
        opened.append(spec)
        return ScriptedNetwork()

    monkeypatch.setattr(models, "open", open_network)
    feed, told = Losing(range(4 * IN_A_ROW * JUDGED)), list[str]()
    with Pipeline.open(
        live(monkeypatch, feed),
        Wall(),
        outputs=[Recorder()],
        model=model,
        provider="cpu",
        threads=1,
        notify=told.append,
    ) as pipeline:
        if switched:
            pipeline.switch_model(switched, provider="cpu", threads=1)
        pipeline.run()
    assert opened == specs
    assert sum("too slow for this camera" in line for line in told) == specs.count("small?quality=low") * 2 + 1


class Losing(ScriptedFeed):
    """Half of its frames come too fast."""

    def take(self, timeout_s: float) -> Frame | None:
        self.dropped += 1
        return super().take(timeout_s)


@pytest.mark.parametrize("switched", [False, True])
def test_while_a_network_loads_the_card_goes_on_being_sent(monkeypatch: pytest.MonkeyPatch, *, switched: bool) -> None:
    sink = Counting()

    def open_network() -> Network:
        sink.count = 0
        assert sink.enough.wait(30), "nothing was sent meanwhile"
        sink.enough.clear()
        return ScriptedNetwork()

    monkeypatch.setattr("realtime_matte.pipeline.builder.CARD_EVERY_S", 0.001)
    source = live(monkeypatch, ScriptedFeed([0, 1]))
    first = ScriptedNetwork if switched else open_network
    with Pipeline.open(source, Wall(), outputs=[sink], model=first, notify=[].append) as pipeline:
        if switched:
            pipeline.switch_model(open_network)
        pipeline.run()
    text = standby.SWITCHING if switched else standby.STARTING
    assert sum(np.array_equal(one, card.draw(SIZE, text=text)) for one in sink.pictures) >= 3
    assert set(sink.threads) == {threading.current_thread()}


class Counting(Recorder):
    """Says when three pictures were sent since the count was set back, and in which threads."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.count = 0
        self.enough = threading.Event()
        self.threads: list[threading.Thread] = []

    def send(self, picture: Pixels, time: float) -> None:
        super().send(picture, time)
        self.threads.append(threading.current_thread())
        self.count += 1
        if self.count == 3:
            self.enough.set()


def test_a_recording_loads_its_network_in_the_thread_it_is_called_in() -> None:
    threads: list[threading.Thread] = []

    def open_network() -> Network:
        threads.append(threading.current_thread())
        return ScriptedNetwork()

    Pipeline.open(clip(1), Wall(), outputs=[Recorder()], model=open_network).close()
    assert threads == [threading.current_thread()]


def test_the_card_that_outlives_the_program_says_that_the_camera_is_off() -> None:
    class HasTimeoutImage(Recorder):
        left: Sequence[Pixels] = ()

        def set_timeout_image(self, picture: Pixels) -> None:
            assert self.pictures, "only after something was sent"
            self.left = [*self.left, picture]

    sink = HasTimeoutImage(live=True)
    opened(clip(1), sink).close()
    assert [np.array_equal(one, card.draw(SIZE, text=standby.STOPPED)) for one in sink.left] == [True]


@pytest.mark.parametrize("error", [ModelError("no such model"), KeyboardInterrupt()])
def test_a_start_that_fails_leaves_no_promise_of_one(error: BaseException) -> None:
    def open_network() -> Network:
        raise error

    sink = Recorder(live=True)
    with pytest.raises(type(error)):
        Pipeline.open(clip(1), Wall(), outputs=[sink], model=open_network)
    assert np.array_equal(sink.pictures[0], card.draw(SIZE, text=standby.STARTING))
    assert np.array_equal(sink.pictures[-1], card.draw(SIZE, text=standby.STOPPED))


@pytest.mark.parametrize("frames", [None, 40])
def test_a_live_source_that_ends_begins_when_the_line_is_ready(
    monkeypatch: pytest.MonkeyPatch, frames: int | None
) -> None:
    """A camera has to warm up; of a clip that plays as one, nothing is to be missed while the network is opened."""
    begun = list[bool]()
    monkeypatch.setattr(
        assembly,
        "CaptureWorker",
        lambda _open, ahead: begun.append(ahead) or ScriptedFeed([]),  # type: ignore[func-returns-value]
    )
    source = ScriptedSource([], live=True)
    source.frames = frames
    with Pipeline.open(opening(source), Wall(), outputs=[Recorder(live=True)], model=ScriptedNetwork, notify=[].append):
        assert begun == [frames is None]


def test_a_clip_is_paced_like_a_camera_when_somebody_watches() -> None:
    sink = Recorder(live=True)
    with opened(clip(3), sink) as pipeline:
        pipeline.run()
        assert pipeline.live
    shown = sink.times[1:-1]  # without the first and the last card
    assert 1 <= len(shown) <= 3
    assert np.all(np.diff(shown) > 0)
    assert not [thread for thread in threading.enumerate() if thread.name == "capture"]


def test_times_never_go_back_over_a_switch_in_a_clip() -> None:
    sink = Recorder()
    with opened(clip(4), sink) as pipeline:
        pipeline.step()
        pipeline.switch_model(ScriptedNetwork)
        pipeline.run()
    assert sink.times == [taken(index) for index in (0, 0, 1, 2, 3)]


def test_a_background_can_be_switched_by_hand() -> None:
    before, after = Wall((0, 0, 0)), Wall((9, 9, 9))
    sink = Recorder()
    with opened(clip(2), sink, background=before) as pipeline:
        pipeline.step()
        pipeline.switch_background(after)
        pipeline.run()
    assert [tuple(picture[0, 0]) for picture in sink.pictures] == [(0, 0, 0), (9, 9, 9)]
    assert (before.closed, after.closed) == (1, 1)


def test_a_background_that_cannot_be_opened_is_told_and_the_old_one_stays() -> None:
    told: list[str] = []
    sink = Recorder()
    with opened(clip(2), sink, told=told) as pipeline:
        pipeline.switch_background("color:no-such")
        pipeline.run()
    assert len(sink.pictures) == 2
    assert "the background stays as it is: no colour called 'no-such'" in told[0]


def test_notes_of_every_part_are_there() -> None:
    with opened(clip(0), Recorder()) as pipeline:
        assert pipeline.notices == ["scripted camera", "recorder"]
        assert pipeline.mode == "96x64 at 30 fps"
        assert pipeline.model == "scripted on fake"
        assert (pipeline.frames, pipeline.live, pipeline.dropped) == (None, False, 0)


def test_a_provider_that_hands_over_in_mid_run_is_told() -> None:
    class HandsOver(ScriptedNetwork):
        def process(self, *asked: object) -> object:  # type: ignore[override]
            self.provider, self.notices = "cpu", ["CUDA failed while running; running on CPU since"]
            return super().process(*asked)  # type: ignore[arg-type]

    told: list[str] = []
    with opened(clip(3), Recorder(), network=HandsOver(), told=told) as pipeline:
        pipeline.run()
    assert told == ["CUDA failed while running; running on CPU since"]


def test_a_fall_back_that_keeps_the_provider_is_told() -> None:
    class HandsOver(ScriptedNetwork):
        def process(self, *asked: object) -> object:  # type: ignore[override]
            self.notices = ["CPU in 8 bits failed while running; running on CPU since"]
            return super().process(*asked)  # type: ignore[arg-type]

    told: list[str] = []
    with opened(clip(3), Recorder(), network=HandsOver(), told=told) as pipeline:
        pipeline.run()
    assert told == ["CPU in 8 bits failed while running; running on CPU since"]


@pytest.mark.parametrize("background", ["#fff", "studio"])
def test_the_last_output_that_ends_while_a_network_opens_again_ends_the_run(background: str) -> None:
    class Gone(Recorder):
        broken = False

        def send(self, picture: Pixels, time: float) -> None:
            if self.broken:
                raise SinkError("the window is gone")
            super().send(picture, time)

    sink, networks = Gone(live=True), [ScriptedNetwork(dict.fromkeys(range(1000), fails))]

    def open_network() -> Network:
        if networks:
            return networks.pop()
        sink.broken = True
        time.sleep(2 * CARD_EVERY_S)
        return ScriptedNetwork()

    with (
        pytest.raises(SinkError, match="the window is gone"),
        Pipeline.open(clip(300), background, outputs=[sink], model=open_network, notify=print) as pipeline,
    ):
        pipeline.run()


def test_what_a_network_that_takes_over_fell_back_to_is_told() -> None:
    told: list[str] = []
    second = ScriptedNetwork()
    second.notices = ["CUDA is not used; running on CPU"]
    with opened(clip(3), Recorder(), told=told) as pipeline:
        pipeline.step()
        pipeline.switch_model(lambda: second)
        pipeline.run()
    assert told == ["CUDA is not used; running on CPU"]


def test_figures_of_every_stage_are_kept() -> None:
    with opened(clip(5), Recorder()) as pipeline:
        pipeline.run()
        stages = pipeline.stats.report().stages
    assert all(stages[stage].p50 > 0 for stage in ("wait", "fit", "matte", "refine", "background", "composite", "send"))


def test_a_source_that_cannot_be_opened_opens_nothing_else() -> None:
    def open_source(_rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        raise SourceError(f"camera 0 is busy {size} {fps}")

    sink = Recorder()
    with pytest.raises(SourceError, match="camera 0 is busy"):
        opened(open_source, sink)
    assert sink.opened is None


def test_whatever_cannot_be_opened_the_rest_is_closed_again() -> None:
    def open_network() -> Network:
        raise ModelError("no model")

    source, wall, sink = ScriptedSource([]), Wall(), Recorder()
    with pytest.raises(ModelError, match="no model"):
        Pipeline.open(opening(source), wall, outputs=[sink], model=open_network)
    assert (source.closed, wall.closed, sink.closed) == (1, 1, 1)


def test_everything_is_closed_at_the_end_and_close_may_be_called_again() -> None:
    source, wall, sink, network = ScriptedSource([]), Wall(), Recorder(), ScriptedNetwork()
    pipeline = opened(opening(source), sink, background=wall, network=network)
    pipeline.close()
    pipeline.close()
    assert (source.closed, wall.closed, sink.closed, network.closed) == (1, 1, 1, 1)


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("is_live", [True, False])
def test_a_source_is_closed_once_by_whoever_reads_it(*, watched: bool, is_live: bool) -> None:
    source = ScriptedSource(range(2), live=is_live)
    with opened(opening(source), Recorder(live=watched)) as pipeline:
        pipeline.run()
    assert source.closed == 1


def test_an_error_while_closing_never_hides_the_bodys() -> None:
    class FailsToClose(Recorder):
        def close(self) -> None:
            raise SinkError("the disk is full")

    with (
        pytest.raises(SourceLost, match="the camera is gone") as caught,
        opened(opening(ScriptedSource([0, "gone"])), FailsToClose()) as pipeline,
    ):
        pipeline.run()
    assert caught.value.__notes__ == ["and while closing: the disk is full"]


def test_an_error_while_closing_is_raised_when_there_was_no_other() -> None:
    class FailsToClose(Recorder):
        def close(self) -> None:
            raise SinkError("the disk is full")

    wall = Wall()
    with (
        pytest.raises(SinkError, match="the disk is full"),
        opened(clip(1), FailsToClose(), background=wall) as pipeline,
    ):
        pipeline.run()
    assert wall.closed == 1


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("a.mp4", "a.mp4"),
        ("a.mp4?overwrite=yes", "file:./a.mp4"),
        ("a.mp4", "b/../a.mp4"),
        ("frames:a", "frames:a"),
        ("window", "window"),
    ],
)
def test_an_output_given_twice_is_refused(
    first: str, again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("realtime_matte.sinks.window.open", Recorder())
    with pytest.raises(SpecError, match=rf"the output {re.escape(repr(again))} is given twice; give it once"):
        Pipeline.open(clip(1), Wall(), outputs=[first, again], model=ScriptedNetwork)
    assert not (tmp_path / "a.mp4").exists()


def test_an_output_whose_name_ends_like_what_is_read_is_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("30.mp4").write_bytes(b"precious")
    assert not assembly._same_file("12:30.mp4", "30.mp4")
    assert assembly._same_file("file:30.mp4?overwrite=yes", "video:30.mp4?live")


@pytest.mark.parametrize("output", ["clip.mp4?overwrite=yes", "file:clip.mp4?overwrite=yes", "./clip.mp4"])
@pytest.mark.parametrize("reads", ["source", "background", "card"])
def test_an_output_that_is_read_is_refused_and_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, reads: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source, background, card_image = clip(1), "#fff", None
    recording = file.open("clip.mp4", size=SIZE, fps=FPS, alpha=False)
    recording.send(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), 0.0)
    recording.close()
    precious = Path("clip.mp4").read_bytes()
    if reads == "source":
        monkeypatch.setattr(assembly, "source_opener", lambda *_, **__: lambda: ScriptedSource([0]))
    with pytest.raises(SpecError, match=r"would be written over '.*clip\.mp4.*', which is read; name another file"):
        Pipeline.open(
            "video:clip.mp4?live" if reads == "source" else source,
            [background, "clip.mp4"] if reads == "background" else background,
            outputs=[output],
            model=ScriptedNetwork,
            card_image="clip.mp4" if reads == "card" else card_image,
        )
    assert Path("clip.mp4").read_bytes() == precious


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": (0, 0)}, "size: '0x0' is not WIDTHxHEIGHT with each from 16 to 8192, such as 1280x720"),
        ({"fit": "zoom"}, "fit: 'zoom' is not one of cover, contain, stretch, tile"),
    ],
)
def test_what_a_caller_gives_is_checked_too(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Pipeline.open(clip(1), Wall(), outputs=[Recorder()], model=ScriptedNetwork, **wrong)


def test_no_output_is_an_error() -> None:
    with pytest.raises(SpecError, match=r"no output given; give one, such as 'window' or 'out\.mp4'"):
        opened(clip(1))


def test_what_is_lived_through_is_logged_where_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    network = ScriptedNetwork({0: fails})
    with Pipeline.open(clip(1), Wall(), outputs=[Recorder()], model=lambda: network) as pipeline:
        pipeline.run()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "no matte, so the standby card is shown" in caplog.text


def test_the_users_own_text_and_picture_are_on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True)
    feed = ScriptedFeed([None])
    Pipeline.open(
        live(monkeypatch, feed), Wall(), outputs=[sink], model=ScriptedNetwork, card_text="Back at nine"
    ).close()
    assert all(np.array_equal(picture, card.draw(SIZE, text="Back at nine")) for picture in sink.pictures)


def test_a_card_picture_that_is_not_there_is_told_at_the_start() -> None:
    with pytest.raises(MissingFile, match=r"none\.png"):
        Pipeline.open(clip(1), Wall(), outputs=[Recorder()], model=ScriptedNetwork, card_image="none.png")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cam:0", "no source called 'cam:0'; there are: camera, demo, "),
        ("no-such-clip.mp4", "no-such-clip.mp4"),
    ],
)
def test_a_source_nobody_knows_is_told(spec: str, message: str) -> None:
    with pytest.raises((SpecError, MissingFile), match=message):
        opened(spec, Recorder())


@pytest.mark.parametrize("spec", ["0", "/dev/video2", "Logitech: HD", "USB Camera (046d:0825)"])
def test_a_number_or_a_name_alone_is_a_cameras(monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    asked: list[str] = []

    def open_camera(rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        asked.append(rest)
        raise SourceError(f"no camera here {size} {fps}")

    monkeypatch.setattr("realtime_matte.sources.camera.open", open_camera)
    with pytest.raises(SourceError, match="no camera here"):
        opened(spec, Recorder())
    assert asked == [spec]


def test_fifty_runs_leave_no_thread_behind() -> None:
    before = threading.enumerate()  # one of another test may be ending still
    for _ in range(50):
        with opened(opening(ScriptedSource(range(2), live=True)), Recorder(live=True)) as pipeline:
            pipeline.step()
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_own_closes_in_reverse_order() -> None:
    order: list[str] = []

    class Part:
        def __init__(self, name: str) -> None:
            self._name = name

        def close(self) -> None:
            order.append(self._name)

    with ExitStack() as stack:
        own(stack, Part("first"))
        own(stack, Part("second"))
    assert order == ["second", "first"]
