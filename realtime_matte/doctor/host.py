"""The machine as the doctor reads it: files, environment and programs. Tests replace every field."""

import getpass
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from realtime_matte.paths import is_file

TIMEOUT_S: Final = 10.0
"""Maximum run time of a program that is asked for information."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The exit status of a program, and the text of both its output streams."""

    status: int
    text: str


Ask: TypeAlias = Callable[[Sequence[str]], Answer | None]
"""Runs a program that only reports something; None if it does not exist or does not answer in time."""


def ask(words: Sequence[str]) -> Answer | None:
    """Run a program on this machine, for ``Host.ask``."""
    try:
        done = subprocess.run(  # noqa: S603 - the words are constants of this package
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"))


def _groups() -> frozenset[int]:
    return frozenset(os.getgroups()) if hasattr(os, "getgroups") else frozenset()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "$USER"  # a user id without a name, as in some containers


@dataclass(frozen=True, slots=True)
class Host:
    """One machine. ``root``: the root of its files. ``release``: of the running kernel. ``groups``: of this session."""

    root: Path = Path("/")
    release: str = field(default_factory=platform.release)
    ask: Ask = ask
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=lambda: Path(os.path.expanduser("~")))  # noqa: PTH111 - never fails
    user: str = field(default_factory=_user)
    groups: frozenset[int] = field(default_factory=_groups)
    access: Callable[[Path, int], bool] = os.access

    def read(self, path: str) -> str:
        """The content of a text file, stripped; empty if it is missing or cannot be read."""
        try:
            return (self.root / path).read_text("utf-8", errors="replace").strip()
        except OSError:
            return ""

    def lines(self, *patterns: str) -> list[tuple[Path, str]]:
        """Each line of all files that match, with its file, without comments and empty lines."""
        files = [path for pattern in patterns for path in sorted(self.root.glob(pattern)) if is_file(path)]
        lines = [(path, line.strip()) for path in files for line in self.read(str(path)).splitlines()]
        return [(path, line) for path, line in lines if line and line[0] not in "#;"]

    @property
    def container(self) -> bool:
        """Whether this is a container, whose kernel belongs to the machine outside."""
        return is_file(self.root / ".dockerenv") or is_file(self.root / "run/.containerenv")
