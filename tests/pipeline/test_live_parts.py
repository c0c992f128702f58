"""Camera, size, outputs and standby card change while the pipeline runs; nothing of any camera is ever sent.

What the cameras see is painted in the marker colour of ``test_privacy``, and every image that is sent is judged.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.live_cameras import LiveCamera, LiveSource, TimedNetwork
from fakes.pipelines import clip
from fakes.privacy import assert_private, is_card, marked
from fakes.scripted import FPS, SIZE, START, Recorder, SolidBackground, in_i420, wait_until

from realtime_matte.errors import MatteError, SinkError, SourceError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Fit, Readers
from realtime_matte.pipeline import on_demand, output_opening, outputs, standby
from realtime_matte.pipeline.commands import Command, Reply
from realtime_matte.pipeline.outputs import OpenedAs
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import draw_card

DOUBLE = 2 * SIZE[0], 2 * SIZE[1]


class Device(Recorder):
    """A virtual camera: other programs may read it, and while they do it keeps its size."""

    def __init__(self, *, refuses: Size | None = None) -> None:
        super().__init__(live=True)
        self.read = False
        self.sizes: list[Size] = []
        self.device = "/dev/video99"
        self.refuses = refuses
        self.timeout_images: list[Pixels] = []

    def __call__(self, _rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Device":
        assert self.closed == len(self.sizes), "it is open already"
        if size == self.refuses:
            self.sizes.append(size)
            self.closed += 1
            raise SinkError("a reader holds it")
        assert not (self.sizes and self.read), "closed while it was read"
        self.sizes.append(size)
        self.opened = (size, fps, alpha)
        return self

    def send(self, image: Pixels, time: float) -> None:
        assert self.closed == len(self.sizes) - 1, "it is not open"
        assert (image.shape[1], image.shape[0]) == self.sizes[-1]
        self.images.append(image.copy())
        self.times.append(time)

    def open_readers(self) -> Readers:
        return DeviceReaders(self)

    def set_timeout_image(self, image: Pixels) -> None:
        self.timeout_images.append(image)


class DeviceReaders:
    """The readers of a device."""

    notices: Sequence[str] = ()

    def __init__(self, device: Device) -> None:
        self._device = device

    def wait_for_reader(self, _timeout_s: float) -> bool:
        return self._device.read

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True, params=["bgr", "i420"])
def pixel_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test twice: frames in BGR, and planes from the camera to the outputs."""
    if request.param == "i420":
        in_i420(monkeypatch)
        monkeypatch.setattr(LiveSource, "pixel_formats", ("i420", "bgr"), raising=False)


@pytest.fixture
def frames() -> Iterator[int]:
    """The numbers of the frames of all cameras of a test."""
    return count()


def solid(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
    """Stand in for a background's ``open``: a new one each time."""
    return SolidBackground()(rest, size=size, fit=fit)


def open_live(camera: object, *sinks: object, reported: list[str] | None = None, **options: object) -> Pipeline:
    return Pipeline.open(
        camera,  # type: ignore[arg-type]
        solid,
        outputs=sinks,  # type: ignore[arg-type]
        model=TimedNetwork,
        notify=(reported if reported is not None else []).append,
        clock=lambda: START,
        **options,
    )


def run(pipeline: Pipeline, key: str, value: object = None) -> Reply:
    """The reply of a command, after the steps that it takes."""
    reply = pipeline.submit(Command(key, value))
    while not reply.done():
        assert pipeline.step()
    return reply


def show(pipeline: Pipeline, composites: int) -> None:
    """Run until so many more composites were sent."""
    enough, deadline = pipeline.stats.composites + composites, time.monotonic() + 30
    while pipeline.stats.composites < enough:
        assert time.monotonic() < deadline, "no composite is sent"
        assert pipeline.step()


# camera


def test_another_camera_is_shown_when_it_is_open_and_the_old_one_until_then(frames: Iterator[int]) -> None:
    first, second, sink = LiveCamera(frames), LiveCamera(frames), Recorder(live=True)
    with open_live(first, sink) as pipeline:
        show(pipeline, 3)
        second.may_open.clear()
        reply = pipeline.submit(Command("camera", second))
        show(pipeline, 5)
        assert not reply.done()
        second.may_open.set()
        while not reply.done():
            pipeline.step()
        before = len(sink.images)
        show(pipeline, 5)
        assert pipeline.options["camera"] == "custom"
        dropped = pipeline.dropped
        show(pipeline, 3)
        assert pipeline.dropped >= dropped
    assert sink.closed == 1
    shown = assert_private(sink)
    assert None not in shown[1 : before + 5], "there was always a frame"
    assert not first.busy
    assert not second.busy


def test_another_camera_starts_a_new_shot(frames: Iterator[int]) -> None:
    network, second = TimedNetwork(), LiveCamera(frames)
    with Pipeline.open(
        LiveCamera(frames), solid, outputs=[Recorder()], model=lambda: network, notify=[].append, clock=lambda: START
    ) as pipeline:
        show(pipeline, 3)
        run(pipeline, "camera", second)
        show(pipeline, 2)
    assert network.states.count(None) == 2, "nothing that is known of the first camera is used for the second"


@pytest.mark.parametrize("other", [False, True])
def test_the_card_is_shown_while_one_device_is_opened_again(frames: Iterator[int], *, other: bool) -> None:
    """The same camera in another mode, or another one that cannot be open beside the first."""
    first, sink = LiveCamera(frames), Recorder(live=True)
    second = LiveCamera(frames) if other else first
    second.beside = [first] if other else []
    with open_live(first, sink) as pipeline:
        show(pipeline, 3)
        before = len(sink.images)
        reply = pipeline.submit(Command("camera", second) if other else Command("fps", 15.0))
        while not reply.done():
            pipeline.step()
        assert reply.result() is None
        show(pipeline, 3)
        assert len(first.opened) == 2 - other
        assert pipeline.options["fps"] == (None if other else 15.0)
    assert_private(sink)
    assert any(is_card(image, [standby.SWITCHING]) for image in sink.images[before:])
    assert sink.closed == 1


@pytest.mark.parametrize("key", ["camera", "fps", "size"])
def test_a_camera_that_cannot_be_opened_keeps_the_old_one(frames: Iterator[int], key: str) -> None:
    first, sink, reported = LiveCamera(frames, sizes=(SIZE, DOUBLE)), Recorder(live=True), list[str]()
    bad = LiveCamera(frames, faults=9)
    with open_live(first, sink, reported=reported) as pipeline:
        show(pipeline, 3)
        first.faults = 0 if key == "camera" else 1
        reply = run(pipeline, key, {"camera": bad, "fps": 15.0, "size": DOUBLE}[key])
        with pytest.raises(SourceError, match="the camera does not respond"):
            reply.result()
        assert pipeline.options[key] == ("custom" if key == "camera" else None)
        show(pipeline, 3)
        assert pipeline.source.fps == FPS
    assert_private(sink)
    assert f"{key} is unchanged: the camera does not respond" in reported


def test_a_camera_without_such_a_name_is_refused_at_once_and_no_card_is_shown(frames: Iterator[int]) -> None:
    sink = Recorder(live=True)
    with open_live(LiveCamera(frames), sink) as pipeline:
        show(pipeline, 2)
        with pytest.raises(MatteError, match="no-such-clip"):
            run(pipeline, "camera", "no-such-clip.mp4").result()
        show(pipeline, 2)
    assert None not in assert_private(sink)[1:-1]


def test_on_standby_another_camera_stays_off(frames: Iterator[int]) -> None:
    first, second, sink = LiveCamera(frames), LiveCamera(frames), Recorder(live=True)
    with open_live(first, sink) as pipeline:
        show(pipeline, 2)
        run(pipeline, "standby", "on")
        assert run(pipeline, "camera", second).result() is None
        while second.busy or first.busy:
            pipeline.step()
        run(pipeline, "standby", "off")
        show(pipeline, 2)
        assert second.busy
    assert_private(sink)


def test_the_last_of_several_cameras_counts(frames: Iterator[int]) -> None:
    cameras = [LiveCamera(frames) for _ in range(4)]
    with open_live(cameras[0], Recorder(live=True)) as pipeline:
        cameras[1].may_open.clear()
        first = pipeline.submit(Command("camera", cameras[1]))
        while not cameras[1].requests:
            pipeline.step()
        replies = [first]
        for camera in cameras[2:]:
            replies.append(pipeline.submit(Command("camera", camera)))
            pipeline.step()
        cameras[1].may_open.set()
        while not all(reply.done() for reply in replies):
            pipeline.step()
        assert cameras[2].requests == []
        assert pipeline._parts.capture.choice.source is cameras[3]


def test_a_camera_can_be_replaced_by_a_clip_and_by_a_camera_again(frames: Iterator[int]) -> None:
    sink = Recorder(live=True)
    with open_live(LiveCamera(frames), sink) as pipeline:
        show(pipeline, 2)
        run(pipeline, "camera", clip(1000)).result()
        assert pipeline._parts.camera is None
        show(pipeline, 2)
        run(pipeline, "camera", LiveCamera(frames)).result()
        show(pipeline, 2)


# size


@pytest.fixture
def checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers are looked for with every frame: the clock of these tests stands still."""
    monkeypatch.setattr(outputs, "RESIZE_EVERY_S", 0)


@pytest.mark.usefixtures("checked_at_once")
def test_a_new_size_applies_when_no_program_reads_the_device(frames: Iterator[int]) -> None:
    camera, device, window = LiveCamera(frames, sizes=(SIZE, DOUBLE)), Device(), Recorder(live=True)
    with open_live(camera, device, window) as pipeline:
        show(pipeline, 2)
        device.read = True
        assert run(pipeline, "size", DOUBLE).result() is None
        show(pipeline, 3)
        assert pipeline.options["size"] == DOUBLE
        assert pipeline.source.size == DOUBLE
        assert device.sizes == [SIZE]
        assert "an output keeps 96x64 while a program reads it" in pipeline.size_note
        assert pipeline.size_note.count("keeps") == 2, "the window of this test has no other size either"
        newest = pipeline._parts.outputs.newest
        assert newest is not None
        assert newest.shape[:2] == DOUBLE[::-1]
        device.read = False
        show(pipeline, 3)
        assert device.sizes == [SIZE, DOUBLE]
        assert "while a program reads" not in pipeline.size_note
    assert_private(device)
    assert [marked(image) for image in window.images] == [0] * len(window.images)
    assert {image.shape for image in window.images} == {(SIZE[1], SIZE[0], 3)}
    assert len(device.timeout_images) == 2


@pytest.mark.usefixtures("checked_at_once")
def test_a_device_that_does_not_take_the_new_size_keeps_its_own(frames: Iterator[int]) -> None:
    camera, device, reported = LiveCamera(frames, sizes=(SIZE, DOUBLE)), Device(refuses=DOUBLE), list[str]()
    with open_live(camera, device, reported=reported) as pipeline:
        show(pipeline, 2)
        run(pipeline, "size", DOUBLE).result()
        for _ in range(3):
            show(pipeline, 2)
        assert device.sizes == [SIZE, DOUBLE, SIZE], "tried once"
        assert pipeline.size_note == "an output keeps 96x64 until rtmatte is started again"
    device.images.pop(), device.times.pop()  # the last card, scaled to the device's size
    assert_private(device)
    assert "the output keeps its size: a reader holds it" in reported


def test_a_background_that_cannot_be_opened_in_the_new_size_keeps_the_old_one(frames: Iterator[int]) -> None:
    def one_size(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        if size != SIZE:
            raise SpecError("too large")
        return solid(rest, size=size, fit=fit)

    camera, sink = LiveCamera(frames, sizes=(SIZE, DOUBLE)), Recorder(live=True)
    with Pipeline.open(
        camera, one_size, outputs=[sink], model=TimedNetwork, notify=[].append, clock=lambda: START
    ) as pipeline:
        show(pipeline, 2)
        with pytest.raises(SpecError, match="too large"):
            run(pipeline, "size", DOUBLE).result()
        show(pipeline, 2)
        assert pipeline.source.size == SIZE
        assert len([source for source in camera.opened if not source._closed.is_set()]) == 1
    assert_private(sink)


def test_a_recording_keeps_its_size(frames: Iterator[int], tmp_path: Path) -> None:
    camera, sink = LiveCamera(frames, sizes=(SIZE, DOUBLE)), Recorder(live=True)
    with open_live(camera, sink) as pipeline:
        run(pipeline, "record_start", str(tmp_path / "call.mkv")).result()
        show(pipeline, 2)
        run(pipeline, "size", DOUBLE).result()
        show(pipeline, 2)
        run(pipeline, "record_stop", None).result()
    capture = cv2.VideoCapture(str(tmp_path / "call.mkv"))
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == SIZE
    capture.release()


# outputs


def test_outputs_are_added_and_removed_and_the_others_are_not_touched(frames: Iterator[int]) -> None:
    kept, other, bad = Device(), Recorder(live=True), Device(refuses=SIZE)
    with open_live(LiveCamera(frames), kept) as pipeline:
        show(pipeline, 2)
        assert run_outputs(pipeline, kept, other) is None
        show(pipeline, 3)
        assert (len(pipeline.outputs), other.opened) == (2, (SIZE, FPS, False))
        with pytest.raises(SinkError, match="a reader holds it"):
            run_outputs(pipeline, kept, other, bad)
        show(pipeline, 2)
        assert len(pipeline.outputs) == 2
        assert run_outputs(pipeline, kept) is None
        show(pipeline, 2)
        wait_until(lambda: other.closed == 1)
        with pytest.raises(SpecError, match="no output given"):
            run_outputs(pipeline)
    assert kept.sizes == [SIZE]
    assert_private(kept)
    shown = assert_private(other)
    assert None not in shown[:-1]
    assert np.array_equal(other.images[-1], draw_card(SIZE, text=standby.STOPPED)), "not frozen at a composite"


def run_outputs(pipeline: Pipeline, *sinks: object) -> object:
    """The result of the command ``output`` with these."""
    reply: Reply = Future()
    command = Command("output", list(sinks))
    pipeline._commands.put(lambda _: pipeline._options.change(command, reply))
    while not reply.done():
        pipeline.step()
    return reply.result()


def test_a_device_that_is_named_otherwise_is_the_same_output() -> None:
    device = Device()
    place = "virtualcam", "/any"
    found = output_opening._same_output(
        OpenedAs("virtualcam:99", device, "99", place), {device: OpenedAs("virtualcam", device, "", place)}
    )
    assert found is device
    other = OpenedAs("virtualcam:98", device, "98", ("virtualcam", "/other"))
    assert output_opening._same_output(other, {device: OpenedAs("virtualcam", device, "", place)}) is None


def test_a_file_is_recorded_beside_a_live_output_from_the_command_on(frames: Iterator[int], tmp_path: Path) -> None:
    sink = Recorder(live=True)
    with open_live(LiveCamera(frames), sink) as pipeline:
        show(pipeline, 2)
        run_outputs(pipeline, sink, str(tmp_path / "call.mkv"))
        show(pipeline, 3)
        run_outputs(pipeline, sink)
    assert (tmp_path / "call.mkv").stat().st_size > 0
    capture = cv2.VideoCapture(str(tmp_path / "call.mkv"))
    image = capture.read()[1]
    capture.release()
    assert marked(np.asarray(image, np.uint8)) == 0


# standby card, fit, on demand


def test_another_card_is_shown_from_the_command_on(frames: Iterator[int], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "away.png"), np.full((64, 96, 3), 77, np.uint8))
    sink = Recorder(live=True)
    with open_live(LiveCamera(frames), sink) as pipeline:
        run(pipeline, "card", str(tmp_path / "away.png")).result()
        run(pipeline, "standby", "on")
        pipeline.step()
        assert (sink.images[-1] == 77).all()
        with pytest.raises(MatteError, match=r"none\.png"):
            run(pipeline, "card", str(tmp_path / "none.png")).result()
        pipeline.step()
        assert (sink.images[-1] == 77).all()
        assert pipeline.options["card"] == str(tmp_path / "away.png")
        run(pipeline, "card", None).result()
        pipeline.step()
        assert is_card(sink.images[-1])


def test_a_background_fills_the_output_in_another_way_from_the_command_on(frames: Iterator[int]) -> None:
    fits: list[Fit] = []

    def noting(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        fits.append(fit)
        if fit == "tile":
            raise SpecError("too small")
        return solid(rest, size=size, fit=fit)

    sink = Recorder(live=True)
    with Pipeline.open(
        LiveCamera(frames), noting, outputs=[sink], model=TimedNetwork, notify=[].append, clock=lambda: START
    ) as pipeline:
        run(pipeline, "fit", "contain").result()
        with pytest.raises(SpecError, match="too small"):
            run(pipeline, "fit", "tile").result()
        show(pipeline, 2)
        assert pipeline.options["fit"] == "contain"
    assert fits == ["cover", "contain", "tile"]
    assert None not in assert_private(sink)[1:-1]


def test_on_demand_is_turned_on_and_off_while_running(frames: Iterator[int]) -> None:
    camera, device = LiveCamera(frames), Device()
    with open_live(camera, device) as pipeline:
        show(pipeline, 2)
        assert run(pipeline, "on_demand", value=True).result() is None
        while camera.busy:
            pipeline.step()
        assert pipeline.camera_off_reason == on_demand.OFF
        with pytest.raises(SpecError, match="on demand needs a virtual camera among the outputs"):
            run_outputs(pipeline, Recorder(live=True))
        pipeline.set_watched(watched=True)
        show(pipeline, 2)
        assert camera.busy
        with pytest.raises(SpecError, match="on demand needs a camera, and this source is a file"):
            run(pipeline, "camera", clip(9)).result()
        pipeline.set_watched(watched=False)
        run(pipeline, "on_demand", value=False).result()
        show(pipeline, 2)
    assert_private(device)


def test_on_demand_without_a_device_is_refused(frames: Iterator[int]) -> None:
    with open_live(LiveCamera(frames), Recorder(live=True)) as pipeline:
        with pytest.raises(SpecError, match="on demand needs an output that knows"):
            run(pipeline, "on_demand", value=True).result()
        show(pipeline, 2)
        assert pipeline.options["on_demand"] is False


def test_a_new_output_that_fails_at_once_is_reported_and_the_others_continue(frames: Iterator[int]) -> None:
    kept, reported = Recorder(live=True), list[str]()
    with open_live(LiveCamera(frames), kept, reported=reported) as pipeline:
        show(pipeline, 2)
        assert run_outputs(pipeline, kept, Recorder(live=True, fails_at=0)) is None
        show(pipeline, 2)
        assert [output.fault for output in pipeline.outputs] == ["", "the output went away"]
    assert "an output failed and is closed, the others continue: the output went away" in reported
    assert_private(kept)


def test_an_output_that_is_added_on_standby_gets_the_card(frames: Iterator[int]) -> None:
    kept, added = Recorder(live=True), Recorder(live=True)
    with open_live(LiveCamera(frames), kept) as pipeline:
        show(pipeline, 2)
        run(pipeline, "standby", "on")
        pipeline.step()
        run_outputs(pipeline, kept, added)
        assert len(added.images) >= 1
    assert [is_card(image) for image in added.images] == [True] * len(added.images)
