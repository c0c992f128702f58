"""The shipped networks: which there are, and whether they are what was published."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from realtime_matte.errors import BadFile
from realtime_matte.models import onnx_file as graph
from realtime_matte.models.weights_folder import weights_folder

SUMS = "SHA256SUMS"
"""Beside the weights: the hash of each, as ``sha256sum`` writes them."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A shipped network, as its file tells it; what the file does not say is empty.

    ``intact``: the file has the hash written in SHA256SUMS; None where that file does not list it.
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


def shipped(folder: Path | None = None) -> dict[str, Path]:
    """The path of each shipped network, by its name."""
    folder = folder or weights_folder()
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def installed(folder: Path | None = None) -> list[ModelInfo]:
    """Every shipped network, its hash checked. Raises BadFile for a file or a list of hashes that cannot be read."""
    folder = folder or weights_folder()
    sums = _sums(folder / SUMS)
    return [_info(name, path, sums.get(path.name)) for name, path in shipped(folder).items()]


def _info(name: str, path: Path, published: str | None) -> ModelInfo:
    told = graph.read(path).metadata
    intact = None if published is None else hashlib.sha256(path.read_bytes()).hexdigest() == published
    words = {word: told.get(f"rtmatte.{word}", "") for word in ("family", "version", "licence", "commit", "created")}
    return ModelInfo(name=name, path=path, size_bytes=path.stat().st_size, intact=intact, **words)


def _sums(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = [line.split() for line in path.read_text("utf-8").splitlines() if line.strip()]
    if any(len(line) != 2 for line in lines):  # noqa: PLR2004 -- a hash and a name
        raise BadFile(
            f"{path} is not as sha256sum writes it: a hash and a file's name in each line", hint="install again"
        )
    return {name.removeprefix("*"): digest for digest, name in lines}
