"""The validation rows of the data pack: its tables, and the people and rooms that are fit to be composited.

The pack is a folder with pack.csv, clips.csv and nobody.csv (images without a person); people2.csv and no_person2.csv
have more people, and images that networks take for people. Nothing of it belongs in a
repository.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from clips import grey, read_image, read_video
from metrics import Alpha, Pixels

PORTRAITS: Final = "pack.csv"
TALKING_HEADS: Final = "clips.csv"
NO_PERSON: Final = "nobody.csv"
PEOPLE2: Final = "people2.csv"
NO_PERSON2: Final = "no_person2.csv"

VALIDATION, GESTURES = "val", "gestures"
"""Splits that are not trained on; the second one is of people2.csv."""

MIN_TEACHER_IOU: Final = 0.96
"""Least agreement of the pack's teacher with the human mask for an alpha to be trusted."""
SIDE_ALPHA: Final = 0.08
"""From this alpha on, a person touches the image's side and is cut off by a straight line."""
CUT_HEIGHT: Final = 0.1
"""How much of the image's height may show that line: it looks like an arm."""
MIN_ROOM: Final = (400, 225)
"""Least (width, height) of a room."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person cut out of a still or a clip.

    Attributes:
        name: Of the file, and of the stretch of a clip.
        colours: (H, W, 3) uint8 for each frame, without the old background's colours; a still has one frame.
        alphas: (H, W) float32 for each frame.
        top: Row of the head.
        bottom: Last row that may be shown.
    """

    name: str
    colours: list[Pixels]
    alphas: list[Alpha]
    top: int
    bottom: int


def rows(data: Path, table: str, *, split: str = VALIDATION) -> list[dict[str, str]]:
    """The rows of one split of a table of the pack. Raises FileNotFoundError."""
    index = data / table
    if not index.is_file():
        raise FileNotFoundError(f"no {index}; --data names the folder of the data pack, which holds {table}")
    with index.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def rooms(data: Path) -> list[Pixels]:
    """Images of rooms without a person, at least MIN_ROOM."""
    found = [row for row in rows(data, NO_PERSON) if row["kind"] == "background"]
    images = [image for row in found for image in read_image(data / row["image"])]
    return [image for image in images if image.shape[1] >= MIN_ROOM[0] and image.shape[0] >= MIN_ROOM[1]]


def trusted(data: Path, order: np.random.Generator, *, split: str = VALIDATION) -> Iterator[dict[str, str]]:
    """The rows of the portraits of a split whose alpha can be trusted, in a random order."""
    found = [row for row in rows(data, PORTRAITS, split=split) if float(row["teacher_iou"] or 0) >= MIN_TEACHER_IOU]
    return (found[place] for place in order.permutation(len(found)))


def stills(data: Path, order: np.random.Generator) -> Iterator[Person]:
    """People of trusted portraits who do not touch the image's sides, in a random order."""
    for row in trusted(data, order):
        person = _cut_out(Path(row["image"]).stem, read_image(data / row["image"]), read_image(data / row["alpha"]))
        if person is not None:
            yield person


def talking_heads(data: Path, frames: int) -> Iterator[Person]:
    """People of the clips: two separate stretches of ``frames`` each, where the person does not touch the sides."""
    for row in rows(data, TALKING_HEADS):
        video, alphas = read_video(data / row["video"]), read_video(data / row["alpha"])
        for start in (0, len(video) // 2):
            stretch = slice(start, start + frames)
            person = _cut_out(f"{Path(row['video']).stem}_{start}", video[stretch], alphas[stretch])
            if person is not None and len(person.alphas) == frames:
                yield person


def _cut_out(name: str, frames: list[Pixels], grey_alphas: list[Pixels]) -> Person | None:
    """The person, or None if too few rows are fit to be shown, or if the colours are those of a tinted photograph."""
    alphas = [grey(alpha) for alpha in grey_alphas]
    top, bottom = _usable_rows(np.max(alphas, axis=0))
    height = len(alphas[0])
    if top < 5 or bottom < 0.8 * height or not _in_colour(frames[0][: height // 2], alphas[0][: height // 2]):  # noqa: PLR2004
        return None
    return Person(name, [foreground(*pair) for pair in zip(frames, alphas, strict=True)], alphas, top, bottom)


def _usable_rows(alpha: Alpha) -> tuple[int, int]:
    """The row of the head, and the last row before the sides cut too much off."""
    head = (alpha > 0.5).any(axis=1).argmax()  # noqa: PLR2004 - half covered
    sides = alpha[:, [0, 1, 2, -3, -2, -1]].max(axis=1) > SIDE_ALPHA
    cut = sides.argmax() if sides.any() else len(alpha)
    return int(head), min(len(alpha), int(cut + CUT_HEIGHT * len(alpha)))


def _in_colour(pixels: Pixels, alpha: Alpha) -> bool:
    """Whether the person is more red than blue, as skin is: neither a grey photograph nor a tinted one."""
    blue, _, red, _ = cv2.mean(pixels, (alpha > 0.5).astype(np.uint8))  # noqa: PLR2004 - half covered
    return red - blue > 10  # noqa: PLR2004 - of 255, chosen by eye


def foreground(pixels: Pixels, alpha: Alpha) -> Pixels:
    """The person's colours without the old background's, defined for every pixel (Germer et al. 2020)."""
    from pymatting import estimate_foreground_ml  # noqa: PLC0415 - slow to import, needed only when clips are made

    estimated = estimate_foreground_ml(pixels / 255.0, alpha.astype(np.float64))
    return np.asarray(cv2.convertScaleAbs(estimated, alpha=255), np.uint8)
