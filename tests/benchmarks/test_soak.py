"""The soak: what counts as growth, and that it runs rtmatte for real."""

import re
from pathlib import Path

import pytest
import soak
from soak import Sample, growth


def samples(count: int = 60, **slopes: float) -> list[Sample]:
    """A run whose figures go up by ``slopes`` a sample."""
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


def test_a_steady_run_did_not_grow() -> None:
    assert growth(samples()) == []


@pytest.mark.parametrize(
    ("what", "slope", "text"),
    [
        ("memory", 0.5, r"memory grew from 2\d\d\.\d to 2\d\d\.\d MB"),
        ("handles", 0.1, r"handles grew from 2\d\.0 to 2\d\.0"),
        ("threads", 0.1, r"threads grew from \d\.0 to \d+\.0"),
        ("age", 1, r"age grew from \d\d\.\d to \d\d\.\d ms"),
    ],
)
def test_each_leak_is_told(what: str, slope: float, text: str) -> None:
    (line,) = growth(samples(**{what: slope}))
    assert re.fullmatch(text, line)


def test_what_comes_in_the_warm_up_does_not_count() -> None:
    early = [Sample(one.second, 20.0, 3, 1, None) for one in samples(10)]
    assert growth([*early, *samples(50)]) == []


def test_a_short_run_without_an_age_can_be_judged() -> None:
    assert growth(samples(1)) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_rtmatte_is_looked_at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(soak, "EVERY_S", 0.05)
    assert soak.main(["--minutes", "0.002", "--camera", "demo", "--output", "null"]) in {0, 1}
    told = capsys.readouterr().out
    assert " MB " in told
    assert " handles " in told


def test_an_rtmatte_that_does_not_run_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--minutes", "1", "--camera", "no-such-camera-spec:x"]) == 2
    assert "soak: rtmatte ended by itself: rtmatte: " in capsys.readouterr().err
