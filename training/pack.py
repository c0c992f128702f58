"""The training pack: people with alphas, clips with alphas, and pictures without anybody.

A pack is a folder with ``pack.csv`` (image, alpha, source, split, teacher_iou), ``clips.csv`` (video, alpha, split) and
``nobody.csv`` (image, split). It may also have ``people2.csv`` (image, alpha, sure, kind, split), ``clips2.csv``
(video, alpha, sure, split) and ``no_person2.csv`` (image, split). Their alphas are votes of several networks, ``sure``
is the share of the votes that agree. Reading decodes everything once, estimates the people's own colours (Germer et al.
2020, Fast Multi-Level Foreground Estimation), and keeps the result in a cache file, since that takes minutes.
"""

import csv
import hashlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import av
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
    """One still of people: ``image`` and ``foreground`` (H, W, 3) BGR, ``alpha`` (H, W), all uint8.

    ``certainty``: (H, W) uint8, 255 where alpha is known, 0 where it is not; None is known everywhere.
    """

    image: Picture
    foreground: Picture
    alpha: Picture
    source: str
    certainty: Picture | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """All that is trained on, or all that is validated on. A clip is a list of its frames, in order.

    ``lookalikes``: images without a person that person networks mistake for one.
    """

    people: list[Person]
    clips: list[list[Person]]
    rooms: list[Picture]
    lookalikes: list[Picture] = field(default_factory=list)


PEOPLE2 = "people2"
"""Beginning of the source of people2.csv's people; what kind of picture it is follows."""


def read(folder: Path, *, split: str, cache: Path) -> Pack:
    """The pack's part called ``split`` ("train" or "val"); decoded once, then taken from ``cache``.

    Raises:
        FileNotFoundError: there is no such pack.
    """
    kept = cache / f"pack2-{split}-{LONG_SIDE}-{_mark(folder)}.pickle"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Spawned: a fork would copy OpenCV's threads in mid-work.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            pack = Pack(
                people=list(pool.map(_person, _people(folder, split), chunksize=16)),
                clips=list(pool.map(_clip, _clips(folder, split))),
                rooms=list(pool.map(_picture, _rooms(folder, "nobody.csv", split), chunksize=64)),
                lookalikes=list(pool.map(_picture, _rooms(folder, "no_person2.csv", split), chunksize=64)),
            )
        part = kept.with_suffix(".part")
        with part.open("wb") as file:
            pickle.dump(pack, file, protocol=5)
        part.rename(kept)
    with kept.open("rb") as file:
        pack = pickle.load(file)  # noqa: S301 - our own cache, written three lines above
    assert isinstance(pack, Pack)  # noqa: S101 - our own cache again
    return pack


TABLES = ("pack.csv", "clips.csv", "nobody.csv")
"""Which every pack has."""

VOTED = ("people2.csv", "clips2.csv", "no_person2.csv")
"""Which a pack may have."""

Paths = tuple[Path, Path, Path | None, str]
"""Of an image or a video, its alpha and its certainty, and its source."""


def _mark(folder: Path) -> str:
    """Of a pack as it is now: another one, or one with other rows, is read anew."""
    tables = [folder / name for name in TABLES] + [path for name in VOTED if (path := folder / name).exists()]
    rows = b"".join(path.read_bytes() for path in tables)
    return hashlib.sha256(str(folder.resolve()).encode() + rows).hexdigest()[:12]


def _rows(table: Path, split: str) -> Iterator[dict[str, str]]:
    if table.name in VOTED and not table.exists():
        return
    with table.open(newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["split"] == split)


def _people(folder: Path, split: str) -> Iterator[Paths]:
    for row in _rows(folder / "pack.csv", split):
        if float(row["teacher_iou"] or 1) >= WORST_TEACHER_IOU:
            yield folder / row["image"], folder / row["alpha"], None, row["source"]
    for row in _rows(folder / "people2.csv", split):
        yield folder / row["image"], folder / row["alpha"], folder / row["sure"], f"{PEOPLE2}: {row['kind']}"


def _clips(folder: Path, split: str) -> Iterator[Paths]:
    for row in _rows(folder / "clips.csv", split):
        yield folder / row["video"], folder / row["alpha"], None, Path(row["video"]).stem
    for row in _rows(folder / "clips2.csv", split):
        yield folder / row["video"], folder / row["alpha"], folder / row["sure"], Path(row["video"]).stem


def _rooms(folder: Path, table: str, split: str) -> Iterator[Path]:
    return (folder / row["image"] for row in _rows(folder / table, split))


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


def _person(paths: Paths) -> Person:
    image, alpha, sure, source = paths
    votes = None if sure is None else _picture(sure, cv2.IMREAD_GRAYSCALE)
    return cut_out(_picture(image), _picture(alpha, cv2.IMREAD_GRAYSCALE), source, votes=votes)


def cut_out(image: Picture, alpha: Picture, source: str, *, votes: Picture | None = None) -> Person:
    """A person with foreground colours free of the old background, spread over the whole picture.

    ``votes``: the share of votes that agree with ``alpha``, of any size, 255 is all of them.
    """
    from pymatting import estimate_foreground_ml  # noqa: PLC0415 - compiles for seconds when imported

    alpha = cv2.resize(alpha, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    colours = estimate_foreground_ml(image / 255.0, alpha / 255.0)
    foreground = (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
    certainty = None if votes is None else certainty_of(votes, image.shape[1::-1])
    return Person(image, foreground, alpha, source, certainty)


def certainty_of(votes: Picture, size: tuple[int, int]) -> Picture:
    """Certainty of ``size`` (width, height) from the share of votes that agree: 0 where half of them do, 255 where all.

    Every network puts an outline a little elsewhere, so votes differ along all of them. Lines of low certainty one or
    two pixels of ``votes`` wide, a quarter of the image, are therefore taken for certain (grey closing); areas stay.
    """
    areas = cv2.morphologyEx(votes, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    margin = np.clip(2 * areas.astype(np.int16) - 255, 0, 255).astype(np.uint8)
    return cv2.resize(margin, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _clip(paths: Paths) -> list[Person]:
    image, alpha, sure, source = paths
    votes: Iterator[Picture | None] = repeat(None) if sure is None else grey_frames(sure)
    return [
        cut_out(_shrunk(colours), _shrunk(matte), source, votes=vote)
        for colours, matte, vote in zip(_colour_frames(image), grey_frames(alpha), votes, strict=False)
    ]


def _colour_frames(video: Path) -> Iterator[Picture]:
    """BGR frames, one by one."""
    with av.open(str(video)) as file:
        for frame in file.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def grey_frames(video: Path) -> Iterator[Picture]:
    """The luma plane of every frame as it is stored, 0 to 255: a converter that takes it for 16 to 235 stretches it."""
    with av.open(str(video)) as file:
        for frame in file.decode(video=0):
            plane = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            yield rows[:, : plane.width].copy()
