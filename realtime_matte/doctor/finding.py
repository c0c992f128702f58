"""What the doctor finds."""

import shlex
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from realtime_matte.errors import MatteError

Severity: TypeAlias = Literal["good", "warning", "bad"]

WHY: Final = {
    "settings": "what you asked for cannot be done",
    "camera": "others see what it sees, at the rate it gives",
    "model": "it tells you from the room; without it the standby card is all that is sent",
    "background": "it is what others see in place of the room",
    "card": "it is what others see whenever there is no matte",
    "virtualcam": "it is the camera that is chosen in a call",
    "pipewire": "it is the camera that is chosen in a call",
    "python": "rtmatte is written for newer ones",
    "weights": "a network that was changed may keep parts of the room",
}
"""Why a part matters, where the finding itself does not say more."""


@dataclass(frozen=True, slots=True)
class FixCommand:
    """A command that mends something without a guess. ``root``: only the administrator may run it."""

    words: tuple[str, ...]
    root: bool = False

    @property
    def text(self) -> str:
        """To be pasted into a shell."""
        return ("sudo " if self.root else "") + shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``bad``: a call would not work.

    ``why`` it matters; ``mend``: what to do, in words; both are empty where there is nothing to do. ``commands``: the
    part of the mend that needs no guess, to be run in this order.
    """

    part: str
    state: Severity
    found: str
    mend: str = ""
    why: str = ""
    commands: tuple[FixCommand, ...] = ()


def good(part: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(part, "good", found)


def ill(part: str, error: MatteError) -> Finding:
    """A call would not work. Our errors say what failed; what there is instead; the mend."""
    return _split(part, "bad", str(error))


def noted(part: str, note: str) -> Finding:
    """A fall-back, written as an error is."""
    return _split(part, "warning", note)


def _split(part: str, state: Severity, text: str) -> Finding:
    found, _, mend = text.partition("; ")
    return Finding(part, state, found, mend, _why(part))


def _why(part: str) -> str:
    return WHY.get(part.partition(":")[0], "")


MARKS: Final[dict[Severity, str]] = {"good": "ok  ", "warning": "note", "bad": "BAD "}
INDENT: Final = " " * 22


def told(finding: Finding) -> str:
    """The finding in a line; why it matters, the mend and its commands in lines of their own."""
    lines = [f"{MARKS[finding.state]}  {finding.part:<15} {finding.found}"]
    if finding.state != "good" and (why := finding.why or _why(finding.part)):
        lines.append(f"{INDENT}{why}")
    if finding.mend:
        lines.append(f"{INDENT}-> {finding.mend}")
    return "\n".join([*lines, *(f"{INDENT}$ {command.text}" for command in finding.commands)])


def record(finding: Finding) -> dict[str, object]:
    """For JSON; these keys stay."""
    return {
        "part": finding.part,
        "state": finding.state,
        "found": finding.found,
        "why": finding.why or _why(finding.part),
        "mend": finding.mend,
        "commands": [command.text for command in finding.commands],
    }
