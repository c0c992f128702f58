"""A finding of the doctor, its text for a terminal and its record for JSON."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from realtime_matte.errors import MatteError, printable

State: TypeAlias = Literal["ok", "warning", "error"]
"""``error``: a call would not work. ``warning``: it works with a restriction, or will stop working."""

WHY: Final = {
    "settings": "what you asked for cannot be done",
    "camera": "without a camera there is nothing to send",
    "model": "it separates you from the background; without it only the standby card is sent",
    "background": "others see it in place of your room",
    "card": "others see it whenever there is no matte",
    "virtualcam": "calls receive the output through it",
    "pipewire": "calls receive the output through it",
    "python": "rtmatte needs a newer version",
    "weights": "a changed network may leave parts of the room visible",
}
"""Why a part matters, where the finding itself gives no reason; by the part's name before ``:``."""

MARKS: Final[dict[State, str]] = {"ok": "ok   ", "warning": "warn ", "error": "ERROR"}
INDENT: Final = " " * 23
"""The column in which ``found`` begins."""


@dataclass(frozen=True, slots=True)
class FixCommand:
    """A command that fixes something and is certain to be right. ``root``: it needs administrator rights."""

    words: tuple[str, ...]
    root: bool = False

    @property
    def text(self) -> str:
        """The command as it is typed in a shell."""
        return ("sudo " if self.root else "") + shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        part: What was checked, such as ``camera`` or ``virtualcam:/dev/video10``.
        state: Whether it would work.
        found: What was found, with the values.
        hint: What to do, in words; empty if there is nothing to do.
        why: Why it matters; empty if there is nothing to do, or if ``WHY`` has the reason.
        commands: The part of the fix that is certain, in the order to run it.
    """

    part: str
    state: State
    found: str
    hint: str = ""
    why: str = ""
    commands: tuple[FixCommand, ...] = ()


def ok(part: str, found: str) -> Finding:
    """A finding with nothing to do."""
    return Finding(part, "ok", found)


def warning(part: str, found: str, *, hint: str = "", why: str = "", commands: Sequence[FixCommand] = ()) -> Finding:
    """A finding that restricts a call but does not prevent it."""
    return Finding(part, "warning", found, hint, why, tuple(commands))


def error(part: str, cause: MatteError) -> Finding:
    """A finding that prevents a call, from the message and the hint of ``cause``."""
    return Finding(part, "error", cause.message, cause.hint)


def to_text(finding: Finding) -> str:
    """The finding in one line; below it why it matters, the hint and the commands, one line each."""
    lines = [f"{MARKS[finding.state]}  {finding.part:<15} {finding.found}"]
    if finding.state != "ok" and (why := _why(finding)):
        lines.append(f"{INDENT}{why}")
    if finding.hint:
        lines.append(f"{INDENT}-> {finding.hint}")
    lines += [f"{INDENT}$ {command.text}" for command in finding.commands]
    return "\n".join(map(printable, lines))


def record(finding: Finding) -> dict[str, object]:
    """The finding for JSON. These keys are part of the interface of ``rtmatte doctor --json``."""
    return {
        "part": finding.part,
        "state": finding.state,
        "found": finding.found,
        "why": _why(finding),
        "hint": finding.hint,
        "commands": [command.text for command in finding.commands],
    }


def _why(finding: Finding) -> str:
    return finding.why or WHY.get(finding.part.partition(":")[0], "")
