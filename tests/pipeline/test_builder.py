"""What a pipeline opens and closes, in which order, and what it refuses."""

import re
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.scripted import (
    FPS,
    SIZE,
    Recorder,
    ScriptedCapture,
    ScriptedNetwork,
    ScriptedSource,
    SolidBackground,
    opener,
)

from realtime_matte.config.config import Config
from realtime_matte.errors import MissingFile, ModelError, SinkError, SourceError, SourceLost, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Network, Source
from realtime_matte.pipeline import builder, standby
from realtime_matte.pipeline.builder import own
from realtime_matte.pipeline.output_opening import same_file
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import draw_card
from realtime_matte.sinks import file


def test_outputs_are_opened_with_the_sources_size_and_rate() -> None:
    sink = Recorder()
    open_pipeline(clip(0, size=(64, 32)), sink).close()
    assert sink.opened == ((64, 32), FPS, False)


def test_outputs_get_the_requested_size_and_the_actual_rate() -> None:
    sink = Recorder()
    choices: list[tuple[Size | None, float | None]] = []

    def open_source(_rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        choices.append((size, fps))
        return ScriptedSource(range(2), size=(64, 32))

    with open_pipeline(open_source, sink, size=(48, 32), fps=15) as pipeline:
        pipeline.run()
    assert choices == [((48, 32), 15)]
    assert sink.opened == ((48, 32), FPS, False)
    assert [image.shape for image in sink.images] == [(32, 48, 3)] * 2


def test_a_recording_loads_its_network_in_the_callers_thread() -> None:
    threads: list[threading.Thread] = []

    def open_network() -> Network:
        threads.append(threading.current_thread())
        return ScriptedNetwork()

    Pipeline.open(clip(1), SolidBackground(), outputs=[Recorder()], model=open_network).close()
    assert threads == [threading.current_thread()]


def test_the_timeout_image_is_the_stopped_card() -> None:
    class HasTimeoutImage(Recorder):
        timeout_images: Sequence[Pixels] = ()

        def set_timeout_image(self, image: Pixels) -> None:
            assert self.images, "only after something was sent"
            self.timeout_images = [*self.timeout_images, image]

    sink = HasTimeoutImage(live=True)
    open_pipeline(clip(1), sink).close()
    assert [np.array_equal(image, draw_card(SIZE, text=standby.STOPPED)) for image in sink.timeout_images] == [True]


@pytest.mark.parametrize("error", [ModelError("no such model"), KeyboardInterrupt()])
def test_a_start_that_fails_ends_with_the_stopped_card(error: BaseException) -> None:
    def open_network() -> Network:
        raise error

    sink = Recorder(live=True)
    with pytest.raises(type(error)):
        Pipeline.open(clip(1), SolidBackground(), outputs=[sink], model=open_network)
    assert np.array_equal(sink.images[0], draw_card(SIZE, text=standby.STARTING))
    assert np.array_equal(sink.images[-1], draw_card(SIZE, text=standby.STOPPED))


@pytest.mark.parametrize("frames", [None, 40])
def test_a_live_source_that_ends_starts_when_the_pipeline_is_ready(
    monkeypatch: pytest.MonkeyPatch, frames: int | None
) -> None:
    """A camera needs time to adjust; no frame of a clip that plays live may be missed while the network is opened."""
    started_ahead = list[bool]()
    monkeypatch.setattr(
        builder,
        "CaptureWorker",
        lambda _open_source, ahead, **_: started_ahead.append(ahead) or ScriptedCapture([]),  # type: ignore[func-returns-value]
    )
    source = ScriptedSource([], live=True)
    source.frames = frames
    with Pipeline.open(
        opener(source), SolidBackground(), outputs=[Recorder(live=True)], model=ScriptedNetwork, notify=[].append
    ):
        assert started_ahead == [frames is None]


def test_the_notices_of_every_part_are_reported() -> None:
    with open_pipeline(clip(0), Recorder()) as pipeline:
        assert pipeline.notices == ["scripted camera", "recorder"]
        assert pipeline.mode == "96x64 at 30 fps"
        assert pipeline.model == "scripted on fake"
        assert (pipeline.frames, pipeline.live, pipeline.dropped) == (None, False, 0)


def test_a_source_that_cannot_be_opened_opens_nothing_else() -> None:
    def open_source(_rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        raise SourceError(f"camera 0 is busy {size} {fps}")

    sink = Recorder()
    with pytest.raises(SourceError, match="camera 0 is busy"):
        open_pipeline(open_source, sink)
    assert sink.opened is None


def test_open_parts_are_closed_if_a_later_one_cannot_be_opened() -> None:
    def open_network() -> Network:
        raise ModelError("no model")

    source, background, sink = ScriptedSource([]), SolidBackground(), Recorder()
    with pytest.raises(ModelError, match="no model"):
        Pipeline.open(opener(source), background, outputs=[sink], model=open_network)
    assert (source.closed, background.closed, sink.closed) == (1, 1, 1)


def test_close_closes_every_part_and_is_idempotent() -> None:
    source, background, sink, network = ScriptedSource([]), SolidBackground(), Recorder(), ScriptedNetwork()
    pipeline = open_pipeline(opener(source), sink, background=background, network=network)
    pipeline.close()
    pipeline.close()
    assert (source.closed, background.closed, sink.closed, network.closed) == (1, 1, 1, 1)


@pytest.mark.parametrize("live_output", [True, False])
@pytest.mark.parametrize("live_source", [True, False])
def test_a_source_is_closed_once(*, live_output: bool, live_source: bool) -> None:
    source = ScriptedSource(range(2), live=live_source)
    with open_pipeline(opener(source), Recorder(live=live_output)) as pipeline:
        pipeline.run()
    assert source.closed == 1


def test_an_error_while_closing_does_not_hide_an_earlier_one() -> None:
    class FailsToClose(Recorder):
        def close(self) -> None:
            raise SinkError("the disk is full")

    with (
        pytest.raises(SourceLost, match="the camera is gone") as caught,
        open_pipeline(opener(ScriptedSource([0, "gone"])), FailsToClose()) as pipeline,
    ):
        pipeline.run()
    assert caught.value.__notes__ == ["while closing: the disk is full"]


def test_an_error_while_closing_is_raised_if_there_was_no_other() -> None:
    class FailsToClose(Recorder):
        def close(self) -> None:
            raise SinkError("the disk is full")

    background = SolidBackground()
    with (
        pytest.raises(SinkError, match="the disk is full"),
        open_pipeline(clip(1), FailsToClose(), background=background) as pipeline,
    ):
        pipeline.run()
    assert background.closed == 1


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
        Pipeline.open(clip(1), SolidBackground(), outputs=[first, again], model=ScriptedNetwork)
    assert not (tmp_path / "a.mp4").exists()


def test_an_output_whose_name_ends_like_an_input_is_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("30.mp4").write_bytes(b"precious")
    assert not same_file("12:30.mp4", "30.mp4")
    assert same_file("file:30.mp4?overwrite=yes", "video:30.mp4?live")


@pytest.mark.parametrize("output", ["clip.mp4?overwrite=yes", "file:clip.mp4?overwrite=yes", "./clip.mp4"])
@pytest.mark.parametrize("role", ["source", "background", "card"])
def test_an_output_that_is_an_input_is_refused_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, role: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source, background = clip(1), "#fff"
    recording = file.open("clip.mp4", size=SIZE, fps=FPS, alpha=False)
    recording.send(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), 0.0)
    recording.close()
    precious = Path("clip.mp4").read_bytes()
    if role == "source":
        monkeypatch.setattr(builder, "source_opener", lambda *_, **__: lambda: ScriptedSource([0]))
    with pytest.raises(
        SpecError, match=r"would overwrite '.*clip\.mp4.*', which is an input; choose another file name"
    ):
        Pipeline.open(
            "video:clip.mp4?live" if role == "source" else source,
            [background, "clip.mp4"] if role == "background" else background,
            outputs=[output],
            model=ScriptedNetwork,
            card="clip.mp4" if role == "card" else None,
        )
    assert Path("clip.mp4").read_bytes() == precious


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": (0, 0)}, "size: \\(0, 0\\) is not WIDTHxHEIGHT with each from 16 to 8192, such as 1280x720"),
        ({"fit": "zoom"}, "fit: 'zoom' is not one of cover, contain, stretch, tile"),
        ({"threads": 0}, "threads: 0 is not a whole number from 1 to 256"),
        ({"source": -1}, "camera: -1 is not a camera's number"),
        ({"source": 1.5}, "camera: 1.5 is not a text"),
        ({"outputs": [2.5]}, "output: 2.5 is not a text"),
        ({"background": ""}, "bg: '' is not a text"),
    ],
)
def test_option_values_are_checked(wrong: dict[str, Any], message: str) -> None:
    valid: dict[str, Any] = {"source": clip(1), "background": SolidBackground(), "outputs": [Recorder()]}
    with pytest.raises(SpecError, match=message):
        Pipeline.open(**valid | wrong, model=ScriptedNetwork)


def test_an_unknown_option_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(
        SpecError,
        match=r"no option 'mirorr'; did you mean mirror[?] there are: .*, bg, calibrate, .*, mirror, ",
    ):
        open_pipeline(clip(1), Recorder(), mirorr=True)


def test_options_come_from_the_configuration_and_keywords_replace_them() -> None:
    sink = Recorder()
    config = Config(size=(48, 32), card_text="Back at nine", bg="#0080ff")
    with Pipeline.open(clip(1), outputs=sink, model=ScriptedNetwork, config=config, size="64x32") as pipeline:
        pipeline.run()
    assert sink.opened == ((64, 32), FPS, False)
    assert [tuple(image[0, 0]) for image in sink.images] == [(255, 128, 0)]


def test_specs_come_from_the_configuration_if_none_are_given(tmp_path: Path) -> None:
    image = tmp_path / "me.png"
    cv2.imwrite(str(image), np.full((16, 16, 3), 200, np.uint8))
    config = Config(camera=f"{image}?frames=2", bg="green", output="null", model="small")
    with Pipeline.open(config=config) as pipeline:
        assert pipeline.model.startswith("small ")
        pipeline.run()
    assert pipeline.stats.composites == 2


@pytest.mark.parametrize("source", [0, "0"])
def test_an_integer_is_a_camera(monkeypatch: pytest.MonkeyPatch, source: str | int) -> None:
    cameras: list[str] = []

    def open_camera(rest: str, /, *, size: Size | None, fps: float | None) -> Source:  # noqa: ARG001
        cameras.append(rest)
        return ScriptedSource(range(1))

    monkeypatch.setattr("realtime_matte.sources.camera.open", open_camera)
    Pipeline.open(source, SolidBackground(), outputs=[Recorder()], model=ScriptedNetwork).close()
    assert cameras == ["0"]


@pytest.mark.parametrize("several", [True, False])
def test_a_path_is_a_source_a_background_and_an_output(tmp_path: Path, *, several: bool) -> None:
    image, video = tmp_path / "beach.png", tmp_path / "out.mp4"
    cv2.imwrite(str(image), np.full((32, 48, 3), 90, np.uint8))
    background, outputs = ([image, "green"], [video, "null"]) if several else (image, video)
    with Pipeline.open(image, background, outputs=outputs, model=ScriptedNetwork) as pipeline:
        pipeline.step()
        pipeline.switch_background(image)
        pipeline.step()
    assert pipeline.stats.composites == 2
    assert video.stat().st_size > 0


def test_no_output_is_an_error() -> None:
    with pytest.raises(SpecError, match=r"no output given; give one, such as 'window' or 'out\.mp4'"):
        open_pipeline(clip(1))


def test_the_users_text_is_on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True)
    capture = ScriptedCapture([None])
    Pipeline.open(
        scripted_camera(monkeypatch, capture),
        SolidBackground(),
        outputs=[sink],
        model=ScriptedNetwork,
        card_text="Back at nine",
    ).close()
    assert all(np.array_equal(image, draw_card(SIZE, text="Back at nine")) for image in sink.images)


def test_a_missing_card_image_is_an_error_at_the_start() -> None:
    with pytest.raises(MissingFile, match=r"none\.png"):
        Pipeline.open(clip(1), SolidBackground(), outputs=[Recorder()], model=ScriptedNetwork, card="none.png")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cam:0", "no source called 'cam:0'; did you mean camera[?] there are: camera, demo, "),
        ("no-such-clip.mp4", "no-such-clip.mp4"),
    ],
)
def test_an_unknown_source_is_an_error(spec: str, message: str) -> None:
    with pytest.raises((SpecError, MissingFile), match=message):
        open_pipeline(spec, Recorder())


@pytest.mark.parametrize("spec", ["0", "/dev/video2", "Logitech: HD", "USB Camera (046d:0825)"])
def test_a_number_or_a_name_alone_is_a_camera(monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    opened: list[str] = []

    def open_camera(rest: str, /, *, size: Size | None, fps: float | None) -> Source:
        opened.append(rest)
        raise SourceError(f"no camera here {size} {fps}")

    monkeypatch.setattr("realtime_matte.sources.camera.open", open_camera)
    with pytest.raises(SourceError, match="no camera here"):
        open_pipeline(spec, Recorder())
    assert opened == [spec]


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
