"""Presets: named sets of options, each a TOML file in the folder ``presets`` beside the configuration file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from platformdirs import user_config_path

from realtime_matte.config import toml_file
from realtime_matte.config.config import options
from realtime_matte.errors import MatteError, MissingFile, SpecError, suggest

MAX_NAME: Final = 60
MAX_PRESETS: Final = 100

RESERVED: Final = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""Names that no file can have on Windows."""

KEPT: Final = frozenset(option.name for option in options() if option.applies != "start")
"""The options that a preset holds: not those of one start, such as ``--seconds``."""


def folder() -> Path:
    """The folder of presets; may not exist.

    Raises:
        MissingFile: The user has no home folder.
    """
    try:
        return user_config_path("rtmatte", appauthor=False) / "presets"
    except RuntimeError as error:
        raise MissingFile(f"no folder for presets: {error}", hint="set HOME") from error


def names() -> list[str]:
    """The presets there are, in alphabetical order."""
    try:
        return sorted((path.stem for path in folder().glob("*.toml") if _is_name(path.stem)), key=str.casefold)
    except OSError:
        return []


def load(name: str) -> dict[str, object]:
    """The typed values of a preset, by field name.

    Raises:
        SpecError, MissingFile, BadFile
    """
    path = _path(name)
    if not path.is_file():
        known = names()
        hint = suggest(name, known, f"there are: {', '.join(known)}") if known else "save one in the control panel"
        raise MissingFile(f"no preset called {name!r}", hint=hint)
    return {name: value for name, value in toml_file.load(path).items() if name in KEPT}


def save(name: str, values: Mapping[str, object]) -> None:
    """Save values by field name as a preset, in the place of one with that name.

    Raises:
        SpecError: It cannot have that name, or there are too many.
        MatteError: It cannot be written.
    """
    from realtime_matte.config.toml_writer import save as save_file  # noqa: PLC0415 - tomlkit: to write only

    path = _path(name)
    if not path.exists() and len(names()) >= MAX_PRESETS:
        raise SpecError(f"there are {MAX_PRESETS} presets", hint="delete one")
    save_file(path, {name: value for name, value in values.items() if name in KEPT})


def delete(name: str) -> None:
    """Delete a preset. Raises SpecError, or MissingFile if there is none."""
    try:
        _path(name).unlink()
    except FileNotFoundError as error:
        raise MissingFile(f"no preset called {name!r}", hint="reload the page") from error
    except OSError as error:
        raise MatteError(f"cannot delete the preset {name!r}: {error.strerror}") from error


def _path(name: str) -> Path:
    if not _is_name(name):
        raise SpecError(
            f"a preset cannot be called {name[: 2 * MAX_NAME]!r}",
            hint=f"use letters, digits, spaces, - and _, {MAX_NAME} at most",
        )
    return folder() / f"{name}.toml"


def _is_name(name: str) -> bool:
    letters = all(char.isalnum() or char in " -_" for char in name)
    return 0 < len(name) <= MAX_NAME and letters and name.strip() == name and name.casefold() not in RESERVED
