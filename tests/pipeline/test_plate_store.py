"""``--plate``: a plate from a file is known in the second frame, also in another light and place, or it is refused."""

import re
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.pipelines import open_pipeline
from fakes.plates import EmptyRoom, SeeingNetwork
from fakes.scripted import SIZE, Recorder, ScriptedNetwork, ScriptedSource, opener
from fakes.v4l2 import FakeCamera, FakeKernel

from realtime_matte.errors import MatteError, MissingFile, SinkError
from realtime_matte.frame import Frame, Pixels
from realtime_matte.pipeline import calibration, plate_store
from realtime_matte.pipeline.commands import Command
from realtime_matte.render.clean_plate import CleanPlate
from realtime_matte.render.plate_file import read_plate, write_plate
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate
from realtime_matte.v4l2.capabilities import Mode

NEW = 100
"""Frames of a run: more than TRY_S."""


def room(*, seed: int = 1, light: float = 1.0, right: int = 0) -> Pixels:
    """An empty room with texture: furniture of any colours."""
    width, height = SIZE
    small = np.random.default_rng(seed).integers(40, 200, (height // 8, width // 8, 3), np.uint8)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(np.roll(large, right, axis=1) * light, 0, 255), np.uint8)


class RoomSource(ScriptedSource):
    """Frames of one image."""

    def __init__(self, count: int, image: Pixels) -> None:
        super().__init__(range(count))
        self._image = image

    def read(self, pixels: Pixels) -> Frame | None:
        frame = super().read(pixels)
        if frame:
            pixels[:] = self._image
        return frame


def play(
    image: Pixels, path: Path | None, *, count: int = NEW, network: ScriptedNetwork | None = None, **options: object
) -> tuple[Any, list[str]]:
    """A run before that room: its network, and what was reported."""
    network, reported = network or EmptyRoom(), list[str]()
    source = opener(RoomSource(count, image))
    plate = None if path is None else str(path)
    with open_pipeline(
        source,
        Recorder(live=True),
        network=network,
        reported=reported,
        plate=plate,
        **options,  # type: ignore[arg-type]
    ) as pipeline:
        pipeline.run()
    return network, reported


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plate that a run has made."""
    for name, seconds in (("COUNTDOWN_S", 0.1), ("MEASURE_S", 0.2), ("GIVE_UP_S", 9.0)):
        monkeypatch.setattr(calibration, name, seconds)
    path = tmp_path / "room.png"
    _, reported = play(room(), path, count=30, calibrate=True)
    assert calibration.WRITTEN.format(file=str(path)) in reported
    return path


def known(network: SeeingNetwork) -> list[bool]:
    return [image is not None and image.validity.min() == 255 for image in network.seen]


def test_a_run_begins_with_the_plate_of_an_earlier_one(path: Path) -> None:
    network, reported = play(room(), path, count=30)
    assert known(network)[:2] == [False, True], "long before it could be learned"
    image = network.seen[1]
    assert np.abs(image.colours.astype(int) - room()).max() <= 2
    assert reported == [f"the empty room in '{path}' is known"]


@pytest.mark.parametrize("light", [0.6, 1.25])
def test_another_exposure_is_fitted(path: Path, light: float) -> None:
    network, reported = play(room(light=light), path, count=30)
    assert known(network)[1]
    error = np.abs(network.seen[1].colours.astype(int) - room(light=light))
    assert np.median(error) <= 3
    assert "is known" in reported[0]


def test_a_camera_that_was_nudged_is_followed(path: Path) -> None:
    network, reported = play(room(right=3), path, count=30)
    assert "is known" in reported[0]
    image = network.seen[1]
    inside = image.validity == 255
    assert inside.mean() > 0.8
    assert np.median(np.abs(image.colours.astype(int) - room(right=3))[inside]) <= 8


def test_another_room_is_refused_and_the_run_goes_on(path: Path) -> None:
    network, reported = play(room(seed=2), path)
    reason = "the camera shows something else, or was moved; make it again: rtmatte calibrate --plate FILE"
    assert reported == [f"the empty room in '{path}' is not used: {reason}"]
    assert network.seen[-1] is not None, "it has learned that room since"
    assert np.abs(network.seen[-1].colours.astype(int) - room(seed=2)).max() <= 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"camera": "another camera"}, "it is of another camera, and the camera is"),
        ({"mode": (640, 480)}, "it is of 640x480, and the camera gives"),
        ({"view": "size 1x1"}, "it was made with size 1x1, and this run has size"),
    ],
)
def test_another_camera_mode_or_view_is_refused(path: Path, change: dict[str, Any], reason: str) -> None:
    stored = read_plate(path)
    kept = {name: getattr(stored.origin, name) for name in ("camera", "mode", "view", "exposure")}
    write_plate(path, StoredPlate(stored.colours, stored.validity, PlateOrigin(**{**kept, **change})))
    network, reported = play(room(), path, count=30)
    assert len(reported) == 1
    assert re.match(rf"the empty room in '.*' is not used: {reason} .*; make it again: rtmatte cal", reported[0])
    assert not known(network)[1]


def test_a_mirrored_run_is_another_view(path: Path) -> None:
    _, reported = play(room(), path, count=30, mirror=True)
    assert "mirror off, " in reported[0]
    assert "mirror on, " in reported[0]


def test_a_network_that_sees_no_plate_says_so(path: Path) -> None:
    _, reported = play(room(), path, count=30, network=ScriptedNetwork())
    hint = "this model makes no use of an empty room; choose a --model that sees the clean plate"
    assert f"the empty room in '{path}' is not used: {hint}" in reported


def test_a_plate_that_was_refused_is_not_taken_over_by_a_later_network() -> None:
    origin, reported, plate = PlateOrigin("a camera", (64, 36), "size 64x36", None), list[str](), CleanPlate((18, 32))
    stored = StoredPlate(np.zeros((18, 32, 3), np.uint8), np.full((18, 32), 255, np.uint8), origin)
    store = plate_store.PlateStore(stored, "room.png", origin=lambda: origin, notify=reported.append)
    store.update(0.0, plate)
    assert plate.pending
    store.update(0.1, None)
    assert not plate.pending
    assert "makes no use of an empty room" in reported[0]


def test_after_standby_it_is_known_again(path: Path) -> None:
    network, sink = EmptyRoom(), Recorder(live=True, commands={5: "standby", 8: "standby"})
    source = opener(RoomSource(30, room()))
    with open_pipeline(source, sink, network=network, reported=[], plate=str(path)) as pipeline:
        pipeline.run()
        assert pipeline.stats.standby_cards > 0
    assert known(network) == [False] + [True] * (len(network.seen) - 1), "it was proposed again"


def test_a_file_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the plate"):
        play(room(), tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"bad")
    with pytest.raises(MatteError, match="is not a plate of an empty room"):
        play(room(), tmp_path / "bad.png")
    with pytest.raises(SinkError, match="No such file or directory; create that folder first"):
        play(room(), tmp_path / "none/room.png", calibrate=True)


def test_a_command_writes_it(tmp_path: Path, path: Path) -> None:
    other = tmp_path / "other.png"
    source = opener(RoomSource(60, room(seed=3)))
    with open_pipeline(source, Recorder(live=True), network=EmptyRoom(), reported=[]) as pipeline:
        reply = pipeline.submit(Command("calibrate", str(other)))
        pipeline.run()
    assert reply.result(0) is None
    assert np.abs(read_plate(other).colours.astype(int) - room(seed=3)).max() <= 2
    assert path.exists()


def test_without_a_name_nothing_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    monkeypatch.setattr("realtime_matte.pipeline.controls.write_stored", None)
    source = opener(RoomSource(60, room()))
    with open_pipeline(source, Recorder(live=True), network=EmptyRoom(), reported=[], plate=str(path)) as pipeline:
        reply = pipeline.submit(Command("calibrate"))
        pipeline.run()
    assert reply.result(0) is None
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path, path: Path) -> None:
    assert path.exists()
    reported: list[str] = []
    source = opener(RoomSource(60, room()))
    with open_pipeline(source, Recorder(live=True), network=EmptyRoom(), reported=reported) as pipeline:
        folder = tmp_path / "folder"
        folder.mkdir()
        reply = pipeline.submit(Command("calibrate", str(folder / "room.png")))
        pipeline.step()
        folder.rmdir()
        pipeline.run()
    with pytest.raises(MatteError, match="the empty room is known, but not written: cannot write"):
        reply.result(0)
    assert any("but not written" in line for line in reported)


@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
def test_a_camera_is_known_by_its_name_with_its_exposure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = FakeKernel(tmp_path)
    path = kernel.add(3, FakeCamera("Webcam C9", modes=(Mode("MJPG", (640, 480), (30.0,)),), exposure=156))
    monkeypatch.setattr(plate_store, "LinuxCameras", lambda: kernel.cameras)
    specs = ["camera", "camera:3", "camera:c9", "3", "c9", str(path)]
    assert [plate_store._camera(spec) for spec in specs] == [("Webcam C9", 156)] * len(specs)
    assert plate_store._camera("camera:none") == ("camera:none", None)
    assert plate_store._camera("rtsp://me:secret@phone/live") == ("rtsp://me:***@phone/live", None)
