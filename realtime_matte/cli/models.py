"""``rtmatte models``: lists the shipped networks, and the keyers, which need none."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_json

if TYPE_CHECKING:
    from realtime_matte.models import ModelInfo

INTEGRITY: Final = {
    True: "as published",
    False: "CHANGED since it was published; install rtmatte again",
    None: "hash unknown",
}


KEYER: Final = "keyer"
"""The family of what needs no network."""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """List the networks. Returns 1 if the file of one is not as published."""
    parser = Parser(
        prog, "List the shipped networks and keyers. --model accepts their names, and the path of any .onnx file."
    )
    add_json(parser)
    as_json = parser.parse_args(words).json
    signals.raise_interrupts()
    from realtime_matte import models

    shipped = models.list_models()
    if as_json:
        networks = [asdict(one) | {"path": str(one.path)} for one in shipped]
        print(json.dumps([*networks, *({"name": name, "family": KEYER} for name in models.KEYERS)], indent=2))
    else:
        print(_table(shipped, models.KEYERS))
        if not shipped:
            print("no networks are installed; give --model the path of an .onnx file")
    return int(any(one.intact is False for one in shipped))


def _table(shipped: Sequence["ModelInfo"], keyers: Sequence[str]) -> str:
    from realtime_matte.cli.console import columns

    rows = [("NAME", "FAMILY", "VERSION", "SIZE", "LICENCE", "FILE")]
    for one in shipped:
        size = f"{one.size_bytes / 1e6:.1f} MB"
        rows.append((one.name, one.family, one.version, size, one.licence, f"{one.path} ({INTEGRITY[one.intact]})"))
    rows += [
        (name, KEYER, "", "", "", "no file: computed, for a person before a green or blue screen") for name in keyers
    ]
    return columns(rows)
