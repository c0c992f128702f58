"""``rtmatte matte``: options, what it prints, exit status."""

import json
from io import StringIO
from pathlib import Path

import pytest
from fakes.batch import shade, write_clip
from rich.console import Console

from realtime_matte.batch.matte_clips import ClipResult, Planned
from realtime_matte.batch.running import Notice
from realtime_matte.cli.main import FAILED, main
from realtime_matte.cli.matte import PARTLY
from realtime_matte.cli.matte_progress import follow


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in/clip.mp4", [shade(index) for index in range(3)])


def matte(*words: object) -> int:
    return main(["matte", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--write", "mask"], "write is 'mask'"),
        (["--format", "mp4"], "mp4 files carry no alpha"),
        (["--format", "gif"], "no format called 'gif'"),
        (["--bg", "none"], "needs a background"),
        (["--bg", "green", "--write", "alpha"], "--bg has no effect"),
        (["--bg", "no/such.jpg"], "no/such.jpg"),
        (["--range", "9-3"], "the range 9-3 has no frame"),
        (["--range", "x"], "--range: 'x'"),
        (["--jobs", "0"], "--jobs: '0'"),
        (["--fps", "fast"], "--fps: 'fast'"),
        (["--range", "1-2", "--warmup", "nan"], "warmup is nan"),
        (["--dask", "tcp://127.0.0.1:8786", "--jobs", "2"], "--jobs has no effect"),
        (["--modle", "small"], "did you mean --model?"),
        (["--model", "smal"], "unknown model 'smal'"),
        (["--model", "no/such.onnx"], "does not exist"),
        (["--model", "small?sise=3"], "sise"),
        (["--provider", "tpu"], "unknown provider 'tpu'"),
        (["--warmup", "1"], "--warmup has no effect without --range"),
        (["--range", "\N{ARABIC-INDIC DIGIT THREE}-"], "is not two frame numbers"),
        (["--out", ""], "--out: the name of the folder is empty"),
    ],
)
def test_a_wrong_option_is_one_line_with_status_2(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert matte(clip, "--out", tmp_path / "out", *words) == FAILED
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_message_while_tasks_run_is_a_line() -> None:
    file = StringIO()
    with follow(as_json=True, quiet=True, console=Console(file=file)) as screen:
        screen.notify(Notice("waiting for [a] worker"))
    assert file.getvalue() == "rtmatte: waiting for [a] worker\n"


def test_the_reason_of_a_single_failure_is_printed_once() -> None:
    file = StringIO()
    failed = ClipResult("in/bad.mp4", "out/bad.mov", "failed", reason="no video", name="bad.mov")
    with follow(as_json=False, quiet=False, console=Console(file=file)) as screen:
        screen.notify(Planned({"bad.mov": 1}, skipped=0))
        screen.notify(failed)
        screen.end([failed])
    assert file.getvalue() == "rtmatte: 1/1 failed: 'in/bad.mp4': no video\n"


def test_results_in_a_file_are_refused(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert matte(clip, "--out", clip) == FAILED
    assert capsys.readouterr().err == (f"rtmatte: cannot write into '{clip}': it is a file; name a folder with --out\n")


def test_a_missing_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert matte(tmp_path / "none.mp4", "--out", tmp_path / "out") == FAILED
    assert "there is no file or folder" in capsys.readouterr().err


@pytest.mark.slow
def test_every_clip_is_a_line_and_failures_are_listed_at_the_end(
    clip: Path, tmp_path: Path, tiny: str, capfd: pytest.CaptureFixture[str]
) -> None:
    clip.with_name("bad.mp4").write_bytes(b"no clip")
    words = clip.parent, "--out", tmp_path / "out", "--model", tiny, "--write", "alpha", "--jobs", 1
    assert matte(*words) == PARTLY
    lines = capfd.readouterr().err.splitlines()
    assert any("clip/######.png: 3 frames" in line for line in lines)
    assert "1 written, 1 failed" in lines[-2]
    assert "bad.mp4" in lines[-1]
    assert matte(*words, "--json") == PARTLY
    records = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {record["state"] for record in records[:-1]} == {"skipped", "failed"}
    assert records[-1]["summary"]["skipped"] == 1
    clip.with_name("bad.mp4").unlink()
    assert matte(*words, "--quiet") == 0
    assert capfd.readouterr().err == ""
