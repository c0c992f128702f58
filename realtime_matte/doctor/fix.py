"""``rtmatte doctor --fix``: lists the commands of the findings, asks, and runs them one by one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from realtime_matte.doctor.finding import Finding, FixCommand

Run: TypeAlias = Callable[[Sequence[str]], int]
"""Runs a command in this terminal and returns its exit status. Raises OSError if it cannot be started."""


@dataclass(frozen=True, slots=True)
class Shell:
    """How commands are run and the user is asked; tests pass fakes.

    Args:
        run: Runs a command.
        ask: Returns the user's answer to a question; None without a terminal.
        elevate: Words to put before a command that needs administrator rights: empty for the administrator, None if
            there is no program for it.
    """

    run: Run
    ask: Callable[[str], str] | None
    elevate: tuple[str, ...] | None

    def words(self, command: FixCommand) -> tuple[str, ...]:
        """The words that are executed."""
        return (*(self.elevate or ()), *command.words) if command.root else command.words

    def can_run(self, command: FixCommand) -> bool:
        """Whether the command can be run with the rights it needs."""
        return not command.root or self.elevate is not None


def apply(findings: Sequence[Finding], shell: Shell | None = None) -> bool:
    """List the commands, ask, and run them. True if any was run, so that checking again makes sense."""
    shell, plan = shell or this_shell(), commands(findings)
    if not plan:
        print("\nnothing here can be fixed automatically; the hints above say what to do")
        return False
    print("\nto fix it:")
    for command in plan:
        print(f"  {command.text}")
    if why := _refusal(shell, plan):
        print(f"{why}; run them yourself, then rtmatte doctor")
        return False
    _run_all(findings, shell)
    return True


def commands(findings: Sequence[Finding]) -> list[FixCommand]:
    """Every command once, in the order to run them."""
    return list(dict.fromkeys(command for finding in findings for command in finding.commands))


def this_shell() -> Shell:
    """The terminal of this process."""
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return Shell(_call, _ask if terminal else None, _elevate())


def _refusal(shell: Shell, plan: Sequence[FixCommand]) -> str:
    """Why nothing is run; empty if the user agreed."""
    if shell.ask is None:
        return "there is no terminal to ask in, so nothing was run"
    if not all(shell.can_run(command) for command in plan):
        return "neither sudo nor pkexec is installed, so nothing was run"
    root = ", some of them as administrator" if any(command.root for command in plan) else ""
    answer = shell.ask(f"run {'these' if len(plan) > 1 else 'this'} now{root}? [y/N] ")
    return "" if answer.strip().lower() in {"y", "yes"} else "nothing was run"


def _run_all(findings: Sequence[Finding], shell: Shell) -> None:
    """Run each command once. After a failure the rest of that finding's commands is skipped, not other findings'."""
    succeeded: dict[FixCommand, bool] = {}
    for finding in findings:
        for command in finding.commands:
            if command not in succeeded:
                succeeded[command] = _run(command, shell)
            if not succeeded[command]:
                break


def _run(command: FixCommand, shell: Shell) -> bool:
    """Run one command and print its result. True if it succeeded."""
    print(f"\n$ {command.text}", flush=True)
    try:
        status = shell.run(shell.words(command))
    except OSError as error:
        print(f"failed: {error.strerror}")
        return False
    print("done" if status == 0 else f"failed with status {status}", flush=True)
    return status == 0


def _call(words: Sequence[str]) -> int:
    return subprocess.run(words, check=False).returncode  # noqa: S603 - listed, and agreed to by the user


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""


def _elevate() -> tuple[str, ...] | None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return ()
    return next(((name,) for name in ("sudo", "pkexec") if shutil.which(name)), None)
