"""``rtmatte bench``: the frames in memory, the rounds, the figures and their JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import networks as tiny_networks

from realtime_matte.benchmark import memory_source, report
from realtime_matte.benchmark.memory_source import MemorySource, demo_frames
from realtime_matte.benchmark.rounds import Plan, Round, measure_round, open_pipeline
from realtime_matte.cli.main import main
from realtime_matte.errors import ModelError, SourceError
from realtime_matte.frame import Pixels
from realtime_matte.stats import STAGES, Report

SIZE = 96, 64


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_networks.unverified(tiny_networks.recurrent(tmp_path_factory.mktemp("models") / "tiny.onnx"))


def plan_of(model: str, *, camera: str | None = None, rounds: int = 1) -> Plan:
    return Plan(size=SIZE, seconds=0.1, rounds=rounds, camera=camera, model=model)


def grey(level: int) -> Pixels:
    return np.full((2, 4, 3), level, np.uint8)


def test_memory_source_plays_forwards_and_backwards() -> None:
    source = MemorySource([grey(0), grey(1), grey(2)])
    frames = [source.read(grey(9)) for _ in range(7)]
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [0, 1, 2, 1, 0, 1, 2]
    assert [frame.index for frame in frames] == list(range(7))
    assert frames[3].time == pytest.approx(0.1)


def test_memory_source_repeats_a_single_frame() -> None:
    source = MemorySource([grey(5)])
    assert [int(source.read(grey(9)).pixels[0, 0, 0]) for _ in range(3)] == [5, 5, 5]


def test_demo_frames_move_and_are_the_same_each_time() -> None:
    first, again = demo_frames(SIZE), demo_frames(SIZE)
    assert len(first) == memory_source.MAX_FRAMES
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not any(np.array_equal(one, other) for one, other in pairwise(first))


def test_fewer_large_frames_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_source, "MAX_BYTES", 5 * 96 * 64 * 3)
    assert len(demo_frames(SIZE)) == 5
    monkeypatch.setattr(memory_source, "MAX_BYTES", 0)
    assert len(demo_frames(SIZE)) == memory_source.MIN_FRAMES


def test_round_figures_are_per_output_frame() -> None:
    one = Round(frames=50, dropped=0, wall_s=2.0, cpu_s=0.5, report=Report(50, 0, 25.0, None, None, {}))
    assert (one.fps, one.cpu_ms, one.cores) == (25.0, 10.0, 0.25)


def test_warm_up_is_not_counted(model: str) -> None:
    with open_pipeline(plan_of(model), MemorySource(demo_frames(SIZE)), []) as pipeline:
        for _ in range(40):
            pipeline.step()
        one = measure_round(pipeline, 0, warm_up_s=0)
        in_figures = pipeline.stats._filled
    assert (one.frames, in_figures) == (1, 1)
    assert one.report.composites == 40 + 1 + 1


def test_source_that_ended_has_a_hint(model: str) -> None:
    with (
        open_pipeline(plan_of(model), "demo?frames=3", []) as pipeline,
        pytest.raises(SourceError, match=r"ended before it was measured; use an endless one, such as clip\.mp4\?loop"),
    ):
        measure_round(pipeline, 0.05)


def test_no_output_frame_in_time_has_a_hint(model: str) -> None:
    more = r"no output frame in 0 s; use more --seconds, a smaller --size or another --model"
    with open_pipeline(plan_of(model), "demo", []) as pipeline:
        pipeline.standby = True
        with pytest.raises(ModelError, match=more):
            measure_round(pipeline, 0, warm_up_s=0)


def test_only_live_frames_have_an_age(model: str) -> None:
    stored, live = report.measure(plan_of(model)), report.measure(plan_of(model, camera="demo", rounds=2))
    assert stored.age_ms is None
    assert stored.camera is None
    assert stored.memory_frames_mb == pytest.approx(memory_source.MAX_FRAMES * 96 * 64 * 3 / 1e6)
    assert live.age_ms is not None
    assert 0 < live.age_ms[0] <= live.age_ms[1] <= live.age_ms[2]
    assert (live.camera, live.memory_frames_mb, live.mode) == ("demo", 0, "96x64 at 30 fps")


def test_every_stage_has_ordered_percentiles(model: str) -> None:
    result = report.measure(plan_of(model))
    assert list(result.stages_ms) == list(STAGES)
    assert all(p50 <= p95 <= p99 for p50, p95, p99 in result.stages_ms.values())
    assert result.overhead_ms < sum(p50 for p50, _, _ in result.stages_ms.values())
    assert result.cores > 0


def test_result_survives_json(model: str) -> None:
    result = report.measure(plan_of(model))
    record = json.loads(json.dumps(report.record([result])))
    assert json.dumps(asdict(report.result(record["results"][0]))) == json.dumps(asdict(result))
    assert record["machine"]["cores"] > 0


def test_first_composite_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def no_composite(*_: object) -> Iterator[SimpleNamespace]:
        def run(*, until: object) -> None:
            assert callable(until)
            assert until()

        yield SimpleNamespace(stats=SimpleNamespace(composites=0), run=run)

    monkeypatch.setattr(report, "open_pipeline", no_composite)
    monkeypatch.setattr(report, "TIMEOUT_S", -1.0)
    with pytest.raises(ModelError, match="no composite in -1 s; see rtmatte doctor"):
        report.measure(plan_of("any"))


def test_error_of_the_measuring_process_keeps_its_fields() -> None:
    with pytest.raises(ModelError) as raised:
        report.run(plan_of("none.onnx"))
    assert "none.onnx" in raised.value.message
    assert raised.value.hint
    assert raised.value.hint not in raised.value.message


def test_bench_measures_a_live_source(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "WARM_UP_S", 0.0)
    monkeypatch.setattr(report, "run", report.measure)
    words = ["bench", "--size", "96x64", "--seconds", "0.3", "--model", model, "--camera", "demo"]
    assert main(words) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("96x64 "))
    assert row.count("/") == 2


def test_bench_reports_a_missing_clip(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--size", "96x64", "--model", model, "--seconds", "0.1", "--camera", str(tmp_path / "no.mp4")]
    assert main(words) == 2
    assert "no.mp4" in capsys.readouterr().err
