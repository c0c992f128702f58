import asyncio
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from fakes.control import while_running
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.privacy import StartClock
from fakes.scripted import SIZE, Recorder, ScriptedCapture, ScriptedNetwork, SolidBackground, fails

from realtime_matte.control import status as status_module
from realtime_matte.control.status import BUSY, State, Status, StatusReader, as_json
from realtime_matte.errors import MatteError
from realtime_matte.interfaces import Readers
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline

MANY = 10_000
"""More frames than a test takes."""


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def built(pipeline: Pipeline) -> Status:
    """The status now."""
    return asyncio.run(StatusReader(pipeline, clock=Clock()).read())


def read(pipeline: Pipeline, reader: StatusReader, *, fresh: bool = False) -> Status:
    """The status as another thread reads it, while the pipeline runs."""
    return while_running(pipeline, lambda: asyncio.run(reader.read(fresh=fresh)))


def test_a_running_pipeline_has_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = scripted_camera(monkeypatch, ScriptedCapture(range(MANY)))
    with open_pipeline(
        camera, Recorder(live=True), background=[SolidBackground(), SolidBackground()], clock=StartClock(), mirror=True
    ) as pipeline:
        for _ in range(5):
            pipeline.step()
        status = built(pipeline)
    assert (status.pid, status.state, status.reason) == (os.getpid(), "running", "")
    assert (status.camera, status.size, status.camera_fps) == ("scripted camera", SIZE, 30)
    assert (status.model, status.provider) == ("scripted", "fake")
    assert status.grid == SIZE
    assert (status.composites, status.standby_cards, status.dropped) == (5, 0, 0)
    assert status.fps > 0
    assert status.age_p50_s is not None
    assert status.age_p95_s is not None
    assert set(status.stages_s) == {"wait", "fit", "matte", "refine", "background", "composite", "send"}
    assert [output.notices for output in status.outputs] == [("recorder",)]
    assert status.notices == ("scripted camera", "recorder")
    assert len(status.backgrounds) == 2
    assert status.options["mirror"] is True
    assert status.cpu >= 0


def test_the_status_is_json() -> None:
    with open_pipeline(clip(3), Recorder()) as pipeline:
        pipeline.step()
        status = built(pipeline)
    decoded = json.loads(json.dumps(as_json(status)))
    assert decoded["state"] == "running"
    assert decoded["size"] == list(SIZE)
    assert decoded["age_p50_s"] is None, "frames of a file have no age"
    assert decoded["outputs"][0] == {"name": "", "notices": ["recorder"], "fault": ""}


def test_it_starts_as_starting() -> None:
    with open_pipeline(clip(3), Recorder(live=True)) as pipeline:
        assert built(pipeline).state == "starting"


def test_a_lost_camera_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = scripted_camera(monkeypatch, ScriptedCapture([0, None, 1]))
    with open_pipeline(camera, Recorder(live=True)) as pipeline:
        states = []
        for _ in range(3):
            pipeline.step()
            status = built(pipeline)
            states.append((status.state, status.reason))
    assert states == [("running", ""), ("camera lost", "camera lost: it was unplugged"), ("running", "")]


def test_a_failed_network_is_no_matte() -> None:
    with open_pipeline(clip(3), Recorder(), network=ScriptedNetwork({1: fails})) as pipeline:
        states = []
        for _ in range(3):
            pipeline.step()
            states.append(built(pipeline).state)
        assert states == ["running", "no matte", "running"]
        assert "no matte, so the standby card is shown" in built(pipeline).messages[-1]


def test_standby_is_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = scripted_camera(monkeypatch, ScriptedCapture(range(MANY)))
    with open_pipeline(camera, Recorder(live=True)) as pipeline:
        pipeline.submit(Command("standby", "on"))
        pipeline.step()
        assert (built(pipeline).state, built(pipeline).reason) == ("standby", "the camera is off")
        assert built(pipeline).messages[-1] == "standby: the camera is off"


def test_paused_on_demand_is_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoReaders:
        notices = ()

        def wait_for_reader(self, timeout_s: float) -> bool:  # noqa: ARG002
            return False

        def close(self) -> None:
            pass

    class Watched(Recorder):
        def open_readers(self) -> Readers:
            return NoReaders()

    camera = scripted_camera(monkeypatch, ScriptedCapture(range(MANY)))
    with open_pipeline(camera, Watched(live=True), on_demand=True) as pipeline:
        pipeline.step()
        status = built(pipeline)
    assert (status.state, status.reason) == ("paused on demand", "no program reads the output: the camera is off")


def test_an_output_that_failed_has_its_fault() -> None:
    with open_pipeline(clip(5), Recorder(), Recorder(fails_at=1)) as pipeline:
        for _ in range(3):
            pipeline.step()
        assert [output.fault for output in built(pipeline).outputs] == ["", "the output went away"]


def test_it_is_built_at_most_five_times_a_second() -> None:
    clock = Clock()
    with open_pipeline(clip(MANY), Recorder()) as pipeline:
        reader = StatusReader(pipeline, clock=clock)
        first = read(pipeline, reader)
        clock.now += 0.19
        assert read(pipeline, reader) is first
        clock.now += 0.02
        second = read(pipeline, reader)
        assert second is not first
        assert read(pipeline, reader) is second


def test_a_fresh_status_shows_what_was_changed_before() -> None:
    with open_pipeline(clip(MANY), Recorder()) as pipeline:
        reader = StatusReader(pipeline)
        assert read(pipeline, reader).options["mirror"] is False
        pipeline.submit(Command("mirror", value=True))
        assert read(pipeline, reader, fresh=True).options["mirror"] is True


def test_it_is_built_in_the_pipelines_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    class Noting(StatusReader):
        def _build(self) -> Status:
            threads.append(threading.current_thread().name)
            return super()._build()

    with open_pipeline(clip(MANY), Recorder()) as pipeline:
        reader = Noting(pipeline)
        read(pipeline, reader, fresh=True)
    assert threads == [threading.current_thread().name] * 2
    monkeypatch.undo()


def test_after_the_end_the_last_figures_are_kept() -> None:
    with open_pipeline(clip(2), Recorder()) as pipeline:
        pipeline.step()
        reader = StatusReader(pipeline)
        pipeline.run()
        status = asyncio.run(reader.read(fresh=True))
    assert (status.state, status.reason, status.composites) == ("ended", "the run has ended", 1)


def test_a_pipeline_that_does_not_answer_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_module, "ANSWER_S", 0.01)
    with open_pipeline(clip(2), Recorder()) as pipeline:
        pipeline.step()
        reader = StatusReader(pipeline)
        status = asyncio.run(reader.read(fresh=True))
        assert (status.state, status.reason, status.composites) == ("busy", BUSY, 1)
        assert pipeline.step(), "the call that was given up is not run"
    assert status.state in get_args(State)


def test_a_warning_has_what_to_do_apart() -> None:
    with open_pipeline(clip(2), Recorder()) as pipeline:
        pipeline.messages.append(str(MatteError("the camera is slow", hint="use MJPEG; or a smaller size")))
        pipeline.messages.append("switching to the model small")
        status = built(pipeline)
    assert as_json(status)["warnings"] == (
        {"message": "the camera is slow", "hint": "use MJPEG; or a smaller size"},
        {"message": "switching to the model small", "hint": ""},
    )


def test_passwords_are_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "rtsp://me:secret@host/live"
    capture = ScriptedCapture(range(MANY))
    capture.state = replace(capture.state, notices=(url,))

    class Leaking(Recorder):
        notices = (url,)

    with open_pipeline(scripted_camera(monkeypatch, capture), Leaking(live=True)) as pipeline:
        pipeline.messages.append(url)
        text = json.dumps(as_json(built(pipeline)))
    assert "secret" not in text
    assert text.count("rtsp://me:***@host/live") == 6, "camera, notices twice, output, messages, warnings"


def test_readers_are_named_and_looked_for_rarely() -> None:
    class Device(Recorder):
        device = "/dev/video10"

    scanned: list[Path] = []

    def scan(path: Path) -> list[str]:
        scanned.append(path)
        return ["zoom (pid 412)"]

    clock = Clock()
    with open_pipeline(clip(MANY), Device(), Recorder()) as pipeline:
        reader = StatusReader(pipeline, clock=clock, scan=scan)
        for _ in range(3):
            clock.now += 0.3
            assert read(pipeline, reader).readers == ("zoom (pid 412)",)
        assert scanned == [Path("/dev/video10")]
        clock.now += 2
        read(pipeline, reader)
        assert len(scanned) == 2
