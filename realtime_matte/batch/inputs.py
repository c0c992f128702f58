"""What is matted: clips, image sequences and stills, found by files, folders, globs and patterns."""

import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from realtime_matte.errors import MissingFile, SpecError
from realtime_matte.media import clip, image
from realtime_matte.paths import named, real

NUMBERED: Final = re.compile(r"^(.*?)(\d+)(\.[^.]+)$", re.DOTALL)
"""Prefix, number and suffix of the name of an image of a sequence."""

PATTERN: Final = re.compile(r"%0?(\d*)d|#+")
"""The number in the pattern of a sequence: ``shot.%04d.png``, ``shot.####.png``."""

MIN_SEQUENCE: Final = 2


@dataclass(frozen=True, slots=True)
class Input:
    """One clip, sequence or still.

    Attributes:
        kind: Which of them.
        files: Absolute paths, in order; one, unless it is a sequence.
        numbers: The frame number of each file.
        folder: Its folder, relative to what was named: where its result is in the folder of results.
        stem: Its name without number and suffix.
        prefix: Of a sequence: what precedes the number in the names of its files.
        digits: Of a sequence: how many digits the number has.
    """

    kind: Literal["clip", "sequence", "still"]
    files: tuple[str, ...]
    numbers: tuple[int, ...]
    folder: str
    stem: str
    prefix: str = ""
    digits: int = 6

    @property
    def name(self) -> str:
        """For messages and records: its path; of a sequence, with # for the number."""
        if self.kind != "sequence":
            return self.files[0]
        path = Path(self.files[0])
        return str(path.with_name(f"{self.prefix}{'#' * self.digits}{path.suffix}"))


def find(names: Sequence[str], *, out: Path, stills: bool) -> list[Input]:
    """Everything that was named, in order, each once.

    Args:
        names: Files, folders (with all folders in them), globs, patterns of sequences.
        out: The folder of results, in which nothing is searched.
        stills: Take each image by itself, also where names are numbered.

    Raises:
        MissingFile: A name stands for nothing that can be read.
        SpecError: No file can have such a name.
    """
    found: dict[tuple[str, ...], Input] = {}
    out = Path(real(str(out)))
    for name in names:
        inputs = list(_named(name, out=out, stills=stills))
        if not inputs and _is_below(named(name), out):
            raise SpecError(
                f"{name!r} is the folder of results, in which nothing is searched, or in it",
                hint="choose another folder for --out",
            )
        if not inputs:
            raise MissingFile(f"{name!r} holds no clip and no image", hint="name clips, images, or a folder of them")
        for one in inputs:
            found.setdefault(one.files, one)
    return list(found.values())


def _named(name: str, *, out: Path, stills: bool) -> Iterator[Input]:
    """What one name stands for."""
    if not name:
        raise MissingFile("a name of an input is empty", hint="name clips, images, or a folder of them")
    path = named(name)
    if path.is_dir():
        yield from _in_folder(path.absolute(), out=out, stills=stills)
    elif os.path.lexists(path):
        file = path.absolute()
        kind: Literal["still", "clip"] = "still" if file.suffix.lower() in image.SUFFIXES else "clip"
        yield Input(kind, (str(file),), (0,), "", file.stem)
    elif PATTERN.search(path.name):
        yield _pattern(name, path.absolute())
    else:
        yield from _glob(name, path, out=out, stills=stills)


def _pattern(name: str, path: Path) -> Input:
    """The sequence of a pattern. Raises MissingFile, SpecError."""
    if len(PATTERN.findall(path.name)) > 1:
        raise SpecError(f"{name!r} has several numbers", hint="write one, such as shot.%04d.png")
    prefix, suffix = path.name[: PATTERN.search(path.name).start()], path.name[PATTERN.search(path.name).end() :]  # type: ignore[union-attr] # it was found
    numbered = re.compile(re.escape(prefix) + r"(\d+)" + re.escape(suffix))
    files = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    found = [(int(match[1]), file, len(match[1])) for file in files if (match := numbered.fullmatch(file.name))]
    if not found:
        raise MissingFile(f"no image has a name such as {name!r}", hint="check the folder and the pattern")
    return _sequence([(number, file) for number, file, _ in found], "", prefix, min(digits for *_, digits in found))


def _glob(name: str, path: Path, *, out: Path, stills: bool) -> Iterator[Input]:
    """What a glob matches: files, each with its folder below the part without wildcards."""
    if not glob.has_magic(str(path)):
        raise MissingFile(f"there is no file or folder {name!r}", hint="check the name")
    parts = path.absolute().parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    try:
        matches = sorted(root.glob(str(Path(*parts[fixed:]))))
    except ValueError as error:
        raise SpecError(
            f"{name!r} is not a glob: {error}", hint="write ** between slashes, as in clips/**/*.mp4"
        ) from error
    results = {folder for folder in {file.parent for file in matches} if _is_below(folder, out)}
    yield from _group((file for file in matches if file.is_file() and file.parent not in results), root, stills=stills)


def _in_folder(root: Path, *, out: Path, stills: bool) -> Iterator[Input]:
    """Everything in a folder and the folders in it."""
    files: list[Path] = []
    visited: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        here = Path(folder)
        if real in visited or _is_below(here, out):
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        files += [here / one for one in sorted(names) if not one.startswith(".")]
    yield from _group(files, root, stills=stills)


def _group(files: Iterable[Path], root: Path, *, stills: bool) -> Iterator[Input]:
    """Clips, sequences and stills among the files; other files are left out."""
    images: dict[tuple[Path, str, str], list[tuple[int, Path, int]]] = defaultdict(list)
    for file in files:
        suffix, folder = file.suffix.lower(), str(file.parent.relative_to(root))
        match = NUMBERED.fullmatch(file.name)
        if suffix in image.SUFFIXES and match and not stills:
            images[file.parent, match[1], match[3]].append((int(match[2]), file, len(match[2])))
        elif suffix in image.SUFFIXES or suffix in clip.SUFFIXES:
            kind: Literal["still", "clip"] = "still" if suffix in image.SUFFIXES else "clip"
            yield Input(kind, (str(file),), (0,), folder, file.stem)
    for (parent, prefix, _), numbered in images.items():
        folder = str(parent.relative_to(root))
        if len(numbered) < MIN_SEQUENCE:
            yield from (Input("still", (str(file),), (0,), folder, file.stem) for _, file, _ in numbered)
        else:
            digits = min(digits for *_, digits in numbered)
            yield _sequence([(number, file) for number, file, _ in numbered], folder, prefix, digits)


def _sequence(numbered: Sequence[tuple[int, Path]], folder: str, prefix: str, digits: int) -> Input:
    """Images by their numbers. Raises SpecError where two have the same one, such as 1.png and 01.png."""
    ordered = sorted(numbered)
    numbers = tuple(number for number, _ in ordered)
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise SpecError(f"two images of {str(ordered[0][1].parent)!r} have the number {twice}", hint="rename one")
    stem = prefix.rstrip("._- ") or ordered[0][1].parent.name
    return Input("sequence", tuple(str(file) for _, file in ordered), numbers, folder, stem, prefix, digits)


def _is_below(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder or is it, also by links; the folder has none."""
    return Path(real(str(path))).is_relative_to(folder)
