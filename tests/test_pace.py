"""Whether a line that does not keep up with its camera says so."""

from collections.abc import Iterator

import pytest

from realtime_matte.line.pace import IN_A_ROW, WINDOW, Pace


def counts(*shares: float) -> Iterator[tuple[int, int]]:
    """Frames shown and dropped so far, frame by frame, through windows in which these shares are dropped."""
    shown, dropped = 7, 1000  # dropped while the network was opened, before anything was shown
    for share in shares:
        begin = shown + dropped
        while shown + dropped < begin + WINDOW:
            lost = share and round(1 / share) - 1
            shown, dropped = (shown + 1, dropped) if share < 1 else (shown, dropped + 1)
            if lost and shown % lost == 0:
                dropped += 1
            yield shown, dropped


def told(*shares: float) -> list[str]:
    lines: list[str] = []
    pace = Pace(model=lambda: "small on cpu", tell=lines.append)
    for shown, dropped in counts(*shares):
        pace.look(shown=shown, dropped=dropped)
    return lines


def test_a_line_that_does_not_keep_up_is_told_once_with_the_mend() -> None:
    [line] = told(*[0.5] * 5 * IN_A_ROW)
    assert line.startswith("too slow for this camera: of the last ")
    assert "with small on cpu; take --model small?quality=low or a smaller --size" in line


@pytest.mark.parametrize("shares", [[0.0] * 9, [0.1] * 9, [0.5, 0.5, 0.0] * 3, [1.0, 0.0, 0.0] * 3])
def test_a_line_that_keeps_up_or_stumbles_now_and_then_is_not_told(shares: list[float]) -> None:
    assert told(*shares) == []
