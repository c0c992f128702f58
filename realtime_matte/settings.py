"""What the user asked for: defaults, under a TOML file, under the command line. Every value is checked here, once."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import get_args

from platformdirs import user_config_path

from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Size
from realtime_matte.paths import is_file, named
from realtime_matte.stages import Fit

FILE = "rtmatte.toml"
SIDES = range(16, 8193)
"""Pixels a side of the output may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything ``rtmatte run`` can be told; the names are those of the options and of the file's keys."""

    bg: tuple[str, ...] = ("studio",)
    camera: str = "camera:0"
    output: tuple[str, ...] = ("virtualcam",)
    model: str = "small"
    provider: str | None = None
    threads: int | None = None
    size: Size | None = None
    fps: float | None = None
    mirror: bool = False
    fit: Fit = "cover"
    card: str | None = None
    card_text: str | None = None
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
    path = named(config) if config is not None else user_config_path("rtmatte", appauthor=False) / FILE
    values = from_file(path) if config is not None or is_file(path) else {}
    return Settings(**values | from_options(options))  # type: ignore[arg-type]  # each went through its field's reader


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
    values: dict[str, object] = {}
    for key, value in _load(path).items():
        if key not in _KEYS:
            raise SpecError(f"{path}: no setting {key!r}; there are: {', '.join(sorted(_KEYS))}")
        values[_KEYS[key]] = _read(_KEYS[key], value, where=f"{path}: {key}")
    return values


def size(value: object) -> Size:
    """``WIDTHxHEIGHT``. Raises ValueError, which says what it should be."""
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", value) if isinstance(value, str) else None
    if found is None or int(found[1]) not in SIDES or int(found[2]) not in SIDES:
        raise ValueError(f"WIDTHxHEIGHT with each from {SIDES[0]} to {SIDES[-1]}, such as 1280x720")
    return int(found[1]), int(found[2])


def _load(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise MissingFile(f"cannot read the settings file {path}: {error.strerror}; check --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is not a TOML file: {error}") from error


def _read(name: str, value: object, *, where: str) -> object:
    try:
        return _READERS[name](value)
    except SpecError:  # it says all by itself
        raise
    except ValueError as error:
        raise SpecError(f"{where}: {value!r} is not {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def _spec(value: object) -> str:
    """A ``~`` is the home folder also behind a word, where no shell expands it."""
    word, colon, rest = _text(value).partition(":")
    if not colon:
        return _home(word)
    return f"{word}:{_home(rest)}"


def _camera(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else _spec(value)


def _home(text: str) -> str:
    return str(named(text)) if text.startswith("~") else text


def _specs(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise ValueError("a text or a list of texts")
    return tuple(_spec(one) for one in values)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004  # a wrong value of the user's, not of our types
    return value


def _fit(value: object) -> Fit:
    if value not in get_args(Fit):
        raise ValueError(f"one of {', '.join(get_args(Fit))}")
    return value  # type: ignore[return-value]  # just compared with all that Fit may be


def _number(least: float, most: float, *, whole: bool) -> Callable[[object], float]:
    def read(value: object) -> float:
        want = ValueError(f"a {'whole ' if whole else ''}number from {least:g} to {most:g}")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise want
        try:
            number = float(value)
        except ValueError:
            raise want from None
        if not isfinite(number) or not least <= number <= most or (whole and number != int(number)):
            raise want
        return int(number) if whole else number

    return read


_READERS: dict[str, Callable[[object], object]] = {
    "bg": _specs,
    "camera": _camera,
    "output": _specs,
    "model": _spec,
    "provider": _text,
    "threads": _number(1, 256, whole=True),
    "size": size,
    "fps": _number(1, 240, whole=False),
    "mirror": _switch,
    "fit": _fit,
    "card": _spec,
    "card_text": _text,
    "quiet": _switch,
    "verbose": _switch,
    "seconds": _number(0.1, 1e7, whole=False),
    "frames": _number(1, 1e9, whole=True),
}


def _key(name: str) -> str:
    return name.replace("_", "-")


_KEYS = {_key(name): name for name in _READERS}
