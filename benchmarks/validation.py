"""The sets networks are scored on: ``collect("composites", data=Path("../shared/data"))`` for ``metrics.evaluate``."""

from collections.abc import Callable
from pathlib import Path

import composites
import webcams
from clips import Clip, as_webcam, folder, of_empty_room
from pack import rows

SETS = ("composites", "long", "entrances", "portraits", "clips", "nobody", "webcams")

LONG_FRAMES = 90
"""Of the composites as they are, three times as many: what a memory is worth shows in seconds."""

EMPTY_FRAMES, AFTER_FRAMES = 40, 50
"""Of the room before its person is at her place, and from then on."""


def collect(name: str, *, data: Path, cache: Path = composites.CACHE, limit: int | None = None) -> list[Clip]:
    """The clips of a set (one of SETS), or of the folder ``name``; at most ``limit``. Stills are clips of one frame.

    ``data``: the folder of the data pack. ``cache``: where composites are kept.

    Raises:
        FileNotFoundError: there is no such set, folder or pack.
    """
    found: dict[str, Callable[[], list[Clip]]] = {
        "composites": lambda: composites.load(data, cache),
        "long": lambda: composites.load(data, cache, frames=LONG_FRAMES),
        "entrances": lambda: composites.load(data, cache, frames=AFTER_FRAMES, empty=EMPTY_FRAMES),
        "portraits": lambda: [as_webcam(data / row["image"], data / row["alpha"]) for row in rows(data, "pack.csv")],
        "clips": lambda: [as_webcam(data / row["video"], data / row["alpha"]) for row in rows(data, "clips.csv")],
        "nobody": lambda: [of_empty_room(data / row["image"]) for row in rows(data, "nobody.csv")],
        "webcams": lambda: webcams.load(data, cache),
    }
    if name in found:
        return found[name]()[:limit]
    if not Path(name).is_dir():
        raise FileNotFoundError(f"no set or folder called {name!r}; the sets are: {', '.join(SETS)}")
    return folder(Path(name))[:limit]
