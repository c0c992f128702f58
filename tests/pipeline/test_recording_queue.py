"""A recording behind a queue; the disk is a sink that waits for an event."""

import threading
from pathlib import Path

import av
import numpy as np
import pytest
from fakes.scripted import Recorder, wait_until

from realtime_matte.errors import SinkError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Sink
from realtime_matte.pipeline import recording_queue
from realtime_matte.pipeline.output_opening import open_outputs
from realtime_matte.pipeline.outputs import OpenedAs, Outputs
from realtime_matte.pipeline.recorder import SinkFormat
from realtime_matte.pipeline.recording_queue import RecordingQueue
from realtime_matte.sinks import file

SIZE = (64, 48)
FPS = 30.0


def image(value: int) -> Pixels:
    return np.full((SIZE[1], SIZE[0], 3), value % 256, np.uint8)


class Disk(Recorder):
    """A recording whose writes stand still while ``responds`` is cleared."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        super().__init__(fails_at=fails_at)
        self.responds = threading.Event()
        self.responds.set()
        self.stands_still = threading.Event()
        self.threads: set[str] = set()

    def send(self, image: Pixels, time: float) -> None:
        self.threads.add(threading.current_thread().name)
        if not self.responds.is_set():
            self.stands_still.set()
            assert self.responds.wait(30)
        super().send(image.copy(), time)


def queued(sink: Sink, *, notify: list[str] | None = None, close_timeout_s: float = 30.0) -> RecordingQueue:
    report = (notify if notify is not None else []).append
    return RecordingQueue(
        sink, "the output 'out.mp4'", size=SIZE, fps=FPS, alpha=False, notify=report, close_timeout_s=close_timeout_s
    )


def test_frames_arrive_in_order_in_another_thread() -> None:
    disk = Disk()
    queue = queued(disk)
    buffer = image(0)
    for index in range(10):
        buffer[:] = index  # the caller overwrites its frame at once
        queue.send(buffer, index / FPS)
    queue.close()
    assert [int(sent[0, 0, 0]) for sent in disk.images] == list(range(10))
    assert disk.times == [index / FPS for index in range(10)]
    assert disk.threads == {"recording"}
    assert disk.closed == 1


@pytest.mark.parametrize("keeps_alpha", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_frames_keep_their_channels(keeps_alpha: bool, alpha: bool) -> None:  # noqa: FBT001
    """A sink that can keep alpha gets frames without any where there is a background."""
    disk = Disk()
    disk.alpha = keeps_alpha
    queue = RecordingQueue(disk, "a", size=SIZE, fps=FPS, alpha=alpha, notify=[].append)
    queue.send(np.zeros((SIZE[1], SIZE[0], 4 if alpha else 3), np.uint8), 0.0)
    queue.close()
    assert disk.images[0].shape == (SIZE[1], SIZE[0], 4 if alpha else 3)


def test_a_disk_that_stands_still_for_10_s_holds_up_no_other_output() -> None:
    notices: list[str] = []
    disk, camera = Disk(), Recorder(live=True)
    outputs = Outputs(SinkFormat(size=SIZE, fps=FPS, alpha=False), notify=notices.append)
    outputs.add(disk, OpenedAs("out.mp4", disk, "", disk))  # type: ignore[arg-type]
    outputs.add(camera, OpenedAs("virtualcam", camera, "", camera))
    outputs.queue_recordings()
    disk.responds.clear()
    outputs.send(image(0), 0.0)
    assert disk.stands_still.wait(30)
    for index in range(1, 301):  # 10 s of frames
        outputs.send(image(index), index / FPS)
    assert len(camera.images) == 301
    assert disk.images == []
    assert notices == ["the output 'out.mp4' is written too slowly: frames are dropped there, all else continues"]
    disk.responds.set()
    wait_until(lambda: len(disk.images) == round(recording_queue.QUEUE_S * FPS))
    outputs.send(image(301), 301 / FPS)
    outputs.close()
    assert [int(sent[0, 0, 0]) for sent in disk.images] == [*range(15), 301 % 256], "the queue, then the newest"
    assert disk.times[-1] == 301 / FPS, "the recording keeps its times over the gap"
    assert notices[1:] == ["the output 'out.mp4': 286 of 302 frames were dropped, it was written too slowly"]


def test_closing_reports_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_queue, "REPORT_S", 0.01)
    disk, reports = Disk(), threading.Event()
    queue = RecordingQueue(
        disk, "the output 'out.mp4'", size=SIZE, fps=FPS, alpha=False, notify=lambda text: notices(text, reports)
    )
    disk.responds.clear()
    queue.send(image(0), 0.0)
    assert disk.stands_still.wait(30)
    closing = threading.Thread(target=queue.close)
    closing.start()
    assert reports.wait(30)
    disk.responds.set()
    closing.join(30)
    assert disk.closed == 1


def notices(text: str, reports: threading.Event) -> None:
    assert text == "waiting for the output 'out.mp4' to be written, 15 s at most"
    reports.set()


def test_no_buffer_is_allocated_or_lost_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    queue = queued(disk)
    monkeypatch.setattr(np, "empty", None)  # every further buffer would fail
    for index in range(100):
        queue.send(image(index), index / FPS)
        wait_until(lambda count=index + 1: len(disk.images) == count)  # type: ignore[misc]
    queue.close()
    assert queue.dropped == 0


@pytest.mark.parametrize(
    ("size", "fps", "alpha", "count"),
    [
        ((1280, 720), 30.0, False, 15),
        ((1280, 720), 60.0, False, 30),
        ((1920, 1080), 30.0, True, 15),
        ((3840, 2160), 30.0, False, 5),
        ((7680, 4320), 30.0, False, 3),
        ((64, 48), 1.0, False, 3),
    ],
)
def test_the_queue_is_bounded(size: tuple[int, int], fps: float, alpha: bool, count: int) -> None:  # noqa: FBT001
    buffers = recording_queue._buffers(size, fps, channels=4 if alpha else 3)
    assert len(buffers) == count
    assert {buffer.shape for buffer in buffers} == {(size[1], size[0], 4 if alpha else 3)}


def test_close_writes_what_is_queued() -> None:
    disk = Disk()
    queue = queued(disk)
    disk.responds.clear()
    for index in range(12):
        queue.send(image(index), index / FPS)
    assert disk.stands_still.wait(30)
    disk.responds.set()
    queue.close()
    queue.close()
    assert (len(disk.images), disk.closed) == (12, 1)


def test_close_does_not_wait_longer_than_its_limit() -> None:
    disk = Disk()
    queue = queued(disk, close_timeout_s=0.01)
    disk.responds.clear()
    queue.send(image(0), 0.0)
    assert disk.stands_still.wait(30)
    with pytest.raises(SinkError, match=r"the output 'out\.mp4' is not complete: its disk did not respond for 0\.01 s"):
        queue.close()
    queue.close()
    disk.responds.set()
    wait_until(lambda: disk.closed == 1)  # as soon as the disk responds


def test_other_outputs_are_closed_before_a_disk_is_waited_for() -> None:
    disk, camera = Disk(), Recorder(live=True)
    outputs = Outputs(SinkFormat(size=SIZE, fps=FPS, alpha=False), notify=[].append)
    for sink in (camera, disk):
        outputs.add(sink)
    outputs.queue_recordings()
    disk.responds.clear()
    outputs.send(image(0), 0.0)
    closing = threading.Thread(target=outputs.close)
    closing.start()
    wait_until(lambda: camera.closed == 1)
    assert disk.closed == 0
    disk.responds.set()
    closing.join(30)
    assert disk.closed == 1


@pytest.mark.parametrize("error", [SinkError("the disk is full"), ValueError("a bug"), SystemExit(3)])
def test_what_fails_in_the_thread_is_raised_once(error: BaseException) -> None:
    class Failing(Disk):
        def send(self, image: Pixels, time: float) -> None:  # noqa: ARG002
            raise error

    disk = Failing()
    queue = queued(disk)
    queue.send(image(0), 0.0)
    wait_until(lambda: disk.closed == 1)
    with pytest.raises(type(error)) as caught:
        queue.send(image(1), 1.0)
    assert caught.value is error
    queue.close()


def test_an_error_that_no_frame_followed_is_raised_by_close() -> None:
    disk = Disk(fails_at=0)
    queue = queued(disk)
    queue.send(image(0), 0.0)
    with pytest.raises(SinkError, match="the output went away"):
        queue.close()
    queue.close()


def test_a_recording_that_fails_is_closed_and_the_others_continue() -> None:
    notices: list[str] = []
    disk, camera = Disk(fails_at=2), Recorder(live=True)
    outputs = Outputs(SinkFormat(size=SIZE, fps=FPS, alpha=False), notify=notices.append)
    for sink in (disk, camera):
        outputs.add(sink)
    outputs.queue_recordings()
    for index in range(5):
        outputs.send(image(index), float(index))
        wait_until(lambda count=index + 1: disk.closed == 1 or len(disk.images) == count)  # type: ignore[misc]
    assert (len(disk.images), len(camera.images), outputs.failed) == (2, 5, 1)
    assert notices == ["an output failed and is closed, the others continue: the output went away"]
    outputs.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov"])
def test_a_file_whose_disk_stood_still_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    recording = file.open(str(tmp_path / f"out{suffix}"), size=SIZE, fps=FPS, alpha=False)
    responds, write = threading.Event(), recording._write

    def slow(frame: object) -> None:
        assert responds.wait(30)
        write(frame)  # type: ignore[arg-type]

    monkeypatch.setattr(recording, "_write", slow)
    queue = queued(recording)
    for index in range(40):
        queue.send(image(index), index / FPS)
    responds.set()
    queue.close()
    with av.open(tmp_path / f"out{suffix}") as container:
        times = [frame.time or 0.0 for frame in container.decode(video=0)]
    assert len(times) == 40 - queue.dropped
    assert 0 < queue.dropped <= 40 - 15
    assert times[:10] == pytest.approx([index / FPS for index in range(10)], abs=0.002)


@pytest.mark.parametrize(
    ("live_source", "live_output", "others", "queues"),
    [
        (False, False, 0, 0),  # every frame of a clip into a file: nothing is dropped
        (False, False, 1, 0),  # into two
        (True, False, 0, 1),  # a camera's, also alone: a command to end must not wait for the disk
        (True, False, 1, 2),
        (True, True, 0, 1),
        (False, True, 0, 1),
    ],
)
def test_a_recording_is_queued_in_real_time(
    live_source: bool,  # noqa: FBT001
    live_output: bool,  # noqa: FBT001
    others: int,
    queues: int,
) -> None:
    sinks: list[Sink] = [Recorder() for _ in range(1 + others)] + [Recorder(live=True)] * live_output
    outputs = Outputs(SinkFormat(size=SIZE, fps=FPS, alpha=False), notify=[].append)
    choices = [lambda _, /, *, size, fps, alpha, sink=sink: sink for sink in sinks]  # noqa: ARG005
    open_outputs(outputs, choices, inputs=[], live=live_source)  # type: ignore[arg-type]
    assert sum(isinstance(sink, RecordingQueue) for sink in outputs._sinks) == queues
    outputs.close()
