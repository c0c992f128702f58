"""``rtmatte calibrate`` and ``--plate FILE`` with a camera device: the empty room is learned, kept, used or refused."""

import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from vcam_devices import LIMIT_S, Node
from vcam_program import Program, rtmatte
from vcam_reader import BACKGROUND_NAME, MARKER, PersonClassifier, Reader
from vcam_room import RoomCamera, drawn_room, with_person

from realtime_matte.frame import Pixels
from realtime_matte.render.plate_file import read_plate


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What ``rtmatte calibrate --plate FILE`` did with an rtmatte that ran."""

    path: Path
    status: int
    printed: str
    program: str
    """What the rtmatte that ran printed."""


def start(vcam: Node, camera: Node, **options: object) -> Program:
    output = f"virtualcam:{vcam.path}"
    return rtmatte(camera=camera.path, bg=BACKGROUND_NAME, size="640x360", fps=15, output=output, **options)


@pytest.fixture(scope="module")
def room() -> Pixels:
    return drawn_room()


@pytest.fixture(scope="module")
def person(room: Pixels) -> list[Pixels]:
    return with_person(room)


@pytest.fixture(scope="module")
def calibrated(
    vcam: Node, second_vcam: Node, room: Pixels, person: list[Pixels], tmp_path_factory: pytest.TempPathFactory
) -> Calibrated:
    """By a run that sees the room, and then a person in it. Nothing but the person and the background is sent."""
    path = tmp_path_factory.mktemp("plate") / "room.png"
    path.touch()
    path.chmod(0o644)
    with RoomCamera(second_vcam, [room]) as camera, start(vcam, second_vcam) as program:
        program.wait_for_output("Ctrl-C ends")
        with Reader(vcam, classify=PersonClassifier()) as reader:
            words = [sys.executable, "-m", "realtime_matte", "calibrate", "--plate", str(path)]
            done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
            assert set(reader.seen) <= {"card", "background", "torn"}
            camera.show(person)
            reader.wait_for("person", frames=8)
            assert program.end(signal.SIGTERM) == 0
            reader.wait_last("card")
        reader.assert_private()
    return Calibrated(path, done.returncode, done.stdout, program.output)


def test_the_program_that_runs_learns_the_room_and_keeps_it_for_its_user_alone(
    calibrated: Calibrated, second_vcam: Node, room: Pixels
) -> None:
    assert calibrated.status == 0
    assert calibrated.printed.endswith(f"the empty room is known, and kept in {calibrated.path}\n")
    assert "calibrating: step out of the camera's view within 5 s" in calibrated.program
    assert "only your user can read" in calibrated.program
    assert stat.S_IMODE(calibrated.path.stat().st_mode) == 0o600
    plate = read_plate(calibrated.path)
    assert plate.origin.camera == second_vcam.label
    assert plate.origin.mode == (640, 360)
    assert plate.validity.min() == 255
    small = cv2.resize(room, plate.validity.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.median(np.abs(plate.colours.astype(int) - small)) <= 4  # 4:2:0 changes colours
    assert np.abs(plate.colours[0, 0].astype(int) - MARKER).max() < 12


def test_the_next_start_knows_the_room_though_a_person_is_in_it(
    calibrated: Calibrated, vcam: Node, second_vcam: Node, person: list[Pixels]
) -> None:
    with RoomCamera(second_vcam, person), start(vcam, second_vcam, plate=calibrated.path) as program:
        assert program.wait_for_output("empty room") == f"rtmatte: the empty room in '{calibrated.path}' is known"
        with Reader(vcam, classify=PersonClassifier()) as reader:
            reader.wait_for("person", frames=8)
            assert program.end(signal.SIGTERM) == 0
            reader.wait_last("card")
        reader.assert_private()


def test_before_another_room_it_is_refused_in_one_line_and_the_run_goes_on(
    calibrated: Calibrated, vcam: Node, second_vcam: Node
) -> None:
    before = calibrated.path.read_bytes()
    with RoomCamera(second_vcam, [drawn_room(seed=2)]), start(vcam, second_vcam, plate=calibrated.path) as program:
        reason = "the camera shows something else, or was moved; make it again: rtmatte calibrate --plate FILE"
        line = program.wait_for_output("is not used")
        assert line == f"rtmatte: the empty room in '{calibrated.path}' is not used: {reason}"
        with Reader(vcam, classify=PersonClassifier()) as reader:
            reader.wait_for("background", frames=8)
            assert program.end(signal.SIGTERM) == 0
        reader.assert_private()
    assert program.output.count("empty room") == 1
    assert calibrated.path.read_bytes() == before


def test_a_damaged_file_ends_the_start(calibrated: Calibrated, vcam: Node, second_vcam: Node, tmp_path: Path) -> None:
    path = tmp_path / "damaged.png"
    path.write_bytes(calibrated.path.read_bytes()[:2000])
    with start(vcam, second_vcam, plate=path) as program:
        assert program.end() == 2
    reason = f"'{path}' is not a plate of an empty room, or is damaged"
    assert program.output == f"rtmatte: {reason}; make it with: rtmatte calibrate --plate FILE"
