"""Option: what is known about one field of Config."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from realtime_matte.config import parsers
from realtime_matte.config.parsers import Choice, Number

Group: TypeAlias = Literal[
    "Camera", "Framing", "Background", "Looks", "Output", "Model", "Standby card", "Control panel", "Run"
]

Applies: TypeAlias = Literal["live", "start"]
"""When a change takes effect: while the pipeline runs, or at the next start."""

Kind: TypeAlias = Literal["switch", "integer", "number", "choice", "size", "list", "text"]
"""Which kind of form field or argument an option needs."""


@dataclass(frozen=True, slots=True)
class Option:
    """What is known about one field of Config.

    Attributes:
        name: The field's name, such as ``card_text``.
        group: The heading that the option stands under.
        help: What the option does, for ``--help``, documentation and forms.
        parse: Returns the typed value, or raises ValueError with what the value should be.
        applies: When a change takes effect.
        default: The field's default.
        default_text: The default in words, where the value alone does not explain itself.
        metavar: Placeholder of the value; empty for a switch.
        unit: Unit of a number; empty where there is none.
    """

    group: Group
    help: str
    parse: Callable[[object], object]
    applies: Applies
    default_text: str = ""
    metavar: str = ""
    unit: str = ""
    name: str = ""
    default: object = None

    @property
    def key(self) -> str:
        """The key in a TOML file: ``card-text``."""
        return self.name.replace("_", "-")

    @property
    def flag(self) -> str:
        """The option on the command line: ``--card-text``."""
        return f"--{self.key}"

    @property
    def kind(self) -> Kind:
        """The kind of value."""
        if isinstance(self.parse, Number):
            return "integer" if self.parse.integer else "number"
        if isinstance(self.parse, Choice):
            return "choice"
        kinds: dict[object, Kind] = {
            parsers.switch: "switch",
            parsers.size: "size",
            parsers.specs: "list",
            parsers.overlays: "list",
        }
        return kinds.get(self.parse, "text")

    @property
    def choices(self) -> tuple[str, ...]:
        """All values there are; empty where they cannot be listed."""
        return self.parse.choices if isinstance(self.parse, Choice) else ()

    @property
    def range(self) -> tuple[float, float] | None:
        """Smallest and largest value of a number; None for other kinds."""
        return (self.parse.minimum, self.parse.maximum) if isinstance(self.parse, Number) else None


def option(
    group: Group,
    about: str,
    *,
    parse: Callable[[object], object],
    applies: Applies,
    default_text: str = "",
    metavar: str = "",
    unit: str = "",
) -> dict[str, Option]:
    """The metadata of a field; its name and default are filled in by ``config.options``."""
    return {"option": Option(group, about, parse, applies, default_text, metavar, unit)}
