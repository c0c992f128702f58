"""Writes options into a TOML file, and keeps its comments, its order and what was not changed."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from realtime_matte.config.config import Config, options
from realtime_matte.config.toml_file import load
from realtime_matte.errors import BadFile, MatteError

HEADER = "Options of rtmatte, as on the command line without --: rtmatte --help lists them."


def save(path: Path, values: Mapping[str, object]) -> None:
    """Write the options into a file, which is made if it is not there.

    An option that the file gives already stays as it is written. One that has its default is left out, or removed.

    Args:
        path: The file; of a link, the file that it leads to.
        values: Typed values by field name, for all or some options.

    Raises:
        MatteError: The file is no file of options, or cannot be written.
    """
    path = Path(os.path.realpath(path))
    written = load(path) if path.exists() else {}
    defaults = {option.name: option.default for option in options()}
    keys = {option.name: option.key for option in options()}
    try:
        document = tomlkit.parse(path.read_text("utf-8-sig")) if path.exists() else _new_document()
    except (OSError, TOMLKitError) as error:
        raise BadFile(f"cannot change {path}: {error}", hint="correct it, or move it away") from error
    for name, value in values.items():
        if name in written and written[name] == value:
            continue
        if value == defaults[name]:
            document.pop(keys[name], None)
        else:
            document[keys[name]] = as_toml(value)
    _replace(path, tomlkit.dumps(document))


def as_toml(value: object) -> object:
    """The value of an option as it is written in a file: sizes as text, one item of a list alone."""
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(one, int) for one in value):  # noqa: PLR2004
        return f"{value[0]}x{value[1]}"
    if isinstance(value, tuple):
        return value[0] if len(value) == 1 and isinstance(value[0], str) else list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def values_of(config: Config) -> dict[str, object]:
    """Every option's value by field name."""
    return {option.name: getattr(config, option.name) for option in options()}


def _new_document() -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    document.add(tomlkit.comment(HEADER))
    return document


def _replace(path: Path, text: str) -> None:
    """Replace the file when the new one is complete; keeps its permissions."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    except UnicodeError as error:
        with suppress(OSError):
            part.unlink()
        raise MatteError(f"cannot write {path}: a file's name is not in UTF-8", hint="rename that file") from error
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise MatteError(f"cannot write {path}: {error.strerror}", hint="check the folder's permissions") from error
