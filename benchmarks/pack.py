"""The data pack's held-out rows: its tables, and the people and rooms that are fit to be composited.

The pack is a folder with pack.csv, clips.csv and nobody.csv; nothing of it belongs into a repository.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from clips import grey, read_image, read_video
from metrics import Alpha, Pixels

GOOD_TRUTH = 0.96
"""Least agreement of the pack's teacher with the human mask for an alpha that may be trusted."""
TOUCHES = 0.08
"""From this alpha on, a person reaches the picture's side and is cut off there by a straight line."""
STRAIGHT = 0.1
"""So much of the picture's height may show that line: it looks like an arm."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone cut out: colours free of the old background, alphas, and the rows that may be shown.

    ``colours`` (H, W, 3) uint8 and ``alphas`` (H, W) float32, one for each frame; a still has one. ``top``: the head's
    row; ``bottom``: the last row fit to be seen.
    """

    name: str
    colours: list[Pixels]
    alphas: list[Alpha]
    top: int
    bottom: int


def rows(data: Path, table: str) -> list[dict[str, str]]:
    """The validation rows of a table of the pack. Raises FileNotFoundError."""
    index = data / table
    if not index.is_file():
        raise FileNotFoundError(f"no {index}; --data names the folder of the data pack, which holds {table}")
    with index.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == "val"]


def rooms(data: Path) -> list[Pixels]:
    """Rooms without anybody, at least 400x225."""
    files = [data / row["image"] for row in rows(data, "nobody.csv") if row["kind"] == "background"]
    pictures = [picture for file in files for picture in read_image(file)]
    return [picture for picture in pictures if picture.shape[1] >= 400 and picture.shape[0] >= 225]  # noqa: PLR2004 - as said


def trusted(data: Path, order: np.random.Generator) -> Iterator[dict[str, str]]:
    """The rows of the portraits whose alpha is good, in a random order."""
    good = [row for row in rows(data, "pack.csv") if float(row["teacher_iou"]) >= GOOD_TRUTH]
    return (good[place] for place in order.permutation(len(good)))


def stills(data: Path, order: np.random.Generator) -> Iterator[Person]:
    """People of the portraits whose alpha is good and who stand free of the sides, in a random order."""
    for row in trusted(data, order):
        person = _cut_out(Path(row["image"]).stem, read_image(data / row["image"]), read_image(data / row["alpha"]))
        if person is not None:
            yield person


def talking(data: Path, frames: int) -> Iterator[Person]:
    """People of the clips, each as far-apart stretches of ``frames`` in which they stand free of the sides."""
    for row in rows(data, "clips.csv"):
        pictures, alphas = read_video(data / row["video"]), read_video(data / row["alpha"])
        for start in (0, len(pictures) // 2):
            stretch = slice(start, start + frames)
            person = _cut_out(f"{Path(row['video']).stem}_{start}", pictures[stretch], alphas[stretch])
            if person is not None and len(person.alphas) == frames:
                yield person


def _cut_out(name: str, pictures: list[Pixels], mattes: list[Pixels]) -> Person | None:
    alphas = [grey(matte) for matte in mattes]
    top, bottom = _fit_rows(np.max(alphas, axis=0))
    height = len(alphas[0])
    if top < 5 or bottom < 0.8 * height or not _in_colour(pictures[0][: height // 2], alphas[0][: height // 2]):  # noqa: PLR2004
        return None
    return Person(name, [colours(*pair) for pair in zip(pictures, alphas, strict=True)], alphas, top, bottom)


def _fit_rows(alpha: Alpha) -> tuple[int, int]:
    """The head's row, and the last row before the sides cut too much off."""
    head = (alpha > 0.5).any(axis=1).argmax()  # noqa: PLR2004 - half covered
    sides = alpha[:, [0, 1, 2, -3, -2, -1]].max(axis=1) > TOUCHES
    cut = sides.argmax() if sides.any() else len(alpha)
    return int(head), min(len(alpha), int(cut + STRAIGHT * len(alpha)))


def _in_colour(picture: Pixels, alpha: Alpha) -> bool:
    """Skin is redder than blue: neither a grey photo nor a tinted one."""
    blue, _, red, _ = cv2.mean(picture, (alpha > 0.5).astype(np.uint8))  # noqa: PLR2004 - half covered
    return red - blue > 10  # noqa: PLR2004 - of 255, chosen by eye


def colours(picture: Pixels, alpha: Alpha) -> Pixels:
    """The person's own colours, free of the old background, continued everywhere (Germer et al. 2020)."""
    from pymatting import estimate_foreground_ml  # noqa: PLC0415 - heavy, and needed only while clips are made

    colours = estimate_foreground_ml(picture / 255.0, alpha.astype(np.float64))
    return np.asarray(cv2.convertScaleAbs(colours, alpha=255), np.uint8)
