"""The manifest: one JSON object a line in the folder of results, from what and how each was made.

The last line of a result counts. Several processes may append at a time. A line that a killed process left incomplete
is skipped, and its result made again.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

from realtime_matte import __version__
from realtime_matte.batch.inputs import Input
from realtime_matte.batch.naming import Result
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.batch.task import Outcome
from realtime_matte.errors import MissingFile
from realtime_matte.media.new_file import write_error
from realtime_matte.models import catalog
from realtime_matte.paths import is_file

NAME: Final = "manifest.jsonl"
STARTED, DONE, FAILED = "started", "done", "failed"

Record: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, int | None, int | None]
"""A result's name, and the range of it."""


class Manifest:
    """The manifest of a folder, read when it is opened."""

    def __init__(self, out: Path) -> None:
        self._path = out / NAME
        self._records: dict[Key, Record] = {record_key(record): record for record in self._read()}

    def lists(self, result: Result) -> bool:
        """Whether a result of that name was ever started, also by another process since."""
        if any(key[0] == result.name for key in self._records):
            return True
        return any(record["result"] == result.name for record in self._read())

    def find(self, result: Result, settings: BatchSettings) -> Record | None:
        """The last record of a result; None if it was never started."""
        return self._records.get((result.name, settings.first, settings.last))

    def append(self, record: Record) -> None:
        """Add a record. Raises SinkError."""
        self._records[record_key(record)] = record
        line = json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab+") as file, _locked(file.fileno()):
                if _is_torn(file):
                    line = b"\n" + line
                os.write(file.fileno(), line)
        except OSError as error:
            raise write_error(self._path, error.errno, error.strerror) from error

    def _read(self) -> Iterator[Record]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            raise MissingFile(f"cannot read {str(self._path)!r}: {error.strerror}", hint="correct it") from error
        for line in lines:
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict) and isinstance(record.get("result"), str):
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
        raise MissingFile(f"cannot read {one.name!r}: {error.strerror}", hint="check its permissions") from error
    return {
        "result": result.name,
        "first": settings.first,
        "last": settings.last,
        "state": STARTED,
        "input": one.name,
        "input_files": len(files),
        "input_bytes": sum(found.st_size for found in stats),
        "input_mtime_ns": max(found.st_mtime_ns for found in stats),
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
        "result_bytes": None if result.digits else result.path.stat().st_size,
    }


def is_current(record: Record | None, described: Record, one: Input, result: Result) -> bool:
    """Whether a result is whole, and what would be made now."""
    if record is None or record.get("state") != DONE or not _is_there(record, one, result):
        return False
    same = ["input_files", "input_bytes", "settings", "model", "version"]
    both_hashed = described["input_sha256"] and record.get("input_sha256")
    same.append("input_sha256" if both_hashed else "input_mtime_ns")
    as_stored = json.loads(json.dumps(described))
    return all(record.get(key) == as_stored[key] for key in same)


def exists(result: Result, one: Input) -> bool:
    """Whether anything has the name of a result."""
    if not result.digits:
        return os.path.lexists(result.path)
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
    if one.kind == "sequence":
        numbers = [number for number in one.numbers if number >= first and (last is None or number <= last)]
    else:
        numbers = list(range(first, first + int(record.get("frames", 0))))
    return all(Path(result.folder, result.image(number)).is_file() for number in numbers)


def record_key(record: Record) -> Key:
    """What the last record of counts."""
    return record["result"], record.get("first"), record.get("last")


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
