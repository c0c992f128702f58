"""Names and options are checked before any part is opened."""

from pathlib import Path

import pytest
from fakes.scripted import Recorder, ScriptedNetwork, ScriptedSource, SolidBackground

from realtime_matte.cli import bench
from realtime_matte.cli.main import main
from realtime_matte.config.config import Config
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.models import opening
from realtime_matte.panel import server
from realtime_matte.pipeline.checks import check_config
from realtime_matte.pipeline.pipeline import Pipeline


def opened_too_early(*_arguments: object, **_options: object) -> ScriptedSource:
    raise AssertionError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "nosuch"}, "unknown model 'nosuch'"),
        ({"model": "small?qualty=low"}, "no option 'qualty'"),
        ({"model": "chromakey?similarty=3"}, "no option 'similarty'"),
        ({"model": "nosuch.onnx"}, r"model file nosuch\.onnx does not exist"),
        ({"provider": "nosuch", "model": "small"}, "unknown provider 'nosuch'"),
        ({"background": ["green", "nosuch"]}, "no background called 'nosuch'"),
        ({"outputs": ["null", "nosuch"]}, "no output called 'nosuch'"),
    ],
)
def test_a_wrong_word_is_an_error_before_the_source_is_opened(wrong: dict[str, object], message: str) -> None:
    parts: dict[str, object] = {"background": SolidBackground(), "outputs": [Recorder()], "model": ScriptedNetwork}
    with pytest.raises(MatteError, match=message):
        Pipeline.open(opened_too_early, **{**parts, **wrong})  # type: ignore[arg-type]


def test_a_wrong_source_is_an_error_before_the_background_is_opened() -> None:
    with pytest.raises(SpecError, match="no source called 'nosuch:0'"):
        Pipeline.open("nosuch:0", opened_too_early, outputs=[Recorder()], model=ScriptedNetwork)


def test_without_a_provider_the_check_does_not_load_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_load_onnxruntime", opened_too_early)
    check_config(Config(camera="demo", bg="blur", output="null", model="small?quality=low"))


@pytest.mark.parametrize("wrong", [["--bg", "nosuch"], ["--model", "nosuch"], ["--provider", "nosuch"]])
def test_a_run_with_a_panel_is_checked_before_the_panel_is_served(
    wrong: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "PanelServer", opened_too_early)
    assert main(["--panel", "--camera", "demo", "--output", "null", "--no-control", *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--bg", "nosuch"],
        ["--bg", "nosuch.jpg"],
        ["--camera", "nosuch.mp4"],
        ["--model", "nosuch"],
        ["--provider", "nosuch"],
    ],
)
def test_a_measurement_is_checked_before_it_begins(
    wrong: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "_measure", opened_too_early)
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--size", "96x64", *wrong]) == 2
    assert "nosuch" in capsys.readouterr().err
