"""JSON schemas of what the panel's interface accepts and answers."""

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from realtime_matte.control.status import Status

TEXT: Final = {"type": "string"}
SWITCH: Final = {"type": "boolean"}
NUMBER: Final = {"type": "number"}
INTEGER: Final = {"type": "integer"}
ANY: Final[dict[str, Any]] = {}


def record(optional: Sequence[str] = (), /, **properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with these properties and no others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def listed(items: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a list."""
    return {"type": "array", "items": items}


def nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def of_type(kind: Any) -> dict[str, Any]:  # noqa: ANN401, PLR0911 - any annotation; one return a kind
    """The schema of what a value of this annotated type is in JSON.

    Example:
        >>> of_type(tuple[int, int])
        {'type': 'array', 'items': {'type': 'integer'}}
    """
    simple = {str: TEXT, bool: SWITCH, int: INTEGER, float: NUMBER, object: ANY, type(None): {"type": "null"}}
    if kind in simple:
        return dict(simple[kind])
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return record((), **{field.name: of_type(hints[field.name]) for field in fields(kind)})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        return {"anyOf": [of_type(one) for one in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return listed(of_type(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": of_type(arguments[1])}
    return dict(ANY)


ERROR: Final = record(error=record(("field",), message=TEXT, hint=TEXT, field=TEXT))
FAULT: Final = record(message=TEXT, hint=TEXT)
STATE: Final = record(status=nullable(of_type(Status)), fault=nullable(FAULT), version=TEXT)

OPTION: Final = record(
    ("applies",),
    name=TEXT,
    key=TEXT,
    label=TEXT,
    help=TEXT,
    kind={"enum": ["switch", "integer", "number", "choice", "size", "list", "text", "color"]},
    choices=listed(TEXT),
    range=nullable(listed(NUMBER)),
    unit=TEXT,
    applies={"enum": ["live", "start"]},
    default=ANY,
    default_text=TEXT,
    value=ANY,
)
OPTIONS: Final = record(groups=listed(record(name=TEXT, options=listed(OPTION))))
MODE: Final = record(width=INTEGER, height=INTEGER, fps=listed(NUMBER), format=TEXT)
CAMERAS: Final = listed(record(spec=TEXT, name=TEXT, modes=listed(MODE)))
OUTPUTS: Final = listed(record(spec=TEXT, name=TEXT, active=SWITCH, fault=TEXT))
MODELS: Final = listed(record(name=TEXT, about=TEXT))
FINDINGS: Final = listed(
    record(
        title=TEXT,
        state={"enum": ["ok", "note", "warning", "error"]},
        message=TEXT,
        why=TEXT,
        hint=TEXT,
        fixes=listed(TEXT),
    )
)
BACKGROUNDS: Final = listed(
    record(
        id=TEXT,
        name=TEXT,
        kind={"enum": ["builtin", "image", "video", "folder", "color", "blur", "none", "recent"]},
        own=SWITCH,
        current=SWITCH,
        options=listed(OPTION),
    )
)
COMMAND: Final = record(("value",), key=TEXT, value=ANY)
BACKGROUND: Final = record(("options",), id=TEXT, options={"type": "object"})
ADDED: Final = record(id=TEXT)
PRESETS: Final = listed(record(name=TEXT))
SAVED: Final = record(file=TEXT)
ENABLED: Final = record(enabled=SWITCH)
AUTOSTART: Final = record(enabled=SWITCH, supported=SWITCH, message=TEXT)
PASSWORD: Final = record(password=TEXT)
LOGIN: Final = record(password=SWITCH)
TOKEN: Final = record(token=TEXT)
DONE: Final = record()
DOCUMENT: Final = {"type": "object", "required": ["openapi", "info", "paths"]}
