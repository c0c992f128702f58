import json
import sys
from contextlib import closing
from pathlib import Path

import contest
import numpy as np
import peers
import pytest
from contest import Contender, Cost, ratio
from fakes import networks as tiny_networks

ECHO = """
import sys, time
print("{}", flush=True)
for line in sys.stdin:
    print('{"pictures": 10, "wall_s": %s, "cpu_s": 0.5}' % float(line), flush=True)
"""


class Scripted:
    """A contender that says when its turn was."""

    def __init__(self, name: str, turns: list[str]) -> None:
        self.name = name
        self._turns = turns

    def round(self, seconds: float) -> Cost:
        self._turns.append(self.name)
        return Cost(1, seconds, seconds)


def test_a_contender_answers_in_a_process_of_its_own() -> None:
    with closing(Contender("echo", [sys.executable, "-c", ECHO])) as echo:
        cost = echo.round(2.0)
    assert (cost.fps, cost.cpu_ms) == (5.0, 50.0)


def test_a_contender_that_ends_is_told_with_its_last_words() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)mute ended with status 1:.*no such thing"):
        Contender("mute", [sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_rounds_are_taken_in_turn_and_back() -> None:
    turns: list[str] = []
    costs = contest.contest([Scripted(name, turns) for name in "abc"], rounds=3, seconds=1.0)  # type: ignore[misc]
    assert "".join(turns) == "abccbaabc"
    assert [len(mine) for mine in costs] == [3, 3, 3]


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    ours = [Cost(10, 1.0, 0.1), Cost(20, 1.0, 0.2), Cost(90, 1.0, 0.9)]
    theirs = [Cost(5, 1.0, 0.1), Cost(5, 1.0, 0.1), Cost(30, 1.0, 0.9)]
    assert ratio(ours, theirs, "fps") == pytest.approx(3.0)
    assert ratio(ours, theirs, "cpu_ms") == pytest.approx(0.5)


def test_serving_counts_the_pictures_of_each_round(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[int] = []
    contest.serve(lambda: made.append(1), lines=["0.001\n", "0.002\n"])
    ready, *told = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == {}
    assert sum(one["pictures"] for one in told) == len(made) > 0
    assert [one["wall_s"] >= least for one, least in zip(told, (0.001, 0.002), strict=True)] == [True, True]


def test_our_line_is_measured_beside_another_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, other = (tiny_networks.recurrent(tmp_path / name) for name in ("ours.onnx", "other.onnx"))
    words = ["--size", "96x64", "--ours", str(ours), "--model", str(other), "--rounds", "1", "--seconds", "0.05"]
    assert peers.main([*words, "--json", str(tmp_path / "told.json")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("96x64 ")]
    assert [row[1] for row in rows] == ["ours", "other"]
    assert rows[0][-2:] == ["1.00x", "1.00x"]
    assert json.loads((tmp_path / "told.json").read_text())["rounds"]["96x64"]["other"][0]["pictures"] > 0


def test_a_folder_without_the_segmenter_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tiny_networks.recurrent(tmp_path / "ours.onnx")
    assert peers.main(["--size", "96x64", "--ours", str(network), "--peers", str(tmp_path)]) == 2
    assert "selfie_landscape.tflite; --peers names a folder" in capsys.readouterr().err


def test_a_network_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.main(["--size", "96x64", "--ours", "none.onnx"]) == 2
    told = capsys.readouterr().err
    assert "peers: ours ended with status" in told
    assert "none.onnx" in told


def test_a_bad_size_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.main(["--size", "wide"]) == 2
    assert "peers: --size: 'wide' is not WIDTHxHEIGHT" in capsys.readouterr().err


def test_the_recipe_keeps_the_person_and_drops_the_room() -> None:
    pytest.importorskip("mediapipe", reason="the recipe needs mediapipe (pip install --group benchmark)")
    model = Path(__file__).parents[3] / "shared" / "peers" / peers.SEGMENTER
    if not model.is_file():
        pytest.skip(f"no ../shared/peers/{peers.SEGMENTER} here")
    from lfbw import Recipe  # noqa: PLC0415 - imports mediapipe

    from realtime_matte.benchmark import memory as held  # noqa: PLC0415

    frame = held.pictures((640, 360))[0]
    green = np.zeros_like(frame)
    green[..., 1] = 255
    picture = Recipe(model, green)(frame)
    assert np.abs(picture[180, 300].astype(int) - frame[180, 300]).max() <= 1
    assert picture[40, 600].tolist() == [0, 255, 0]
