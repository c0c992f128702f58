"""A recording beside the outputs: it begins and ends while they continue, and has all that they got in between."""

import errno
import re
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import av
import numpy as np
import pytest
from fakes.pipelines import clip, open_pipeline
from fakes.privacy import marked
from fakes.scripted import FPS, SIZE, Recorder, ScriptedNetwork, SolidBackground, fails

from realtime_matte.errors import MatteError, SinkError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.pipeline import recorder
from realtime_matte.pipeline.commands import Command, Reply
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.recording_queue import RecordingQueue

MANY = 10_000
"""More frames than a test takes."""


@pytest.fixture
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder for videos, which does not exist yet."""
    folder = tmp_path / "home" / "Videos"
    monkeypatch.setattr("platformdirs.user_videos_path", lambda: folder)
    return folder


def run(pipeline: Pipeline, command: Command) -> Reply:
    """The reply of a command, after the steps that it takes."""
    reply = pipeline.submit(command)
    while not reply.done():
        assert pipeline.step()
    return reply


def images(path: Path) -> list[Pixels]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


def test_a_recording_has_every_frame_from_start_to_stop(tmp_path: Path) -> None:
    sink = Recorder(live=True)
    with open_pipeline(clip(MANY), sink, background=SolidBackground((0, 0, 0))) as pipeline:
        assert pipeline.recording is None
        assert run(pipeline, Command("record_start", str(tmp_path / "call.mkv"))).result() is None
        before = len(sink.images)
        for _ in range(9):
            pipeline.step()
        state = pipeline.recording
        assert state is not None
        assert (state.file, state.seconds >= 0) == (str(tmp_path / "call.mkv"), True)
        sent = sink.images[before - 1 :]  # the step that answered has sent its frame after the answer
        reply = pipeline.submit(Command("record_stop"))
        pipeline.step()
        while not reply.done():
            pipeline.step()
        assert reply.result() is None
        assert pipeline.recording is None
        assert sink.closed == 0
    recorded = images(tmp_path / "call.mkv")
    assert len(recorded) == len(sent)
    for image, original in zip(recorded, sent, strict=True):
        assert np.abs(image.astype(int) - original).mean() < 4  # of H.264


def test_a_recording_is_complete_at_the_end_of_the_run(videos: Path) -> None:
    with open_pipeline(clip(MANY), Recorder(live=True)) as pipeline:
        run(pipeline, Command("record_start"))
        for _ in range(5):
            pipeline.step()
    [path] = videos.iterdir()
    assert re.fullmatch(r"rtmatte-\d{8}-\d{6}\.mp4", path.name)
    assert len(images(path)) == 6


def test_a_recording_without_a_name_never_replaces_a_file(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "NAME", "rtmatte-always")
    for _ in range(3):
        path = recorder.new_path(alpha=False)
        path.write_bytes(b"older")
    assert sorted(path.name for path in videos.iterdir()) == [
        "rtmatte-always-2.mp4",
        "rtmatte-always-3.mp4",
        "rtmatte-always.mp4",
    ]
    assert recorder.new_path(alpha=True).suffix == ".webm"


def test_nothing_of_the_camera_is_recorded(tmp_path: Path) -> None:
    network = ScriptedNetwork(dict.fromkeys(range(3, 6), fails))
    with open_pipeline(clip(MANY), Recorder(live=True), network=network) as pipeline:
        run(pipeline, Command("record_start", str(tmp_path / "call.mp4")))
        pipeline.request("standby")
        for _ in range(4):
            pipeline.step()
        pipeline.request("standby")
        for _ in range(10):
            pipeline.step()
        newest = pipeline._parts.outputs.newest
        assert newest is not None
    recorded = images(tmp_path / "call.mp4")
    assert len(recorded) >= 14
    assert [marked(image) for image in recorded] == [0] * len(recorded)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("there.mp4", "'.*there.mp4' already exists; name another file"),
        ("there.mp4?overwrite=yes", r"video format .mp4\?overwrite=yes is not supported"),
        ("call.txt", "video format .txt is not supported; use .mp4"),
        ("no/folder/call.mp4", "No such file or directory; create that folder first"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_and_replaces_nothing(tmp_path: Path, name: str, error: str) -> None:
    (tmp_path / "there.mp4").write_bytes(b"older")
    with open_pipeline(clip(MANY), Recorder(live=True)) as pipeline:
        with pytest.raises(MatteError, match=error):
            run(pipeline, Command("record_start", str(tmp_path / name))).result()
        assert pipeline.recording is None
    assert (tmp_path / "there.mp4").read_bytes() == b"older"


def test_there_is_one_recording_at_a_time(tmp_path: Path) -> None:
    with open_pipeline(clip(MANY), Recorder(live=True)) as pipeline:
        with pytest.raises(SpecError, match="there is no recording to stop"):
            run(pipeline, Command("record_stop")).result()
        run(pipeline, Command("record_start", str(tmp_path / "one.mp4")))
        with pytest.raises(SpecError, match="a recording is in progress already"):
            run(pipeline, Command("record_start", str(tmp_path / "two.mp4"))).result()
    assert [path.name for path in tmp_path.iterdir()] == ["one.mp4"]


def test_a_recording_that_fails_ends_alone_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SinkError("no space left on that disk")

    def fail(*_arguments: object) -> None:
        raise full

    reported: list[str] = []
    sink = Recorder(live=True)
    with open_pipeline(clip(MANY), sink, reported=reported) as pipeline:
        run(pipeline, Command("record_start", str(tmp_path / "call.mp4")))
        monkeypatch.setattr(RecordingQueue, "send", fail)
        before = len(sink.images)
        for _ in range(3):
            pipeline.step()
        assert pipeline.recording is None
        assert len(sink.images) == before + 3
        assert (pipeline.failed_outputs, [output.fault for output in pipeline.outputs]) == (0, [""])
    assert any("call.mp4' ended: no space left on that disk" in line for line in reported)
    assert len(images(tmp_path / "call.mp4")) == 1, "what was recorded before is kept"


@pytest.mark.parametrize("place", ["new_path", "_open"])
def test_what_the_system_refuses_refuses_the_recording_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recorder, place, full)
    with open_pipeline(clip(10_000), Recorder(live=True), background=SolidBackground()) as pipeline:
        name = None if place == "new_path" else str(tmp_path / "x.mp4")
        reply = pipeline.submit(Command("record_start", name))
        pipeline.run(until=reply.done)
        with pytest.raises(MatteError, match="No space left on device; free space"):
            reply.result()
        assert pipeline.step()


def test_a_recording_keeps_no_run_alive(tmp_path: Path) -> None:
    sink = Recorder(live=True)
    with open_pipeline(clip(MANY), sink) as pipeline:
        run(pipeline, Command("record_start", str(tmp_path / "call.mp4")))
        pipeline.step()
        sink._fails_at = len(sink.images)
        with pytest.raises(SinkError, match="the output went away"):
            pipeline.run()
    assert images(tmp_path / "call.mp4")


@pytest.mark.parametrize("end", [Pipeline.close, lambda pipeline: pipeline.submit(Command("quit"))])
def test_a_file_that_opens_too_late_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[Pipeline], object]
) -> None:
    ended, open_file = Event(), recorder._open

    def open_late(*arguments: Any) -> object:  # noqa: ANN401 - those of _open
        assert ended.wait(30)
        return open_file(*arguments)

    monkeypatch.setattr(recorder, "_open", open_late)
    with open_pipeline(clip(MANY), Recorder(live=True)) as pipeline:
        reply = pipeline.submit(Command("record_start", str(tmp_path / "call.mp4")))
        end(pipeline)
        pipeline.step() if not pipeline._closed else None
    ended.set()
    with pytest.raises(MatteError, match="the run has ended"):
        reply.result(30)


def test_a_recording_of_every_size_that_the_outputs_have(tmp_path: Path) -> None:
    with open_pipeline(clip(MANY, size=(SIZE[0] - 1, SIZE[1] - 1)), Recorder(live=True)) as pipeline:
        run(pipeline, Command("record_start", str(tmp_path / "call.mp4")))
        pipeline.step()
        assert pipeline._parts.outputs.format.fps == FPS
    assert images(tmp_path / "call.mp4")[0].shape == (SIZE[1], SIZE[0], 3)
