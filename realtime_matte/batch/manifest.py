"""The manifest: one JSON object a line in the folder of results, from what and how each was made.

The last line of a result counts. Several processes may append at a time. A line that a killed process left incomplete
is skipped, and its result made again.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, TypeGuard

from realtime_matte import __version__
from realtime_matte.batch.inputs import Input
from realtime_matte.batch.naming import Result
from realtime_matte.batch.parts import numbered_images
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.batch.task import Outcome
from realtime_matte.errors import MissingFile, SinkError, read_hint
from realtime_matte.media.new_file import write_error
from realtime_matte.models import catalog
from realtime_matte.paths import is_file

NAME: Final = "manifest.jsonl"
STARTED, DONE, FAILED = "started", "done", "failed"

Record: TypeAlias = dict[str, Any]
Range: TypeAlias = tuple[int | None, int | None]
"""First and last frame."""

BESIDES_RANGE: Final = frozenset({"first", "last", "warmup_s"})
"""Settings that do not make frames of one range differ from those of another."""


class Manifest:
    """The manifest of a folder, read when it is opened."""

    def __init__(self, out: Path) -> None:
        self._path = out / NAME
        self._records: dict[str, dict[Range, Record]] = {}  # by result; of each, in the order of their last lines
        for record in self._read():
            self._keep(record)

    def lists(self, result: Result) -> bool:
        """Whether a result of that name was ever started, also by another process since."""
        if result.name in self._records:
            return True
        return any(record["result"] == result.name for record in self._read())

    def find(self, result: Result, settings: BatchSettings) -> Record | None:
        """The last record of a result; None if it was never started.

        Also None where other settings, or another input, have later begun to replace some of its frames: images of
        all ranges are in one folder.
        """
        records = self._records.get(result.name, {})
        found = records.get((settings.first, settings.last))
        if found is None:
            return None
        later = list(records.values())
        later = later[later.index(found) + 1 :]
        return None if any(_overlap(found, one) and not _is_same(found, one) for one in later) else found

    def append(self, record: Record) -> None:
        """Add a record. Raises SinkError."""
        self._keep(record)
        line = json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab+") as file, _locked(file.fileno()):
                if _is_torn(file):
                    line = b"\n" + line
                os.write(file.fileno(), line)
        except OSError as error:
            raise write_error(self._path, error.errno, error.strerror) from error

    def _keep(self, record: Record) -> None:
        ranges = self._records.setdefault(record["result"], {})
        ranges.pop((record["first"], record["last"]), None)
        ranges[record["first"], record["last"]] = record

    def _read(self) -> Iterator[Record]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            out = str(self._path.parent)
            raise SinkError(f"cannot write into {out!r}: it is a file", hint="name a folder with --out") from error
        except OSError as error:
            hint = read_hint(error, "move it away")
            raise MissingFile(f"cannot read {str(self._path)!r}: {error.strerror}", hint=hint) from error
        for line in lines:
            record = None
            with suppress(ValueError, RecursionError):
                record = json.loads(line)
            if _is_record(record):
                yield record


def describe(
    one: Input, result: Result, settings: BatchSettings, model: Mapping[str, str], *, checksum: bool
) -> Record:
    """What a result depends on: the record of a started task.

    Raises:
        MissingFile: The input cannot be read.
    """
    files = [Path(file) for file in one.files]
    try:
        stats = [file.stat() for file in files]
        digest = _hash(files) if checksum else None
    except OSError as error:
        lost = isinstance(error, FileNotFoundError)
        hint = "it was deleted, or is a link to a deleted file" if lost else "check its permissions"
        raise MissingFile(f"cannot read {one.name!r}: {error.strerror}", hint=hint) from error
    return {
        "result": result.name,
        "first": settings.first,
        "last": settings.last,
        "state": STARTED,
        "input": one.name,
        "input_files": len(files),
        "input_bytes": sum(found.st_size for found in stats),
        "input_mtime_ns": max(found.st_mtime_ns for found in stats),
        "input_listing": _listing(files, stats) if len(files) > 1 else None,
        "input_sha256": digest,
        "settings": dict(settings.identity()),
        "model": dict(model),
        "version": __version__,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def finished(described: Record, result: Result, outcome: Outcome) -> Record:
    """The record of a task that has ended."""
    record = described | {"time": datetime.now(UTC).isoformat(timespec="seconds")}
    if outcome.reason:
        return record | {"state": FAILED, "reason": outcome.reason, "hint": outcome.hint}
    return record | {
        "state": DONE,
        "format": result.file_format.holds[described["settings"]["write"]],
        "frames": outcome.frames,
        "size": list(outcome.size),
        "fps": outcome.fps,
        "cuts": list(outcome.cuts),
        "provider": outcome.provider,
        "seconds": round(outcome.seconds, 3),
        "notices": list(outcome.notices),
        "result_bytes": outcome.result_bytes,
    }


def is_current(record: Record | None, described: Record, one: Input, result: Result) -> bool:
    """Whether a result is whole, and what would be made now."""
    if record is None or record.get("state") != DONE or not _is_there(record, one, result):
        return False
    as_stored = json.loads(json.dumps(described))
    return _is_same(record, as_stored) and bool(record["settings"] == as_stored["settings"])


def _is_same(record: Record, other: Record) -> bool:
    """Whether frames of two records are of one input and made in one way."""
    same = ["input_files", "input_bytes", "model", "version"]
    both_hashed = record.get("input_sha256") and other.get("input_sha256")
    same += ["input_sha256"] if both_hashed else ["input_mtime_ns", "input_listing"]
    return _frame_settings(record) == _frame_settings(other) and all(record.get(key) == other.get(key) for key in same)


def _frame_settings(record: Record) -> Record:
    return {name: value for name, value in record["settings"].items() if name not in BESIDES_RANGE}


def _overlap(record: Record, other: Record) -> bool:
    """Whether two ranges have a frame in common."""
    (first, last), (other_first, other_last) = (
        (one["first"] or 0, inf if one["last"] is None else one["last"]) for one in (record, other)
    )
    return bool(first <= other_last and other_first <= last)


def _is_record(value: object) -> TypeGuard[Record]:
    """Whether a line of the file has what is read here; a user may have edited it."""
    if not isinstance(value, dict):
        return False
    ranged = all(isinstance(value.get(key, ""), int | None) for key in ("first", "last"))
    cuts = value.get("cuts", [])
    done = value.get("state") != DONE or (
        isinstance(value.get("frames"), int) and isinstance(cuts, list) and all(isinstance(one, int) for one in cuts)
    )
    return ranged and done and isinstance(value.get("result"), str) and isinstance(value.get("settings"), dict)


def exists(result: Result, one: Input, settings: BatchSettings) -> bool:
    """Whether anything has the name of a file of a result, or would be deleted for it."""
    if not result.digits:
        return os.path.lexists(result.path)
    if result.own_folder:
        first, last = settings.first or 0, inf if settings.last is None else settings.last
        return any(first <= number <= last for number in numbered_images(Path(result.folder), result))
    return any(os.path.lexists(Path(result.folder, result.image(number))) for number in one.numbers)


def describe_model(spec: str) -> Mapping[str, str]:
    """Name, version, commit and hash of a network's file; the name alone for a keyer."""
    name = spec.partition("?")[0]
    path = catalog.shipped_files().get(name, Path(name))
    if not is_file(path):
        return {"name": name}
    shipped = next((info for info in catalog.list_models() if info.name == name), None)
    known = {"version": shipped.version, "commit": shipped.commit} if shipped else {}
    return {"name": name, **known, "sha256": _hash([path])}


def _is_there(record: Record, one: Input, result: Result) -> bool:
    """Whether a result has as many files, or bytes, as when it was made."""
    if not result.digits:
        return is_file(result.path) and result.path.stat().st_size == record.get("result_bytes")
    first, last = record.get("first") or 0, record.get("last")
    numbers: Iterable[int]
    if one.kind == "sequence":
        numbers = [number for number in one.numbers if number >= first and (last is None or number <= last)]
    else:
        numbers = range(first, first + record["frames"])
    return all(Path(result.folder, result.image(number)).is_file() for number in numbers)


def _listing(files: Sequence[Path], stats: Sequence[os.stat_result]) -> str:
    """SHA-256 of names, sizes and times of the images of a sequence: two of them may have changed places."""
    lines = (f"{file.name}/{stat.st_size}/{stat.st_mtime_ns}" for file, stat in zip(files, stats, strict=True))
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _hash(files: list[Path]) -> str:
    """SHA-256 of a file; of several, of all their contents one after the other."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """One process at a time, also on network drives that know locks; others append as they are."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX only
    except ImportError:
        yield
        return
    with suppress(OSError):
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
    yield


def _is_torn(file: BinaryIO) -> bool:
    """Whether the last line lacks its end. Not by opening the file again: closing that would release the lock."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
