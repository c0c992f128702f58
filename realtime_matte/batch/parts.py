"""Results that are being made: in hidden files beside their final place, which get their names when they are whole."""

import hashlib
import os
import re
import shutil
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from realtime_matte.batch.naming import Result
from realtime_matte.media.new_file import write_error

PART: Final = re.compile(r"\.rtmatte-([0-9a-f]{12})-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)\.part")
"""Hash of the result's name, the run, hash of the machine's name, process."""

TIMES_NAME: Final = "timestamps.txt"
"""Beside the images of a clip with a variable rate: times in ms, as ``mkvmerge --timestamps 0:FILE`` reads them."""

MAX_AGE_S: Final = 7 * 24 * 3600
"""A part of another machine, whose processes cannot be seen, is taken as left behind after a week."""


def new_part(result: Result, run: str) -> Path:
    """A name for the part of this process, in an existing folder; what killed processes left there is deleted.

    Raises:
        SinkError: The folder cannot be created.
    """
    folder = Path(result.folder).parent if result.own_folder else Path(result.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder)
    except OSError as error:
        raise write_error(folder, error.errno, error.strerror) from error
    name = _digest(result.name, 12)
    return folder / f".rtmatte-{name}-{run}-{_digest(socket.gethostname(), 8)}-{os.getpid()}.part"


def place_file(part: Path, path: Path) -> None:
    """Give a whole file its name. Raises SinkError."""
    try:
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise write_error(path, error.errno, error.strerror) from error


def place_images(part: Path, result: Result, *, whole_clip: bool) -> None:
    """Give images, all of which are whole, their names.

    The folder is renamed where there is none yet. ``whole_clip``: images of a longer, earlier result are deleted.

    Raises:
        SinkError
    """
    target = Path(result.folder)
    try:
        names = sorted(path.name for path in part.iterdir())
        for name in names:
            _sync(part / name)
        if not (result.own_folder and _rename_folder(part, target)):
            target.mkdir(parents=True, exist_ok=True)
            for name in names:
                (part / name).replace(target / name)
            part.rmdir()
        if result.own_folder and whole_clip:
            _delete_others(target, result, names)
        _sync(target)
    except OSError as error:
        raise write_error(target, error.errno, error.strerror) from error


def numbered_images(folder: Path, result: Result) -> dict[int, Path]:
    """The images in the folder of a clip, by their numbers; those of another format are of another result."""
    pattern = re.compile(rf"(\d+){re.escape(result.file_format.suffix)}", re.ASCII)
    files = folder.iterdir() if folder.is_dir() else ()
    return {int(match[1]): file for file in files if (match := pattern.fullmatch(file.name))}


def remove(part: Path) -> None:
    """Delete a part, a file or a folder, if it is there."""
    with suppress(OSError):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()


def remove_run(folder: Path, run: str) -> None:
    """Delete what is left of one run in a folder and those in it; its processes have ended."""
    for path in folder.rglob(".rtmatte-*.part"):
        match = PART.fullmatch(path.name)
        if match and match[2] == run:
            remove(path)


def remove_abandoned(folder: Path) -> None:
    """Delete the parts in a folder whose processes have ended without deleting them."""
    here = _digest(socket.gethostname(), 8)
    for path in folder.glob(".rtmatte-*.part"):
        match = PART.fullmatch(path.name)
        if match is None:
            continue
        with suppress(OSError):
            old = time.time() - path.stat().st_mtime > MAX_AGE_S
            if old or (match[3] == here and not _runs(int(match[4]))):
                remove(path)


def _rename_folder(part: Path, target: Path) -> bool:
    """Give a folder its name, unless there is one: of an earlier result, or of another range that was quicker."""
    try:
        part.rename(target)
    except OSError:
        if target.is_dir():
            return False
        raise
    return True


def _delete_others(folder: Path, result: Result, names: Sequence[str]) -> None:
    """Delete images of a result that are not among the names, and the times of an earlier clip."""
    kept = set(names)
    for path in [*numbered_images(folder, result).values(), folder / TIMES_NAME]:
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether a process of this machine runs; True where that cannot be seen."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Whether a process has ended, and only its parent has not taken notice yet. False where that cannot be seen."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:length]


def _sync(path: Path) -> None:
    """Write to the disk, so that a name never stands for a file that a power cut leaves empty."""
    if os.name != "posix":  # Windows needs the file open for writing, and knows no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
