"""``rtmatte doctor``: the command, and its checks of the installation and the pipeline."""

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

from realtime_matte.cli import doctor
from realtime_matte.cli.main import main
from realtime_matte.config.config import Config
from realtime_matte.doctor import installation, pipeline
from realtime_matte.doctor.finding import Finding, FixCommand, error, record, to_text
from realtime_matte.errors import REINSTALL, MissingDependency, SourceError
from realtime_matte.frame import Frame
from realtime_matte.models import ModelInfo


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network whose alpha is the brightness."""
    return tiny_networks.unverified(tiny_networks.recurrent(tmp_path_factory.mktemp("models") / "tiny.onnx"))


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's configuration file is not read."""
    monkeypatch.setattr(
        "realtime_matte.config.toml_file.user_config_path", lambda *_names, **_more: tmp_path / "nowhere"
    )


def test_every_part_is_checked(model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    assert main(["doctor", "--camera", "demo?frames=5", "--size", "96x64", "--model", model]) == 0
    printed = capsys.readouterr().out
    parts = ("python", "cv2", "onnxruntime", "weights", "camera", "background", "model", "virtualcam")
    assert [part for part in parts if f"ok     {part}" not in printed and f"warn   {part}" not in printed] == []
    assert printed.endswith("a call would work\n")


@pytest.mark.parametrize(
    ("network", "state", "found"),
    [
        ("green", "ok", "the whole pipeline runs on CPU, as one graph"),
        ("one_channel", "warning", "the pipeline does not run on CPU: only networks of rtmatte's own family"),
    ],
)
def test_the_graph_of_the_whole_pipeline_is_tried_if_it_is_requested(
    tmp_path: Path, network: str, state: str, found: str
) -> None:
    path = getattr(tiny_networks, network)(tmp_path / "net.onnx")
    config = Config().replace(model=tiny_networks.unverified(path), provider="cpu?pipeline")
    findings = {one.part: one for one in pipeline.network(config, frame_of(120), background="color:blue")}
    assert findings["graph"].state == state
    assert findings["graph"].found.startswith(found)
    without = pipeline.network(config.replace(provider="cpu"), frame_of(120), background="color:blue")
    assert "graph" not in {one.part for one in without}


def test_error_has_message_and_hint_as_fields(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_camera(_rest: str, /, **_requested: object) -> None:
        raise SourceError("no camera at /dev/video0; none at all", hint="plug one in; wait a second")

    monkeypatch.setattr("realtime_matte.sources.camera.open", no_camera)
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True, fails_at=0))
    assert main(["doctor", "--size", "96x64", "--model", model, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    errors = [finding for finding in report["findings"] if finding["state"] == "error"]
    assert report["works"] is False
    assert [finding["part"] for finding in errors] == ["camera", "virtualcam"]
    assert errors[0]["found"] == "no camera at /dev/video0; none at all"
    assert errors[0]["hint"] == "plug one in; wait a second"


def test_device_used_by_another_rtmatte_is_no_error(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(_rest: str, /, **_requested: object) -> None:
        raise SourceError("camera 0 is in use by another program", hint="close that", used_by=["chrome", "rtmatte"])

    monkeypatch.setattr("realtime_matte.sources.camera.open", busy)
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", busy)
    assert main(["doctor", "--size", "96x64", "--model", model, "--json"]) == 0
    findings = {one["part"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["camera"]["state"] == findings["virtualcam"]["state"] == "warning"
    assert findings["camera"]["hint"] == findings["virtualcam"]["hint"] == "to check it, stop that rtmatte first"


def test_device_used_by_another_program_is_an_error(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(_rest: str, /, **_requested: object) -> None:
        raise SourceError("camera 0 is in use by rtmatte (process 7)", hint="close that", used_by=["chrome"])

    monkeypatch.setattr("realtime_matte.sources.camera.open", busy)
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    assert main(["doctor", "--size", "96x64", "--model", model, "--json"]) == 1
    findings = {one["part"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["camera"]["hint"] == "close that"


@pytest.mark.parametrize("part", ["rich", "onnxruntime"])
def test_package_that_cannot_be_imported_is_an_error(
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
    assert f"ERROR  {part}" in (printed := capsys.readouterr().out)
    assert "a package cannot be loaded (it needs NumPy 2.4 or less)" in printed


def test_every_background_and_the_card_are_opened(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    config = tmp_path / "rtmatte.toml"
    config.write_text(f'bg = ["nope.jpg", "#fff"]\ncard = "gone.jpg"\nmodel = "{model}"\ncamera = "demo?frames=5"\n')
    assert main(["doctor", "--size", "96x64", "--config", str(config), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    states = {(one["part"], one["state"]): one["found"] for one in findings}
    assert "nope.jpg'" in states["background", "error"]
    assert states["background", "ok"] == "#fff"
    assert "gone.jpg'" in states["card", "error"]
    assert states["model", "ok"].startswith(model)


def test_wrong_settings_do_not_stop_the_checks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_matte.sinks.virtualcam.open", Recorder(live=True))
    monkeypatch.setattr(pipeline, "TIMED_FRAMES", 1)
    assert main(["doctor", "--fps", "fast", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert "settings" in [finding["part"] for finding in report["findings"] if finding["state"] == "error"]
    assert "virtualcam" in [finding["part"] for finding in report["findings"]]


def frame_of(value: int) -> Frame:
    return Frame(np.full((4, 8, 3), value, np.uint8), 0.0, 0)


def test_slow_and_dark_cameras_are_found() -> None:
    slow = pipeline.judge_camera((8, 4), 30.0, [0.0, 0.1, 0.2], frame_of(99))
    assert (slow.state, slow.found) == ("warning", "8x4, 10.0 fps measured, 30 in its mode")
    assert "add light" in slow.hint
    black = pipeline.judge_camera((8, 4), 30.0, [0.0, 0.033, 0.066], frame_of(1))
    assert (black.state, black.hint) == ("warning", "open its shutter, or turn on a light")
    assert pipeline.judge_camera((8, 4), 30.0, [0.0, 0.033, 0.066], frame_of(99)).state == "ok"


def test_missing_package_is_an_error() -> None:
    assert installation.package("no_such_module", ("no-such-package",)) == Finding(
        "no_such_module", "error", "the package 'no_such_module' is missing", REINSTALL
    )


def test_doctor_runs_without_opencv() -> None:
    code = "import sys; sys.modules['cv2'] = None; from realtime_matte.cli.main import main; sys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - a constant program
    assert (done.returncode, done.stderr) == (1, "")
    assert "ERROR  cv2             the package 'cv2' is missing\n" in done.stdout
    assert "ok     numpy" in done.stdout
    assert done.stdout.endswith("a call would not work yet: see ERROR above\n")


@pytest.mark.parametrize(
    ("intact", "state", "text"),
    [
        (True, "ok", "small: as published"),
        (False, "warning", "small.onnx changed since publication"),
        (None, "warning", "no hash is known of small"),
    ],
)
def test_weights_are_compared_with_their_hashes(
    *, intact: bool | None, state: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ModelInfo("small", Path("small.onnx"), "recurrent", "1", "MIT", "abc123", "2026-01-02", 9, intact)
    monkeypatch.setattr("realtime_matte.models.list_models", lambda: [small])
    found = installation.weights()
    assert (found.state, found.found) == (state, text)
    assert found.hint == ("" if intact else "install rtmatte again: pip install --force-reinstall . in its folder")


def test_missing_weights_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.models.catalog.weights_folder", lambda: tmp_path)
    assert (installation.weights().state, installation.weights().hint) == ("warning", REINSTALL)
    (tmp_path / "small.onnx").write_text("not ONNX")
    assert installation.weights().state == "error"


MODULE = Finding(
    "v4l2loopback", "warning", "not loaded", "load it", "why", (FixCommand(("modprobe", "x y"), root=True),)
)


def test_text_has_why_hint_and_commands() -> None:
    assert to_text(MODULE).splitlines() == [
        "warn   v4l2loopback    not loaded",
        "                       why",
        "                       -> load it",
        "                       $ sudo modprobe 'x y'",
    ]
    assert to_text(Finding("python", "ok", "3.11")) == "ok     python          3.11"


def test_error_with_semicolons_is_not_split() -> None:
    cause = SourceError("v4l2loopback: no device; obs: not supported", hint="sudo modprobe v4l2loopback")
    assert error("virtualcam", cause) == Finding(
        "virtualcam", "error", "v4l2loopback: no device; obs: not supported", "sudo modprobe v4l2loopback"
    )


def test_record_keys_are_stable() -> None:
    assert record(MODULE) == {
        "part": "v4l2loopback",
        "state": "warning",
        "found": "not loaded",
        "why": "why",
        "hint": "load it",
        "commands": ["sudo modprobe 'x y'"],
    }


@pytest.fixture
def virtual_camera_fixed(monkeypatch: pytest.MonkeyPatch) -> list[list[Finding]]:
    """The findings of the first and of the second round of checks."""
    missing = Finding("virtualcam", "error", "no virtual camera", "see v4l2loopback above")
    found = [[MODULE, missing], [Finding("virtualcam", "ok", "accepted an image")]]
    monkeypatch.setattr(doctor, "_checks", lambda _arguments, **_more: iter(found.pop(0)))
    return found


def test_fix_without_a_terminal_only_lists_commands(
    virtual_camera_fixed: list[list[Finding]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.run", None)  # nothing can be run
    assert main(["doctor", "--fix"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "to fix it:",
        "  sudo modprobe 'x y'",
        "there is no terminal to ask in, so nothing was run; run them yourself, then rtmatte doctor",
        "a call would not work yet: see ERROR above",
    ]
    assert len(virtual_camera_fixed) == 1


def test_fix_checks_again_after_running_commands(
    virtual_camera_fixed: list[list[Finding]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_matte.doctor.fix.apply", lambda _findings: True)
    assert main(["doctor", "--fix"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "checking again:",
        "ok     virtualcam      accepted an image",
        "a call would work",
    ]
    assert virtual_camera_fixed == []


@pytest.mark.usefixtures("virtual_camera_fixed")
def test_fix_in_json_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--fix", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["works", "findings", "fix"]
    assert report["fix"] == ["sudo modprobe 'x y'"]


def test_missing_virtual_camera_refers_to_its_kernel_module() -> None:
    missing = Finding("virtualcam:9", "error", "none", "sudo modprobe ...")
    assert doctor._refer(missing, [MODULE]).hint == "see v4l2loopback above"
    assert doctor._refer(missing, [Finding("v4l2loopback", "ok", "loaded")]) is missing
    camera = Finding("camera", "error", "none", "plug one in")
    assert doctor._refer(camera, [MODULE]) is camera


def test_unknown_option_has_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--fixx"]) == 2
    assert (
        capsys.readouterr().err
        == "rtmatte: unrecognized arguments: --fixx; did you mean --fix? see rtmatte doctor --help\n"
    )


def test_a_missing_jpeg_decoder_is_a_warning_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingDependency("libjpeg-turbo is not installed", hint="sudo apt install libturbojpeg0")

    monkeypatch.setattr("realtime_matte.media.turbojpeg.JpegDecoder", missing)
    finding = installation.jpeg_decoder()
    assert (finding.state, finding.hint) == ("warning", "sudo apt install libturbojpeg0")
