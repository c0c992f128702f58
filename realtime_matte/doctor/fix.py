"""``rtmatte doctor --fix``: the commands of the findings, listed, asked for, and run one by one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from realtime_matte.doctor.finding import Finding, FixCommand

Run: TypeAlias = Callable[[Sequence[str]], int]
"""Runs a command in this terminal; its exit status."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Where commands are run, and who is asked; the real ones but in tests.

    ``question``: the answer to a line; None where there is nobody to ask. ``become``: what makes the administrator of
    who runs this, empty when it is the administrator already, None when nothing can.
    """

    run: Run
    question: Callable[[str], str] | None
    become: tuple[str, ...] | None

    def words(self, command: FixCommand) -> tuple[str, ...]:
        """What is really run."""
        return (*(self.become or ()), *command.words) if command.root else command.words

    def may(self, command: FixCommand) -> bool:
        """Whether it can be run at all."""
        return not command.root or self.become is not None


def mend(findings: Sequence[Finding], shell: Shell | None = None) -> bool:
    """True when something was run, so that it is worth to look again."""
    shell, plan = shell or this_shell(), commands(findings)
    if not plan:
        print("\nnothing here can be mended without you; what is to be done stands above")
        return False
    print("\nto mend it:")
    for command in plan:
        print(f"  {command.text}")
    if why := _refused(shell, plan):
        print(f"{why}; run them yourself, then rtmatte doctor")
        return False
    return _run(findings, shell)


def commands(findings: Sequence[Finding]) -> list[FixCommand]:
    """Each once, in the order they are to be run."""
    return list(dict.fromkeys(command for finding in findings for command in finding.commands))


def this_shell() -> Shell:
    """The terminal this runs in."""
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return Shell(_call, _question if terminal else None, _become())


def _refused(shell: Shell, plan: Sequence[FixCommand]) -> str:
    """Why nothing may be run; empty after a yes."""
    if shell.question is None:
        return "there is no terminal to ask in, so nothing was run"
    if not all(shell.may(command) for command in plan):
        return "there is no sudo and no pkexec here, so nothing was run"
    root = ", some of them as the administrator" if any(command.root for command in plan) else ""
    answer = shell.question(f"run {'these' if len(plan) > 1 else 'this'} now{root}? [y/N] ")
    return "" if answer.strip().lower() in {"y", "yes"} else "nothing was run"


def _run(findings: Sequence[Finding], shell: Shell) -> bool:
    """One by one. What follows a failure in the same finding is left out; the others may still be mended."""
    done: dict[FixCommand, bool] = {}
    for finding in findings:
        for command in finding.commands:
            if command not in done:
                done[command] = _told(command, shell)
            if not done[command]:
                break
    return True


def _told(command: FixCommand, shell: Shell) -> bool:
    print(f"\n$ {command.text}", flush=True)
    try:
        status = shell.run(shell.words(command))
    except OSError as error:
        print(f"failed: {error.strerror}")
        return False
    print("done" if status == 0 else f"failed, with status {status}", flush=True)
    return status == 0


def _call(words: Sequence[str]) -> int:
    return subprocess.run(words, check=False).returncode  # noqa: S603 - listed, and agreed to


def _question(line: str) -> str:
    try:
        return input(line)
    except EOFError:
        return ""


def _become() -> tuple[str, ...] | None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return ()
    return next(((name,) for name in ("sudo", "pkexec") if shutil.which(name)), None)
