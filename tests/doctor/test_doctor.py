"""The doctor: the whole verb, and its checks of installation and line."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from fakes import networks as tiny_networks
from fakes.scripted import Recorder

from realtime_matte.cli import AGAIN, doctor, main
from realtime_matte.doctor import installation
from realtime_matte.doctor import pipeline as line
from realtime_matte.doctor.finding import Finding, FixCommand, record, told
from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame
from realtime_matte.models import ModelInfo


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network that takes what is bright for the person."""
    return str(tiny_networks.recurrent(tmp_path_factory.mktemp("models") / "tiny.onnx"))


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the tests are not looked at."""
    monkeypatch.setattr(
        "realtime_matte.config.toml_file.user_config_path", lambda *_names, **_more: tmp_path / "nowhere"
    )


def test_the_doctor_tries_every_part(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    assert main(["doctor", "--camera", "demo?frames=5", "--size", "96x64", "--model", model]) == 0
    told = capsys.readouterr().out
    parts = ("python", "cv2", "onnxruntime", "weights", "camera", "background", "model", "virtualcam")
    assert [part for part in parts if f"ok    {part}" not in told and f"note  {part}" not in told] == []
    assert told.endswith("a call would work\n")


def test_the_doctor_says_what_would_not_work_and_how_to_mend_it(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_camera(_rest: str, /, **_wishes: object) -> None:
        raise SourceError("no camera at /dev/video0; there is none at all; plug one in")

    monkeypatch.setattr("realtime_matte.sources.camera.open", no_camera)
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True, fails_at=0))
    assert main(["doctor", "--size", "96x64", "--model", model, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    bad = [finding for finding in told["findings"] if finding["state"] == "bad"]
    assert told["works"] is False
    assert [finding["part"] for finding in bad] == ["camera", "virtualcam"]
    assert bad[0]["found"] == "no camera at /dev/video0"
    assert bad[0]["mend"] == "there is none at all; plug one in"


def test_what_rtmatte_itself_is_at_work_with_is_well(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def used(_rest: str, /, **_wishes: object) -> None:
        raise SourceError("camera 0 is used by rtmatte (process 7); close that")

    monkeypatch.setattr("realtime_matte.sources.camera.open", used)
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", used)
    assert main(["doctor", "--size", "96x64", "--model", model, "--json"]) == 0
    findings = {one["part"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["camera"]["mend"] == findings["virtualcam"]["mend"] == "to have it tried, stop that one first"


@pytest.mark.parametrize("part", ["rich", "onnxruntime"])
def test_the_doctor_tells_a_package_that_does_not_load(
    part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.import_module

    def load(name: str) -> ModuleType:
        if name == part:
            raise ImportError("it needs NumPy 2.4 or less")
        return real(name)

    monkeypatch.setattr(installation, "import_module", load)
    monkeypatch.setattr("realtime_matte.doctor.pipeline.examine", lambda *_args, **_more: iter(()))
    assert main(["doctor"]) == 1
    assert f"BAD   {part}" in (told := capsys.readouterr().out)
    assert "a package cannot be loaded (it needs NumPy 2.4 or less)" in told


def test_the_doctor_opens_every_background_and_the_card(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    config = tmp_path / "rtmatte.toml"
    config.write_text(f'bg = ["nope.jpg", "#fff"]\ncard = "gone.jpg"\nmodel = "{model}"\ncamera = "demo?frames=5"\n')
    assert main(["doctor", "--size", "96x64", "--config", str(config), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    states = {(one["part"], one["state"]): one["found"] for one in findings}
    assert "'nope.jpg'" in states["background", "bad"]
    assert states["background", "good"] == "#fff"
    assert "'gone.jpg'" in states["card", "bad"]
    assert states["model", "good"].startswith(model)


def test_the_doctor_goes_on_after_wrong_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    monkeypatch.setattr(line, "TIMED", 1)
    assert main(["doctor", "--fps", "fast", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert "settings" in [finding["part"] for finding in told["findings"] if finding["state"] == "bad"]
    assert "virtualcam" in [finding["part"] for finding in told["findings"]]


def frame_of(value: int) -> Frame:
    return Frame(np.full((4, 8, 3), value, np.uint8), 0.0, 0)


def test_the_doctor_notes_a_slow_camera_and_a_black_one() -> None:
    slow = line.judged((8, 4), 30.0, [0.0, 0.1, 0.2], frame_of(99))
    assert (slow.state, slow.found) == ("warning", "8x4, 10.0 fps measured of 30 granted")
    assert "make more light" in slow.mend
    black = line.judged((8, 4), 30.0, [0.0, 0.033, 0.066], frame_of(1))
    assert (black.state, black.mend) == ("warning", "open its shutter, or make light")
    assert line.judged((8, 4), 30.0, [0.0, 0.033, 0.066], frame_of(99)).state == "good"


def test_the_doctor_notes_a_package_that_is_missing() -> None:
    assert installation.package("no_such_module", ("no-such-package",)) == Finding(
        "no_such_module", "bad", "the package 'no_such_module' is missing", AGAIN
    )


def test_the_doctor_outlives_an_opencv_that_does_not_load() -> None:
    code = "import sys; sys.modules['cv2'] = None; from realtime_matte.cli import main; sys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own lines
    assert (done.returncode, done.stderr) == (1, "")
    assert "BAD   cv2             the package 'cv2' is missing\n" in done.stdout
    assert "ok    numpy" in done.stdout
    assert done.stdout.endswith("a call would not work yet: see BAD above\n")


def test_the_doctor_notes_packages_that_hide_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "version", lambda _name: "1.2")
    found = installation.package("json", ("one", "other"))
    assert (found.state, found.found) == ("warning", "one 1.2 and other 1.2 hide one another")
    assert found.mend == "pip uninstall one other, then pip install . in rtmatte's folder"


@pytest.mark.parametrize(
    ("intact", "state", "told"),
    [
        (True, "good", "small: as published"),
        (False, "warning", "small.onnx changed since it was published"),
        (None, "warning", "no hash is known of small"),
    ],
)
def test_the_doctor_compares_the_weights_with_their_hashes(
    *, intact: bool | None, state: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ModelInfo("small", Path("small.onnx"), "recurrent", "1", "MIT", "abc123", "2026-01-02", 9, intact)
    monkeypatch.setattr("realtime_matte.models.installed", lambda: [small])
    found = installation.weights()
    assert (found.state, found.found) == (state, told)
    assert found.mend == ("" if intact else "install rtmatte again: pip install --force-reinstall . in its folder")


def test_the_doctor_notes_weights_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.models.catalog.weights_folder", lambda: tmp_path)
    assert (installation.weights().state, installation.weights().mend) == ("warning", AGAIN)
    (tmp_path / "small.onnx").write_text("what is this")
    assert installation.weights().state == "bad"


MODULE = Finding(
    "v4l2loopback", "warning", "not loaded", "load it", "why", (FixCommand(("modprobe", "x y"), root=True),)
)


def test_a_finding_is_told_with_why_mend_and_commands() -> None:
    assert told(MODULE).splitlines() == [
        "note  v4l2loopback    not loaded",
        "                      why",
        "                      -> load it",
        "                      $ sudo modprobe 'x y'",
    ]
    assert told(Finding("python", "good", "3.11")) == "ok    python          3.11"


def test_the_keys_of_a_finding_in_json_stay() -> None:
    assert record(MODULE) == {
        "part": "v4l2loopback",
        "state": "warning",
        "found": "not loaded",
        "why": "why",
        "mend": "load it",
        "commands": ["sudo modprobe 'x y'"],
    }


@pytest.fixture
def sick(monkeypatch: pytest.MonkeyPatch) -> list[list[Finding]]:
    """What the doctor finds, the first time and then the next."""
    bad = Finding("virtualcam", "bad", "no virtual camera", "see v4l2loopback above")
    found = [[MODULE, bad], [Finding("virtualcam", "good", "took a picture")]]
    monkeypatch.setattr(doctor, "_examined", lambda _options, **_more: iter(found.pop(0)))
    return found


def test_fix_without_a_terminal_lists_the_commands_and_runs_nothing(
    sick: list[list[Finding]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.run", None)  # nothing can be run
    assert main(["doctor", "--fix"]) == 1
    told_lines = capsys.readouterr().out.splitlines()
    assert told_lines[-4:] == [
        "to mend it:",
        "  sudo modprobe 'x y'",
        "there is no terminal to ask in, so nothing was run; run them yourself, then rtmatte doctor",
        "a call would not work yet: see BAD above",
    ]
    assert len(sick) == 1


def test_fix_looks_again_after_it_ran_something(
    sick: list[list[Finding]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_matte.doctor.fix.mend", lambda _findings: True)
    assert main(["doctor", "--fix"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "looking again:",
        "ok    virtualcam      took a picture",
        "a call would work",
    ]
    assert sick == []


@pytest.mark.usefixtures("sick")
def test_fix_in_json_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--fix", "--json"]) == 1
    told_json = json.loads(capsys.readouterr().out)
    assert list(told_json) == ["works", "findings", "fix"]
    assert told_json["fix"] == ["sudo modprobe 'x y'"]


def test_a_missing_virtual_camera_is_mended_where_its_module_is() -> None:
    bad = Finding("virtualcam:9", "bad", "none", "sudo modprobe ...")
    assert doctor._short(bad, [MODULE]).mend == "see v4l2loopback above"
    assert doctor._short(bad, [Finding("v4l2loopback", "good", "loaded")]) is bad
    camera = Finding("camera", "bad", "none", "plug one in")
    assert doctor._short(camera, [MODULE]) is camera


def test_wrong_use_of_the_doctor_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--fixx"]) == 2
    assert capsys.readouterr().err == "rtmatte: unrecognized arguments: --fixx; see rtmatte doctor --help\n"
