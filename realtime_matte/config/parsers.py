"""What a setting's value may be: each reader gives it in its type, or raises ValueError that says what it should be."""

import re
from collections.abc import Callable
from math import isfinite
from typing import get_args

from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit
from realtime_matte.paths import named

SIDES = range(16, 8193)
"""Pixels a side of the output may have."""


def size(value: object) -> Size:
    """``WIDTHxHEIGHT``."""
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", value) if isinstance(value, str) else None
    if found is None or int(found[1]) not in SIDES or int(found[2]) not in SIDES:
        raise ValueError(f"WIDTHxHEIGHT with each from {SIDES[0]} to {SIDES[-1]}, such as 1280x720")
    return int(found[1]), int(found[2])


def text(value: object) -> str:
    """Anything but nothing."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def spec(value: object) -> str:
    """A ``~`` is the home folder also behind a word, where no shell expands it."""
    word, colon, rest = text(value).partition(":")
    if not colon:
        return _home(word)
    return f"{word}:{_home(rest)}"


def camera(value: object) -> str:
    """A spec; a number is that camera's."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError("a camera's number, from 0 on, or its name")
        return str(value)
    return spec(value)


def specs(value: object) -> tuple[str, ...]:
    """One spec, or several."""
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise ValueError("a text or a list of texts")
    return tuple(spec(one) for one in values)


def switch(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004  # a wrong value of the user's, not of our types
    return value


def fit(value: object) -> Fit:
    """How a background fills the picture."""
    if value not in get_args(Fit):
        raise ValueError(f"one of {', '.join(get_args(Fit))}")
    return value  # type: ignore[return-value]  # just compared with all that Fit may be


def number(least: float, most: float, *, whole: bool) -> Callable[[object], float]:
    """A reader of numbers in a range, ends included."""

    def read(value: object) -> float:
        want = ValueError(f"a {'whole ' if whole else ''}number from {least:g} to {most:g}")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise want
        try:
            found = float(value)
        except (ValueError, OverflowError):
            raise want from None
        if not isfinite(found) or not least <= found <= most or (whole and found != int(found)):
            raise want
        return int(found) if whole else found

    return read


def _home(name: str) -> str:
    return str(named(name)) if name.startswith("~") else name
