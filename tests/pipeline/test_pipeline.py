"""A pipeline that runs: what it sends, when, and what it reports."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fakes.devices import Clock
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.privacy import is_card
from fakes.scripted import (
    SIZE,
    Recorder,
    ScriptedCapture,
    ScriptedNetwork,
    ScriptedSource,
    SolidBackground,
    fails,
    frame_time,
    opener,
)
from fakes.threads import started_since

from realtime_matte import models
from realtime_matte.cli.console import progress_line
from realtime_matte.errors import MatteError, SinkError, SpecError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import Network, RecurrentState
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import CARD_EVERY_S, STANDBY_EVERY_S, draw_card


def test_a_finite_source_gives_every_frame_without_a_thread() -> None:
    sink = Recorder()
    before = threading.enumerate()
    with open_pipeline(clip(20), sink) as pipeline:
        pipeline.run()
        assert "capture" not in started_since(before)
    assert sink.times == [frame_time(index) for index in range(20)]
    assert (pipeline.stats.composites, pipeline.stats.standby_cards) == (20, 0)


def test_two_runs_of_a_finite_source_are_the_same_to_the_bit() -> None:
    sinks = Recorder(), Recorder()
    for sink in sinks:
        with open_pipeline(clip(8), sink, network=ScriptedNetwork({3: fails})) as pipeline:
            pipeline.run()
    assert sinks[0].times == sinks[1].times
    assert all(np.array_equal(one, other) for one, other in zip(*(sink.images for sink in sinks), strict=True))


def test_run_stops_when_until_returns_true() -> None:
    sink = Recorder()
    with open_pipeline(clip(20), sink) as pipeline:
        pipeline.run(until=lambda: pipeline.stats.composites == 5)
    assert len(sink.images) == 5


def test_step_returns_false_at_the_end() -> None:
    with open_pipeline(clip(2), Recorder()) as pipeline:
        assert [pipeline.step() for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("call", [Pipeline.step, Pipeline.run])
def test_a_closed_pipeline_does_not_run(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[Pipeline], object], *, live: bool
) -> None:
    source = scripted_camera(monkeypatch, ScriptedCapture(range(9))) if live else clip(9)
    opened: list[ScriptedNetwork] = []

    def open_network() -> ScriptedNetwork:
        opened.append(ScriptedNetwork())
        return opened[-1]

    sink = Recorder(live=live)
    with Pipeline.open(source, SolidBackground(), outputs=sink, model=open_network) as pipeline:
        assert pipeline.step()
    networks, images = len(opened), len(sink.images)
    for _ in range(3):
        with pytest.raises(MatteError, match="the pipeline is closed; open another one with Pipeline"):
            call(pipeline)
    assert len(opened) == networks
    assert len(sink.images) == images
    assert [network.closed for network in opened] == [1] * networks


def test_quit_stops_before_the_next_frame() -> None:
    sink = Recorder()
    with open_pipeline(clip(20), sink) as pipeline:
        pipeline.step()
        pipeline.request("quit")
        assert not pipeline.step()
    assert len(sink.images) == 1


def test_an_unknown_command_is_an_error_that_names_the_known_ones() -> None:
    with open_pipeline(clip(1), Recorder()) as pipeline:
        with pytest.raises(SpecError, match="no command 'nonsense'; there are: next_background, standby, quit"):
            pipeline.request("nonsense")  # type: ignore[arg-type]
        assert pipeline.step()


def test_a_command_from_another_thread_is_run() -> None:
    sink = Recorder()
    with open_pipeline(clip(4), sink) as pipeline:
        other = threading.Thread(target=pipeline.request, args=("quit",))
        other.start()
        other.join()
        pipeline.run()
    assert sink.images == []


def test_the_card_is_repeated_often_enough_while_the_camera_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = ScriptedCapture([0, None, None, None])
    sink = Recorder(live=True)
    with open_pipeline(scripted_camera(monkeypatch, capture), sink) as pipeline:
        pipeline.run()
        assert set(capture.timeouts[1:]) == {CARD_EVERY_S}
    assert CARD_EVERY_S <= 0.5
    assert pipeline.stats.standby_cards == 3
    away = draw_card(SIZE, text=standby.CAMERA_NOT_AVAILABLE)
    assert [np.array_equal(image, away) for image in sink.images[2:5]] == [True] * 3


def test_a_camera_lost_for_less_than_a_step_starts_a_new_shot(monkeypatch: pytest.MonkeyPatch) -> None:
    capture, network = ScriptedCapture(range(5)), ScriptedNetwork()
    with open_pipeline(scripted_camera(monkeypatch, capture), Recorder(live=True), network=network) as pipeline:
        pipeline.step()
        pipeline.step()
        capture.state = replace(capture.state, shot_start=3)
        pipeline.run()
    assert network.states == [None, (0,), (1,), None, (3,)]


def test_on_standby_the_camera_is_off_and_the_card_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    capture, sink, reported = ScriptedCapture(range(4)), Recorder(live=True), list[str]()
    with open_pipeline(scripted_camera(monkeypatch, capture), sink, reported=reported) as pipeline:
        pipeline.step()
        pipeline.request("standby")
        pipeline.step()
        assert not capture.on
        assert pipeline.camera_off_reason == progress_line(pipeline, verbose=True) == "standby: the camera is off"
        pipeline.step()
        pipeline.request("standby")
        pipeline.step()
        assert capture.on
        assert pipeline.camera_off_reason is None
    assert reported == ["standby: the camera is off", "standby is over"]
    assert [is_card(image) for image in sink.images] == [True, False, True, True, False, True]
    assert [np.array_equal(image, draw_card(SIZE, text=standby.STANDBY)) for image in sink.images[2:4]] == [True] * 2
    assert set(capture.timeouts[1:3]) == {STANDBY_EVERY_S}


def test_a_file_continues_during_standby() -> None:
    sink = Recorder(commands={1: "standby", 3: "standby"})
    with open_pipeline(clip(4), sink) as pipeline:
        pipeline.run()
    assert [is_card(image) for image in sink.images] == [False, True, True, False]


def test_only_live_outputs_get_the_card_first_and_last(monkeypatch: pytest.MonkeyPatch) -> None:
    window, recording = Recorder(live=True), Recorder()
    with open_pipeline(scripted_camera(monkeypatch, ScriptedCapture([0, 1])), window, recording) as pipeline:
        pipeline.run()
    assert np.array_equal(window.images[0], draw_card(SIZE, text=standby.STARTING))
    assert np.array_equal(window.images[-1], draw_card(SIZE, text=standby.STOPPED))
    assert (len(window.images), len(recording.images)) == (4, 2)


class SlowNetwork(ScriptedNetwork):
    """Takes a tenth of a second by the clock of the test; ``name`` is its spec."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__()
        self.name = name
        self._clock = clock

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        if threading.current_thread() is threading.main_thread():  # not a trial
            self._clock.sleep(0.1)
        return super().process(frame, state)


@pytest.mark.parametrize(
    ("model", "switched", "specs"),
    [
        ("auto", None, ["auto", "small?quality=low"]),
        ("small", None, ["small"]),
        ("auto", "other.onnx", ["auto", "other.onnx"]),
        ("small", "auto", ["small", "auto", "small?quality=low"]),
    ],
)
def test_a_slow_network_is_replaced_by_lighter_ones_unless_the_user_chose_it(
    monkeypatch: pytest.MonkeyPatch, model: str, switched: str | None, specs: list[str]
) -> None:
    opened, reported, clock = list[str](), list[str](), Clock()

    def open_network(spec: str, *, provider: str | None, threads: int | None) -> Network:
        assert (provider, threads) == ("cpu", 1)
        opened.append(spec)
        return SlowNetwork("small" if spec == "auto" else spec, clock)

    monkeypatch.setattr(models, "open", open_network)
    sink = Recorder(live=True)
    with Pipeline.open(
        scripted_camera(monkeypatch, ScriptedCapture(range(100_000))),
        SolidBackground(),
        outputs=[sink],
        model=model,
        provider="cpu",
        threads=1,
        power_saver="off",
        notify=reported.append,
        clock=clock,
    ) as pipeline:
        pipeline.step()
        if switched:
            pipeline.switch_model(switched, provider="cpu", threads=1)
        pipeline.run(until=lambda: any("rtmatte bench" in line for line in reported))
        assert pipeline.network == opened[-1]
        assert pipeline.options["model"] == (switched or model)
    assert opened == specs
    changes = [line for line in reported if line.startswith("switching to the model small?quality=low, as the")]
    assert len(changes) == specs.count("small?quality=low")
    assert [is_card(image) for image in sink.images[1:-1]].count(True) == 0, "no card at a change"


def open_automatic(monkeypatch: pytest.MonkeyPatch, *, power_saver: str) -> Pipeline:
    """A camera in front of a live output, whose model the program chooses."""
    return Pipeline.open(
        scripted_camera(monkeypatch, ScriptedCapture(range(100_000))),
        SolidBackground(),
        outputs=[Recorder(live=True)],
        model="auto",
        power_saver=power_saver,
        notify=[].append,
    )


def test_a_battery_makes_the_network_lighter(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_network(spec: str, *, provider: str | None, threads: int | None) -> Network:
        opened.append(f"{spec} {provider} {threads}")
        return ScriptedNetwork()

    monkeypatch.setattr(models, "open", open_network)
    with open_automatic(monkeypatch, power_saver="on") as pipeline:
        pipeline.run(until=lambda: len(opened) == 2)
        pipeline.submit(Command("power_saver", "off"))
        pipeline.run(until=lambda: len(opened) == 3)
        assert pipeline.options["power_saver"] == "off"
    assert opened == ["auto None None", "small?quality=low None None", "auto None None"]


def test_a_model_that_the_user_chooses_is_not_replaced_by_a_lighter_one_that_was_wanted_while_it_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, may_open = list[str](), threading.Event()

    def open_network(spec: str, *, provider: str | None, threads: int | None) -> Network:  # noqa: ARG001
        opened.append(spec)
        assert spec != "chosen.onnx" or may_open.wait(30)
        return SlowNetwork(spec, Clock())

    monkeypatch.setattr(models, "open", open_network)
    with open_automatic(monkeypatch, power_saver="off") as pipeline:
        pipeline.run(until=lambda: pipeline.stats.composites == 1)
        chosen = pipeline.submit(Command("model", "chosen.onnx"))
        pipeline.step()
        pipeline.submit(Command("power_saver", "on"))
        for _ in range(3):
            pipeline.step()
        may_open.set()
        pipeline.run(until=chosen.done)
        pipeline._options.update(wait=True)
        assert pipeline.options["model"] == pipeline.network == "chosen.onnx"
    assert opened == ["auto", "chosen.onnx"]


def test_the_card_is_sent_while_the_first_network_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = CountingRecorder()

    def open_network() -> Network:
        sink.count = 0
        assert sink.enough.wait(30), "no card was sent while the network loaded"
        sink.enough.clear()
        return ScriptedNetwork()

    monkeypatch.setattr("realtime_matte.pipeline.builder.CARD_EVERY_S", 0.001)
    source = scripted_camera(monkeypatch, ScriptedCapture([0, 1]))
    with Pipeline.open(source, SolidBackground(), outputs=[sink], model=open_network, notify=[].append) as pipeline:
        pipeline.run()
    assert sum(np.array_equal(image, draw_card(SIZE, text=standby.STARTING)) for image in sink.images) >= 3
    assert set(sink.threads) == {threading.current_thread()}


class CountingRecorder(Recorder):
    """Sets an event when three images were sent since the count was reset; keeps the threads they were sent in."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.count = 0
        self.enough = threading.Event()
        self.threads: list[threading.Thread] = []

    def send(self, image: Pixels, time: float) -> None:
        super().send(image, time)
        self.threads.append(threading.current_thread())
        self.count += 1
        if self.count == 3:
            self.enough.set()


def test_a_clip_plays_in_real_time_for_a_live_output() -> None:
    before, sink = threading.enumerate(), Recorder(live=True)
    with open_pipeline(clip(3), sink) as pipeline:
        pipeline.run()
        assert pipeline.live
    shown = [time for time, image in zip(sink.times, sink.images, strict=True) if not is_card(image)]
    assert 1 <= len(shown) <= 3
    assert np.all(np.diff(shown) > 0)
    assert "capture" not in started_since(before)


def test_dropped_frames_count_from_the_first_one_taken() -> None:
    started, go_on, finished, end = (threading.Event() for _ in range(4))

    class Camera(ScriptedSource):
        """50 frames while the network opens, three more after the first one is shown."""

        def read(self, pixels: Pixels) -> Frame | None:
            if self._count in {50, 53}:
                (started if self._count == 50 else finished).set()
                assert (go_on if self._count == 50 else end).wait(30)
            return super().read(pixels)

    def open_network() -> Network:
        assert started.wait(30)
        return ScriptedNetwork()

    camera = opener(Camera(range(53), live=True))
    with Pipeline.open(camera, SolidBackground(), outputs=[Recorder()], model=open_network) as pipeline:
        assert pipeline.dropped == 0
        pipeline.step()
        assert pipeline.dropped == 0, "frames from before the first one that was taken are not dropped"
        go_on.set()
        assert finished.wait(30)
        pipeline.step()
        assert pipeline.dropped == 2
        end.set()


def test_a_model_switch_in_a_clip_takes_effect_with_the_next_frame() -> None:
    sink = Recorder()
    with open_pipeline(clip(4), sink) as pipeline:
        pipeline.step()
        pipeline.switch_model(lambda: ScriptedNetwork(provider="new"))
        pipeline.step()
        assert pipeline.provider == "new"
        pipeline.run()
    assert sink.times == [frame_time(index) for index in range(4)]


def test_a_background_can_be_switched() -> None:
    before, after = SolidBackground((0, 0, 0)), SolidBackground((9, 9, 9))
    sink = Recorder()
    with open_pipeline(clip(2), sink, background=before) as pipeline:
        pipeline.step()
        pipeline.switch_background(after)
        pipeline.run()
    assert [tuple(image[0, 0]) for image in sink.images] == [(0, 0, 0), (9, 9, 9)]
    assert (before.closed, after.closed) == (1, 1)


def test_a_background_that_cannot_be_opened_is_reported_and_the_old_one_stays() -> None:
    reported: list[str] = []
    sink = Recorder()
    with open_pipeline(clip(2), sink, reported=reported) as pipeline:
        pipeline.switch_background("color:no-such")
        pipeline.run()
    assert len(sink.images) == 2
    assert "the background is unchanged: no colour called 'no-such'" in reported[0]


def test_a_message_that_comes_again_is_kept_once_where_it_is_newest() -> None:
    with open_pipeline(clip(4), Recorder()) as pipeline:
        for name in ("one", "two", "one"):
            pipeline.submit(Command("bg", f"color:no-such-{name}"))
            pipeline.step()
        pipeline.run()
        reported = [line.split("'")[1] for line in pipeline.messages if "no colour" in line]
    assert reported == ["no-such-two", "no-such-one"]


def test_a_provider_that_falls_back_while_running_is_reported() -> None:
    class FallsBack(ScriptedNetwork):
        def process(self, *arguments: object) -> object:  # type: ignore[override]
            self.provider, self.notices = "cpu", ["CUDA failed while running; running on CPU since"]
            return super().process(*arguments)  # type: ignore[arg-type]

    reported: list[str] = []
    with open_pipeline(clip(3), Recorder(), network=FallsBack(), reported=reported) as pipeline:
        pipeline.run()
    assert reported == ["CUDA failed while running; running on CPU since"]


def test_a_fall_back_that_keeps_the_provider_is_reported() -> None:
    class FallsBack(ScriptedNetwork):
        def process(self, *arguments: object) -> object:  # type: ignore[override]
            self.notices = ["CPU in 8 bits failed while running; running on CPU since"]
            return super().process(*arguments)  # type: ignore[arg-type]

    reported: list[str] = []
    with open_pipeline(clip(3), Recorder(), network=FallsBack(), reported=reported) as pipeline:
        pipeline.run()
    assert reported == ["CPU in 8 bits failed while running; running on CPU since"]


@pytest.mark.parametrize("background", ["#fff", "studio"])
def test_a_last_output_that_fails_while_a_network_is_reopened_ends_the_run(
    background: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_matte.pipeline.builder.CARD_EVERY_S", 0.001)

    class FailingRecorder(Recorder):
        broken = False
        failed = threading.Event()

        def send(self, image: Pixels, time: float) -> None:
            if self.broken:
                self.failed.set()
                raise SinkError("the window is gone")
            super().send(image, time)

    sink, networks = FailingRecorder(live=True), [ScriptedNetwork(dict.fromkeys(range(1000), fails))]

    def open_network() -> Network:
        if networks:
            return networks.pop()
        sink.broken = True
        assert sink.failed.wait(30), "no card was sent while the network was opened again"
        return ScriptedNetwork()

    with (
        pytest.raises(SinkError, match="the window is gone"),
        Pipeline.open(clip(300), background, outputs=[sink], model=open_network, notify=print) as pipeline,
    ):
        pipeline.run()


def test_a_fall_back_of_a_new_network_is_reported() -> None:
    reported: list[str] = []
    second = ScriptedNetwork()
    second.notices = ["CUDA is not used; running on CPU"]
    with open_pipeline(clip(3), Recorder(), reported=reported) as pipeline:
        pipeline.step()
        pipeline.switch_model(lambda: second)
        pipeline.run()
    assert reported == ["CUDA is not used; running on CPU"]


def test_every_stage_is_timed() -> None:
    with open_pipeline(clip(5), Recorder()) as pipeline:
        pipeline.run()
        stages = pipeline.stats.report().stages
    assert all(stages[stage].p50 > 0 for stage in ("wait", "fit", "matte", "refine", "background", "composite", "send"))


def test_failures_are_logged_by_default(caplog: pytest.LogCaptureFixture) -> None:
    network = ScriptedNetwork({0: fails})
    with Pipeline.open(clip(1), SolidBackground(), outputs=[Recorder()], model=lambda: network) as pipeline:
        pipeline.run()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "no matte, so the standby card is shown" in caplog.text


def test_fifty_runs_leave_no_thread() -> None:
    before = threading.enumerate()  # one of another test may be ending still
    for _ in range(50):
        with open_pipeline(opener(ScriptedSource(range(2), live=True)), Recorder(live=True)) as pipeline:
            pipeline.step()
    assert [thread for thread in threading.enumerate() if thread not in before] == []
