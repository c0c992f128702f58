"""Options of one spec: ``photos?seconds=30&fade=0`` is the name ``photos`` with two options.

A plug-in declares its options as a module constant, ``OPTIONS: Mapping[str, SpecOption]``, and calls
``parse(rest, OPTIONS)``. Documentation and control panel read the same constant. ``word`` is short for ``word=yes``:
``clip.mp4?loop``.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Generic, TypeVar

from realtime_matte.errors import SpecError, suggest

Value = TypeVar("Value")

SWITCHES: Final = {
    "yes": True,
    "on": True,
    "true": True,
    "1": True,
    "no": False,
    "off": False,
    "false": False,
    "0": False,
}


@dataclass(frozen=True, slots=True)
class SpecOption(Generic[Value]):
    """One option behind a spec.

    Attributes:
        parser: Returns the typed value of a text, or raises ValueError with what the text should be.
        help: What the option does, for documentation and forms.
        default: The value when the option is not given.
    """

    parser: Callable[[str], Value]
    help: str
    default: Value

    def __call__(self, text: str) -> Value:
        """The typed value. Raises ValueError with what the text should be."""
        return self.parser(text)


def parse(rest: str, allowed: Mapping[str, Callable[[str], Any]], *, plugin: str = "") -> tuple[str, dict[str, Any]]:
    """The name before the options, and the options' typed values.

    Args:
        rest: What follows a plug-in's word. Only a ``?`` before ``word=``, or before a word of ``allowed``, starts the
            options, because file names may contain one.
        allowed: A SpecOption by name, or a parser alone. Values of SpecOptions that are not given are their defaults;
            other names that are not given are absent.
        plugin: The plug-in's word, for messages, where ``rest`` is no file's name: each ``?`` starts options then.

    Raises:
        SpecError: An option is unknown, given twice, or has an invalid value.

    Example:
        >>> parse("photos?seconds=30", {"seconds": SpecOption(positive, "time of each image, s", 10.0)})
        ('photos', {'seconds': 30.0})
    """
    spec = f"{plugin}{'' if not rest or rest.startswith('?') else ':'}{rest}" if plugin else rest
    name, text = rest.partition("?")[::2] if plugin else split(rest, allowed)
    given: dict[str, Any] = {}
    for word in filter(None, text.split("&")):
        key, sign, value = word.partition("=")
        if key in given:
            raise SpecError(f"option {key!r} is given twice in {spec!r}", hint="give it once")
        given[key] = _parse(spec, key, value if sign else "yes", allowed)
    return name, {key: one.default for key, one in allowed.items() if isinstance(one, SpecOption)} | given


def split(rest: str, allowed: Container[str] = ()) -> tuple[str, str]:
    """The name before the options, and the options unparsed: for ``claims``."""
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
    """``yes`` or ``no``, or one of the other words of SWITCHES."""
    if text.lower() not in SWITCHES:
        raise ValueError("yes or no")
    return SWITCHES[text.lower()]


def _parse(spec: str, key: str, value: str, allowed: Mapping[str, Callable[[str], Any]]) -> Any:  # noqa: ANN401
    if key not in allowed:
        known = ", ".join(sorted(allowed)) or "none"
        raise SpecError(f"no option {key!r} in {spec!r}", hint=suggest(key, allowed, f"there are: {known}"))
    try:
        return allowed[key](value)
    except ValueError as error:
        raise SpecError(f"option {key}={value} in {spec!r} is not {error}") from error


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number") from None
    if not isfinite(number):
        raise ValueError("a number")
    return number
