"""Every named input is shown rightly, or refused in one line that says what to do."""

import sys

import pytest
from fuzz.cases import CASES, Named
from fuzz.outcome import Run

pytestmark = [pytest.mark.fuzz, pytest.mark.skipif(sys.platform != "linux", reason="watches processes by /proc")]

ALL = [case for cases in CASES.values() for case in cases()]


@pytest.mark.parametrize("drawn", ALL, ids=lambda drawn: drawn.name)
def test_named_inputs_are_shown_rightly_or_refused_in_one_line(drawn: Named, run: Run) -> None:
    assert run.broken_promises(outputs=["out"]) == []
    assert drawn.right.problem(run) == ""


def test_every_named_input_has_a_name_of_its_own() -> None:
    names = [case.name for case in ALL]
    assert sorted(set(names)) == sorted(names)
