"""Tries damaged inputs by the thousand, and prints those that broke a promise, and counts by kind.

``python -m fuzz`` with ``tests`` on PYTHONPATH (or ``make fuzz``) draws 1000 of each kind; ``python -m fuzz images-17``
tries one again and keeps its files; ``--named`` tries the named inputs too.
"""

# ruff: noqa: T201 -- a program that prints

import argparse
import collections
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from fuzz import runner
from fuzz.cases import CASES, Named
from fuzz.draw import KINDS, Damaged
from fuzz.outcome import REFUSED, Run
from fuzz.runner import Case, Runner

Row = collections.Counter[str]
COLUMNS = ("inputs", "shown", "refused", "broken")


def main() -> int:
    """Exit status 1 if a promise was broken."""
    options = _options()
    inputs = list(chosen(options))
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    start = time.monotonic()
    print(f"{len(inputs)} inputs, {options.jobs} at a time", flush=True)
    with Runner(folder, servers=options.jobs, budget_s=options.seconds) as one:
        table, kept = try_all(one, inputs, keep=bool(options.names))
    print(as_table(table))
    print(f"in {time.monotonic() - start:.0f} s")
    if kept:
        print(f"files of these runs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return int(any(row["broken"] for row in table.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="inputs to try again, such as images-17; default: --count of each kind"
    )
    parser.add_argument("--count", type=int, default=1000, help="damaged inputs of each kind (default: 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first number of each kind (default: 0)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind; may be repeated")
    parser.add_argument("--named", action="store_true", help="the named inputs too")
    parser.add_argument("--seconds", type=float, default=math.inf, help="start no more inputs after this time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time (default: one a core)")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> Iterator[tuple[str, Named | Damaged]]:
    """The inputs to try, with their kinds."""
    if options.named:
        yield from ((f"named: {kind}", case) for kind, cases in CASES.items() for case in cases())
    for name in options.names:
        kind, _, number = name.rpartition("-")
        yield kind, Damaged(kind, int(number))
    if not options.names:
        for number in range(options.first, options.first + options.count):
            yield from ((kind, Damaged(kind, number)) for kind in options.kind or KINDS)


def try_all(one: Runner, inputs: Sequence[tuple[str, Named | Damaged]], *, keep: bool) -> tuple[dict[str, Row], bool]:
    """Counts by kind, and whether files of a run are kept: of each broken promise, or of all if ``keep``."""
    table: dict[str, Row] = collections.defaultdict(collections.Counter)
    pending = [(kind, drawn, one.submit(drawn.case)) for kind, drawn in inputs]
    kept = keep
    for kind, drawn, future in pending:
        run = future.result()
        if run is None:
            break
        problems = found(drawn, run)
        table[kind]["inputs"] += 1
        table[kind]["refused" if run.outcome.status == REFUSED else "shown"] += run.outcome.status in {0, REFUSED}
        table[kind]["broken"] += bool(problems)
        if problems or keep:
            print(_described(drawn.case(), run, problems), flush=True)
            kept = True
        else:
            runner.remove(run)
    return table, kept


def found(drawn: Named | Damaged, run: Run) -> list[str]:
    """What is wrong with a run."""
    if isinstance(drawn, Named):
        return [*run.broken_promises(["out"]), *filter(None, [drawn.right.problem(run)])]
    case = drawn.case()
    return run.broken_promises(case.outputs, may_print=case.may_print)


def _described(case: Case, run: Run, problems: Sequence[str]) -> str:
    outcome = run.outcome
    end = f"status {outcome.status}, {outcome.seconds:.1f} s, {outcome.megabytes:.0f} MB"
    words = " ".join(word[:80] for word in case.words)
    return "\n    ".join(
        [case.name, *map(repr, problems), f"{words!a}", end, *(f"{line[:200]!a}" for line in run.err[-2:])]
    )


def as_table(table: dict[str, Row]) -> str:
    """The counts in Markdown, as docs/damaged-inputs.md has them."""
    total: Row = sum(table.values(), collections.Counter())
    rows = [*table.items(), ("all", total)]
    lines = [f"| {kind} | {' | '.join(str(row[column]) for column in COLUMNS)} |" for kind, row in rows]
    return "\n".join([f"| kind | {' | '.join(COLUMNS)} |", f"|---|{'---:|' * len(COLUMNS)}", *lines])


if __name__ == "__main__":
    sys.exit(main())
