"""Validation clips with exact truth: held-out people moved along smooth paths over held-out rooms.

Stills and talking heads of the pack's validation split, free of their old background, before its rooms; with motion
blur, some shake, exposure, noise and JPEG as webcams have. The same seed makes the same clips. They are made once
into a cache, so that every network sees the same pixels.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
from clips import Clip, grey
from metrics import Pixels
from numpy.random import default_rng
from pack import rooms, stills, talking
from scene import compose

RECIPE = 1
"""Counted up whenever other pixels are made, so that an old cache is not taken for the new one."""
CACHE = Path.home() / ".cache" / "rtmatte-benchmarks"
TALKING = 4
"""So many of the clips, at most, are of people who really move."""


def load(
    data: Path, cache: Path = CACHE, *, clips: int = 24, frames: int = 30, empty: int = 0, seed: int = 20240
) -> list[Clip]:
    """The clips, made now unless the cache holds them. ``empty``: frames before anybody is there, see scene.py.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
        ValueError: it has too few people.
    """
    before = f"{empty}+" if empty else ""
    place = cache / f"composites-{RECIPE}-{clips}x{before}{frames}-{seed}"
    files = [place / f"{number:02}.npz" for number in range(clips)]
    if not all(file.is_file() for file in files):
        place.mkdir(parents=True, exist_ok=True)
        for file, made in zip(files, _make(data, clips, frames, empty, seed), strict=False):
            _save(file, *made)
    found = sum(file.is_file() for file in files)
    if found < clips:
        raise ValueError(f"the pack in {data} has only {found} people fit to be composited; {clips} clips need as many")
    return [_clip(file) for file in files]


def _make(data: Path, clips: int, frames: int, empty: int, seed: int) -> Iterator[tuple[list[Pixels], list[Pixels]]]:
    """JPEG frames and PNG alphas of each clip."""
    order = default_rng(seed)
    behind = rooms(data)
    places = order.permutation(len(behind))
    everybody = chain(islice(talking(data, frames), min(TALKING, clips // 4)), stills(data, order))
    for number, person in enumerate(islice(everybody, clips)):
        yield compose(person, behind[places[number % len(places)]], frames, default_rng([seed, number]), empty=empty)


def _save(file: Path, pictures: Sequence[Pixels], alphas: Sequence[Pixels]) -> None:
    sizes = np.array([len(one) for one in (*pictures, *alphas)])
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, sizes=sizes, files=np.concatenate([one.ravel() for one in (*pictures, *alphas)]))
    unfinished.replace(file)


def _clip(file: Path) -> Clip:
    def halves(half: int) -> list[Pixels]:
        with np.load(file) as stored:
            parts = np.split(stored["files"], np.cumsum(stored["sizes"])[:-1])
        count = len(parts) // 2
        return [cv2.imdecode(part, cv2.IMREAD_COLOR) for part in parts[half * count : (half + 1) * count]]  # type: ignore[misc]

    return Clip(f"composite_{file.stem}", lambda: halves(0), lambda: [grey(alpha) for alpha in halves(1)])
