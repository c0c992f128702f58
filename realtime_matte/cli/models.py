"""``rtmatte models``: the networks there are."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from realtime_matte.cli.table import columns
from realtime_matte.config.arguments import Parser, add_json

if TYPE_CHECKING:
    from realtime_matte.models import ModelInfo

STATES = {True: "as published", False: "CHANGED since it was published; install again", None: "its hash is not known"}


def main(words: Sequence[str], *, prog: str) -> int:
    """List them; 1 when a file is not what was published."""
    parser = Parser(prog, "The networks there are. --model takes their names, and the path of any .onnx file.")
    add_json(parser)
    as_json = parser.parse_args(words).json
    from realtime_matte import models

    found = models.list_models()
    if as_json:
        print(json.dumps([asdict(one) | {"path": str(one.path)} for one in found], indent=2))
    else:
        print(_table(found) if found else "none came with this installation; give --model the path of an .onnx file")
    return int(any(one.intact is False for one in found))


def _table(found: Sequence["ModelInfo"]) -> str:
    rows = [("NAME", "FAMILY", "VERSION", "SIZE", "LICENCE", "FILE")]
    for one in found:
        size = f"{one.size_bytes / 1e6:.1f} MB"
        rows.append((one.name, one.family, one.version, size, one.licence, f"{one.path} ({STATES[one.intact]})"))
    return columns(rows)
