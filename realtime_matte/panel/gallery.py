"""The gallery of backgrounds: built-in ones, files that were added, the user's folder, and recent ones.

A page names a background by its id. Ids of files are digests; files that are added get names of our own.
"""

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from realtime_matte import plugins
from realtime_matte.backgrounds.blur import MAX_STRENGTH, MIN_STRENGTH, STRENGTH
from realtime_matte.backgrounds.room import MAX_BRIGHTNESS, MAX_SATURATION
from realtime_matte.config import specs
from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError, masked
from realtime_matte.frame import Size
from realtime_matte.interfaces import Background
from realtime_matte.media.image import SUFFIXES as IMAGE_SUFFIXES
from realtime_matte.panel.folders import Folders

Kind: TypeAlias = Literal["builtin", "image", "video", "folder", "color", "blur", "none", "recent"]

VIDEO_SUFFIXES: Final = frozenset({".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})

CHECK_SIZE: Final[Size] = (640, 360)
"""A file that is added is opened at this size."""

MAX_FILE: Final = 200 * 1024 * 1024
MAX_FILES: Final = 200
MAX_TOTAL: Final = 4 * 1024 * 1024 * 1024
MAX_RECENT: Final = 8
MAX_NAME: Final = 80

FILE_WORDS: Final = frozenset({"image", "video", "folder"})
"""Plug-ins whose backgrounds are files."""

DEFAULT_COLOR: Final = "#00ff00"
COLOR: Final = re.compile(r"#[0-9a-f]{6}")

BUILT_IN: Final[Mapping[str, tuple[Kind, str]]] = {
    "studio": ("builtin", "Studio"),
    "beach": ("builtin", "Beach"),
    "blur": ("blur", "Blur"),
    "room": ("builtin", "Own room"),
    "color": ("color", "Colour"),
    "none": ("none", "None"),
}

FIELDS: Final = {float: "number", int: "integer", bool: "switch"}
"""The form fields of options of backgrounds, by the types of their defaults. Texts, which might be files, have none."""

RANGES: Final[Mapping[tuple[str, str], list[float]]] = {
    ("room", "brightness"): [0, MAX_BRIGHTNESS],
    ("room", "saturation"): [0, MAX_SATURATION],
    ("room", "blur"): [0, 0.1],
    ("folder", "seconds"): [1, 600],
    ("folder", "fade"): [0, 10],
}
"""Useful ranges for sliders."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One background.

    Attributes:
        id: Its name for pages.
        name: Its name for the user.
        kind: What it is.
        spec: The spec of the plug-in, without options.
        own: It was added in the panel, and can be deleted there.
        path: Its file or folder; None if it has none.
    """

    id: str
    name: str
    kind: Kind
    spec: str
    own: bool = False
    path: Path | None = field(default=None, compare=False)


class Gallery:
    """Lists, adds and deletes backgrounds. Any thread.

    Args:
        folders: Where files are kept and looked for.
    """

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._lock = threading.Lock()  # of the index, the recent ones, and of adding
        self._recent: list[str] = self._read(folders.recent, list)

    def entries(self, *, present: Sequence[str], alpha: bool | None) -> list[Entry]:
        """Every background that can be chosen.

        Args:
            present: The specs of the run, which count as recent.
            alpha: Whether output frames carry alpha: then only ``none`` can be chosen, else everything but that. None
                for all.
        """
        built_in = [Entry(word, name, kind, word) for word, (kind, name) in BUILT_IN.items()]
        entries = [*built_in, *self._own(), *self._of_user()]
        known = {str(entry.path) for entry in entries if entry.path}
        with self._lock:
            recent = list(dict.fromkeys([*present, *self._recent]))
        entries += [entry for spec in recent if (entry := _recent(spec)) and str(entry.path) not in known]
        return [entry for entry in entries if alpha is None or alpha == (entry.kind == "none")]

    def find(self, entry_id: str, *, present: Sequence[str], alpha: bool | None) -> Entry:
        """The background with this id. Raises MissingFile."""
        for entry in self.entries(present=present, alpha=alpha):
            if entry.id == entry_id:
                return entry
        raise MissingFile("there is no such background", hint="reload the page")

    def used(self, spec: str) -> None:
        """Remember a background of the user's own files as a recent one."""
        entry = _recent(spec)
        if entry and entry.path and entry.path.parent not in {self._folders.added, self._folders.user}:
            with self._lock:
                self._recent = list(dict.fromkeys([spec, *self._recent]))[:MAX_RECENT]
                _write_json(self._folders.recent, self._recent)

    def new_file(self, name: str) -> Path:
        """A file in the folder of added ones, to be written and then given to ``add``.

        Raises:
            BadFile: The name is not that of an image or a video, or there are too many files.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
            raise BadFile(f"{name[:MAX_NAME]!r} is no image or video", hint="choose a JPEG, PNG, WebP, MP4 or WebM")
        folder = self._folders.make(self._folders.added)
        files = [path.stat().st_size for path in folder.iterdir() if path.is_file()]
        if len(files) >= MAX_FILES or sum(files) >= MAX_TOTAL:
            raise BadFile("there are too many added backgrounds", hint="delete some")
        return folder / f".{secrets.token_hex(8)}{suffix}"

    def add(self, path: Path, name: str) -> Entry:
        """Open a new file as a background would be, and keep it. Deletes it if it cannot be opened.

        Raises:
            BadFile: It is no image or video that can be shown. The message has the user's name of the file.
        """
        shown = " ".join(Path(name).stem.split())[:MAX_NAME] or "background"
        try:
            opened = open_background(_file_spec(path), CHECK_SIZE)
            if opened:
                opened.close()
        except MatteError as error:
            path.unlink(missing_ok=True)
            raise BadFile(
                error.message.replace(str(path), Path(name).name[:MAX_NAME]),
                hint=error.hint.replace("name a JPEG", "choose a JPEG"),
            ) from error
        final = path.with_name(path.name.removeprefix("."))
        path.replace(final)
        with self._lock:
            _write_json(self._folders.names, self._read(self._folders.names, dict) | {final.name: shown})
        return _file_entry(final, shown, own=True)

    def delete(self, entry: Entry) -> None:
        """Delete the file of an own background. Raises SpecError if it is none."""
        if not entry.own or entry.path is None:
            raise SpecError("only backgrounds that were added here can be deleted", hint="delete its file yourself")
        entry.path.unlink(missing_ok=True)

    def _own(self) -> list[Entry]:
        names = self._read(self._folders.names, dict)
        return [_file_entry(path, names.get(path.name, "background"), own=True) for path in _files(self._folders.added)]

    def _of_user(self) -> list[Entry]:
        return [_file_entry(path, path.stem, own=False) for path in _files(self._folders.user)]

    @staticmethod
    def _read(path: Path, kind: type[Any]) -> Any:  # noqa: ANN401 - JSON
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text("utf-8"))
            texts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else [None]
            if isinstance(found, kind) and all(isinstance(text, str) for text in texts):
                return found
        return kind()


def chosen_spec(entry: Entry, options: Mapping[str, object]) -> str:
    """The spec of a background with the options that a page sent. Raises SpecError."""
    values = dict(options)
    spec = entry.spec
    if entry.kind == "blur":
        strength = values.pop("strength", STRENGTH)
        if not isinstance(strength, int | float) or not MIN_STRENGTH <= strength <= MAX_STRENGTH:
            raise SpecError(f"strength: {strength!r} is not between {MIN_STRENGTH} and {MAX_STRENGTH}")
        spec = f"blur:{strength:g}"
    elif entry.kind == "color":
        color = str(values.pop("color", DEFAULT_COLOR)).lower()
        if not COLOR.fullmatch(color):
            raise SpecError(f"color: {color!r} is not a colour such as #336699")
        spec = f"color:{color}"
    return spec + _behind(plugins.background(spec).name, values)


def option_records(entry: Entry, spec: str) -> list[dict[str, Any]]:
    """What can be set of a background, for the page's forms, with the values of ``spec``."""
    word = plugins.background(entry.spec).name
    plain, behind = specs.split(spec, plugins.options("backgrounds", word))
    rest = plugins.without_word(plain)
    records: list[dict[str, Any]] = []
    if entry.kind == "blur":
        value = float(rest) if rest and rest != "blur" else STRENGTH
        records.append(_record("strength", "number", "how strong the blur is", value, [MIN_STRENGTH, MAX_STRENGTH]))
    elif entry.kind == "color":
        records.append(_record("color", "color", "the colour", rest if COLOR.fullmatch(rest) else DEFAULT_COLOR))
    given = dict(pair.partition("=")[::2] for pair in behind.split("&") if pair)
    for name, option in plugins.options("backgrounds", word).items():
        if type(option.default) in FIELDS:
            value = option(given[name] or "yes") if name in given else option.default
            limits = RANGES.get((word, name))
            records.append(_record(name, FIELDS[type(option.default)], option.help, value, limits))
    return records


def open_background(spec: str, size: Size) -> Background | None:
    """The background, open. Raises MatteError."""
    plugin = plugins.background(spec)
    return plugin.open(plugin.rest, size=size, fit="cover")


def current_id(entries: Sequence[Entry], shown: str) -> str:
    """The id of the background that is shown; empty if it is not in the gallery."""
    with suppress(SpecError):
        word = plugins.background(shown).name
        plain, _ = specs.split(shown, plugins.options("backgrounds", word))
        for entry in entries:
            if entry.id == word or (entry.path and plugins.without_word(entry.spec) == plugins.without_word(plain)):
                return entry.id
    return ""


def _behind(word: str, values: Mapping[str, object]) -> str:
    """The options after ``?``, checked by their parsers. Raises SpecError."""
    allowed = plugins.options("backgrounds", word)
    pairs: list[str] = []
    for name, value in values.items():
        option = allowed.get(name)
        if option is None or type(option.default) not in FIELDS:
            raise SpecError(f"no option {name[:MAX_NAME]!r} of this background can be set from the page")
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        try:
            option(text)
        except ValueError as error:
            raise SpecError(f"{name}: {text[:MAX_NAME]!r} is not {error}") from error
        pairs.append(f"{name}={text}")
    return f"?{'&'.join(pairs)}" if pairs else ""


def _record(name: str, kind: str, about: str, value: object, limits: list[float] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "key": name,
        "label": name.capitalize(),
        "help": about,
        "kind": kind,
        "choices": [],
        "range": limits,
        "unit": "",
        "default": value,
        "default_text": "",
        "value": value,
    }


def _recent(spec: str) -> Entry | None:
    """The entry of a file or folder that a spec names; None if it names none."""
    with suppress(MatteError, OSError, ValueError):
        word = plugins.background(spec).name
        if word not in FILE_WORDS:
            return None
        plain, _ = specs.split(spec, plugins.options("backgrounds", word))
        path = Path(plugins.without_word(plain)).expanduser().absolute()
        if path.exists():
            return Entry(_digest(path), masked(path.name), "recent", _file_spec(path), path=path)
    return None


def _file_entry(path: Path, name: str, *, own: bool) -> Entry:
    kind: Kind = "video" if path.suffix.lower() in VIDEO_SUFFIXES else "image"
    return Entry(_digest(path), name, kind, _file_spec(path), own=own, path=path)


def _file_spec(path: Path) -> str:
    """A spec that is read as this file, whatever its name."""
    if path.is_dir():
        return f"folder:{path}"
    return f"{'video' if path.suffix.lower() in VIDEO_SUFFIXES else 'image'}:{path}"


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:20]


def _files(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES
            and path.name[0] != "."
            and "?" not in path.name
            and path.is_file()
        )
    return []


def _write_json(path: Path, value: object) -> None:
    """Written under another name first, so that it is never half a file. A full disk loses names, no background."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(value), "utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
