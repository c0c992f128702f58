"""What is right for a named case: what the output frames show, or how the error reads."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from fuzz.drawing import Color, Image
from fuzz.outcome import REFUSED, Run

GREY_TOLERANCE = 4
QUOTED = re.compile(r"'[^']*'|\S*/\S+")
"""Names of files in a message: they are no explanation."""


class Expectation(Protocol):
    """Says what is wrong with a run."""

    def problem(self, run: Run) -> str:
        """Empty if the run is right."""


def frames(folder: Path) -> list[Image]:
    """The output frames in their order, BGR or BGRA."""
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.glob("*.png"))]


@dataclass(frozen=True, slots=True)
class Shows:
    """Exit status 0, with these output frames.

    Attributes:
        size: Of the last frame.
        count: Number of frames; None for any above 0.
        colors: BGR at positions from 0 to 1 in the last frame, each within ``tolerance``.
        greys: Mean levels of the first frames.
        says: A pattern that one line must match.
        moves: The frames differ, or a line says that only the first image is shown.
    """

    size: tuple[int, int] | None = None
    count: int | None = None
    colors: Mapping[tuple[float, float], Color] = field(default_factory=dict)
    tolerance: int = 24
    greys: Sequence[int] = ()
    says: str = ""
    moves: bool = False

    def problem(self, run: Run) -> str:
        if run.outcome.status != 0:
            return f"not shown: {run.error}"
        shown = frames(run.folder / "out")
        if not shown:
            return "no frames"
        found = [self._size(shown), self._colors(shown[-1]), self._greys(shown), self._moves(shown, run)]
        if self.says and not any(re.search(self.says, line, re.IGNORECASE) for line in run.err):
            found.append(f"no line matches {self.says!r}")
        return "; ".join(filter(None, found))

    def _size(self, shown: Sequence[Image]) -> str:
        height, width = shown[-1].shape[:2]
        if self.count not in {None, len(shown)}:
            return f"{len(shown)} frames, not {self.count}"
        return "" if self.size in {None, (width, height)} else f"{width}x{height}, not {self.size}"

    def _colors(self, image: Image) -> str:
        height, width = image.shape[:2]
        for (x, y), color in self.colors.items():
            actual = image[int(y * height), int(x * width), :3].astype(int)
            if np.abs(actual - color).max() > self.tolerance:
                return f"colour {actual.tolist()} at {x}, {y}, not {color}"
        return ""

    def _greys(self, shown: Sequence[Image]) -> str:
        levels = [round(image.mean()) for image in shown[: len(self.greys)]]
        right = (
            np.allclose(levels, self.greys, atol=GREY_TOLERANCE, rtol=0) if len(levels) == len(self.greys) else False
        )
        return "" if right else f"greys {levels}, not {list(self.greys)}"

    def _moves(self, shown: Sequence[Image], run: Run) -> str:
        if not self.moves or any("only the first" in line or "only its first" in line for line in run.err):
            return ""
        still = all(np.abs(image.astype(int) - shown[0]).max() < 50 for image in shown)
        return "it stands still, and no line says so" if still else ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Exit status 2; the message, names of files left out, matches ``says`` and not ``never``; within ``max_mb``."""

    says: str = ""
    never: str = ""
    max_mb: float = 1000

    def problem(self, run: Run) -> str:
        message = QUOTED.sub("...", run.error)
        if run.outcome.status != REFUSED:
            return "not refused"
        if not re.search(self.says, message, re.IGNORECASE):
            return f"the message does not match {self.says!r}: {message}"
        if self.never and re.search(self.never, message, re.IGNORECASE):
            return f"the message matches {self.never!r}: {message}"
        return "" if run.outcome.megabytes <= self.max_mb else f"{run.outcome.megabytes:.0f} MB"


@dataclass(frozen=True, slots=True)
class Succeeds:
    """Exit status 0."""

    def problem(self, run: Run) -> str:
        return "" if run.outcome.status == 0 else run.error


@dataclass(frozen=True, slots=True)
class Either:
    """One of several."""

    choices: Sequence[Expectation]

    def problem(self, run: Run) -> str:
        problems = [choice.problem(run) for choice in self.choices]
        return "" if "" in problems else " / ".join(problems)


@dataclass(frozen=True, slots=True)
class NotCombed:
    """Neighbouring rows differ no more than every other row does: interlaced fields were separated."""

    max_levels: float = 2

    def problem(self, run: Run) -> str:
        shown = [image[..., 1].astype(float) for image in frames(run.folder / "out")[1:-1]]
        if run.outcome.status or not shown:
            return f"not shown: {run.error}"
        combs = [np.abs(np.diff(image, axis=0)).mean() - np.abs(image[:-2] - image[2:]).mean() for image in shown]
        return f"combs of {max(combs):.1f} levels" if max(combs) > self.max_levels else ""
