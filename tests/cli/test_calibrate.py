"""``rtmatte calibrate``: the run that is there is asked; else a short run of its own learns the room and keeps it."""

import signal
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import networks as tiny_networks
from fakes.batch import write_clip
from fakes.control import while_running
from fakes.pipelines import clip, open_pipeline
from fakes.plates import EmptyRoom
from fakes.scripted import MARKER, Recorder, SolidBackground

from realtime_matte.cli.main import main
from realtime_matte.config import toml_file
from realtime_matte.control import client, sockets
from realtime_matte.control.run import PipelineRun
from realtime_matte.control.server import ControlServer, open_listener
from realtime_matte.pipeline import calibration
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render.plate_file import read_plate


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No instance and no configuration of this machine is found; everything takes a moment only."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr(sockets, "USERS", tmp_path / "users")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(toml_file, "user_config_path", lambda *_names, **_more: tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    for name, seconds in (("COUNTDOWN_S", 0.2), ("MEASURE_S", 0.3), ("GIVE_UP_S", 0.5)):
        monkeypatch.setattr(calibration, name, seconds)


@pytest.fixture
def room(tmp_path: Path) -> str:
    """A camera before an empty room, textured."""
    small = np.random.default_rng(1).integers(40, 200, (9, 16, 3), np.uint8)
    image = np.asarray(cv2.resize(small, (160, 90), interpolation=cv2.INTER_CUBIC), np.uint8)
    path = tmp_path / "room.mp4"
    write_clip(path, [image] * 60)
    return str(path)


def calibrate(tmp_path: Path, *words: str, brightness: float = 0.0) -> int:
    """The exit status, with a network that takes for the person what differs from the plate, or all that is bright."""
    model = tiny_networks.with_plate(tmp_path / "seeing.onnx", brightness=brightness)
    return main(["calibrate", "--model", tiny_networks.unverified(model), "--size", "160x90", *words])


def test_a_run_of_its_own_keeps_the_room(tmp_path: Path, room: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate(tmp_path, "--camera", room, "--plate", "kept.png") == 0
    printed = capsys.readouterr()
    assert "calibrating: step out of the camera's view" in printed.err
    assert f"calibrated: the empty room is known, and kept in '{tmp_path / 'kept.png'}'" in printed.err
    plate = read_plate(tmp_path / "kept.png")
    assert plate.validity.min() == 255
    assert plate.origin.mode == (160, 90)


def test_without_a_file_nothing_is_written(tmp_path: Path, room: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = {"run", "room.mp4", "seeing.onnx"}
    assert calibrate(tmp_path, "--camera", room) == 0
    assert calibration.DONE in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} - {"numba"} <= before


def test_a_person_ends_it_with_status_2(tmp_path: Path, room: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate(tmp_path, "--camera", room, "--plate", "kept.png", brightness=1.0) == 2
    printed = capsys.readouterr().err
    assert "rtmatte: not calibrated: a person is seen in " in printed
    assert printed.endswith(" % of the image; calibrate again, and stay out of the camera's view\n")
    assert printed.count("not calibrated") == 1
    assert not (tmp_path / "kept.png").exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none/kept.png", "No such file or directory; create that folder first"),
        ("run", "Is a directory; name a file in it"),
        ("room.mp4/kept.png", "Not a directory; create that folder first"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_countdown(
    tmp_path: Path, room: str, capsys: pytest.CaptureFixture[str], file: str, message: str
) -> None:
    assert calibrate(tmp_path, "--camera", room, "--plate", file) == 2
    assert capsys.readouterr().err == f"rtmatte: cannot write '{tmp_path / file}': {message}\n"


@pytest.mark.parametrize("word", ["calibrate", "run"])
def test_a_file_that_is_no_plate_is_kept(
    tmp_path: Path, room: str, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    """A photograph, as for --bg. Refused before the countdown."""
    photograph = tmp_path / "beach.png"
    cv2.imwrite(str(photograph), np.zeros((9, 16, 4), np.uint8))
    before = photograph.read_bytes()
    words = ["--calibrate", "--output", "null"] if word == "run" else []
    assert main([word, *words, "--camera", room, "--plate", str(photograph)]) == 2
    assert capsys.readouterr().err == (
        f"rtmatte: cannot write the plate {str(photograph)!r}: a file that is not a plate of an empty room has that"
        " name; name another file, or delete it\n"
    )
    assert photograph.read_bytes() == before


def test_a_plate_is_replaced(tmp_path: Path, room: str) -> None:
    for _ in range(2):
        assert calibrate(tmp_path, "--camera", room, "--plate", "kept.png") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_countdown_ends_it_with_status_130(
    tmp_path: Path, room: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    monkeypatch.setattr(calibration, "COUNTDOWN_S", 60.0)
    step, signals = Pipeline.step, [number]

    def signalled(pipeline: Pipeline) -> bool:
        goes_on = step(pipeline)
        if signals:
            signal.raise_signal(signals.pop())
        return goes_on

    monkeypatch.setattr(Pipeline, "step", signalled)
    assert calibrate(tmp_path, "--camera", room, "--plate", "kept.png") == 130
    assert "not calibrated" not in capsys.readouterr().err
    assert not (tmp_path / "kept.png").exists()


def test_a_model_that_sees_no_plate_ends_it_with_status_2(
    room: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_networks.unverified(tiny_networks.green(tmp_path / "green.onnx"))
    assert main(["calibrate", "--camera", room, "--size", "160x90", "--model", model]) == 2
    assert "this model makes no use of an empty room; choose a --model" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="a Unix socket")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "2 instances of rtmatte are running: 12, 34; add --pid N"),
        (["--pid", "56"], "no rtmatte with pid 56; there are: 12, 34"),
        (["--pid", "12", "--camera", "0"], "--pid asks an rtmatte that runs, --camera opens one; leave one out"),
    ],
)
def test_the_user_is_not_asked_to_step_out_where_no_run_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    found = [client.Instance(12, "12.sock"), client.Instance(34, "34.sock")]
    monkeypatch.setattr(client, "instances", lambda: found)
    assert main(["calibrate", *words]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"rtmatte: {message}\n")


def test_the_run_that_is_there_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fakes.scripted.person_color", lambda _: MARKER)  # nothing moves
    network = EmptyRoom()
    with open_pipeline(
        clip(100_000), Recorder(live=True), background=SolidBackground(), network=network, reported=[]
    ) as pipeline:
        pipeline.step()
        with closing(ControlServer(PipelineRun(pipeline), open_listener())):
            assert main(["calibrate", "--plate", "none/kept.png"]) == 2
            (tmp_path / "letter.txt").write_text("not a plate")
            assert main(["calibrate", "--plate", "letter.txt"]) == 2
            assert while_running(pipeline, lambda: main(["ctl", "calibrate", "letter.txt"])) == 2
            printed = capsys.readouterr()
            assert printed.out == ""
            assert printed.err.count("a file that is not a plate of an empty room has that name") == 2
            assert while_running(pipeline, lambda: main(["calibrate", "--plate", "kept.png"])) == 0
            assert while_running(pipeline, lambda: main(["calibrate"])) == 0
    assert read_plate(tmp_path / "kept.png").validity.min() == 255
    printed = capsys.readouterr().out
    assert printed.startswith(f"{calibration.STEP_OUT}\n")
    assert "the empty room is known, and kept in kept.png" in printed
    assert printed.endswith("the empty room is known\n")
