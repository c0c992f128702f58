"""The shipped networks: their files, and whether these are unchanged since they were published."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from realtime_matte.errors import BadFile
from realtime_matte.models import onnx_file

CHECKSUMS = "SHA256SUMS"
"""File beside the weights with the hash of each, in the format of ``sha256sum``."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A network to open: its name for the user, its .onnx file, and the options of its spec."""

    name: str
    path: Path
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A shipped network, described by its file's metadata; a field the file lacks is empty.

    ``intact``: the file has the hash in SHA256SUMS; None when that does not list it.
    """

    name: str
    path: Path
    family: str
    version: str
    licence: str
    commit: str
    created: str
    size_bytes: int
    intact: bool | None


def weights_folder() -> Path:
    """The folder of the shipped .onnx files: in the installed package, or beside it in a checkout. May not exist."""
    package = Path(__file__).parent.parent
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def shipped_files(folder: Path | None = None) -> dict[str, Path]:
    """The path of each shipped network by its name; ``folder`` defaults to ``weights_folder()``."""
    folder = folder or weights_folder()
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def list_models(folder: Path | None = None) -> list[ModelInfo]:
    """Every shipped network, with its hash checked. ``folder`` defaults to ``weights_folder()``.

    Raises:
        BadFile: A network or the list of hashes cannot be read.

    Example:
        >>> [model.name for model in list_models() if model.intact is False]
        []
    """
    folder = folder or weights_folder()
    checksums = _read_checksums(folder / CHECKSUMS)
    return [_info(name, path, checksums.get(path.name)) for name, path in shipped_files(folder).items()]


def _info(name: str, path: Path, published: str | None) -> ModelInfo:
    metadata = onnx_file.read(path).metadata
    intact = None if published is None else hashlib.sha256(path.read_bytes()).hexdigest() == published
    fields = {key: metadata.get(f"rtmatte.{key}", "") for key in ("family", "version", "licence", "commit", "created")}
    return ModelInfo(name=name, path=path, size_bytes=path.stat().st_size, intact=intact, **fields)


def _read_checksums(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = [line.split() for line in path.read_text("utf-8").splitlines() if line.strip()]
    if any(len(line) != 2 for line in lines):  # noqa: PLR2004 -- a hash and a name
        raise BadFile(f"{path} is not in the format of sha256sum, one hash and file name a line", hint="install again")
    return {name.removeprefix("*"): digest for digest, name in lines}
