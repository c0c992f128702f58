"""Forms of the page, made from Config and from what plug-ins declare."""

from collections.abc import Mapping
from typing import Any, Final

from realtime_matte.config.config import Config, options
from realtime_matte.config.option import Option
from realtime_matte.errors import masked

HIDDEN: Final = "start"
"""Options that apply at the next start only have no form: they belong to the command line and the file."""

HELP: Final = {
    "auto_frame_size": "height of head and shoulders, as a share of the output's",
    "auto_frame_place": "where the top of the head is, from 0,0 (upper left) to 1,1",
    "model": "a network, or its quality: a low one costs less",
    "power_saver": "use the lightest model of auto: on, off, or auto, which is on a laptop's battery (Linux)",
}
"""Help on the page, where that of the command line names flags or commands."""


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
        "help": HELP.get(option.name, option.help),
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
