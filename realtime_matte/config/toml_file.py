"""What the user asked for: defaults, under a TOML file, under the command line. Every value is checked here, once."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_config_path

from realtime_matte.config import parsers as values
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit
from realtime_matte.paths import is_file, named

FILE = "rtmatte.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything ``rtmatte run`` can be told; the names are those of the options and of the file's keys."""

    bg: tuple[str, ...] = ("studio",)
    camera: str = "camera"
    output: tuple[str, ...] = ("virtualcam",)
    model: str = "auto"
    provider: str | None = None
    threads: int | None = None
    size: Size | None = None
    fps: float | None = None
    mirror: bool = False
    only_me: bool = False
    fit: Fit = "cover"
    card: str | None = None
    card_text: str | None = None
    on_demand: bool = False
    quiet: bool = False
    verbose: bool = False
    seconds: float | None = None
    frames: int | None = None


def resolve(options: Mapping[str, object], *, config: str | None) -> Settings:
    """The settings of the file, with the command line's ``options`` (by field, None where not given) over them.

    ``config``: the file the user named; None looks in the platform's folder, where it may be missing.

    Raises:
        SpecError, MissingFile, BadFile
    """
    path = _usual_file() if config is None else named(config)
    found = from_file(path) if path else {}
    return Settings(**found | from_options(options))  # type: ignore[arg-type]  # each went through its field's reader


def from_options(options: Mapping[str, object]) -> dict[str, object]:
    """The checked values of the options that were given, by field.

    Raises:
        SpecError
    """
    given = {name: value for name, value in options.items() if value is not None}
    return {name: _read(name, value, where=f"--{_key(name)}") for name, value in given.items()}


def from_file(path: Path) -> dict[str, object]:
    """The checked values of a TOML file, by field.

    Raises:
        SpecError, MissingFile, BadFile
    """
    found: dict[str, object] = {}
    for key, value in _load(path).items():
        if key not in _KEYS:
            raise SpecError(f"{path}: no setting {key!r}", hint=f"there are: {', '.join(sorted(_KEYS))}")
        found[_KEYS[key]] = _read(_KEYS[key], value, where=f"{path}: {key}")
    return found


def _usual_file() -> Path | None:
    """The one in the platform's folder; None where there is none, or nobody has a home."""
    try:
        path = user_config_path("rtmatte", appauthor=False) / FILE
    except RuntimeError:
        return None
    return path if is_file(path) else None


def _load(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # Windows' editors put a mark in front
    except OSError as error:
        raise MissingFile(f"cannot read the settings file {path}: {error.strerror}", hint="check --config") from error
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not a TOML file: {error}", hint="correct it there") from error


def _read(name: str, value: object, *, where: str) -> object:
    try:
        return _READERS[name](value)
    except SpecError:  # it says all by itself
        raise
    except ValueError as error:
        raise SpecError(f"{where}: {value!r} is not {error}") from error


_READERS: dict[str, Callable[[object], object]] = {
    "bg": values.specs,
    "camera": values.camera,
    "output": values.specs,
    "model": values.spec,
    "provider": values.text,
    "threads": values.number(1, 256, whole=True),
    "size": values.size,
    "fps": values.number(1, 240, whole=False),
    "mirror": values.switch,
    "only_me": values.switch,
    "fit": values.fit,
    "card": values.spec,
    "card_text": values.text,
    "on_demand": values.switch,
    "quiet": values.switch,
    "verbose": values.switch,
    "seconds": values.number(0.1, 1e7, whole=False),
    "frames": values.number(1, 1e9, whole=True),
}


def _key(name: str) -> str:
    return name.replace("_", "-")


_KEYS = {_key(name): name for name in _READERS}
