"""Writes docs/reference/options.md from Config: ``python scripts/options_reference.py`` (``make docs`` runs it)."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from realtime_matte import plugins
from realtime_matte.config.config import options
from realtime_matte.config.option import Option
from realtime_matte.config.specs import SpecOption
from realtime_matte.effects.overlay import SPEC_OPTIONS as OVERLAY_OPTIONS
from realtime_matte.models.chromakey import OPTIONS as KEYER_OPTIONS
from realtime_matte.models.options import CHECKS
from realtime_matte.models.options import OPTIONS as MODEL_OPTIONS

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "options.md"

INTRODUCTION = """\
# Options

<!-- Written by scripts/options_reference.py from realtime_matte/config/config.py. Change it there. -->

Each option can be given on the command line, as a key of the configuration file (without `--`), and as a field of
[`Config`][realtime_matte.config.config.Config] from Python (`card_text` for `--card-text`). The command line has
priority over the file. `--config FILE` names another configuration file than the usual one, which is
`rtmatte/rtmatte.toml` in `~/.config`, `~/Library/Application Support` or `%LOCALAPPDATA%`.

The column "takes effect" says when a change in a running program is applied: *live* while it runs, without closing the
virtual camera, *start* at the next start.
"""

SPECS = """
## Options behind specs

Sources, backgrounds, outputs and models may take options after a `?`, joined by `&`: `folder:pics?seconds=10&fade=0`.
A word alone is switched on: `clip.mp4?loop` is `clip.mp4?loop=yes`. Quote them in a shell.

| spec | option | default | description |
|---|---|---|---|
"""

HEAD = "| option | value | default | takes effect | description |\n|---|---|---|---|---|"


def page() -> str:
    """The page, as Markdown."""
    parts = [INTRODUCTION]
    for group, members in groupby(options(), key=lambda option: option.group):
        parts.append("\n".join([f"\n## {group}\n", HEAD, *map(_row, members), ""]))
    rows = [*_spec_rows()]
    return "".join([*parts, SPECS, *rows] if rows else parts)


def usage(option: Option) -> str:
    """The option as it is written on the command line."""
    return f"`{option.flag} {option.metavar}`" if option.metavar else f"`{option.flag}`, `--no-{option.key}`"


def _row(option: Option) -> str:
    cells = usage(option), _value(option), option.default_text or "off", option.applies, option.help
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _spec_rows() -> Iterator[str]:
    for kind, noun in plugins.NOUNS.items():
        for name in plugins.names(kind):
            for word, option in plugins.options(kind, name).items():
                if isinstance(option, SpecOption):
                    yield f"| {noun} `{name}` | `{word}` | {_text(option.default)} | {option.help} |\n"
    for word, option in OVERLAY_OPTIONS.items():
        yield f"| overlay | `{word}` | {_text(option.default)} | {option.help} |\n"
    for word, option in MODEL_OPTIONS.items():
        yield f"| model | `{word}` | the family's | {option.help} |\n"
    for word, option in KEYER_OPTIONS.items():
        yield f"| model `chromakey` | `{word}` | {_text(option.default)} | {option.help} |\n"
    for word, option in CHECKS.items():
        yield f"| model | `{word}` | {_text(option.default)} | {option.help} |\n"


def _text(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)


def _value(option: Option) -> str:
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    if option.range is None:
        return {"switch": "on or off", "list": "text, repeatable"}.get(option.kind, option.kind)
    minimum, maximum = option.range
    kind = "integer" if option.kind == "integer" else "number"
    return f"{kind}, {minimum:.12g} to {maximum:.12g} {option.unit}".rstrip()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
