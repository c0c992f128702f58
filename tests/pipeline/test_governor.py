"""A pipeline that does not keep up with its camera reports it, and switches to a lighter model if it may."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from realtime_matte.pipeline.governor import SLOW_WINDOWS, WINDOW, Governor


def counts(*shares: float) -> Iterator[tuple[int, int]]:
    """Frames shown and dropped so far, frame by frame, for windows in which these shares are dropped."""
    shown, dropped = 7, 1000
    for share in shares:
        begin = shown + dropped
        while shown + dropped < begin + WINDOW:
            lost = share and round(1 / share) - 1
            shown, dropped = (shown + 1, dropped) if share < 1 else (shown, dropped + 1)
            if lost and shown % lost == 0:
                dropped += 1
            yield shown, dropped


@dataclass
class Running:
    network: str = "small"

    @property
    def model(self) -> str:
        return f"{self.network} on cpu"


def judge(*shares: float, lighter: Sequence[str] = (), running: Running | None = None) -> tuple[list[str], list[str]]:
    """What is reported, and which models are requested."""
    notices: list[str] = []
    requested: list[str] = []
    governor = Governor(running or Running(), notify=notices.append)
    governor.set_models(lighter, requested.append)
    for shown, dropped in counts(*shares):
        governor.update(shown=shown, dropped=dropped)
    return notices, requested


def test_a_slow_pipeline_is_reported_once_with_a_hint() -> None:
    [notice], requested = judge(*[0.5] * 5 * SLOW_WINDOWS)
    assert not requested
    assert re.match(
        r"too slow for this camera: 6\d of the last 12\d frames were shown, with small on cpu; "
        r"use --model small\?quality=low or a smaller --size, or see with rtmatte bench",
        notice,
    )


@pytest.mark.parametrize("shares", [[0.0] * 9, [0.1] * 9, [0.5, 0.5, 0.0] * 3, [1.0, 0.0, 0.0] * 3])
def test_a_pipeline_that_is_rarely_slow_is_not_reported(shares: list[float]) -> None:
    assert judge(*shares, lighter=["low"]) == ([], [])


@pytest.mark.parametrize(("share", "reported"), [(1 / 7, False), (1 / 4, True)])
def test_a_pipeline_that_drops_more_than_a_fifth_is_reported(share: float, *, reported: bool) -> None:
    assert len(judge(*[share] * 5 * SLOW_WINDOWS)[0]) == reported


def test_a_slow_pipeline_switches_to_one_lighter_model_after_another() -> None:
    once = [0.5] * (SLOW_WINDOWS + 1)  # after a change it is judged again
    notices, requested = judge(*once * 4, lighter=["small", "small?quality=low"], running=Running("large"))
    assert requested == ["small", "small?quality=low"]
    assert [notice.rpartition("; ")[2] for notice in notices[:2]] == [
        f"switching to the model {spec}" for spec in requested
    ]
    assert "; use a smaller --size, or see with rtmatte bench" in notices[2]
    assert len(notices) == 3


def test_the_running_model_is_skipped() -> None:
    assert judge(*[0.5] * 4 * SLOW_WINDOWS, lighter=["small", "small?quality=low"])[1] == ["small?quality=low"]
