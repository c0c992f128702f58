"""Parsers of option values: from what a command line, a TOML file or a Python call gives to the typed value.

Each raises ValueError with what the value should be ("a whole number from 1 to 256"), and accepts its own result.
"""

import os
import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the last two import NumPy, which `rtmatte --help` does without
    from collections.abc import Callable, Sequence

    from realtime_matte.frame import Size
    from realtime_matte.interfaces import Fit

SIDES_PX: Final = range(16, 8193)
"""Allowed width and height of the output."""

CONTROL: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
"""All control characters but tab and line feed."""

UNWANTED: Final = re.compile(f"[{CONTROL}\ud800-\udfff]")
"""What no text may contain: a surrogate, such as that of a byte that is not UTF-8, cannot be encoded."""

UNWANTED_IN_NAMES: Final = re.compile(f"[{CONTROL}\ud800-\udc7f\udd00-\udfff]")
"""What no name of a file may contain. Those of Linux need not be UTF-8: Python reads other bytes as U+DC80-U+DCFF."""

MAX_THREADS: Final = 256
"""Most CPU threads of a network: more only take memory."""

POWER_SAVERS: Final = ("auto", "on", "off")

FITS: Final[tuple["Fit", ...]] = ("cover", "contain", "stretch", "tile")
"""All of ``interfaces.Fit``, which a test compares."""


class InvalidItem(ValueError):
    """One of several values is invalid: ``value``."""

    def __init__(self, problem: str, value: object) -> None:
        super().__init__(problem)
        self.value = value


def size(value: object) -> "Size":
    """``WIDTHxHEIGHT``, or a pair of integers."""
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", value)
        sides = [int(side) for side in match.groups()] if match else []
    else:
        sides = list(value) if isinstance(value, tuple | list) else []
    if len(sides) != 2 or not all(type(side) is int and side in SIDES_PX for side in sides):  # noqa: PLR2004
        raise ValueError(f"WIDTHxHEIGHT with each from {SIDES_PX[0]} to {SIDES_PX[-1]}, such as 1280x720")
    return sides[0], sides[1]


def text(value: object) -> str:
    """A string with something in it, which can be encoded and drawn."""
    return _text(value, unwanted=UNWANTED)


def spec(value: object) -> str:
    """The spec of a plug-in, or a path. ``~`` is also expanded after ``word:``, where a shell leaves it."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    word, colon, rest = _text(path, unwanted=UNWANTED_IN_NAMES).partition(":")
    return f"{word}:{_expand(rest)}" if colon else _expand(word)


def camera(value: object) -> str:
    """A spec, or a camera's number."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError("a camera's number, from 0 on, or its name")
        return str(value)
    return spec(value)


def local(value: object) -> str:
    """A spec that is no URL."""
    found = spec(value)
    if re.match(r"[A-Za-z][\w+.-]*://", found):
        raise ValueError("a file: download it first")
    return found


def specs(value: object) -> tuple[str, ...]:
    """One spec that is no URL, or a list of them."""
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise ValueError("a text or a list of texts")
    return _each(local, values)


def overlays(value: object) -> tuple[str, ...]:
    """Any number of overlays; a text alone is one. A text to be drawn stays as it is, a file's name is expanded."""
    values = value if isinstance(value, list | tuple) else [value]
    return _each(lambda one: text(one) if isinstance(one, str) and one.startswith("text:") else local(one), values)


def point(value: object) -> tuple[float, float]:
    """``X,Y``, or a pair of numbers, each from 0 to 1."""
    parts: object = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 2:  # noqa: PLR2004 - x and y
        raise ValueError("X,Y with each from 0 to 1, such as 0.5,0.4")
    try:
        x, y = (Number(0, 1)(part) for part in parts)
    except ValueError:
        raise ValueError("X,Y with each from 0 to 1, such as 0.5,0.4") from None
    return x, y


def amount(value: object) -> str | float:
    """``auto``, ``off``, or a number from 0 to 1."""
    if value in ("auto", "off"):
        return str(value)
    try:
        return Number(0, 1)(value)
    except ValueError:
        raise ValueError("auto, off or a number from 0 to 1") from None


def switch(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004  # a wrong value of the user's, not of our types
    return value


@dataclass(frozen=True, slots=True)
class Choice:
    """Parser of one of several words."""

    choices: tuple[str, ...]

    def __call__(self, value: object) -> str:
        """The word; one that is a number may be given as one."""
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str) or value not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """Parser of a number in a range, ends included."""

    minimum: float
    maximum: float
    integer: bool = False

    def __call__(self, value: object) -> float:
        """The number; an int if ``integer``."""
        kind = "whole number" if self.integer else "number"
        problem = ValueError(f"a {kind} from {self.minimum:.12g} to {self.maximum:.12g}")  # in full: 1000000000
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise problem
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise problem from None
        in_range = isfinite(number) and self.minimum <= number <= self.maximum
        if not in_range or (self.integer and not number.is_integer()):
            raise problem
        return int(number) if self.integer else number


def _each(parse: "Callable[[object], str]", values: "Sequence[object]") -> tuple[str, ...]:
    """Each value, parsed. Raises InvalidItem."""
    parsed: list[str] = []
    for value in values:
        try:
            parsed.append(parse(value))
        except ValueError as error:
            from realtime_matte.errors import MatteError  # noqa: PLC0415  # for an error only

            if isinstance(error, MatteError):  # an impossible file name, complete as it is
                raise
            raise InvalidItem(str(error), value) from error
    return tuple(parsed)


def _text(value: object, *, unwanted: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    if unwanted.search(value):
        raise ValueError("a text without control characters and wrong bytes")
    return value


def _expand(name: str) -> str:
    """The name with ``~`` expanded; one that still begins with it is a file's, and is expanded to itself again."""
    if not name.startswith("~"):
        return name
    from realtime_matte.paths import named  # noqa: PLC0415  # it imports pathlib, which `rtmatte --help` does without

    return str(named(name))
