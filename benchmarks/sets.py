"""The sets of clips that networks are scored on: ``collect("composites", data=Path("../shared/data"))``.

A new set is a function here that returns its clips, and its line in SETS.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import composites
import plates
import stripes
import webcams
from clips import Clip, folder_clips, no_person_clip, webcam_view_clip
from data_pack import NO_PERSON, NO_PERSON2, PORTRAITS, TALKING_HEADS, rows

LoadSet: TypeAlias = Callable[[Path, Path], list[Clip]]
"""From the data pack's folder and the cache to the clips. Raises FileNotFoundError without the pack."""

LONG_FRAMES: Final = plates.LONG_FRAMES
"""Three times the frames of ``composites``: the gain from recurrent memory appears only after seconds."""

EMPTY_FRAMES: Final = 40
"""Frames of ``entrances`` until its person is in place."""
ENTERED_FRAMES: Final = 50
"""Frames of ``entrances`` from then on."""


def long(data: Path, cache: Path) -> list[Clip]:
    """The people and rooms of ``composites`` for three seconds."""
    return composites.load(data, cache, frames=LONG_FRAMES)


def entrances(data: Path, cache: Path) -> list[Clip]:
    """An empty room, then a person enters and stays."""
    return composites.load(data, cache, frames=ENTERED_FRAMES, empty=EMPTY_FRAMES)


def portraits(data: Path, _: Path) -> list[Clip]:
    """Stills with human masks."""
    return [webcam_view_clip(data / row["image"], data / row["alpha"]) for row in rows(data, PORTRAITS)]


def clips(data: Path, _: Path) -> list[Clip]:
    """Real talking heads with the teacher's alphas."""
    return [webcam_view_clip(data / row["video"], data / row["alpha"]) for row in rows(data, TALKING_HEADS)]


def no_person(data: Path, _: Path) -> list[Clip]:
    """Empty rooms and hard negatives: images without a person."""
    return [no_person_clip(data / row["image"]) for row in rows(data, NO_PERSON)]


def no_person2(data: Path, _: Path) -> list[Clip]:
    """Animals, clothes, toys, statues: images that networks take for people."""
    return [no_person_clip(data / row["image"]) for row in rows(data, NO_PERSON2)]


def gestures(data: Path, _: Path) -> list[Clip]:
    """Stills of arms and hands, labelled by the vote of six public networks."""
    return list(stripes.gestures(data))


def striped(data: Path, _: Path) -> list[Clip]:
    """People of portraits and gestures with bands across the body."""
    return stripes.load(data)


SETS: Final[dict[str, LoadSet]] = {
    "composites": composites.load,
    "long": long,
    "entrances": entrances,
    "portraits": portraits,
    "clips": clips,
    "gestures": gestures,
    "stripes": striped,
    "no_person": no_person,
    "no_person2": no_person2,
    "webcams": webcams.load,
    "noisy": webcams.load_noisy,
    "plate-full": plates.full,
    "plate-partial": plates.partial,
    "plate-shifted": plates.shifted,
    "plate-dark": plates.dark,
    "plate-furniture": plates.furniture,
    "plate-other": plates.other_room,
    "plate-lookalikes": plates.lookalike,
    "plate-empty": plates.empty,
}


def collect(name: str, *, data: Path, cache: Path = composites.CACHE, limit: int | None = None) -> list[Clip]:
    """The clips of a set.

    Args:
        name: One of SETS, or a folder of clips.
        data: The folder of the data pack.
        cache: Where composites are kept.
        limit: At most this many, the first ones.

    Raises:
        FileNotFoundError: there is no such set, folder or pack.
    """
    if name in SETS:
        return SETS[name](data, cache)[:limit]
    if not Path(name).is_dir():
        raise FileNotFoundError(f"no set or folder called {name!r}; the sets are: {', '.join(SETS)}")
    return folder_clips(Path(name))[:limit]
