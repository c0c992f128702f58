"""The training pack: people with alphas, clips with alphas, and pictures without anybody.

A pack is a folder with ``pack.csv`` (image, alpha, source, split, teacher_iou), ``clips.csv`` (video, alpha, split) and
``nobody.csv`` (image, split). Reading decodes everything once, estimates the people's own colours (Germer et al. 2020,
Fast Multi-Level Foreground Estimation), and keeps the result in a cache file, since that takes minutes.
"""

import csv
import hashlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

LONG_SIDE = 448
"""Pictures are kept at most this large; the network sees about half of it."""

WORST_TEACHER_IOU = 0.88
"""Labels that the teacher agrees with less than this are more often wrong than hard."""


@dataclass(frozen=True, slots=True)
class Person:
    """One still of people: ``image`` and ``foreground`` (H, W, 3) BGR, ``alpha`` (H, W), all uint8."""

    image: Picture
    foreground: Picture
    alpha: Picture
    source: str


@dataclass(frozen=True, slots=True)
class Pack:
    """All that is trained on, or all that is validated on. A clip is a list of its frames, in order."""

    people: list[Person]
    clips: list[list[Person]]
    rooms: list[Picture]


def read(folder: Path, *, split: str, cache: Path) -> Pack:
    """The pack's part called ``split`` ("train" or "val"); decoded once, then taken from ``cache``.

    Raises:
        FileNotFoundError: there is no such pack.
    """
    kept = cache / f"pack-{split}-{LONG_SIDE}-{_mark(folder)}.pickle"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Spawned: a fork would copy OpenCV's threads in mid-work.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            pack = Pack(
                people=list(pool.map(_person, _people(folder, split), chunksize=16)),
                clips=list(pool.map(_clip, _clips(folder, split))),
                rooms=list(pool.map(_picture, _rooms(folder, split), chunksize=64)),
            )
        part = kept.with_suffix(".part")
        with part.open("wb") as file:
            pickle.dump(pack, file, protocol=5)
        part.rename(kept)
    with kept.open("rb") as file:
        pack = pickle.load(file)  # noqa: S301 - our own cache, written three lines above
    assert isinstance(pack, Pack)  # noqa: S101 - our own cache again
    return pack


def _mark(folder: Path) -> str:
    """Of a pack as it is now: another one, or one with other rows, is read anew."""
    tables = b"".join((folder / name).read_bytes() for name in ("pack.csv", "clips.csv", "nobody.csv"))
    return hashlib.sha256(str(folder.resolve()).encode() + tables).hexdigest()[:12]


def _rows(table: Path, split: str) -> Iterator[dict[str, str]]:
    with table.open(newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["split"] == split)


def _people(folder: Path, split: str) -> Iterator[tuple[Path, Path, str]]:
    for row in _rows(folder / "pack.csv", split):
        if float(row["teacher_iou"] or 1) >= WORST_TEACHER_IOU:
            yield folder / row["image"], folder / row["alpha"], row["source"]


def _clips(folder: Path, split: str) -> Iterator[tuple[Path, Path]]:
    return ((folder / row["video"], folder / row["alpha"]) for row in _rows(folder / "clips.csv", split))


def _rooms(folder: Path, split: str) -> Iterator[Path]:
    return (folder / row["image"] for row in _rows(folder / "nobody.csv", split))


def _picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> Picture:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise ValueError(f"{path} is not a picture")
    return _shrunk(picture)


def _shrunk(picture: Picture) -> Picture:
    scale = LONG_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return picture


def _person(paths: tuple[Path, Path, str]) -> Person:
    image, alpha, source = paths
    return cut_out(_picture(image), _picture(alpha, cv2.IMREAD_GRAYSCALE), source)


def cut_out(image: Picture, alpha: Picture, source: str) -> Person:
    """A person with foreground colours free of the old background, spread over the whole picture."""
    from pymatting import estimate_foreground_ml  # noqa: PLC0415 - compiles for seconds when imported

    alpha = cv2.resize(alpha, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    colours = estimate_foreground_ml(image / 255.0, alpha / 255.0)
    return Person(image, (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8), alpha, source)


def _clip(paths: tuple[Path, Path]) -> list[Person]:
    video, alphas = cv2.VideoCapture(str(paths[0])), cv2.VideoCapture(str(paths[1]))
    frames = []
    while True:
        more, image = video.read()
        more_alpha, alpha = alphas.read()
        if not (more and more_alpha):
            return frames
        frames.append(cut_out(_shrunk(image), cv2.cvtColor(_shrunk(alpha), cv2.COLOR_BGR2GRAY), paths[0].stem))
