"""What the doctor finds."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from realtime_matte.errors import MatteError

State: TypeAlias = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. ``bad``: a call would not work. ``mend`` is empty where there is nothing to do."""

    part: str
    state: State
    found: str
    mend: str = ""


def good(part: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(part, "good", found)


def ill(part: str, error: MatteError) -> Finding:
    """A call would not work. Our errors say what failed; what there is instead; the mend."""
    return _split(part, "bad", str(error))


def noted(part: str, note: str) -> Finding:
    """A fall-back, written as an error is."""
    return _split(part, "warning", note)


def _split(part: str, state: State, text: str) -> Finding:
    found, _, mend = text.partition("; ")
    return Finding(part, state, found, mend)


MARKS: dict[State, str] = {"good": "ok  ", "warning": "note", "bad": "BAD "}


def told(finding: Finding) -> str:
    """The finding in a line or two."""
    line = f"{MARKS[finding.state]}  {finding.part:<14} {finding.found}"
    return f"{line}\n{' ' * 21}-> {finding.mend}" if finding.mend else line
