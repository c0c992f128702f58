"""Calibrate: it counts down, waits for an empty room at rest, and refuses with the reason; the plate is known then."""

from concurrent.futures import Future

import numpy as np
import pytest
from fakes.pipelines import open_pipeline
from fakes.plates import EmptyRoom, SeeingNetwork
from fakes.scripted import MARKER, Recorder, ScriptedNetwork, ScriptedSource, opener

from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame, Pixels, PlateImage
from realtime_matte.pipeline import calibration
from realtime_matte.pipeline.calibration import Calibration
from realtime_matte.pipeline.commands import Command
from realtime_matte.render.clean_plate import CleanPlate

SHAPE = 36, 64
FPS = 30
NO_PERSON = np.zeros(SHAPE, np.float32)


class Room:
    """Frames before a clean plate that is calibrated; ``reported``: the messages."""

    def __init__(self) -> None:
        self.plate = CleanPlate(SHAPE)
        self.reported: list[str] = []
        self.calibration = Calibration(notify=self.reported.append)
        self.image = PlateImage(np.zeros((*SHAPE, 3), np.uint8), np.zeros(SHAPE, np.uint8))
        self.known = False
        self.count = 0

    def show(
        self, seconds: float, *, level: int = 100, person: float = 0.0, statue: bool = False, moves: bool = False
    ) -> None:
        """Show a room; ``person``: mean of alpha, of somebody whose shoulders rise and fall, or of a ``statue``."""
        for _ in range(round(seconds * FPS)):
            guide = np.full((*SHAPE, 3), level, np.uint8)
            if moves:
                guide[:, : SHAPE[1] // 4] += np.uint8(80 * (self.count // 3 % 2))
            alpha = np.full(SHAPE, person, np.float32)
            if person and not statue:
                top = 5 + self.count // FPS % 2
                guide[top, 10:30] = 255
            self.known = self.plate.fit(guide, self.image)
            self.plate.correct(alpha, guide, 1 / FPS)
            self.plate.learn(alpha, 1 / FPS)
            self.calibration.update(self.count / FPS, covered=person, plate=self.plate)
            self.count += 1


def test_it_counts_down_and_the_room_is_known_after_two_seconds_without_a_person() -> None:
    room, reply = Room(), Future[object]()
    room.calibration.start(reply)
    room.show(5, person=0.9)
    assert room.reported == [
        "calibrating: step out of the camera's view within 5 s, and stay out for 2 s",
        *(f"calibrating: {seconds}" for seconds in (4, 3, 2, 1)),
    ]
    room.show(1, person=0.9)
    assert room.calibration.running
    room.show(2.1)
    assert not room.calibration.running
    assert reply.result(0) is None
    assert room.reported[-2:] == [calibration.STAY_OUT, calibration.DONE]
    room.show(0.1)
    assert room.known
    assert room.image.validity.min() == 255


def test_it_begins_again_with_the_two_seconds_when_a_person_returns() -> None:
    room = Room()
    room.calibration.start()
    room.show(5)
    for _ in range(3):
        room.show(1.5)
        room.show(0.1, person=0.2)
    assert room.calibration.running
    room.show(2.1)
    assert room.reported[-1] == calibration.DONE


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        ({"person": 0.31}, "not calibrated: a person is seen in 31 % of the image; calibrate again"),
        ({"moves": True}, r"not calibrated: \d+ % of the image moves; calibrate again"),
    ],
)
def test_it_is_refused_with_the_reason(scene: dict[str, float], reason: str) -> None:
    room, reply = Room(), Future[object]()
    room.show(1)
    room.calibration.start(reply)
    room.show(calibration.COUNTDOWN_S + calibration.MEASURE_S + calibration.GIVE_UP_S + 0.2, **scene)  # type: ignore[arg-type]
    with pytest.raises(MatteError, match=reason):
        reply.result(0)
    assert not room.calibration.running
    room.show(0.1)
    if "person" in scene:
        assert room.image.validity.max() == 255, "what was known is known again"


def test_what_looks_like_a_person_but_does_not_move_is_the_room() -> None:
    room, reply = Room(), Future[object]()
    room.calibration.start(reply)
    room.show(5, person=0.31)
    room.show(calibration.STILL_S, person=0.31, statue=True)
    assert room.calibration.running
    room.show(calibration.MEASURE_S + 0.2, person=0.31, statue=True)
    assert reply.result(0) is None
    assert room.reported[-2:] == [calibration.NO_PERSON.format(percent=31), calibration.DONE]
    room.show(0.1, person=0.31, statue=True)
    assert room.known
    assert room.image.validity.min() >= 250  # it may fade: this network insists


def test_a_person_who_moves_after_seconds_at_rest_is_no_statue() -> None:
    room = Room()
    room.calibration.start()
    room.show(5, person=0.31)
    room.show(calibration.STILL_S + 1, person=0.31, statue=True)
    room.show(1, person=0.31)
    room.show(calibration.STILL_S - 0.5, person=0.31, statue=True)
    assert room.calibration.running


def test_the_old_plate_is_hidden_while_the_room_is_measured() -> None:
    """It may be wrong: then a network that sees the difference would find a person for ever."""
    room = Room()
    room.show(2)
    assert room.known
    room.calibration.start()
    room.show(5.2)
    assert not room.known
    room.show(2.5)
    assert room.known


def test_what_was_learned_wrongly_is_replaced() -> None:
    room = Room()
    room.show(2, level=30)
    room.calibration.start()
    room.show(5.1, level=160, person=0.9)
    room.show(2.2, level=160)
    room.show(0.1, level=160)
    assert np.abs(room.image.colours.astype(int) - 160).max() <= 1


def test_it_can_be_stopped_and_started_again() -> None:
    room, reply = Room(), Future[object]()
    room.calibration.start(reply)
    room.show(6)
    room.calibration.stop("the camera gives no frames")
    with pytest.raises(MatteError, match="not calibrated: the camera gives no frames; calibrate again"):
        reply.result(0)
    room.calibration.stop("again")
    assert room.reported.count("not calibrated: the camera gives no frames; calibrate again") == 1
    room.calibration.start()
    room.show(7.2)
    assert room.reported[-1] == calibration.DONE


def test_several_requests_get_one_result() -> None:
    room, replies = Room(), [Future[object](), Future[object]()]
    for reply in replies:
        room.calibration.start(reply)
        room.show(1)
    room.show(6.2)
    assert [reply.result(0) for reply in replies] == [None, None]
    assert room.reported.count(calibration.DONE) == 1


@pytest.mark.parametrize("error", [None, MatteError("the disk is full")])
def test_a_request_while_a_file_is_written_gets_its_own_result(error: MatteError | None) -> None:
    """On a slow disk, the file of the one before is complete some frames later."""
    files, writing = list[str](), [Future[None](), Future[None]()]

    def write(_plate: CleanPlate, file: str) -> Future[None]:
        files.append(file)
        return writing[len(files) - 1]

    room, first, second = Room(), Future[object](), Future[object]()
    room.calibration = Calibration(notify=room.reported.append, write=write)
    room.calibration.start(first, file="a.png")
    room.show(7.2)
    room.calibration.start(second, file="b.png")
    room.show(1)
    assert (files, first.done()) == (["a.png"], False)
    writing[0].set_exception(error) if error else writing[0].set_result(None)
    room.show(0.1)
    assert (first.done(), second.done()) == (True, False)
    written = calibration.WRITTEN.format(file="a.png")
    assert room.reported.count(f"the empty room is known, but not written: {error}" if error else written) == 1
    room.show(6.2)
    writing[1].set_result(None)
    room.show(0.1)
    assert (files, second.result(0)) == (["a.png", "b.png"], None)
    assert room.reported[-1] == calibration.WRITTEN.format(file="b.png")


def test_two_files_that_are_written_at_once_are_both_reported_at_the_end() -> None:
    """Only the end of the run waits for files: a lost camera, or a frame without a matte, does not."""
    writing = {"a.png": Future[None](), "b.png": Future[None]()}
    room, replies = Room(), [Future[object](), Future[object]()]
    room.calibration = Calibration(notify=room.reported.append, write=lambda _plate, file: writing[file])
    for reply, file in zip(replies, writing, strict=True):
        room.calibration.start(reply, file=file)
        room.show(7.2)
    room.calibration.stop("there is no matte")
    assert not any(reply.done() for reply in replies)
    writing["a.png"].set_result(None)
    room.calibration.stop("there is no matte")
    assert [reply.done() for reply in replies] == [True, False]
    writing["b.png"].set_result(None)
    room.calibration.close()
    assert [reply.result(0) for reply in replies] == [None, None]
    assert room.reported[-2:] == [calibration.WRITTEN.format(file=file) for file in writing]


class EmptySource(ScriptedSource):
    """The room in the marker's colour, without a person."""

    def read(self, pixels: Pixels) -> Frame | None:
        frame = super().read(pixels)
        if frame:
            pixels[:] = MARKER
        return frame


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("COUNTDOWN_S", 0.2), ("MEASURE_S", 0.3), ("GIVE_UP_S", 0.7)):
        monkeypatch.setattr(calibration, name, seconds)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("at_start", [True, False])
def test_a_run_calibrates_at_its_start_or_on_a_command(at_start: bool) -> None:  # noqa: FBT001 -- a case
    network, sink, reported = EmptyRoom(person=range(15)), Recorder(live=True), list[str]()
    source = opener(EmptySource(range(40)))
    with open_pipeline(source, sink, network=network, reported=reported, calibrate=at_start) as pipeline:
        reply = None if at_start else pipeline.submit(Command("calibrate"))
        pipeline.run()
    assert calibration.DONE in reported
    assert reply is None or reply.result(0) is None
    assert network.knows(MARKER)
    seen = network.seen[-1]
    assert seen is not None
    assert seen.validity.min() == 255


@pytest.mark.usefixtures("quick")
def test_a_person_in_the_run_is_reported() -> None:
    reported: list[str] = []
    with open_pipeline(
        opener(ScriptedSource(range(60))), Recorder(), network=SeeingNetwork(), reported=reported
    ) as pipeline:
        reply = pipeline.submit(Command("calibrate"))
        pipeline.run()
    with pytest.raises(MatteError, match=r"not calibrated: a person is seen in \d+ % of the image; calibrate again"):
        reply.result(0)


def test_a_network_that_sees_no_plate_refuses() -> None:
    with open_pipeline(opener(ScriptedSource(range(4))), Recorder(), network=ScriptedNetwork()) as pipeline:
        reply = pipeline.submit(Command("calibrate"))
        pipeline.run()
    with pytest.raises(MatteError, match="not calibrated: this model makes no use of an empty room; choose a --model"):
        reply.result(0)


def test_standby_and_the_end_of_the_run_refuse() -> None:
    with open_pipeline(opener(ScriptedSource(range(4))), Recorder(), network=SeeingNetwork()) as pipeline:
        pipeline.submit(Command("standby", value=True))
        in_standby = pipeline.submit(Command("calibrate"))
        pipeline.step()
        pipeline.submit(Command("standby", value=False))
        pipeline.step()
        at_the_end = pipeline.submit(Command("calibrate"))
        pipeline.run()
    with pytest.raises(MatteError, match="not calibrated: the camera is off in standby; end standby first"):
        in_standby.result(0)
    with pytest.raises(MatteError, match="not calibrated: the run has ended"):
        at_the_end.result(0)
