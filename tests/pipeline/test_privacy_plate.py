"""The clean plate is an image of the room: nothing of it is sent, reported or in the status, whatever goes wrong.

As in ``test_privacy``, what the camera sees is painted in a marker colour, and so is the plate.
"""

from pathlib import Path

import pytest
from fakes.gated import run
from fakes.plates import EmptyRoom, SeeingNetwork
from fakes.privacy import assert_private, marked
from fakes.scripted import MARKER, Recorder, fails, in_i420

from realtime_matte.control.status import StatusReader, as_json
from realtime_matte.pipeline import calibration
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render import plate_trust
from realtime_matte.render.plate_file import read_plate


@pytest.fixture(autouse=True, params=["bgr", "i420"])
def pixel_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in both formats."""
    if request.param == "i420":
        in_i420(monkeypatch)


@pytest.fixture(autouse=True)
def in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are given a plate with holes too: the people in these shots never leave."""
    monkeypatch.setattr(plate_trust, "WHOLE", 0.0)
    monkeypatch.setattr(plate_trust, "STILL_WHOLE", 0.0)


def test_the_plate_that_a_network_sees_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the start, at a failure of the network, and while calibrating, which is refused here."""
    for name in ("COUNTDOWN_S", "MEASURE_S", "GIVE_UP_S"):
        monkeypatch.setattr(calibration, name, 0.1)
    network, reported = SeeingNetwork(dict.fromkeys((24, 25), fails)), list[str]()

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 16:
            pipeline.submit(Command("calibrate"))

    sink = run(range(50), monkeypatch=monkeypatch, network=network, after=after, reported=reported)
    assert assert_private(sink) == [None, *range(24), None, None, *range(26, 50), None]
    assert network.knows(MARKER, 15), "the plate has the colour that must not be sent"
    assert network.seen[26] is None, "it was forgotten with the failure"
    assert network.knows(MARKER, 49)
    assert any("not calibrated" in line for line in reported)


def test_the_plate_of_a_calibrated_room_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is in the marker's colour, and the network finds nothing, so that only the background is sent."""
    for name, seconds in (("COUNTDOWN_S", 0.1), ("MEASURE_S", 0.2), ("GIVE_UP_S", 9.0)):
        monkeypatch.setattr(calibration, name, seconds)
    network, reported = EmptyRoom(), list[str]()
    monkeypatch.setattr("fakes.scripted.person_color", lambda _: MARKER)
    sink = run(range(40), monkeypatch=monkeypatch, network=network, reported=reported, options={"calibrate": True})
    assert calibration.DONE in reported
    assert network.knows(MARKER)
    assert len(sink.images) == 42
    assert all(marked(image) == 0 for image in sink.images)


def test_the_plate_of_a_file_is_never_sent_and_the_file_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Written by a run that calibrates, read by another, which fails, is in standby, and switches its network."""
    for name, seconds in (("COUNTDOWN_S", 0.1), ("MEASURE_S", 0.2), ("GIVE_UP_S", 9.0)):
        monkeypatch.setattr(calibration, name, seconds)
    path, reported = tmp_path / "room.png", list[str]()
    monkeypatch.setattr("fakes.scripted.person_color", lambda _: MARKER)
    with monkeypatch.context() as folder:
        folder.chdir(tmp_path)
        options = {"calibrate": True, "plate": str(path)}
        sink = run(range(40), monkeypatch=monkeypatch, network=EmptyRoom(), reported=reported, options=options)
    assert all(marked(image) == 0 for image in sink.images)
    assert [file.name for file in tmp_path.iterdir()] == ["room.png"]
    assert marked(read_plate(path).colours) > 0, "the file has the colour that must not be sent"
    network = EmptyRoom()
    network._faults = {12: fails}
    sink = Recorder(live=True, commands={20: "standby", 22: "standby"})
    options = {"plate": str(path)}
    script = range(30), range(23, 45)
    run(*script, monkeypatch=monkeypatch, network=network, sinks=[sink], reported=reported, options=options)
    assert network.knows(MARKER, 1)
    assert all(marked(image) == 0 for image in sink.images)
    assert [file.name for file in tmp_path.iterdir()] == ["room.png"]
    assert max(map(len, [*reported, *caplog.messages])) < 500


def test_another_network_gets_the_plate_of_the_shot_and_sends_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = SeeingNetwork(), SeeingNetwork()

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 20:
            pipeline.switch_model(lambda: second)
            pipeline._run_commands()
            pipeline._options.update(wait=True)

    shown = assert_private(run(range(30), monkeypatch=monkeypatch, network=first, after=after))
    assert shown == [None, *range(30), None]
    trials = 2
    assert second.seen[:trials] == [None, None]
    assert second.knows(MARKER, trials), "in its first frame"


def test_standby_forgets_the_plate(monkeypatch: pytest.MonkeyPatch) -> None:
    network, sink = SeeingNetwork(), Recorder(live=True, commands={22: "standby", 24: "standby"})
    assert_private(run(range(30), range(23, 45), monkeypatch=monkeypatch, network=network, sinks=[sink]))
    known = [image is not None for image in network.seen]
    forgotten = known.index(False, known.index(True))
    assert network.knows(MARKER, forgotten - 1)
    assert known[forgotten : forgotten + 5] == [False] * 5
    assert network.knows(MARKER, -1)


def test_nothing_of_the_plate_is_in_messages_or_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages and the status are short texts and numbers; there is no image among them."""
    network, reported, statuses = SeeingNetwork(), list[str](), list[str]()

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 25:
            statuses.append(str(as_json(StatusReader(pipeline)._build())))

    run(range(30), monkeypatch=monkeypatch, network=network, after=after, reported=reported)
    assert network.knows(MARKER)
    assert max(map(len, reported), default=0) < 500
    (status,) = statuses
    assert "array" not in status
    assert "255, 0, 255" not in status
