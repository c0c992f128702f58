import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import fps
import pytest
from fakes import networks as tiny_networks

from realtime_matte.benchmark import report
from realtime_matte.benchmark.report import Plan, Result
from realtime_matte.stats import STAGES

STAGE_MS = 1.0, 2.0, 3.0


def result(*, size: tuple[int, int] = (1280, 720), camera: str | None = None, cpu_ms: float = 8.0) -> Result:
    return Result(
        camera=camera,
        mode="1280x720 at 30 fps",
        size=size,
        frames=100,
        dropped=0,
        fps=1000 / cpu_ms,
        cpu_ms=cpu_ms,
        cores=1.0,
        overhead_ms=4.0,
        work_ms=STAGE_MS,
        age_ms=STAGE_MS if camera else None,
        stages_ms=dict.fromkeys(STAGES, STAGE_MS),
        first_composite_s=1.5,
        peak_rss_mb=300.0,
        memory_frames_mb=44.0,
        model="small on cpu",
        threads=None,
        notices=["a note"],
    )


def record_of(*results: Result) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(report.record(results)))
    return record


def test_each_size_is_measured_from_memory_and_from_every_camera(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plans: list[Plan] = []

    def run(plan: Plan) -> Result:
        plans.append(plan)
        return result(size=plan.size, camera=plan.camera)

    monkeypatch.setattr(report, "run", run)
    sizes, cameras = ("96x64", "48x32"), ("memory", "demo", "0")
    words = [*(f"--size={size}" for size in sizes), *(f"--camera={camera}" for camera in cameras)]
    words += ["--rounds=2", "--seconds=1"]
    assert fps.main([*words, "--json", str(tmp_path / "now.json"), "--model", "my.onnx"]) == 0
    assert [(plan.camera, plan.size) for plan in plans] == [
        (None, (96, 64)), (None, (48, 32)), ("demo", (96, 64)), ("demo", (48, 32)), ("0", (96, 64)), ("0", (48, 32)),
    ]  # fmt: skip
    assert {(plan.rounds, plan.seconds, plan.model) for plan in plans} == {(2, 1.0, "my.onnx")}
    printed = capsys.readouterr().out
    assert printed.index("From memory:") < printed.index("From demo:") < printed.index("From 0:")
    assert printed.count("a note") == 1
    assert len(json.loads((tmp_path / "now.json").read_text())["results"]) == 6


def test_real_run_is_written_and_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "WARM_UP_S", 0.0)
    monkeypatch.setattr(report, "run", report.measure)
    words = ["--size", "96x64", "--rounds", "1", "--seconds", "0.2", "--json", str(tmp_path / "now.json")]
    words += ["--model", tiny_networks.unverified(tiny_networks.recurrent(tmp_path / "tiny.onnx"))]
    assert fps.main(words) == 0
    assert fps.main([*words, "--compare", str(tmp_path / "now.json")]) == 0
    printed = capsys.readouterr().out
    assert "demo    96x64  " in printed.partition("\nSince ")[2]


def test_change_has_a_percentage_unless_it_is_noise() -> None:
    slow, fast, same = (record_of(result(cpu_ms=ms)) for ms in (10.0, 8.0, 8.1))
    assert "10.0 -> 8.0 (-20%)" in fps.changes(slow, fast)[2]
    assert "100.0 -> 125.0 (+25%)" in fps.changes(slow, fast)[2]
    assert "8.0 -> 8.1  " in fps.changes(fast, same)[2]


def test_only_sources_measured_both_times_are_compared() -> None:
    then = record_of(result(), result(camera="demo"))
    now = record_of(result(camera="demo"), result(size=(96, 64)))
    assert fps.changes(then, now)[2].count("->") == 5
    assert fps.changes(then, record_of(result(size=(96, 64))))[2].startswith(
        "No source and size was measured both times"
    )


def test_another_machine_is_reported() -> None:
    then, now = record_of(result()), record_of(result())
    assert "another machine" not in fps.changes(then, now)[0]
    then["machine"]["cpu"] = "an older one"
    assert "on another machine: {'cpu': 'an older one'" in fps.changes(then, now)[0]


def test_growth_is_from_the_smallest_to_the_largest_size_in_memory() -> None:
    sizes = [result(size=(200, 100), cpu_ms=9.0), result(size=(100, 100), cpu_ms=4.0)]
    live = result(size=(900, 900), camera="demo")
    assert fps.growth([*sizes, live])[-1] == "From 100x100 to 200x100: 2.0 times the pixels, 2.2 times the cost."
    assert fps.growth([sizes[0], live]) == []


@pytest.mark.parametrize("text", ["no JSON", "{}", '{"results": [{"size": [1, 2]}]}'])
def test_file_that_is_no_record_is_reported(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)
    assert fps.main(["--compare", str(file)]) == 2
    printed = capsys.readouterr().err
    assert f"fps: {file} is no record of this benchmark" in printed
    assert "give what --json wrote" in printed


def test_missing_record_and_bad_size_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert fps.main(["--compare", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err
    assert fps.main(["--size", "large"]) == 2
    assert "--size: 'large' is not WIDTHxHEIGHT" in capsys.readouterr().err


def test_plot_is_an_image(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plot needs matplotlib (pip install --group benchmark)")
    small = result(size=(854, 480), cpu_ms=5.0)
    fps.plot(tmp_path / "cost.png", [small, replace(small, size=(3840, 2160), cpu_ms=30.0)])
    image = cv2.imread(str(tmp_path / "cost.png"))
    assert image is not None
    assert image.std() > 10
