"""Runs all selected inputs side by side, while the tests wait for one result after the other."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Protocol

import pytest
from fuzz import runner
from fuzz.outcome import Run
from fuzz.runner import Case, Runner

SERVERS = min(2, os.cpu_count() or 1)
"""Processes at a time: each has up to 1.5 GB in use."""

BUDGET_S = float(os.environ.get("FUZZ_SECONDS", "inf"))
"""Inputs that have not started by then are skipped: the damaged ones, as the named ones come first."""


class Drawn(Protocol):
    """The parameter ``drawn`` of a test: something to be run."""

    name: str

    def case(self) -> Case: ...


@pytest.fixture(scope="session")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Run | None]]]:
    """The runs of all selected tests, by name, started at once."""
    selected = [item.callspec.params.get("drawn") for item in request.session.items if hasattr(item, "callspec")]
    with Runner(tmp_path_factory.mktemp("fuzz"), servers=SERVERS, budget_s=BUDGET_S) as one:
        yield {drawn.name: one.submit(drawn.case) for drawn in selected if drawn}
        assert one.changed_inputs() == []


@pytest.fixture
def run(drawn: Drawn, results: dict[str, Future[Run | None]]) -> Iterator[Run]:
    """The finished run of this test."""
    finished = results[drawn.name].result()
    if finished is None:
        pytest.skip(f"the time budget of {BUDGET_S:.0f} s is spent")
    yield finished
    runner.remove(finished)
