"""Options behind a spec: ``pics?seconds=30`` is the name ``pics`` with ``seconds`` 30. Several are joined by ``&``.

A word alone is switched on: ``clip.mp4?loop`` is short for ``clip.mp4?loop=yes``.
"""

from collections.abc import Callable, Container, Mapping
from math import isfinite
from typing import TypeVar

from realtime_matte.errors import SpecError

Value = TypeVar("Value")

SWITCHES = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}


def parse(rest: str, allowed: Mapping[str, Callable[[str], Value]]) -> tuple[str, dict[str, Value]]:
    """The name in front of the options, and each option read by its own reader (which raises ValueError).

    Only a ``?`` followed by ``word=`` or a word of ``allowed`` starts options, so that file names may hold one.

    Raises:
        SpecError: an option unknown, given twice, or without a value its reader takes.
    """
    name, text = split(rest, allowed)
    values: dict[str, Value] = {}
    for word in filter(None, text.split("&")):
        key, sign, value = word.partition("=")
        if key in values:
            raise SpecError(f"option {key!r} is given twice in {rest!r}", hint="give it once")
        values[key] = _read(rest, key, value if sign else "yes", allowed)
    return name, values


def split(rest: str, allowed: Container[str] = ()) -> tuple[str, str]:
    """What stands in front of the options, and the options, not read yet: for ``claims``."""
    name, mark, text = rest.rpartition("?")
    word, sign, _ = text.partition("&")[0].partition("=")
    return (name, text) if mark and (word.isidentifier() if sign else word in allowed) else (rest, "")


def positive(text: str) -> float:
    """A number above 0."""
    number = _number(text)
    if number <= 0:
        raise ValueError("a number above 0")
    return number


def at_least_zero(text: str) -> float:
    """A number, 0 or above."""
    number = _number(text)
    if number < 0:
        raise ValueError("a number of 0 or above")
    return number


def count(text: str) -> int:
    """A whole number above 0."""
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise ValueError("a whole number above 0")
    return int(text)


def switch(text: str) -> bool:
    """``yes`` or ``no``, in the usual spellings."""
    if text.lower() not in SWITCHES:
        raise ValueError("yes or no")
    return SWITCHES[text.lower()]


def _read(rest: str, key: str, value: str, allowed: Mapping[str, Callable[[str], Value]]) -> Value:
    if key not in allowed:
        there = ", ".join(sorted(allowed)) or "none"
        raise SpecError(f"no option {key!r} in {rest!r}", hint=f"there are: {there}")
    try:
        return allowed[key](value)
    except ValueError as error:
        raise SpecError(f"option {key}={value} in {rest!r} is not {error}") from error


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number") from None
    if not isfinite(number):
        raise ValueError("a number")
    return number
