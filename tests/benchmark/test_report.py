import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import networks as tiny_networks

from realtime_matte.benchmark import memory as held
from realtime_matte.benchmark import report as bench
from realtime_matte.benchmark.memory import Held
from realtime_matte.benchmark.rounds import Line, Plan, Round
from realtime_matte.cli import main
from realtime_matte.errors import ModelError, SourceError
from realtime_matte.frame import Pixels
from realtime_matte.stats import STAGES, Report

SIZE = 96, 64


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_networks.recurrent(tmp_path_factory.mktemp("models") / "tiny.onnx"))


def plan_of(model: str, *, camera: str | None = None, rounds: int = 1) -> Plan:
    return Plan(size=SIZE, seconds=0.1, rounds=rounds, camera=camera, model=model)


def grey(level: int) -> Pixels:
    return np.full((2, 4, 3), level, np.uint8)


def test_pictures_in_memory_go_to_and_fro() -> None:
    source = Held([grey(0), grey(1), grey(2)])
    frames = [source.read(grey(9)) for _ in range(7)]
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [0, 1, 2, 1, 0, 1, 2]
    assert [frame.index for frame in frames] == list(range(7))
    assert frames[3].time == pytest.approx(0.1)


def test_one_picture_in_memory_is_given_again_and_again() -> None:
    source = Held([grey(5)])
    assert [int(source.read(grey(9)).pixels[0, 0, 0]) for _ in range(3)] == [5, 5, 5]


def test_pictures_in_memory_move_and_are_the_same_each_time() -> None:
    first, again = held.pictures(SIZE), held.pictures(SIZE)
    assert len(first) == held.MOST
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not any(np.array_equal(one, other) for one, other in pairwise(first))


def test_large_pictures_are_held_in_smaller_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST_BYTES", 5 * 96 * 64 * 3)
    assert len(held.pictures(SIZE)) == 5
    monkeypatch.setattr(held, "MOST_BYTES", 0)
    assert len(held.pictures(SIZE)) == held.LEAST


def test_what_a_round_cost_is_told_by_the_picture() -> None:
    one = Round(pictures=50, dropped=0, wall_s=2.0, cpu_s=0.5, report=Report(50, 0, 25.0, None, None, {}))
    assert (one.fps, one.cpu_ms, one.cores) == (25.0, 10.0, 0.25)


def test_the_warm_up_is_not_counted(model: str) -> None:
    with closing(Line(plan_of(model))) as line:
        for _ in range(40):
            line.step()
        one = line.round(0, warm_s=0)
        figures_are_of = line._pipeline.stats._filled
    assert (one.pictures, figures_are_of) == (1, 1)
    assert one.report.composites == 40 + 1 + 1


def test_a_source_that_is_over_says_what_to_take(model: str) -> None:
    with (
        closing(Line(plan_of(model, camera="demo?frames=3"))) as line,
        pytest.raises(SourceError, match=r"over before it was measured; take it without end, such as clip\.mp4\?loop"),
    ):
        line.round(0.05)


def test_no_picture_in_time_says_what_to_change(model: str) -> None:
    more = r"no picture in 0 s; take more --seconds, a smaller --size or another --model"
    with closing(Line(plan_of(model, camera="demo"))) as line:
        line._pipeline.standby = True
        with pytest.raises(ModelError, match=more):
            line.round(0, warm_s=0)


def test_pictures_in_memory_have_no_age_and_live_ones_have(model: str) -> None:
    stored, live = bench.measure(plan_of(model)), bench.measure(plan_of(model, camera="demo", rounds=2))
    assert stored.age_ms is None
    assert stored.camera is None
    assert stored.held_mb == pytest.approx(held.MOST * 96 * 64 * 3 / 1e6)
    assert live.age_ms is not None
    assert 0 < live.age_ms[0] <= live.age_ms[1] <= live.age_ms[2]
    assert (live.camera, live.held_mb, live.mode) == ("demo", 0, "96x64 at 30 fps")


def test_every_stage_has_three_percentiles_in_order(model: str) -> None:
    told = bench.measure(plan_of(model))
    assert list(told.stages_ms) == list(STAGES)
    assert all(p50 <= p95 <= p99 for p50, p95, p99 in told.stages_ms.values())
    assert told.overhead_ms < sum(p50 for p50, _, _ in told.stages_ms.values())
    assert told.cores > 0


def test_a_result_survives_json(model: str) -> None:
    told = bench.measure(plan_of(model))
    record = json.loads(json.dumps(bench.record([told])))
    assert json.dumps(asdict(bench.result(record["results"][0]))) == json.dumps(asdict(told))
    assert record["machine"]["cores"] > 0


def test_a_line_that_never_shows_a_person_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def dark(*_: object) -> Iterator[SimpleNamespace]:
        def run(*, until: object) -> None:
            assert callable(until)
            assert until()

        yield SimpleNamespace(stats=SimpleNamespace(composites=0), run=run)

    monkeypatch.setattr(bench, "opened", dark)
    monkeypatch.setattr(bench, "PATIENCE_S", -1.0)
    with pytest.raises(ModelError, match="no matted picture in -1 s; see rtmatte doctor"):
        bench.measure(plan_of("any"))


def test_bench_takes_a_live_source(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "WARM_S", 0.0)
    monkeypatch.setattr(bench, "run", bench.measure)
    words = ["bench", "--size", "96x64", "--seconds", "0.3", "--model", model, "--camera", "demo"]
    assert main(words) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("96x64 "))
    assert row.count("/") == 2


def test_bench_tells_of_a_clip_that_is_over(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--size", "96x64", "--model", model, "--seconds", "0.1", "--camera", str(tmp_path / "no.mp4")]
    assert main(words) == 2
    assert "no.mp4" in capsys.readouterr().err
