"""The training pack: people with alphas, clips with alphas, and images without people.

Its tables are described in ``rows.py``. The alphas of people2.csv and clips2.csv are votes of several networks;
``sure`` is the share of the votes that agree.

Reading decodes everything once, estimates the foreground colours (Germer et al. 2020, Fast Multi-Level Foreground
Estimation), and keeps the result in a cache file, since that takes minutes.
"""

import hashlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from training.rows import OPTIONAL_TABLES, TABLES, Choice

Image: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) BGR, or (H, W) of alpha, mask or certainty; in shots with the frames as first axis."""

LONG_SIDE = 448
"""Larger images are shrunk to this; the network sees about half of it."""

PEOPLE2 = "people2"
"""The source of the people of people2.csv begins with this; the kind of image follows."""

LabelledFiles: TypeAlias = tuple[Path, Path, Path | None, str]
"""Image or video, its alpha, its share of agreeing votes if any, its source."""


@dataclass(frozen=True, slots=True)
class Still:
    """One image of people, or of an object: ``image`` and ``foreground`` (H, W, 3) BGR, ``alpha`` (H, W), all uint8.

    ``certainty``: (H, W) uint8, 255 where alpha is known, 0 where it is not; None: known everywhere.
    """

    image: Image
    foreground: Image
    alpha: Image
    source: str
    certainty: Image | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """One split of a pack. A clip is a list of its frames, in order.

    ``backgrounds``: images without a person. ``hard_negatives``: others that networks take for a person.
    """

    people: list[Still]
    clips: list[list[Still]]
    backgrounds: list[Image]
    hard_negatives: list[Image] = field(default_factory=list)


def read(folder: Path, *, split: str, cache: Path, open_only: bool = False) -> Pack:
    """The split "train" or "val" of a pack, decoded once, then read from ``cache``.

    Args:
        folder: The pack.
        split: Which of its rows.
        cache: Where the decoded images are kept.
        open_only: Only images that anybody may use for anything (``rows.py``).

    Raises:
        FileNotFoundError: there is no such pack.
        ValueError: a file of it is not an image.
    """
    name = f"{split}-open" if open_only else split
    cached = cache / f"pack4-{name}-{LONG_SIDE}-{_fingerprint(folder)}.pickle"
    if not cached.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = cached.with_suffix(".part")
        with part.open("wb") as file:
            pickle.dump(_decode(folder, Choice(split, open_only)), file, protocol=5)
        part.rename(cached)
    with cached.open("rb") as file:
        pack = pickle.load(file)  # noqa: S301 - our own cache, written above
    assert isinstance(pack, Pack)  # noqa: S101 - as above
    return pack


def _decode(folder: Path, choice: Choice) -> Pack:
    # Spawned: a fork would copy OpenCV's threads while they work, and hang.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return Pack(
            people=list(pool.map(_read_still, _people(folder, choice), chunksize=16)),
            clips=list(pool.map(_read_clip, _clips(folder, choice))),
            backgrounds=list(pool.map(_read_image, _images(folder, "nobody.csv", choice), chunksize=64)),
            hard_negatives=list(pool.map(_read_image, _images(folder, "no_person2.csv", choice), chunksize=64)),
        )


def _fingerprint(folder: Path) -> str:
    """Changes with the pack's folder and with every row of its tables, so that a changed pack is read again."""
    optional = [path for name in OPTIONAL_TABLES if (path := folder / name).exists()]
    rows = b"".join(path.read_bytes() for path in [*(folder / name for name in TABLES), *optional])
    return hashlib.sha256(str(folder.resolve()).encode() + rows).hexdigest()[:12]


def _people(folder: Path, choice: Choice) -> Iterator[LabelledFiles]:
    for row in choice.rows(folder / "pack.csv"):
        yield folder / row["image"], folder / row["alpha"], None, row["source"]
    for row in choice.rows(folder / "people2.csv"):
        yield folder / row["image"], folder / row["alpha"], folder / row["sure"], f"{PEOPLE2}: {row['kind']}"


def _clips(folder: Path, choice: Choice) -> Iterator[LabelledFiles]:
    for row in choice.rows(folder / "clips.csv"):
        yield folder / row["video"], folder / row["alpha"], None, Path(row["video"]).stem
    for row in choice.rows(folder / "clips2.csv"):
        yield folder / row["video"], folder / row["alpha"], folder / row["sure"], Path(row["video"]).stem


def _images(folder: Path, table: str, choice: Choice) -> Iterator[Path]:
    return (folder / row["image"] for row in choice.rows(folder / table))


def _read_image(path: Path, flags: int = cv2.IMREAD_COLOR) -> Image:
    image = cv2.imread(str(path), flags)
    if image is None:
        raise ValueError(f"{path} is not an image")
    return _shrink(image)


def _shrink(image: Image) -> Image:
    scale = LONG_SIDE / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return image


def _read_still(files: LabelledFiles) -> Still:
    image, alpha, sure, source = files
    agreement = None if sure is None else _read_image(sure, cv2.IMREAD_GRAYSCALE)
    return make_still(_read_image(image), _read_image(alpha, cv2.IMREAD_GRAYSCALE), source, agreement=agreement)


def make_still(image: Image, alpha: Image, source: str, *, agreement: Image | None = None) -> Still:
    """A still with estimated foreground colours, defined for every pixel.

    Args:
        image: (H, W, 3).
        alpha: Of any size.
        source: Where the image comes from.
        agreement: The share of votes that agree with ``alpha``, of any size, 255 is all of them.
    """
    from pymatting import estimate_foreground_ml  # noqa: PLC0415 - compiles for seconds when imported

    alpha = cv2.resize(alpha, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    colours = estimate_foreground_ml(image / 255.0, alpha / 255.0)
    foreground = (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
    certainty = None if agreement is None else certainty_of(agreement, image.shape[1::-1])
    return Still(image, foreground, alpha, source, certainty)


def certainty_of(agreement: Image, size: tuple[int, int]) -> Image:
    """Certainty of ``size`` (width, height): 0 where half of the votes agree, 255 where all agree.

    Every network puts an outline in a slightly different place, so votes differ along all outlines. Lines of low
    agreement of one or two pixels (the agreement has a quarter of the image's size) are therefore set to certain
    (grey closing); areas stay.
    """
    areas = cv2.morphologyEx(agreement, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    margin = np.clip(2 * areas.astype(np.int16) - 255, 0, 255).astype(np.uint8)
    return cv2.resize(margin, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _read_clip(files: LabelledFiles) -> list[Still]:
    video, alpha, sure, source = files
    agreements: Iterator[Image | None] = repeat(None) if sure is None else read_grey_video(sure)
    return [
        make_still(_shrink(image), _shrink(matte), source, agreement=agreement)
        for image, matte, agreement in zip(read_colour_video(video), read_grey_video(alpha), agreements, strict=False)
    ]


def read_colour_video(video: Path) -> Iterator[Image]:
    """BGR frames, one by one."""
    with av.open(str(video)) as file:
        for frame in file.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def read_grey_video(video: Path) -> Iterator[Image]:
    """The frames (H, W) of an alpha or a certainty, 0 to 255, one by one.

    Videos store grey from 0 to 255 or, as most encoders do with colours, from 16 to 235, and few files say which. So
    the first frame decides: an alpha lies at its ends nearly everywhere, a certainty at the upper one. Read wrongly,
    the first kind has hard edges, and the second a veil over the whole frame.
    """
    table = None
    with av.open(str(video)) as file:
        for frame in file.decode(video=0):
            plane = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            pixels = rows[:, : plane.width]
            if table is None:
                is_limited = frame.format.name != "gray" and _is_limited_range(pixels)
                table = LIMITED_TO_FULL if is_limited else np.arange(256, dtype=np.uint8)
            yield table[pixels]


BLACK, WHITE = 16, 235
"""Of the limited range."""

NEAR = 4
"""Levels by which lossy compression changes a plane of one colour, at most. Not tuned."""

LIMITED_TO_FULL: Image = np.clip(np.rint((np.arange(256) - BLACK) * 255 / (WHITE - BLACK)), 0, 255).astype(np.uint8)


def _is_limited_range(pixels: Image) -> bool:
    """Whether more pixels lie at the ends of the limited range than at those of the full one."""
    counts = np.bincount(pixels.ravel(), minlength=256)
    limited = sum(counts[end - NEAR : end + NEAR + 1].sum() for end in (BLACK, WHITE))
    return bool(limited > counts[: NEAR + 1].sum() + counts[-NEAR - 1 :].sum())
