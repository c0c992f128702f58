import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes.networks import green, unverified
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.scripted import (
    SIZE,
    Recorder,
    ScriptedCapture,
    ScriptedNetwork,
    SolidBackground,
    camera_image,
    wait_until,
)

from realtime_matte import models
from realtime_matte.config.config import options
from realtime_matte.effects.chain import option_names
from realtime_matte.errors import MatteError, MissingFile, SpecError
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Fit, Network
from realtime_matte.pipeline.commands import ACTIONS, LIVE, TOGGLE, Command, CommandQueue, Reply, parse
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import draw_card
from realtime_matte.render.gpu_renderer import GpuRenderer
from realtime_matte.render.main_person import MainPerson
from realtime_matte.render.renderer import CpuRenderer

MANY = 10_000
"""More frames than a test takes."""


def missing_background(_rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
    raise MissingFile(f"no image for {size} {fit}", hint="check its name")


def missing_network() -> Network:
    raise MissingFile("no model file x.onnx")


def noted(calls: list[str], name: str) -> Callable[[Reply], None]:
    def run(reply: Reply) -> None:
        calls.append(name)
        reply.set_result(name)

    return run


def step_until(pipeline: Pipeline, reply: Reply) -> None:
    while not reply.done():
        assert pipeline.step()


# the queue


def test_a_call_with_a_condition_is_run_once_it_is_true_and_holds_up_no_other() -> None:
    calls: list[str] = []
    ready = [False]
    queue = CommandQueue()
    late = queue.put(noted(calls, "late"), when=lambda: ready[0])
    other = queue.put(noted(calls, "other"))
    queue.run_waiting()
    queue.run_waiting()
    assert (calls, late.done(), other.done()) == (["other"], False, True)
    ready[0] = True
    queue.run_waiting()
    queue.run_waiting()
    assert calls == ["other", "late"]


def test_a_call_with_a_condition_is_refused_at_the_end_or_cancelled() -> None:
    queue = CommandQueue()
    refused, cancelled = (queue.put(noted([], "never"), when=lambda: False) for _ in range(2))
    cancelled.cancel()
    queue.run_waiting()
    queue.close()
    with pytest.raises(MatteError, match="ended"):
        refused.result(0)
    assert cancelled.cancelled()


def test_the_last_of_several_waiting_for_one_key_is_run() -> None:
    calls: list[str] = []
    queue = CommandQueue()
    replies = [queue.put(noted(calls, name), key="slider") for name in ("a", "b", "c")]
    queue.put(noted(calls, "other"), key="other")
    queue.run_waiting()
    assert calls == ["c", "other"]
    assert [reply.result(0) for reply in replies] == [None, None, "c"]


def test_calls_without_a_key_are_all_run_in_order() -> None:
    calls: list[str] = []
    queue = CommandQueue()
    for name in ("a", "b"):
        queue.put(noted(calls, name))
    queue.run_waiting()
    assert calls == ["a", "b"]


def test_a_call_that_was_cancelled_is_not_run() -> None:
    calls: list[str] = []
    queue = CommandQueue()
    queue.put(noted(calls, "a")).cancel()
    queue.run_waiting()
    assert calls == []


def test_a_closed_queue_refuses_what_waits_and_what_comes_later() -> None:
    calls: list[str] = []
    queue = CommandQueue()
    replies = [queue.put(noted(calls, "before"))]
    queue.close()
    replies.append(queue.put(noted(calls, "after")))
    for reply in replies:
        with pytest.raises(MatteError, match="the run has ended"):
            reply.result(0)
    assert calls == []


def test_an_error_of_a_call_is_raised_and_replied() -> None:
    def fails(_reply: Reply) -> None:
        raise ZeroDivisionError

    queue = CommandQueue()
    reply, after = queue.put(fails), queue.put(noted([], "after"))
    with pytest.raises(ZeroDivisionError):
        queue.run_waiting()
    assert isinstance(reply.exception(0), ZeroDivisionError)
    queue.close()
    assert isinstance(after.exception(0), MatteError)


# parsing


def test_the_live_options_are_those_of_config() -> None:
    assert {"bg", "model", "provider", "threads", "mirror", "only_me", "card_text", "card_on_doubt"} < set(LIVE)
    assert option_names() < set(LIVE)
    with open_pipeline(clip(1), Recorder()) as pipeline:
        assert set(pipeline.options) == set(LIVE)


@pytest.mark.parametrize(
    ("command", "parsed"),
    [
        (Command("card-text", "hi"), Command("card_text", "hi")),
        (Command("mirror", "on"), Command("mirror", value=True)),
        (Command("mirror", value=False), Command("mirror", value=False)),
        (Command("threads", "2"), Command("threads", 2)),
        (Command("provider"), Command("provider")),
        (Command("bg", "blur"), Command("bg", "blur")),
        (Command("size", "640x360"), Command("size", (640, 360))),
        (Command("output", "window"), Command("output", ("window",))),
        (Command("output", ["window", "a.mp4"]), Command("output", ("window", "a.mp4"))),
        (Command("camera", 2), Command("camera", "2")),
        (Command("standby"), Command("standby", TOGGLE)),
        (Command("standby", "off"), Command("standby", value=False)),
        (Command("quit", "x"), Command("quit")),
    ],
)
def test_a_value_is_parsed_as_that_of_the_option(command: Command, parsed: Command) -> None:
    assert parse(command) == parsed


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            Command("seconds", 5),
            "seconds cannot change while running; stop rtmatte and start it again with --seconds",
        ),
        (Command("size", "huge"), "size: 'huge' is not"),
        (Command("nonsense"), "no option 'nonsense' can change while running; these can: auto-frame, "),
        (Command("mirorr"), "no option 'mirorr' can change while running; did you mean mirror[?] these can: .*bg, "),
        (Command("mirror", "maybe"), "mirror: 'maybe' is not on or off"),
        (Command("mirror", 7), "mirror: 7 is not true or false"),
        (Command("threads", 0), "threads: 0 is not a whole number from 1 to 256"),
        (Command("bg", ""), "bg: '' is not a text"),
        (Command("bg", ("green", "blur")), "bg: 2 backgrounds, but only one is shown at a time; give one; --bg takes"),
        (Command("bg", ["green", "blur"]), "bg: 2 backgrounds, but only one is shown at a time"),
        (Command("bg", {"a": []}), "bg: .* is not a text"),
        (Command("standby", "maybe"), "standby: 'maybe' is not on, off or toggle"),
        (Command("standby", 1), "standby: 1 is not on, off or toggle"),
        (Command("bg", "http://host/a.jpg"), "is not a file: download it first"),
    ],
)
def test_a_command_that_cannot_be_run_is_an_error_at_once(command: Command, message: str) -> None:
    with open_pipeline(clip(1), Recorder()) as pipeline, pytest.raises(SpecError, match=message):
        pipeline.submit(command)


def test_every_option_is_live_or_refused() -> None:
    refused = [option for option in options() if option.name not in {*LIVE, *ACTIONS}]  # calibrate is both
    for option in refused:
        with pytest.raises(SpecError, match=f"{option.key} cannot change while running"):
            parse(Command(option.name, option.default))


# effects


def test_only_the_last_waiting_model_is_opened() -> None:
    opened: list[str] = []

    def opener(name: str) -> Callable[[], Network]:
        def open_network() -> Network:
            opened.append(name)
            return ScriptedNetwork(provider=name)

        return open_network

    with open_pipeline(clip(3), Recorder()) as pipeline:
        replies = [pipeline.submit(Command("model", opener(name))) for name in ("a", "b", "c")]
        pipeline.step()
        assert (opened, pipeline.provider) == (["c"], "c")
        assert [reply.result(0) for reply in replies] == [None, None, None]


def test_a_model_that_cannot_be_opened_is_refused() -> None:
    reported: list[str] = []
    with open_pipeline(clip(3), Recorder(), reported=reported) as pipeline:
        reply = pipeline.submit(Command("model", missing_network))
        pipeline.step()
        with pytest.raises(MissingFile, match="no model file"):
            reply.result(0)
        assert pipeline.options["model"] == "scripted"
    assert reported == ["the model is unchanged: no model file x.onnx"]


def test_every_toggle_counts() -> None:
    with open_pipeline(clip(3), Recorder()) as pipeline:
        for _ in range(3):
            pipeline.request("standby")
        pipeline.step()
        assert pipeline.standby


def test_standby_on_twice_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = ScriptedCapture(range(MANY))
    reported: list[str] = []
    with open_pipeline(scripted_camera(monkeypatch, capture), Recorder(live=True), reported=reported) as pipeline:
        for value in ("on", "on"):
            pipeline.submit(Command("standby", value))
            pipeline.step()
        assert (pipeline.standby, capture.on) == (True, False)
        assert reported == ["standby: the camera is off"]
        pipeline.submit(Command("standby", "off"))
        pipeline.step()
        assert (pipeline.standby, capture.on) == (False, True)


def test_a_background_is_replied_when_it_is_open() -> None:
    may_open = threading.Event()

    def open_slowly(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        assert may_open.wait(30)
        return SolidBackground((1, 2, 3))(rest, size=size, fit=fit)

    sink = Recorder(live=True)
    with open_pipeline(clip(MANY), sink) as pipeline:
        reply = pipeline.submit(Command("bg", open_slowly))
        pipeline.step()
        assert not reply.done()
        may_open.set()
        step_until(pipeline, reply)
        assert reply.result(0) is None
        assert pipeline.options["bg"] == "open_slowly"
    assert tuple(sink.images[-2][0, 0]) == (1, 2, 3)  # the last composite, before the last card


def test_a_background_that_cannot_be_opened_is_refused() -> None:
    reported: list[str] = []
    with open_pipeline(clip(MANY), Recorder(), reported=reported) as pipeline:
        reply = pipeline.submit(Command("bg", missing_background))
        step_until(pipeline, reply)
        with pytest.raises(MissingFile, match=r"no image for .*; check its name"):
            reply.result(0)
    assert reported == [f"the background is unchanged: no image for {SIZE} cover; check its name"]


def test_of_backgrounds_that_wait_for_another_the_last_is_opened() -> None:
    may_open, requested = threading.Event(), threading.Event()

    def open_slowly(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        requested.set()
        assert may_open.wait(30)
        return SolidBackground()(rest, size=size, fit=fit)

    skipped, last = SolidBackground(), SolidBackground()
    with open_pipeline(clip(MANY), Recorder(live=True)) as pipeline:
        replies = []
        for background in (open_slowly, skipped, last):
            replies.append(pipeline.submit(Command("bg", background)))
            pipeline.step()
        assert requested.wait(30)
        may_open.set()
        for reply in replies:
            step_until(pipeline, reply)
        assert pipeline._parts.backgrounds.current is last
        assert skipped._pixels is None, "it was opened"


def test_there_is_no_next_background_among_one() -> None:
    with open_pipeline(clip(MANY), Recorder()) as pipeline:
        reply = pipeline.submit(Command("next_background"))
        step_until(pipeline, reply)
        with pytest.raises(SpecError, match="there is no other background to switch to; give several with --bg"):
            reply.result(0)


def test_mirror_mirrors_the_next_frame_and_starts_a_new_shot() -> None:
    network = ScriptedNetwork()
    with open_pipeline(clip(4), Recorder(), network=network) as pipeline:
        pipeline.step()
        reply = pipeline.submit(Command("mirror", value=True))
        pipeline.step()
        assert reply.result(0) is None
        frame = Frame(camera_image(3), 0.0, 3)
        assert np.array_equal(pipeline._parts.fitter(frame).pixels, camera_image(3)[:, ::-1])
        pipeline.submit(Command("mirror", value=False))
        pipeline.step()
        assert pipeline._parts.fitter(frame) is frame
    assert network.states == [None, None, None]


def test_only_me_takes_effect_on_the_same_network() -> None:
    network = ScriptedNetwork()
    with open_pipeline(clip(3), Recorder(), network=network) as pipeline:
        pipeline.submit(Command("only-me", "on"))
        pipeline.step()
        renderer = pipeline._parts.renderer._renderer
        assert isinstance(renderer._network, MainPerson)  # type: ignore[union-attr]
        pipeline.submit(Command("only-me", "off"))
        pipeline.step()
        renderer = pipeline._parts.renderer._renderer
        assert not isinstance(renderer._network, MainPerson)  # type: ignore[union-attr]
        assert network.closed == 0
    assert network.closed == 1


def test_only_me_leaves_the_graph_of_the_pipeline_and_comes_back_to_it(tmp_path: Path) -> None:
    spec, reported = unverified(green(tmp_path / "green.onnx", area=SIZE[0] * SIZE[1], ramp=(60, 100))), list[str]()
    network = models.open(spec, provider="cpu?pipeline")
    with open_pipeline(clip(3), Recorder(), network=network, reported=reported) as pipeline:  # type: ignore[arg-type]
        assert isinstance(pipeline._parts.renderer._renderer, GpuRenderer)
        pipeline.submit(Command("only-me", "on"))
        pipeline.step()
        assert isinstance(pipeline._parts.renderer._renderer, CpuRenderer)
        assert [notice.partition(":")[0] for notice in reported] == ["the pipeline runs on the CPU"]
        pipeline.submit(Command("only-me", "off"))
        pipeline.step()
        assert isinstance(pipeline._parts.renderer._renderer, GpuRenderer)


def test_card_on_doubt_takes_effect_with_the_next_frame() -> None:
    with open_pipeline(clip(3), Recorder()) as pipeline:
        pipeline.submit(Command("card-on-doubt", "on"))
        pipeline.step()
        assert pipeline._parts.renderer._card_on_doubt
        assert pipeline.options["card_on_doubt"] is True


def test_the_text_of_the_card_changes_with_the_next_card() -> None:
    sink = Recorder(live=True)
    with open_pipeline(clip(3), sink) as pipeline:
        pipeline.submit(Command("card-text", "away"))
        pipeline.submit(Command("standby", "on"))
        pipeline.step()
        assert np.array_equal(sink.images[-1], draw_card(SIZE, text="away"))
        assert pipeline.options["card_text"] == "away"


def test_a_card_that_is_an_image_has_no_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    import cv2  # noqa: PLC0415  # this test alone writes an image

    image = tmp_path_factory.mktemp("card") / "card.png"
    cv2.imwrite(str(image), np.zeros((8, 8, 3), np.uint8))
    with open_pipeline(clip(3), Recorder(), card=str(image)) as pipeline:
        reply = pipeline.submit(Command("card-text", "away"))
        pipeline.step()
        with pytest.raises(SpecError, match="the card is an image, which has no text; leave out --card"):
            reply.result(0)
        assert pipeline.options["card_text"] is None


def test_call_runs_in_the_pipelines_thread() -> None:
    with open_pipeline(clip(3), Recorder()) as pipeline:
        replies: list[Reply] = []
        other = threading.Thread(target=lambda: replies.append(pipeline.call(threading.current_thread)))
        other.start()
        wait_until(lambda: bool(replies))
        pipeline.step()
        assert replies[0].result(0) is threading.current_thread()
        other.join()


@pytest.mark.parametrize("ends", [Pipeline.close, lambda pipeline: pipeline.request("quit") or pipeline.step()])
def test_after_the_end_commands_are_refused(ends: Callable[[Pipeline], object]) -> None:
    with open_pipeline(clip(3), Recorder()) as pipeline:
        pipeline.step()
        ends(pipeline)
        reply = pipeline.submit(Command("mirror", value=True))
        with pytest.raises(MatteError, match="the run has ended"):
            reply.result(0)


def test_a_closed_pipeline_accepts_no_request() -> None:
    pipeline = open_pipeline(clip(3), Recorder())
    pipeline.close()
    for request in (
        lambda: pipeline.request("standby"),
        lambda: pipeline.switch_model(ScriptedNetwork),
        lambda: pipeline.switch_background(SolidBackground()),
    ):
        with pytest.raises(MatteError, match="the pipeline is closed; open another one"):
            request()
    for reply in (pipeline.submit(Command("standby")), pipeline.call(lambda: None)):
        with pytest.raises(MatteError, match="the run has ended"):
            reply.result(0)


def test_at_the_end_of_a_file_commands_are_refused() -> None:
    with open_pipeline(clip(1), Recorder()) as pipeline:
        pipeline.run()
        with pytest.raises(MatteError, match="the run has ended"):
            pipeline.submit(Command("standby")).result(0)


def test_a_background_that_opens_too_late_is_refused() -> None:
    may_open = threading.Event()

    def open_slowly(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        assert may_open.wait(30)
        return SolidBackground()(rest, size=size, fit=fit)

    with open_pipeline(clip(3), Recorder(live=True)) as pipeline:
        replies = []
        for background in (open_slowly, SolidBackground()):
            replies.append(pipeline.submit(Command("bg", background)))
            pipeline.step()
    for reply in replies:
        with pytest.raises(MatteError, match="the run has ended"):
            reply.result(0)
    may_open.set()
