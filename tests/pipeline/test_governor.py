"""Whether a line that does not keep up with its camera says so, and takes a lighter network where it may."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from realtime_matte.pipeline.governor import IN_A_ROW, JUDGED, Governor


def counts(*shares: float) -> Iterator[tuple[int, int]]:
    """Frames shown and dropped so far, frame by frame, through windows in which these shares are dropped."""
    shown, dropped = 7, 1000  # dropped while the network was opened, before anything was shown
    for share in shares:
        begin = shown + dropped
        while shown + dropped < begin + JUDGED:
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


def told(*shares: float, lighter: Sequence[str] = (), now: Running | None = None) -> tuple[list[str], list[str]]:
    """What is said, and which networks are asked for."""
    lines: list[str] = []
    asked: list[str] = []
    pace = Governor(now or Running(), notify=lines.append)
    pace.govern(lighter, asked.append)
    for shown, dropped in counts(*shares):
        pace.look(shown=shown, dropped=dropped)
    return lines, asked


def test_a_line_that_does_not_keep_up_is_told_once_with_the_mend() -> None:
    [line], asked = told(*[0.5] * 5 * IN_A_ROW)
    assert not asked
    assert line.startswith("too slow for this camera: of the last ")
    assert "with small on cpu; take --model small?quality=low or a smaller --size" in line


@pytest.mark.parametrize("shares", [[0.0] * 9, [0.1] * 9, [0.5, 0.5, 0.0] * 3, [1.0, 0.0, 0.0] * 3])
def test_a_line_that_keeps_up_or_stumbles_now_and_then_is_not_told(shares: list[float]) -> None:
    assert told(*shares, lighter=["low"]) == ([], [])


def test_a_line_that_does_not_keep_up_takes_lighter_networks_one_after_the_other() -> None:
    once = [0.5] * (IN_A_ROW + 1)  # after a change it is judged anew
    lines, asked = told(*once * 4, lighter=["small", "small?quality=low"], now=Running("large"))
    assert asked == ["small", "small?quality=low"]
    assert [line.rpartition("; ")[2] for line in lines[:2]] == [f"the model is {spec} from now on" for spec in asked]
    assert "; take a smaller --size, or see with rtmatte bench" in lines[2]
    assert len(lines) == 3


def test_the_network_that_runs_does_not_take_over_from_itself() -> None:
    assert told(*[0.5] * 4 * IN_A_ROW, lighter=["small", "small?quality=low"])[1] == ["small?quality=low"]
