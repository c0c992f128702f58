"""Names of results: those of the inputs with the format's suffix, in the same folders. No two may be the same."""

import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from realtime_matte.batch import formats
from realtime_matte.batch.formats import FileFormat
from realtime_matte.batch.inputs import Input
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.errors import SpecError, printable
from realtime_matte.paths import real

IGNORES_CASE: Final = sys.platform in {"darwin", "win32"}
DIGITS: Final = 6
"""Of the numbers of a clip's frames: a million frames are nine hours at 30 a second."""


@dataclass(frozen=True, slots=True)
class Result:
    """Where the result of an input is.

    Attributes:
        name: Relative to the folder of results, with ``/``; of images, with # for the number.
        folder: Absolute; of the file, or of the images.
        file_format: Of its files.
        prefix: What precedes the number in the names of images.
        digits: How many digits that number has; 0: a single file.
        own_folder: The images are alone in their folder.
    """

    name: str
    folder: str
    file_format: FileFormat
    prefix: str = ""
    digits: int = 0
    own_folder: bool = False

    @property
    def path(self) -> Path:
        """Of a single file."""
        return Path(self.folder, self.name.rpartition("/")[2])

    def image(self, number: int) -> str:
        """The name of the image of that frame, in ``folder``."""
        return f"{self.prefix}{number:0{self.digits}}{self.file_format.suffix}"


def name_results(inputs: Sequence[Input], out: Path, settings: BatchSettings) -> list[Result]:
    """The result of each input.

    Raises:
        SpecError: Two inputs would have the same result, or a result would replace an input.
    """
    results = [_result(one, out, settings) for one in inputs]
    taken: dict[str, Input] = {}
    folders: dict[str, str] = {}
    read = {_place(file, folders) for one in inputs for file in one.files}
    for one, result in zip(inputs, results, strict=True):
        for path in _paths(one, result):
            other = taken.setdefault(_comparable(path), one)
            if other is not one:
                raise SpecError(
                    f"{printable(other.name)!r} and {printable(one.name)!r} would both be written as {result.name!r}",
                    hint="rename one of them, or write them into different folders",
                )
            if _place(path, folders) in read:
                raise SpecError(f"the result {path!r} would replace an input", hint="choose another folder for --out")
    _check_own_folders(results)
    return results


def _check_own_folders(results: Sequence[Result]) -> None:
    """Raise SpecError where the folder of a clip's images holds another result too."""
    own = {_comparable(one.folder): one for one in results if one.own_folder}
    for result in results:
        owner = own.get(_comparable(result.folder), result)
        if owner is not result:
            raise SpecError(
                f"the results {owner.name!r} and {result.name!r} would be in one folder",
                hint="rename one of them, or write them into different folders",
            )


def _result(one: Input, out: Path, settings: BatchSettings) -> Result:
    folder = Path(one.folder).as_posix() if one.folder not in {"", "."} else ""
    file_format = settings.file_format
    if one.kind == "still" and file_format.video:
        file_format = formats.choose(formats.STILL, settings.write)
    if one.kind == "still" or file_format.video:
        part = _range_part(settings) if one.kind != "still" else ""
        name = f"{one.stem}{part}{file_format.suffix}"
        return Result(_joined(folder, name), str(out / folder), file_format)
    if one.kind == "sequence":
        name = f"{one.prefix}{'#' * one.digits}{file_format.suffix}"
        return Result(_joined(folder, name), str(out / folder), file_format, one.prefix, one.digits)
    name = f"{one.stem}/{'#' * DIGITS}{file_format.suffix}"
    return Result(_joined(folder, name), str(out / folder / one.stem), file_format, "", DIGITS, own_folder=True)


def _range_part(settings: BatchSettings) -> str:
    """Videos of different ranges are different files; images of different ranges are in one folder."""
    if not settings.has_range:
        return ""
    return f".{settings.first or 0}-{'' if settings.last is None else settings.last}"


def _paths(one: Input, result: Result) -> list[str]:
    """The paths of the files of a result."""
    if not result.digits:
        return [str(result.path)]
    numbers = one.numbers if one.kind == "sequence" else range(1)
    return [str(Path(result.folder, result.image(number))) for number in numbers]


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _place(path: str, folders: dict[str, str]) -> str:
    """Where a file is: its folder without links. Its own link is what a result of that name replaces.

    ``folders``: those that were looked up before, by their names; a sequence has many files.
    """
    folder, name = os.path.split(path)
    if folder not in folders:
        folders[folder] = real(folder)
    return _comparable(f"{folders[folder]}/{name}")


def _comparable(path: str) -> str:
    """Equal for names that are the same file on this system."""
    text = unicodedata.normalize("NFC", os.path.normpath(path))
    return text.casefold() if IGNORES_CASE else text
