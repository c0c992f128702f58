"""A sample through the real command line: the other tests start it by a fork, with everything imported."""

import sys
from pathlib import Path

import pytest
from fuzz.draw import Damaged
from fuzz.runner import run_command

pytestmark = [pytest.mark.fuzz, pytest.mark.skipif(sys.platform != "linux", reason="its folders are those of Linux")]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("kind", ["clips", "images", "networks", "settings", "options"])
def test_damaged_inputs_end_in_one_line_in_a_new_interpreter(kind: str, number: int, tmp_path: Path) -> None:
    case = Damaged(kind, number).case()
    run = run_command(case, tmp_path)
    assert run.broken_promises(case.outputs, may_print=case.may_print) == []
