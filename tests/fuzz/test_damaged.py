"""Damaged inputs, drawn with fixed seeds: exit status 0 or 2, one line, nothing else. ``python -m fuzz`` draws more."""

import random
import sys

import pytest
from fuzz.draw import KINDS, Damaged
from fuzz.outcome import Run

pytestmark = [pytest.mark.fuzz, pytest.mark.skipif(sys.platform != "linux", reason="watches processes by /proc")]

COUNTS = {"clips": 70, "images": 90, "networks": 60, "settings": 50, "options": 60, "mattes": 40}
"""Inputs of each kind: together with the named ones, two minutes on two cores."""


@pytest.mark.parametrize(
    "drawn",
    [Damaged(kind, number) for kind, count in COUNTS.items() for number in range(count)],
    ids=lambda drawn: drawn.name,
)
def test_damaged_inputs_end_in_one_line(drawn: Damaged, run: Run) -> None:
    case = drawn.case()
    assert run.broken_promises(case.outputs, may_print=case.may_print) == [], case.words


def test_every_kind_is_tried() -> None:
    assert set(COUNTS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_always_draws_the_same_input(kind: str) -> None:
    assert Damaged(kind, 3).case() == Damaged(kind, 3).case()
    assert Damaged(kind, 3).case() != Damaged(kind, 4).case()
    assert random.Random("3").random() == random.Random("3").random()  # noqa: S311 -- strings are hashed alike everywhere
