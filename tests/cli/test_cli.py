import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import networks as tiny_networks
from fakes.scripted import SIZE, Recorder, ScriptedNetwork, ScriptedSource, SolidBackground, fails, opener
from rich.console import Console

from realtime_matte import __version__
from realtime_matte.benchmark import report
from realtime_matte.cli.console import PlainLines, ProgressLine, Quiet, progress_line, screen
from realtime_matte.cli.main import COMMANDS, main
from realtime_matte.config.config import options
from realtime_matte.errors import SinkError, SourceError
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.sources.camera import CameraInfo, Mode
from realtime_matte.stats import STAGES

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="signals are sent as on Linux")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network whose alpha is the brightness."""
    return tiny_networks.unverified(tiny_networks.recurrent(tmp_path_factory.mktemp("models") / "tiny.onnx"))


@pytest.fixture(autouse=True)
def no_options_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's configuration file is not read."""
    monkeypatch.setattr(
        "realtime_matte.config.toml_file.user_config_path", lambda *_names, **_more: tmp_path / "nowhere"
    )


# arguments and errors


def test_help_lists_every_option_and_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    shown = capsys.readouterr().out
    assert caught.value.code == 0
    assert all(command in shown for command in COMMANDS if command != "run")
    assert [option.flag for option in options() if option.flag not in shown] == []


def test_the_readme_has_every_command() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert [word for word in COMMANDS if f"`{word}" not in readme and f"rtmatte {word}" not in readme] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: rtmatte {command}")


@pytest.mark.parametrize("words", [["--version"], ["run", "--version"], ["bench", "--version"]])
def test_version(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert capsys.readouterr().out == f"rtmatte {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["dcotor"],
            (
                "no command called 'dcotor'; did you mean doctor?"
                " there are: run, panel, calibrate, ctl, matte, demo, devices, doctor, models, bench, install-desktop,"
                " install-service"
            ),
        ),
        (
            ["blur"],
            (
                "no command called 'blur'; did you mean --bg blur?"
                " there are: run, panel, calibrate, ctl, matte, demo, devices, doctor, models, bench, install-desktop,"
                " install-service"
            ),
        ),
        (
            ["xyzzy"],
            f"no command called 'xyzzy'; there are: {', '.join(COMMANDS)}",
        ),
        (["--bgg", "x"], "unrecognized arguments: --bgg x; did you mean --bg? see rtmatte --help"),
        (["run", "--cam", "0"], "unrecognized arguments: --cam 0; did you mean --camera? see rtmatte run --help"),
        (["--background", "x"], "unrecognized arguments: --background x; did you mean --bg? see rtmatte --help"),
        (["--bgg", "x", "--xyzzy"], "unrecognized arguments: --bgg x --xyzzy; did you mean --bg? see rtmatte --help"),
        (["--bakground", "x"], "unrecognized arguments: --bakground x; did you mean --bg? see rtmatte --help"),
        (["--no-mirorr"], "unrecognized arguments: --no-mirorr; did you mean --mirror? see rtmatte --help"),
        (["--xyzzy"], "unrecognized arguments: --xyzzy; see rtmatte --help"),
        (["--size"], "argument --size: expected one argument; see rtmatte --help"),
        (["--size", "0x0"], "--size: '0x0' is not WIDTHxHEIGHT with each from 16 to 8192, such as 1280x720"),
        (["--fps", "fast"], "--fps: 'fast' is not a number from 1 to 240"),
        (
            ["--config", "none.toml"],
            "cannot read the configuration file none.toml: No such file or directory; check --config",
        ),
        (["demo", "--seconds", "0"], "--seconds: 0 is not a number above 0, up to 3600"),
        (["demo", "--seconds", "x"], "argument --seconds: invalid float value: 'x'; see rtmatte demo --help"),
        (["bench", "--size", "1280"], "--size: '1280' is not WIDTHxHEIGHT with each from 16 to 8192, such as 1280x720"),
    ],
)
def test_an_error_in_the_arguments_is_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"rtmatte: {message}\n"


def test_an_error_of_the_pipeline_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--camera", "demo?frames=1", "--output", "null", "--model", "none.onnx"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("rtmatte: model file none.onnx does not exist; ")
    assert printed.count("\n") == 1


def test_an_error_while_closing_is_printed_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        error = SourceError("the camera is gone")
        error.add_note("and while closing: the disk is full")
        raise error

    monkeypatch.setattr("realtime_matte.cli.main._call", fail)
    assert main([]) == 2
    assert capsys.readouterr().err == "rtmatte: the camera is gone; and while closing: the disk is full\n"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("realtime_matte.cli.main._call", fail)
    with pytest.raises(ZeroDivisionError):
        main([])


# running


def recorded(path: Path) -> int:
    """Number of frames in a clip."""
    with av.open(str(path)) as clip:
        return sum(1 for _ in clip.decode(video=0))


def test_a_finite_source_runs_to_its_end(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "clip.mp4"
    words = ["--camera", "demo?frames=7", "--size", "96x64", "--output", str(clip), "--model", model, "--bg", "green"]
    assert main(words) == 0
    assert recorded(clip) == 7
    printed = capfd.readouterr()
    assert "96x64 at 30 fps" in printed.err
    assert "rtmatte: 7 frames in " in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["--camera", "demo?frames=1", "--output", "null", "--size", "96x64"],
        ["demo", "--seconds", "0.04", "--out", "here"],
        ["doctor", "--camera", "demo?frames=1", "--size", "96x64"],
    ],
)
def test_opencv_runs_in_one_thread(
    words: list[str], model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("realtime_matte.doctor.pipeline.TIMED_FRAMES", 1)
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        main([*words, "--model", model])
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


def test_quiet_prints_notices_only(model: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--camera", "demo?frames=3", "--size", "96x64", "--output", "null", "--model", model, "--quiet"]) == 0
    assert capfd.readouterr().err == "rtmatte: the demo camera: a photograph that moves\n"


def test_frames_limits_a_run(model: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    words = ["--camera", "demo?frames=50", "--size", "96x64", "--output", str(clip), "--model", model, "--frames", "4"]
    assert main(words) == 0
    assert recorded(clip) == 4


def test_seconds_limits_a_run(model: str) -> None:
    assert main(["--camera", "demo", "--size", "96x64", "--output", "null", "--model", model, "--seconds", "0.1"]) == 0


def test_options_come_from_the_file_too(model: str, tmp_path: Path) -> None:
    clip, config = tmp_path / "clip.mp4", tmp_path / "my.toml"
    config.write_text(
        f"camera = 'demo?frames=5'\nsize = '96x64'\noutput = '{clip.as_posix()}'\nmodel = '{Path(model).as_posix()}'\n"
    )
    assert main(["--config", str(config)]) == 0
    assert recorded(clip) == 5


def test_a_failed_output_sets_the_exit_status(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_sink: object, _image: object, _time: float) -> None:
        raise SinkError("cannot write: No space left on device")

    monkeypatch.setattr("realtime_matte.sinks.file.Recording.send", fail)
    words = ["--camera", "demo?frames=3", "--size", "96x64", "--output", str(tmp_path / "a.mp4"), "--output", "null"]
    assert main([*words, "--model", model, "--quiet"]) == 2
    assert "an output failed and is closed, the others continue: cannot write" in capsys.readouterr().err


@LINUX
def test_a_deleted_working_folder_does_not_prevent_a_run(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    words = ["--camera", "demo?frames=1", "--size", "96x64", "--model", model, "--quiet"]
    assert main([*words, "--output", "null"]) == 0
    assert main([*words, "--output", "a.mp4"]) == 2
    assert "rtmatte: cannot write 'a.mp4': No such file or directory" in capsys.readouterr().err.splitlines()[-1]


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_and_the_recording_plays(
    model: str, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tmp_path / "clip.mp4"
    step = Pipeline.step

    def signalled(pipeline: Pipeline) -> bool:
        if pipeline.stats.composites == 5:
            os.kill(os.getpid(), number)
        return step(pipeline)

    monkeypatch.setattr(Pipeline, "step", signalled)
    assert main(["--camera", "demo", "--size", "96x64", "--output", str(clip), "--model", model, "--quiet"]) == 0
    assert recorded(clip) == 5


@LINUX
def test_a_signal_ends_the_demo_and_its_clip_plays(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Pipeline.step

    def signalled(pipeline: Pipeline) -> bool:
        if pipeline.stats.composites == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(pipeline)

    monkeypatch.setattr(Pipeline, "step", signalled)
    assert main(["demo", "--seconds", "1", "--out", str(tmp_path), "--model", model, "--quiet"]) == 130
    assert recorded(tmp_path / "demo.mp4") == 2


@LINUX
def test_a_second_signal_ends_at_once_and_the_recording_still_plays(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tmp_path / "clip.mp4"
    step = Pipeline.step

    def signalled(pipeline: Pipeline) -> bool:
        if pipeline.stats.composites == 5:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return step(pipeline)

    monkeypatch.setattr(Pipeline, "step", signalled)
    assert main(["--camera", "demo", "--size", "96x64", "--output", str(clip), "--model", model, "--quiet"]) == 130
    assert recorded(clip) == 5


def with_closed_stdout(*words: str) -> "subprocess.CompletedProcess[bytes]":
    """Run Python with a buffered stdout that is a pipe without a reader."""
    read, write = os.pipe()
    os.close(read)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *words], stdout=write, stderr=subprocess.PIPE, env=buffered, check=False
    )
    os.close(write)
    return done


@LINUX
@pytest.mark.parametrize("word", ["devices", "--help"])
def test_a_closed_stdout_is_not_an_error(word: str) -> None:
    done = with_closed_stdout("-m", "realtime_matte", word)
    assert (done.returncode, done.stderr) == (0, b"")


@LINUX
@pytest.mark.parametrize(("error", "expected"), [("SinkError('no room')", b"no room"), ("RuntimeError", b"Traceback")])
def test_a_closed_stdout_hides_no_error(error: str, expected: bytes) -> None:
    command = "from realtime_matte.cli import main as cli; from realtime_matte.errors import SinkError\n"
    command += f"def call(*_):\n print('half of it')\n raise {error}\ncli._call = call; raise SystemExit(cli.main([]))"
    assert expected in with_closed_stdout("-c", command).stderr


def test_a_name_that_the_terminal_cannot_encode_is_printed_escaped(model: str, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "realtime_matte", "demo", "--seconds", "0.1", "--out", "\u00e9", "--model", model],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert rb"wrote \xe9/demo.mp4" in done.stdout.replace(b"\\\\", b"\\")


@pytest.mark.parametrize(
    "allocate",
    [lambda: bytearray(1 << 60), lambda: cv2.resize(np.zeros((9, 9), np.uint8), (1 << 30, 1 << 30))],
    ids=["Python", "OpenCV"],
)
def test_too_little_memory_is_one_line(
    allocate: Callable[[], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        allocate()
        return 0

    monkeypatch.setattr("realtime_matte.cli.main._call", fail)
    assert main(["--size", "8192x8192"]) == 2
    assert capsys.readouterr().err == "rtmatte: not enough memory; choose a smaller --size\n"


@LINUX
@pytest.mark.parametrize(("flags", "words"), [("", "models"), ("-u", "models"), ("", "--help"), ("-u", "--version")])
def test_a_full_stdout_is_one_line(flags: str, words: str) -> None:
    command = ["bash", "-c", f"{sys.executable} {flags} -m realtime_matte {words} >/dev/full"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=buffered)  # noqa: S603
    assert done.returncode == 2
    assert done.stderr == "rtmatte: cannot write the output: No space left on device; redirect it to another place\n"


@LINUX
def test_an_interrupt_before_the_run_sets_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_more: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Pipeline, "open", interrupted)
    assert main(["--camera", "demo", "--output", "null"]) == 130


def test_an_interrupt_of_another_command_sets_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("realtime_matte.cli.main._call", fail)
    assert main(["devices"]) == 130


# what is shown


@LINUX
@pytest.mark.parametrize("lost", ["full", "closed"])
def test_a_run_goes_on_without_its_stderr(lost: str, tmp_path: Path) -> None:
    """A lost terminal or log must not end the camera of a call."""
    line = (
        "rtmatte() { %s -m realtime_matte --camera demo?frames=3 --size 96x64 --model '%s' --output %s; }; rtmatte %s"
    )
    where = {"full": "2>/dev/full", "closed": "2>&1 | true"}[lost]
    model, out = tiny_networks.unverified(tiny_networks.recurrent(tmp_path / "tiny.onnx")), tmp_path / "out.mp4"
    command = ["bash", "-c", "set -o pipefail; " + line % (sys.executable, model, out, where)]
    done = subprocess.run(command, check=False, timeout=120)  # noqa: S603 - our own
    assert done.returncode == 0
    assert out.stat().st_size > 0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    source = opener(ScriptedSource(range(40)))
    with Pipeline.open(
        source, SolidBackground(), outputs=[Recorder()], model=lambda: ScriptedNetwork({3: fails}), notify=[].append
    ) as opened:
        yield opened


def test_plain_lines_come_every_few_seconds(pipeline: Pipeline) -> None:
    output, clock = io.StringIO(), Clock()
    shown = PlainLines(Console(file=output, soft_wrap=True), verbose=False, clock=clock)
    shown.start(pipeline, frames=40)
    for _ in range(20):
        pipeline.step()
        clock.now += 0.5
        shown.update(pipeline)
    shown.end(pipeline)
    lines = output.getvalue().splitlines()
    assert lines[0] == f"rtmatte: {SIZE[0]}x{SIZE[1]} at 30 fps, scripted on fake; Ctrl-C ends"
    assert lines[1].startswith("rtmatte: 10/40, 15 s left | ")
    assert lines[2].startswith("rtmatte: 20/40, 10 s left | ")
    assert "| scripted on fake | 96x64 at 30 fps | 1 standby" in lines[1]
    assert lines[3] == "rtmatte: 19 frames and 1 standby card in 10.0 s, 1.9 fps"


def test_the_progress_line_of_a_clip_has_fps_and_stages_but_no_age(pipeline: Pipeline) -> None:
    for _ in range(10):
        pipeline.step()
    line = progress_line(pipeline, verbose=True)
    assert " fps | " in line
    assert "refine " in line
    assert "age" not in line
    assert "dropped" not in line


def test_the_progress_line_has_no_rate_before_the_second_frame(pipeline: Pipeline) -> None:
    pipeline.step()
    assert " fps | " not in progress_line(pipeline, verbose=False).removesuffix(" at 30 fps")
    pipeline.step()
    assert re.match(r"[\d.]+ fps \| ", progress_line(pipeline, verbose=False))


def test_the_progress_line_of_a_camera_has_age_and_drops() -> None:
    source = opener(ScriptedSource(range(3), live=True))
    with Pipeline.open(
        source, SolidBackground(), outputs=[Recorder()], model=ScriptedNetwork, notify=[].append
    ) as opened:
        opened.step()
        assert "age " in progress_line(opened, verbose=False)
        assert " dropped" in progress_line(opened, verbose=False)


def test_in_a_terminal_a_bar_shows_the_progress(pipeline: Pipeline) -> None:
    output, clock = io.StringIO(), Clock()
    console = Console(file=output, force_terminal=True, width=200)
    shown = ProgressLine(console, verbose=True, clock=clock)
    shown.start(pipeline, frames=40)
    for _ in range(10):
        pipeline.step()
        clock.now += 1
        shown.update(pipeline)
    shown.notify("the camera is back [really]")
    shown.end(pipeline)
    shown.close()
    assert "10/40" in output.getvalue()
    assert "rtmatte: the camera is back [really]" in output.getvalue()
    assert "rtmatte: 9 frames and 1 standby card in 10.0 s" in output.getvalue()


def test_the_screen_depends_on_quiet_and_the_terminal() -> None:
    pipe, terminal = Console(file=io.StringIO()), Console(file=io.StringIO(), force_terminal=True)
    with screen(quiet=True, verbose=False, console=terminal) as shown:
        assert type(shown) is Quiet
    with screen(quiet=False, verbose=False, console=pipe) as shown:
        assert type(shown) is PlainLines
    with screen(quiet=False, verbose=False, console=terminal) as shown:
        assert type(shown) is ProgressLine


# the other commands


def test_models_lists_the_shipped_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"name": "chromakey", "family": "keyer"} in listed
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{one['name']} " in printed for one in listed)


def test_devices_lists_cameras_and_providers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("cameras, for --camera (sizes with their highest frame rate):\n")
    assert "\nproviders, for --provider (fastest first):\n" in printed
    assert main(["devices", "--json"]) == 0
    assert {one["name"] for one in json.loads(capsys.readouterr().out)["providers"]} >= {"cpu", "cuda"}


def test_devices_lists_the_modes_of_a_camera(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = (
        Mode("MJPG", (1280, 720), (60.0, 30.0)),
        Mode("MJPG", (640, 480), ()),
        Mode("YUYV", (640, 480), (30.0,)),
    )
    listed = [
        CameraInfo("Brio", "/dev/video0", modes),
        CameraInfo("Cam", "/dev/video2", virtual=True, problem="it may not be used"),
    ]
    monkeypatch.setattr("realtime_matte.sources.camera.list_cameras", lambda: listed)
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:5] == [
        "  /dev/video0  Brio",
        "      MJPG  1280x720 at 60, 640x480",
        "      YUYV  640x480 at 30",
        "  /dev/video2  Cam (virtual): it may not be used",
    ]


def test_bench_measures_each_size_in_its_own_process(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--size", "96x64", "--seconds", "0.1", "--model", model, "--bg", "green"]
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    result = printed["results"][0]
    assert result["size"] == [96, 64]
    assert result["frames"] > 0
    assert result["fps"] > 0
    assert result["cpu_ms"] > 0
    assert 0 < result["first_composite_s"] < 60
    assert set(result["stages_ms"]) == set(STAGES)
    assert printed["machine"]["cores"] == os.cpu_count()


def test_bench_prints_a_table(model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(report, "WARM_UP_S", 0.0)
    monkeypatch.setattr(report, "run", report.measure)
    assert main(["bench", "--size", "96x64", "--size", "48x32", "--seconds", "0.1", "--model", model]) == 0
    printed = capsys.readouterr().out
    assert "\nSIZE   FPS " in printed
    assert "\n96x64  " in printed
    assert "\n48x32  " in printed


def test_an_error_of_the_measured_process_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--size", "96x64", "--model", "none.onnx"]) == 2
    assert "rtmatte: model file none.onnx does not exist; " in capsys.readouterr().err
