"""Relative paths of a configuration file: they begin in the folder of that file."""

import os
import re
from pathlib import Path
from typing import Final

from realtime_matte import plugins
from realtime_matte.errors import SpecError
from realtime_matte.paths import is_folder

OPTIONS: Final = {"camera", "bg", "output", "model", "card", "overlay"} | {
    "plate",
    "panel_password_file",
    "panel_cert",
    "panel_key",
}
"""Options whose values may be paths."""

PATH_WORDS: Final = {"image", "video", "folder", "file", "frames"}
"""Plug-ins that a path follows after ``:``."""

SUFFIX: Final = re.compile(r"\.[A-Za-z]\w{0,4}(\?|$)")
"""The end of a file's name, maybe before options: ``clip.mp4?loop``. A camera's name, ``USB 2.0``, has none."""


def located(name: str, value: object, folder: Path) -> object:
    """The typed value of an option, with relative paths made absolute.

    Args:
        name: The field of Config.
        value: Its value; a spec or a tuple of them where it may be a path.
        folder: Where relative paths begin.
    """
    if name not in OPTIONS:
        return value
    if isinstance(value, tuple):
        return tuple(located(name, one, folder) for one in value)
    return _absolute(name, value, folder) if isinstance(value, str) else value


def _absolute(name: str, spec: str, folder: Path) -> str:
    """The spec with a relative path made absolute; unchanged if it names something else, such as a camera."""
    word, colon, rest = spec.partition(":")
    if colon:
        return f"{word}:{_join(folder, rest)}" if word in PATH_WORDS and rest else spec
    is_path = SUFFIX.search(spec) or spec.startswith(".") or (re.search(r"[/\\]", spec) and name != "camera")
    return _join(folder, spec) if is_path or (name == "bg" and _is_slideshow(spec, folder)) else spec


def _is_slideshow(spec: str, folder: Path) -> bool:
    """Whether the spec names a folder, such as ``photos``, and not a built-in background."""
    word = spec.partition("?")[0]
    if not word or not is_folder(_join(folder, word)) or word in plugins.names("backgrounds"):
        return False
    try:
        return plugins.background(word).name == "folder"
    except SpecError:
        return True


def _join(folder: Path, name: str) -> str:
    return os.path.join(folder, name)  # noqa: PTH118 - Path would drop what options may contain, such as //
