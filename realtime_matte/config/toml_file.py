"""The TOML file of options, and the Config made of defaults, file and command line, each over the one before."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from platformdirs import user_config_path

from realtime_matte.config.arguments import from_arguments
from realtime_matte.config.config import Config, options, parse_values
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.paths import is_file, named

FILE_NAME: Final = "rtmatte.toml"


def resolve(arguments: Mapping[str, object], *, config: str | None) -> Config:
    """The Config of a run: defaults, under the file's values, under the command line's.

    Args:
        arguments: Values of the command line by field name; None where an option was not given.
        config: The file of ``--config``. None stands for ``rtmatte.toml`` in the platform's configuration folder, if
            that exists.

    Raises:
        SpecError, MissingFile, BadFile
    """
    path = _default_file() if config is None else named(config)
    from_file = load(path) if path else {}
    return Config(**from_file | from_arguments(arguments))  # type: ignore[arg-type]  # parsed by each field


def load(path: Path) -> dict[str, object]:
    """The typed values of a TOML file, by field name.

    Raises:
        SpecError, MissingFile, BadFile
    """
    names = {option.key: option.name for option in options()}
    values: dict[str, object] = {}
    for key, value in _read(path).items():
        if key not in names:
            raise SpecError(f"{path}: no option {key!r}", hint=f"there are: {', '.join(sorted(names))}")
        values[names[key]] = value
    return parse_values(values, prefix=f"{path}: ")


def _default_file() -> Path | None:
    """The file in the platform's folder; None where it is absent, or where the user has no home folder."""
    try:
        path = user_config_path("rtmatte", appauthor=False) / FILE_NAME
    except RuntimeError:
        return None
    return path if is_file(path) else None


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # editors on Windows write a byte order mark
    except OSError as error:
        raise MissingFile(
            f"cannot read the configuration file {path}: {error.strerror}", hint="check --config"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not a TOML file: {error}", hint="correct it") from error
