"""Paths as users write them: ``~``, links, impossible names."""

import os
from pathlib import Path

from realtime_matte.errors import SpecError


def named(text: str) -> Path:
    """The path that a user wrote, with ``~`` expanded.

    Raises:
        SpecError: No file can have that name, or the home folder is unknown.
    """
    try:
        path = Path(text).expanduser()
        os.fsencode(path)
    except (RuntimeError, ValueError) as error:
        raise SpecError(
            f"no file can be called {text!r}: {str(error).rstrip('.')}", hint="write the whole path"
        ) from error
    if "\0" in text:
        raise SpecError(f"no file can be called {text!r}: it contains a null character", hint="write the whole path")
    return path


def real(text: str) -> str:
    """The path with every link resolved; unchanged if the current folder was deleted."""
    try:
        return os.path.realpath(text)
    except OSError:
        return text


def in_utf8(path: Path) -> str:
    """The path as text for libraries that take UTF-8 only.

    Raises:
        SpecError: The path is not valid UTF-8.
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SpecError(f"{text!r} is not in UTF-8", hint="rename it") from error
    return text


def is_folder(text: str) -> bool:
    """Whether a folder of that name exists. False for an impossible name."""
    try:
        return named(text).is_dir()
    except (SpecError, OSError):
        return False


def is_file(text: str | Path) -> bool:
    """Whether a file of that name exists. False for an impossible name."""
    try:
        return named(str(text)).is_file()
    except (SpecError, OSError):
        return False
