"""The machine as the doctor reads it; all of it can be played in tests."""

import getpass
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from realtime_matte.paths import is_file

PATIENCE_S: Final = 10.0
"""So long a program may take to answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said, on both its outputs, and its exit status."""

    status: int
    text: str


Ask: TypeAlias = Callable[[Sequence[str]], Answer | None]
"""Runs a program that only tells; None where there is no such program, or it does not answer."""


def ask(words: Sequence[str]) -> Answer | None:
    """The real one."""
    try:
        done = subprocess.run(  # noqa: S603 - words of our own
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S,
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
        return "$USER"  # a number without a name, as in some containers


@dataclass(frozen=True, slots=True)
class Host:
    """``root``: where its files are. ``release``: of the running kernel. ``groups``: numbers of this session's."""

    root: Path = Path("/")
    release: str = field(default_factory=platform.release)
    ask: Ask = ask
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=lambda: Path(os.path.expanduser("~")))  # noqa: PTH111 - never fails
    user: str = field(default_factory=_user)
    groups: frozenset[int] = field(default_factory=_groups)
    access: Callable[[Path, int], bool] = os.access

    def read(self, path: str) -> str:
        """A text file's content, stripped; empty where it is not there or may not be read."""
        try:
            return (self.root / path).read_text("utf-8", errors="replace").strip()
        except OSError:
            return ""

    def lines(self, *patterns: str) -> list[tuple[Path, str]]:
        """Every line that is no comment, of all files that fit, with its file."""
        files = [path for pattern in patterns for path in sorted(self.root.glob(pattern)) if is_file(path)]
        lines = [(path, line.strip()) for path in files for line in self.read(str(path)).splitlines()]
        return [(path, line) for path, line in lines if line and line[0] not in "#;"]

    @property
    def container(self) -> bool:
        """True where the kernel is another system's matter."""
        return is_file(self.root / ".dockerenv") or is_file(self.root / "run/.containerenv")
