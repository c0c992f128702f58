"""Held-out people, each seen by the six webcams of cameras.py: what is lost against the good one is the camera's doing.

Half of them in rooms of the pack, as the composites are made, half in their own, as the portraits are cut; every other
one of the former in 4:3. Training's own faults have no part in it.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import composites
from cameras import CAMERAS, LINEAR
from clips import Clip, as_webcam
from metrics import Alpha, Pixels
from numpy.random import default_rng
from pack import trusted

Shown = TypeVar("Shown")

SEED = 20261
PEOPLE = 60
FRAMES = 3
NARROW = slice(80, 560)
"""The columns of a composite that a 4:3 webcam shows."""


def load(data: Path, cache: Path = composites.CACHE, *, people: int = PEOPLE) -> list[Clip]:
    """``people`` clips of FRAMES frames by each camera, who are the same for each; the cache keeps what cameras see.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
        ValueError: it has too few people.
    """
    placed = composites.load(data, cache, clips=people // 2, frames=FRAMES, seed=SEED)
    chosen = islice(trusted(data, default_rng(SEED)), people // 2)
    own = [as_webcam(data / row["image"], data / row["alpha"]) for row in chosen]
    scenes = [*(_narrowed(clip) if number % 2 else clip for number, clip in enumerate(placed)), *own]
    return [_seen(scene, camera, number) for camera in CAMERAS for number, scene in enumerate(scenes)]


def _narrowed(clip: Clip) -> Clip:
    return Clip(
        clip.name,
        lambda: [frame[:, NARROW] for frame in clip.frames],
        lambda: [alpha[:, NARROW] for alpha in clip.alphas],
    )


def _seen(scene: Clip, name: str, number: int) -> Clip:
    """A scene by one of CAMERAS; a still stays before it for all of the frames."""

    def alphas() -> list[Alpha]:
        return _lasting(scene.alphas)

    def frames() -> list[Pixels]:
        camera = CAMERAS[name](default_rng([SEED, number, *name.encode()]))
        return [camera(LINEAR[shown], alpha) for shown, alpha in zip(_lasting(scene.frames), alphas(), strict=True)]

    return Clip(f"{name}_{scene.name}", frames, alphas, kind=name)


def _lasting(pictures: Sequence[Shown]) -> list[Shown]:
    return list(pictures) * (FRAMES // len(pictures))
