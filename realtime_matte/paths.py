"""Paths as users write them: ``~``, links, impossible names."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from realtime_matte.errors import BadFile, SpecError


def named(text: str) -> Path:
    """The path that a user wrote, with ``~`` expanded.

    As in a shell, ``~name`` without such a user is a file of that name; ``~name/file`` only if there is such a folder,
    for it is more likely a mistake.

    Raises:
        SpecError: No file can have that name, or the home folder is unknown.
    """
    try:
        path = Path(_expand(text))
        os.fsencode(path)
    except (RuntimeError, ValueError) as error:
        raise SpecError(
            f"no file can be called {text!r}: {str(error).rstrip('.')}", hint="write the whole path"
        ) from error
    if "\0" in text:
        raise SpecError(f"no file can be called {text!r}: it contains a null character", hint="write the whole path")
    return path


def _expand(text: str) -> str:
    """The text with ``~`` expanded. Raises RuntimeError for an unknown home folder."""
    expanded = os.path.expanduser(text)  # noqa: PTH111 - Path drops the ./ that protects a name such as ./~beach.png
    first, separator, _ = expanded.partition("/")
    if expanded.startswith("~") and (first == "~" or (separator and not os.path.lexists(first))):
        raise RuntimeError("the home folder is unknown")
    return expanded


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


def open_regular(path: Path) -> BinaryIO:
    """The file opened for reading. A pipe, socket or device, which may block or never end, is not opened.

    Raises:
        OSError: It does not exist or cannot be read.
        BadFile: It is a pipe, socket or device.
    """
    if not path.is_dir():
        check_regular(path)
    return path.open("rb")


def check_regular(path: Path) -> None:
    """Check that the path is that of a file.

    Raises:
        OSError: It does not exist.
        BadFile: It is a folder, pipe, socket or device.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise BadFile(f"{str(path)!r} is a {_kind(mode)}, not a file", hint="name a file")


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "named pipe"
    if stat.S_ISDIR(mode):
        return "folder"
    return "socket" if stat.S_ISSOCK(mode) else "device"
