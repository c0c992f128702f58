"""The plot of quality against cost: our networks, the labels' places, the file."""

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the plot needs matplotlib (pip install --group benchmark)")

import quality_cost_plot

NETWORKS = {"small": (3.3, 7.7), "small + refiner": (4.0, 6.6), "rvm_512x288": (86.0, 2.9), "sinet": (6.0, 54.0)}


def write_inputs(folder: Path) -> list[str]:
    quality = {
        "set": "composites",
        "networks": [{"name": name, "ms": ms, "figures": {"mad": mad}} for name, (ms, mad) in NETWORKS.items()],
    }
    rounds = {
        "ours": [{"frames": 100, "wall_s": 1.0, "cpu_s": 0.6}],
        "lfbw recipe": [{"frames": 40, "wall_s": 1.0, "cpu_s": 0.7}],
    }
    (folder / "quality.json").write_text(json.dumps(quality))
    (folder / "peers.json").write_text(json.dumps({"rounds": {"1280x720": rounds}}))
    return [str(folder / name) for name in ("quality.json", "peers.json", "plot.png")]


def test_ours_are_the_networks_with_a_refiner() -> None:
    assert quality_cost_plot.ours(NETWORKS) == {"small + refiner"}


def test_ours_are_shown_as_the_program_runs_them() -> None:
    quality = {"networks": [{"name": name, "ms": ms, "figures": {"mad": mad}} for name, (ms, mad) in NETWORKS.items()]}
    assert set(quality_cost_plot.points_of(quality)) == set(NETWORKS) - {"small"}


def test_the_settings_of_one_network_are_one_curve_by_cost() -> None:
    points = {
        "small?quality=high + refiner": (9.0, 3.7),
        "small + refiner": (4.0, 4.7),
        "large + refiner": (30.0, 3.3),
    }
    assert sorted(quality_cost_plot.curves(points, points)) == [[(4.0, 4.7), (9.0, 3.7)], [(30.0, 3.3)]]


def test_labels_of_near_points_do_not_overlap() -> None:
    area = (0.0, 0.0, 800.0, 600.0)
    found = quality_cost_plot.label_sides({"one": (100, 300), "other": (110, 302), "third": (790, 100)}, area)
    assert found["one"] != found["other"]
    assert found["third"] == (-1, 0)


def test_names_have_their_usual_spelling() -> None:
    assert quality_cost_plot.title("mediapipe_selfie_landscape") == "MediaPipe selfie landscape"


def test_plot_is_written(tmp_path: Path) -> None:
    assert quality_cost_plot.main(write_inputs(tmp_path)) == 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_missing_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quality_cost_plot.main([str(tmp_path / "gone.json"), str(tmp_path / "gone.json"), "x.png"]) == 2
    assert "gone.json" in capsys.readouterr().err
