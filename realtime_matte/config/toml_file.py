"""The TOML file of options, and the Config made of defaults, file and command line; later ones have priority."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from platformdirs import user_config_path

from realtime_matte.config import relative_paths
from realtime_matte.config.arguments import from_arguments
from realtime_matte.config.config import Config, options, parse_values
from realtime_matte.errors import BadFile, MissingFile, SpecError, suggest
from realtime_matte.paths import is_file, named, open_regular

FILE_NAME: Final = "rtmatte.toml"

MAX_BYTES: Final = 1 << 20
"""Size of the largest configuration file. One with every option has less than a hundredth of it."""

PATH_HINT: Final = r"write a path in single quotes, 'C:\Users\me\beach.jpg', or with forward slashes"


def resolve(
    arguments: Mapping[str, object], *, config: str | None, preset: Mapping[str, object] | None = None
) -> Config:
    """The Config of a run: defaults, under the file's values, under the preset's, under the command line's.

    Args:
        arguments: Values of the command line by field name; None where an option was not given.
        config: The file of ``--config``. None stands for ``rtmatte.toml`` in the platform's configuration folder, if
            that exists.
        preset: Typed values by field name, of a preset.

    Raises:
        SpecError, MissingFile, BadFile
    """
    path = file_in_use(config)
    from_file = load(path) if path else {}
    return Config(**from_file | dict(preset or {}) | from_arguments(arguments))  # type: ignore[arg-type]  # parsed by each field


def file_in_use(config: str | None) -> Path | None:
    """The file that ``resolve`` reads; None if there is none."""
    return _default_file() if config is None else named(config)


def default_path() -> Path:
    """Where the default file is, or would be. Raises RuntimeError without a home folder."""
    return user_config_path("rtmatte", appauthor=False) / FILE_NAME


def load(path: Path) -> dict[str, object]:
    """The typed values of a TOML file, by field name. Its relative paths begin in its folder.

    Raises:
        SpecError, MissingFile, BadFile
    """
    names = {option.key: option.name for option in options()}
    values: dict[str, object] = {}
    for key, value in _read(path).items():
        if key not in names:
            hint = suggest(key, names, f"there are: {', '.join(sorted(names))}")
            raise SpecError(f"{path}: no option {key!r}", hint=hint)
        if names[key] in relative_paths.OPTIONS and _has_control_codes(value):
            raise SpecError(f"{path}: {key}: {value!r} contains control characters", hint=PATH_HINT)
        values[names[key]] = value
    typed = parse_values(values, prefix=f"{path}: ")
    return {name: relative_paths.located(name, value, path.absolute().parent) for name, value in typed.items()}


def _default_file() -> Path | None:
    """The file in the platform's folder; None where it is absent, or where the user has no home folder."""
    try:
        path = default_path()
    except RuntimeError:
        return None
    return path if is_file(path) else None


def _read(path: Path) -> dict[str, object]:
    text = ""
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")  # editors on Windows write a byte order mark
        if len(data) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")  # noqa: TRY301 - one report of what is no TOML
        return tomllib.loads(text)
    except BadFile:
        raise
    except OSError as error:
        raise MissingFile(
            f"cannot read the configuration file {path}: {error.strerror}", hint="check --config"
        ) from error
    except (ValueError, RecursionError) as error:
        hint = PATH_HINT if re.search(r'"[^"\n]*\\', text) else "correct it"
        raise BadFile(f"{path} is not a TOML file: {error}", hint=hint) from error


def _has_control_codes(value: object) -> bool:
    r"""Whether a text, or one in a list, has them: TOML reads a line break from ``"C:\\new"`` in double quotes."""
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and re.search(r"[\0-\x1f]", text) for text in texts)
