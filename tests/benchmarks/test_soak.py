"""The long run: what counts as growth; one test runs rtmatte."""

import re
from pathlib import Path

import pytest
import soak
from soak import Sample, growth


def samples(count: int = 60, **slopes: float) -> list[Sample]:
    """A run whose figures grow by ``slopes`` per sample."""
    return [
        Sample(
            second=5.0 * index,
            memory_mb=200 + slopes.get("memory", 0) * index,
            handles=round(20 + slopes.get("handles", 0) * index),
            threads=round(4 + slopes.get("threads", 0) * index),
            age_ms=None if index < 2 else (12 + slopes.get("age", 0) * index + index % 3, 99.0 * index),
        )
        for index in range(count)
    ]


def test_steady_run_did_not_grow() -> None:
    assert growth(samples()) == []


@pytest.mark.parametrize(
    ("figure", "slope", "text"),
    [
        ("memory", 0.5, r"memory grew from 2\d\d\.\d to 2\d\d\.\d MB"),
        ("handles", 0.1, r"handles grew from 2\d\.0 to 2\d\.0"),
        ("threads", 0.1, r"threads grew from \d\.0 to \d+\.0"),
        ("age", 1, r"age grew from \d\d\.\d to \d\d\.\d ms"),
    ],
)
def test_each_leak_is_reported(figure: str, slope: float, text: str) -> None:
    (line,) = growth(samples(**{figure: slope}))
    assert re.fullmatch(text, line)


def test_growth_in_the_warm_up_does_not_count() -> None:
    early = [Sample(one.second, 20.0, 3, 1, None) for one in samples(10)]
    assert growth([*early, *samples(50)]) == []


def test_short_run_without_an_age_can_be_judged() -> None:
    assert growth(samples(1)) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_rtmatte_is_sampled(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(soak, "INTERVAL_S", 0.05)
    assert soak.main(["--minutes", "0.002", "--camera", "demo", "--output", "null"]) in {0, 1}
    printed = capsys.readouterr().out
    assert " MB " in printed
    assert " handles " in printed


def test_ended_rtmatte_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--minutes", "1", "--camera", "no-such-camera-spec:x"]) == 2
    assert "soak: rtmatte ended by itself: rtmatte: " in capsys.readouterr().err
