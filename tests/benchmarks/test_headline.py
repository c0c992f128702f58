"""The picture of everybody: who is ours, where labels go, and that there is one."""

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the plot needs matplotlib (pip install --group benchmark)")

import headline
import labels

NETWORKS = {"small": (3.3, 7.7), "small + refiner": (4.0, 6.6), "rvm_512x288": (86.0, 2.9), "sinet": (6.0, 54.0)}


def written(folder: Path) -> list[str]:
    quality = {
        "set": "composites",
        "networks": [{"name": name, "ms": ms, "figures": {"mad": mad}} for name, (ms, mad) in NETWORKS.items()],
    }
    rounds = {
        "ours": [{"pictures": 100, "wall_s": 1.0, "cpu_s": 0.6}],
        "lfbw recipe": [{"pictures": 40, "wall_s": 1.0, "cpu_s": 0.7}],
    }
    (folder / "quality.json").write_text(json.dumps(quality))
    (folder / "peers.json").write_text(json.dumps({"rounds": {"1280x720": rounds}}))
    return [str(folder / name) for name in ("quality.json", "peers.json", "plot.png")]


def test_ours_are_those_with_a_refiner() -> None:
    assert headline.ours(NETWORKS) == {"small", "small + refiner"}


def test_names_of_neighbours_are_not_written_over_one_another() -> None:
    rim = (0.0, 0.0, 800.0, 600.0)
    found = labels.sides({"one": (100, 300), "other": (110, 302), "third": (790, 100)}, rim)
    assert found["one"] != found["other"]
    assert found["third"] == (-1, 0)


def test_names_are_written_as_people_write_them() -> None:
    assert headline.label("mediapipe_selfie_landscape") == "MediaPipe selfie landscape"


def test_the_headline_is_a_picture(tmp_path: Path) -> None:
    assert headline.main(written(tmp_path)) == 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert headline.main([str(tmp_path / "gone.json"), str(tmp_path / "gone.json"), "x.png"]) == 2
    assert "gone.json" in capsys.readouterr().err
