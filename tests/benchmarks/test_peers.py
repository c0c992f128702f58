import json
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import peers
import pytest
import side_by_side
from fakes import networks as tiny_networks
from side_by_side import Cost, MeasuredProgram, ratio

from realtime_matte.benchmark.memory_source import demo_frames

ECHO = """
import sys, time
print("{}", flush=True)
for line in sys.stdin:
    print('{"frames": 10, "wall_s": %s, "cpu_s": 0.5}' % float(line), flush=True)
"""


class FakeProgram:
    """A program that records its turns."""

    def __init__(self, name: str, turns: list[str]) -> None:
        self.name = name
        self._turns = turns

    def round(self, seconds: float) -> Cost:
        self._turns.append(self.name)
        return Cost(1, seconds, seconds)


def test_program_answers_from_its_own_process() -> None:
    with closing(MeasuredProgram("echo", [sys.executable, "-c", ECHO])) as echo:
        cost = echo.round(2.0)
    assert (cost.fps, cost.cpu_ms) == (5.0, 50.0)


def test_ended_program_is_reported_with_its_output() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)mute ended with status 1:.*no such thing"):
        MeasuredProgram("mute", [sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_programs_take_turns_in_both_directions() -> None:
    turns: list[str] = []
    costs = side_by_side.measure_in_turn([FakeProgram(name, turns) for name in "abc"], rounds=3, seconds=1.0)  # type: ignore[misc]
    assert "".join(turns) == "abccbaabc"
    assert [len(measured) for measured in costs] == [3, 3, 3]


def test_ratio_is_the_median_of_the_rounds() -> None:
    ours = [Cost(10, 1.0, 0.1), Cost(20, 1.0, 0.2), Cost(90, 1.0, 0.9)]
    theirs = [Cost(5, 1.0, 0.1), Cost(5, 1.0, 0.1), Cost(30, 1.0, 0.9)]
    assert ratio(ours, theirs, "fps") == pytest.approx(3.0)
    assert ratio(ours, theirs, "cpu_ms") == pytest.approx(0.5)


def test_served_rounds_count_frames(capsys: pytest.CaptureFixture[str]) -> None:
    processed: list[int] = []
    side_by_side.serve(lambda: processed.append(1), lines=["0.001\n", "0.002\n"])
    ready, *answers = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == {}
    assert sum(one["frames"] for one in answers) == len(processed) > 0
    assert [one["wall_s"] >= least for one, least in zip(answers, (0.001, 0.002), strict=True)] == [True, True]


def test_our_pipeline_is_measured_beside_another_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = (tiny_networks.recurrent(tmp_path / name) for name in ("ours.onnx", "other.onnx"))
    ours, other = map(tiny_networks.unverified, files)
    words = ["--size", "96x64", "--ours", ours, "--model", other, "--rounds", "1", "--seconds", "0.05"]
    assert peers.main([*words, "--json", str(tmp_path / "rounds.json")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("96x64 ")]
    assert [row[1] for row in rows] == ["ours", "other"]
    assert rows[0][-2:] == ["1.00x", "1.00x"]
    assert json.loads((tmp_path / "rounds.json").read_text())["rounds"]["96x64"]["other"][0]["frames"] > 0


def test_folder_without_the_segmenter_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tiny_networks.unverified(tiny_networks.recurrent(tmp_path / "ours.onnx"))
    assert peers.main(["--size", "96x64", "--ours", network, "--peers", str(tmp_path)]) == 2
    assert "selfie_landscape.tflite; --peers names a folder" in capsys.readouterr().err


def test_missing_network_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.main(["--size", "96x64", "--ours", "none.onnx"]) == 2
    errors = capsys.readouterr().err
    assert "peers: ours ended with status" in errors
    assert "none.onnx" in errors


def test_bad_size_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.main(["--size", "wide"]) == 2
    assert "peers: --size: 'wide' is not WIDTHxHEIGHT" in capsys.readouterr().err


def test_recipe_keeps_the_person_and_replaces_the_background() -> None:
    pytest.importorskip("mediapipe", reason="the recipe needs mediapipe (pip install --group benchmark)")
    model = Path(__file__).parents[3] / "shared" / "peers" / peers.SEGMENTER
    if not model.is_file():
        pytest.skip(f"no ../shared/peers/{peers.SEGMENTER} here")
    from linux_fake_background_webcam import Recipe  # noqa: PLC0415 - imports mediapipe

    frame = demo_frames((640, 360))[0]
    green = np.zeros_like(frame)
    green[..., 1] = 255
    output = Recipe(model, green)(frame)
    assert np.abs(output[180, 300].astype(int) - frame[180, 300]).max() <= 1
    assert output[40, 600].tolist() == [0, 255, 0]
