"""Paths as users write them."""

import os
from pathlib import Path

from realtime_matte.errors import SpecError


def named(text: str) -> Path:
    """The path that a user wrote, ``~`` standing for a home folder.

    Raises:
        SpecError: no file of any system can have that name.
    """
    try:
        path = Path(text).expanduser()
        os.fsencode(path)
    except (RuntimeError, ValueError) as error:
        raise SpecError(
            f"no file can be called {text!r}: {str(error).rstrip('.')}", hint="write the whole path"
        ) from error
    if "\0" in text:
        raise SpecError(f"no file can be called {text!r}: it holds a null character", hint="write the whole path")
    return path


def real(text: str) -> str:
    """Where it leads, through every link; as it is, where this folder itself is gone."""
    try:
        return os.path.realpath(text)
    except OSError:
        return text


def in_utf8(path: Path) -> str:
    """The path for libraries that know names in UTF-8 alone.

    Raises:
        SpecError: it has another.
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SpecError(f"{text!r} is not in UTF-8", hint="rename it") from error
    return text


def is_folder(text: str) -> bool:
    """Whether a folder of that name is there; no name is too odd to ask."""
    try:
        return named(text).is_dir()
    except (SpecError, OSError):
        return False


def is_file(text: str | Path) -> bool:
    """Whether a file of that name is there; no name is too odd to ask."""
    try:
        return named(str(text)).is_file()
    except (SpecError, OSError):
        return False
