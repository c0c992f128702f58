"""Forms of the page, made from Config and from what plug-ins declare."""

from collections.abc import Mapping
from typing import Any, Final

from realtime_matte.config.config import Config, options
from realtime_matte.config.option import Option
from realtime_matte.errors import masked

HIDDEN: Final = "start"
"""Options that apply at the next start only have no form: they belong to the command line and the file."""


def option_groups(config: Config) -> dict[str, Any]:
    """Every option that can be changed from the page, under the heading of its group, with its present value."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for option in options():
        if option.applies != HIDDEN:
            groups.setdefault(option.group, []).append(_option_record(option, getattr(config, option.name)))
    return {"groups": [{"name": name, "options": records} for name, records in groups.items()]}


def _option_record(option: Option, value: object) -> dict[str, Any]:
    return {
        "name": option.name,
        "key": option.key,
        "label": option.name.replace("_", " ").capitalize(),
        "help": option.help,
        "kind": option.kind,
        "choices": list(option.choices),
        "range": list(option.range) if option.range else None,
        "unit": option.unit,
        "applies": option.applies,
        "default": plain(option.default),
        "default_text": option.default_text,
        "value": plain(value),
    }


def plain(value: object) -> object:
    """The value as JSON's types, with passwords in URLs masked."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return value
