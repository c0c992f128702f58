"""``rtmatte ctl`` with a real socket and a scripted pipeline; the command line runs in another thread."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import networks as tiny_networks
from fakes.control import while_running
from fakes.pipelines import clip, open_pipeline
from fakes.privacy import is_card, marked
from fakes.scripted import Recorder, SolidBackground, wait_until

from realtime_matte.cli.ctl import _summary
from realtime_matte.cli.main import main
from realtime_matte.control import sockets
from realtime_matte.control.client import instances
from realtime_matte.control.run import PipelineRun
from realtime_matte.control.server import ControlServer, open_listener
from realtime_matte.pipeline.commands import LIVE
from realtime_matte.pipeline.pipeline import Pipeline

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rtmatte ctl works on Linux and macOS only")

MANY = 100_000
"""More frames than a test takes."""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No instance of this machine is found."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr(sockets, "USERS", tmp_path / "users")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pipeline(empty_folder: None) -> Iterator[Pipeline]:  # noqa: ARG001
    background = SolidBackground(), SolidBackground()
    with open_pipeline(clip(MANY), Recorder(live=True), background=background) as opened:
        opened.step()
        with closing(ControlServer(PipelineRun(opened), open_listener())):
            yield opened


def ctl(pipeline: Pipeline, *words: str) -> int:
    """The exit status of ``rtmatte ctl``."""
    return while_running(pipeline, lambda: main(["ctl", *words]))


def test_a_run_is_reached_until_it_quits(
    ours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_matte.config.toml_file.user_config_path", lambda *_names, **_more: tmp_path)

    def client() -> list[int]:
        wait_until(lambda: bool(instances()))
        return [main(["ctl", *words]) for words in (["status"], ["background", "blur"], ["quit"])]

    with ThreadPoolExecutor(1) as other:
        statuses = other.submit(client)
        assert (
            main(
                [
                    "--camera",
                    "demo",
                    "--size",
                    "96x64",
                    "--output",
                    "null",
                    "--model",
                    tiny_networks.unverified(ours),
                    "--quiet",
                ]
            )
            == 0
        )
        assert statuses.result() == [0, 0, 0]
    assert ", background blur, " in capsys.readouterr().out
    assert instances() == []


def test_status_says_which_instance_it_is_and_how_it_runs(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ctl(pipeline, "status") == 0
    first, *details = capsys.readouterr().out.splitlines()
    assert first.startswith(f"rtmatte (pid {os.getpid()}): running, ")
    assert first.endswith("scripted on fake")
    assert "  source: 96x64 at 30 fps, 0 dropped" in details
    assert any(line.startswith("  options: ") and "mirror off" in line for line in details)


def test_the_summary_has_no_rate_before_the_second_frame() -> None:
    status = {"state": "running", "reason": "", "fps": 0.0, "age_p50_s": None, "background": "blur", "model": "small"}
    status["recording"] = None
    assert _summary({**status, "provider": "cpu"}) == "running, background blur, small on cpu"


def test_json_is_the_whole_status(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl(pipeline, "standby", "on", "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["pid"], status["state"]) == (os.getpid(), "standby")
    assert status["options"]["rotate"] == 0


def test_a_run_without_a_panel_says_so(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl(pipeline, "panel") == 2
    assert "this run has no control panel; start it with: rtmatte panel" in capsys.readouterr().err


def test_set_changes_an_option(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl(pipeline, "set", "card-text", "Back at 3", "--pid", str(os.getpid())) == 0
    assert pipeline.options["card_text"] == "Back at 3"
    assert capsys.readouterr().out.splitlines()[1:] == ["card-text: Back at 3"]
    assert ctl(pipeline, "set", "card-text", "") == 0
    assert pipeline.options["card_text"] is None


def test_a_list_is_set_by_all_of_its_values(pipeline: Pipeline, tmp_path: Path) -> None:
    assert ctl(pipeline, "set", "output", "null", "call.mkv") == 0
    assert pipeline.options["output"] == ("null", str(tmp_path / "call.mkv"))


def test_a_relative_background_begins_in_the_current_folder(pipeline: Pipeline, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "beach.png"), np.zeros((64, 96, 3), np.uint8))
    assert ctl(pipeline, "background", "beach.png") == 0
    assert pipeline.options["bg"] == str(tmp_path / "beach.png")
    assert ctl(pipeline, "background", "green") == 0
    assert pipeline.options["bg"] == "green"


def test_next_switches_the_background(pipeline: Pipeline) -> None:
    assert ctl(pipeline, "next") == 0
    assert pipeline._parts.backgrounds._position == 1


def test_standby_without_a_word_is_toggled(pipeline: Pipeline) -> None:
    assert ctl(pipeline, "standby") == 0
    assert pipeline.standby
    assert ctl(pipeline, "standby") == 0
    assert not pipeline.standby


def test_a_snapshot_is_a_new_png_file(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.request("standby")
    pipeline.step()
    assert ctl(pipeline, "snapshot", "shot.png") == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["snapshot: shot.png"]
    image = cv2.imread("shot.png")
    assert image is not None
    assert is_card(np.asarray(image, np.uint8))
    assert marked(np.asarray(image, np.uint8)) == 0
    written = Path("shot.png").read_bytes()
    assert ctl(pipeline, "snapshot", "shot.png") == 2
    assert capsys.readouterr().err == "rtmatte: 'shot.png' already exists; name another file\n"
    assert Path("shot.png").read_bytes() == written


def test_a_recording_is_started_and_completed(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ctl(pipeline, "record", "start", "call.mp4") == 0
    assert ", recording 0:0" in capsys.readouterr().out
    assert ctl(pipeline, "record", "stop") == 0
    summary, recorded = capsys.readouterr().out.splitlines()
    assert ", recording " not in summary
    assert recorded == f"recorded: {tmp_path / 'call.mp4'}"
    written = (tmp_path / "call.mp4").read_bytes()
    assert ctl(pipeline, "record", "start", "call.mp4") == 2
    assert capsys.readouterr().err == f"rtmatte: '{tmp_path / 'call.mp4'}' already exists; name another file\n"
    assert (tmp_path / "call.mp4").read_bytes() == written


def test_quit_ends_the_run(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl(pipeline, "quit") == 0
    assert not pipeline.step()
    assert ": ended (the run has ended), " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["set", "seconds", "9"],
            "seconds cannot change while running; stop rtmatte and start it again with --seconds",
        ),
        (["set", "output"], "usage: rtmatte ctl set KEY VALUE ..."),
        (["set", "mirror", "7"], "mirror: '7' is not on or off"),
        (
            ["set", "foo", "3"],
            (
                "no option 'foo' can change while running;"
                f" these can: {', '.join(sorted(name.replace('_', '-') for name in LIVE))}"
            ),
        ),
        (["set", "auto-frame-size", "5"], "auto-frame-size: '5' is not a number from 0.2 to 0.9"),
        (["standby", "maybe"], "standby: 'maybe' is not on, off or toggle"),
        (["record", "pause"], "no command record 'pause'; use: record start [FILE], or record stop"),
        (["record", "stop"], "there is no recording to stop; start a recording first"),
        (["set", "mirror"], "usage: rtmatte ctl set KEY VALUE ..."),
        (["next", "one"], "usage: rtmatte ctl next"),
        (
            ["snapshot", "shot.jpg"],
            "a snapshot is a PNG file, and 'shot.jpg' is not named as one; name it like shot.png",
        ),
        (
            ["calibrate", "/nowhere/room.png"],
            "cannot write '/nowhere/room.png': No such file or directory; create that folder first",
        ),
        (["background", ""], "bg: '' is not a text; give a value, or leave the option out"),
        (
            ["set", "card-text", "-brb-"],
            "unrecognized arguments: -brb-; see rtmatte ctl --help; write -- before a value that begins with -",
        ),
        (["status", "--pid", "x"], "--pid: 'x' is not a process number; rtmatte ctl status prints it"),
        (["status", "--pid", "1"], f"no rtmatte with pid 1; there are: {os.getpid()}"),
    ],
)
def test_a_refused_command_is_one_line_and_status_2(
    pipeline: Pipeline, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ctl(pipeline, *words) == 2
    assert capsys.readouterr().err == f"rtmatte: {message}\n"


def test_a_value_may_begin_with_a_dash(pipeline: Pipeline) -> None:
    assert ctl(pipeline, "set", "card-text", "--", "-brb-") == 0
    assert pipeline.options["card_text"] == "-brb-"


def test_without_a_running_instance_it_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", "status"]) == 2
    assert capsys.readouterr().err == "rtmatte: no rtmatte is running; start it, without --no-control\n"


def test_only_the_command_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl"]) == 2
    assert "required: COMMAND; see" in capsys.readouterr().err


def test_an_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", "stop"]) == 2
    known = "there are: status, set, background, next, standby, snapshot, record, calibrate, panel, quit"
    assert capsys.readouterr().err == f"rtmatte: no command 'stop'; {known}\n"
    assert main(["ctl", "statsu"]) == 2
    assert capsys.readouterr().err == f"rtmatte: no command 'statsu'; did you mean status? {known}\n"


def test_help_lists_the_live_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ctl", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f": {', '.join(sorted(name.replace('_', '-') for name in LIVE))}" in printed
