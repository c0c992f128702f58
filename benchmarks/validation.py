"""The sets networks are scored on: ``collect("composites", data=Path("../shared/data"))`` for ``metrics.evaluate``."""

from pathlib import Path

import composites
import webcams
from clips import Clip, as_webcam, folder, of_empty_room
from pack import rows

SETS = ("composites", "portraits", "clips", "nobody", "webcams")


def collect(name: str, *, data: Path, cache: Path = composites.CACHE, limit: int | None = None) -> list[Clip]:
    """The clips of a set (one of SETS), or of the folder ``name``; at most ``limit``. Stills are clips of one frame.

    ``data``: the folder of the data pack. ``cache``: where composites are kept.

    Raises:
        FileNotFoundError: there is no such set, folder or pack.
    """
    if name == "composites":
        return composites.load(data, cache)[:limit]
    if name == "portraits":
        return [as_webcam(data / row["image"], data / row["alpha"]) for row in rows(data, "pack.csv")][:limit]
    if name == "clips":
        return [as_webcam(data / row["video"], data / row["alpha"]) for row in rows(data, "clips.csv")][:limit]
    if name == "nobody":
        return [of_empty_room(data / row["image"]) for row in rows(data, "nobody.csv")][:limit]
    if name == "webcams":
        return webcams.load(data, cache)[:limit]
    if not Path(name).is_dir():
        raise FileNotFoundError(f"no set or folder called {name!r}; the sets are: {', '.join(SETS)}")
    return folder(Path(name))[:limit]
