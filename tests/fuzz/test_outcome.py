"""The judge finds each kind of broken promise."""

from dataclasses import replace
from pathlib import Path

import pytest
from fuzz.outcome import Outcome, Run

REFUSED = Outcome(2, "", "", 0.1, 200)
SHOWN = Outcome(0, "", "", 0.1, 200)
ONE_LINE = ["rtmatte: cannot read the image 'x.png': No such file or directory; name an existing file"]
CRASH_LOG = "home/.local/state/rtmatte/log/crash.txt"


def run(outcome: Outcome = SHOWN, *, out: list[str] | None = None, err: list[str] | None = None) -> Run:
    return Run(outcome, Path(), out or [], err or [], ["stdout.txt", "stderr.txt", CRASH_LOG])


@pytest.mark.parametrize(
    "right",
    [
        run(),
        run(REFUSED, err=ONE_LINE),
        run(REFUSED, err=["rtmatte: /tmp/out: numbered PNGs", *ONE_LINE]),
        run(REFUSED, err=["rtmatte demo: no camera; name another"]),
    ],
)
def test_one_line_and_status_2_is_right(right: Run) -> None:
    assert right.broken_promises() == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (run(replace(SHOWN, status=None, signal="SIGSEGV")), "killed by SIGSEGV"),
        (run(replace(SHOWN, status=None, limit="over 20 s")), "over 20 s"),
        (run(replace(SHOWN, status=1)), "exit status 1"),
        (run(replace(SHOWN, status=1), err=["Traceback (most recent call last):", "KeyError: 1"]), "a traceback"),
        (run(REFUSED), "0 lines for one error"),
        (run(REFUSED, err=ONE_LINE * 2), "2 lines for one error"),
        (run(err=["[h264 @ 0x1] no frame!"]), "a line of another library"),
        (run(err=["rtmatte: \x1b[31mred"]), "control characters"),
        (run(err=["rtmatte: \u202exe.gnp"]), "control characters"),
        (run(err=["rtmatte: " + "x" * 500]), "a line of 509 characters"),
        (run(out=["libpng error"]), "printed on standard output"),
    ],
)
def test_broken_promises_are_found(wrong: Run, problem: str) -> None:
    assert any(found.startswith(problem) for found in wrong.broken_promises())


def test_files_that_were_not_asked_for_are_found() -> None:
    written = replace(run(), files=["out/000000.png", "tmp/x", "outside"])
    assert written.broken_promises(["out"]) == ["wrote tmp/x", "wrote outside"]


def test_printing_is_right_where_it_is_asked_for() -> None:
    assert run(out=["usage: rtmatte"]).broken_promises(may_print=True) == []
