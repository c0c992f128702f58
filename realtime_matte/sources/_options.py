"""Options behind a source's spec: ``clip.mp4?loop`` is short for ``clip.mp4?loop=yes``."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from realtime_matte import options

Value = TypeVar("Value")


def parse(rest: str, allowed: Mapping[str, Callable[[str], Value]]) -> tuple[str, dict[str, Value]]:
    """The name in front of the options, and the options. Raises SpecError, which names the allowed ones."""
    return options.parse(_spelled_out(rest, allowed), allowed)


def name(rest: str, allowed: Mapping[str, object]) -> str:
    """The name in front of the options, which are not read: for ``claims``."""
    return options.split(_spelled_out(rest, allowed))[0]


def count(text: str) -> int:
    """A whole number above 0."""
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise ValueError("a whole number above 0")
    return int(text)


def _spelled_out(rest: str, allowed: Mapping[str, object]) -> str:
    head, mark, tail = rest.rpartition("?")
    words = tail.split("&")
    if not mark or not all("=" in word or word in allowed for word in words):
        return rest
    return head + mark + "&".join(word if "=" in word else f"{word}=yes" for word in words)
