"""Griffe extension for the API reference: reads docstrings as this project writes them.

Griffe knows the section ``Examples:`` and wants a description after each error under ``Raises:``. Here a single example
stands under ``Example:``, and errors that need no explanation are listed by their names alone.
"""

import re

from griffe import Extension, Object


class Docstrings(Extension):
    """Rewrites each docstring before it is parsed."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Called once for each module, class, function and attribute, before rendering."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(docstring: str) -> str:
    """The docstring in Griffe's form."""
    text = re.sub(r"^Example:$", "Examples:", docstring, flags=re.MULTILINE)
    return re.sub(r"(?<=^Raises:\n)(?:    .*\n?)+", _described, text, flags=re.MULTILINE)


def _described(section: re.Match[str]) -> str:
    return re.sub(r"^    (\w[\w, ]*)$", _one_per_line, section[0], flags=re.MULTILINE)


def _one_per_line(names: re.Match[str]) -> str:
    return "\n".join(f"    {name.strip()}: see its description" for name in names[1].split(","))
