"""What came of one run of the command line, and the promises that hold for every input."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_SECONDS = 20
"""Limit of a run: time by the clock, less what it waited for a busy processor."""

MAX_MB = 1536
MAX_LINE = 500

REFUSED = 2
"""Exit status of an error that was printed in one line."""

NOTICES = re.compile(
    r"numbered PNGs|the demo camera: |compil(ing|ed) the pixel loops|is so weak that|"
    r"the first \w+ (frame|image)|only the first|control panel: "
)
"""Messages of a run that has started, which may stand before an error."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Codes that change the terminal or the direction of writing; line ends are looked at apart."""

EXPECTED_FILES = re.compile(r"home/\.local/state/rtmatte/log/crash\.txt|stdout\.txt|stderr\.txt")
"""Written by every run: the log of crashes, which is empty after a run without one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: Exit status; None after a signal.
        signal: Name of the signal that ended it, such as SIGSEGV.
        limit: The limit at which it was killed; empty if it ended by itself.
        seconds: Of the processor.
        megabytes: The most memory that was in use.
    """

    status: int | None
    signal: str
    limit: str
    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Run:
    """An outcome, the scratch folder of the run, and what it printed, line by line."""

    outcome: Outcome
    folder: Path
    out: Sequence[str]
    err: Sequence[str]
    files: Sequence[str]

    @property
    def error(self) -> str:
        """The last line on standard error."""
        return self.err[-1] if self.err else ""

    def broken_promises(self, outputs: Collection[str] = (), *, may_print: bool = False) -> list[str]:
        """What must never be, whatever the input is.

        Args:
            outputs: Files and folders that the run was asked to write, relative to its scratch folder.
            may_print: The command prints its result on standard output.
        """
        found = [self.outcome.limit] if self.outcome.limit else []
        if self.outcome.signal:
            found.append(f"killed by {self.outcome.signal}")
        if not found and self.outcome.status not in {0, REFUSED}:
            found.append(f"exit status {self.outcome.status}")
        found += _lines(self.err)
        if self.outcome.status == REFUSED and not found:
            errors = [line for line in self.err if not NOTICES.search(line)]
            found += [f"{len(errors)} lines for one error: {errors}"] if len(errors) != 1 else []
        if self.out and not may_print:
            found.append(f"printed on standard output: {self.out[0][:200]!r}")
        written = [name for name in self.files if not EXPECTED_FILES.fullmatch(name)]
        unasked = [name for name in written if not any(name == one or name.startswith(f"{one}/") for one in outputs)]
        return found + [f"wrote {name}" for name in unasked]


def _lines(lines: Sequence[str]) -> list[str]:
    """What is wrong with the lines on standard error."""
    text = "\n".join(lines)
    found = [f"a traceback: {lines[-1][:200]}"] if "Traceback" in text else []
    if CONTROL.search(text):
        found.append(f"control characters: {CONTROL.findall(text)[:9]}")
    if foreign := [line for line in lines if not re.match(r"rtmatte\b[\w -]*: ", line)]:
        found.append(f"a line of another library: {foreign[0][:200]!r}")
    return found + [f"a line of {len(line)} characters" for line in lines if len(line) >= MAX_LINE]
