"""A contact sheet: frames, truth, and what each network made of them, cut out, and enlarged where the hair is."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from metrics import Alpha, Pixels, Truth
from networks import Contender, Look

TILE = (320, 180)
GREEN = (90, 200, 60)
SAND, SEA, SKY = (150, 200, 225), (165, 125, 40), (235, 205, 150)

Window: TypeAlias = tuple[slice, slice]


def write(file: Path, clips: Sequence[Truth], contenders: Sequence[Contender], *, most: int = 6) -> None:
    """Write a PNG of ``most`` clips, evenly chosen: for each its middle frame, as alphas, on a beach, hair on green.

    Raises:
        OSError: the file cannot be written.
    """
    places = np.linspace(0, len(clips) - 1, min(most, len(clips))).round().astype(int)
    head = [title(text) for text in ("", "truth", *(contender.name for contender in contenders))]
    rows = [head, *(row for place in places for row in _rows(clips[place], contenders))]
    good, png = cv2.imencode(".png", np.vstack([np.hstack(row) for row in rows]))
    assert good, "PNG takes any picture"  # noqa: S101 - our own mistake otherwise
    file.write_bytes(png.tobytes())


def _rows(clip: Truth, contenders: Sequence[Contender]) -> Iterator[list[Pixels]]:
    frames, alphas = clip.frames, clip.alphas
    middle = len(frames) // 2
    frame, truth = frames[middle], alphas[middle]
    looks = [(truth, frame), *(_last(contender.looks(frames[: middle + 1])) for contender in contenders)]
    hair, plain = softest(truth), np.full_like(frame, GREEN)
    yield [tile(frame), *(tile(np.repeat(as_bytes(alpha)[..., None], 3, axis=2)) for alpha, _ in looks)]
    yield [title(clip.name, TILE[1]), *(tile(cut_out(look, beach(frame.shape))) for look in looks)]
    yield [tile(frame[hair]), *(tile(cut_out(look, plain)[hair]) for look in looks)]


def _last(looks: Iterator[Look]) -> Look:
    *_, last = looks
    return last


def cut_out(look: Look, behind: Pixels) -> Pixels:
    """The person over another background."""
    alpha, colours = look
    part = alpha[..., None]
    return as_bytes(np.asarray((colours * part + behind * (1 - part)) / 255, np.float32))


def as_bytes(values: Alpha) -> Pixels:
    """0 .. 1 to 0 .. 255."""
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)


def softest(truth: Alpha) -> Window:
    """Where most of the truth is neither person nor background, a quarter of the frame wide and high."""
    height, width = (max(side // 4, 1) for side in truth.shape)
    soft = ((truth > 0.05) & (truth < 0.95)).astype(np.float32)  # noqa: PLR2004 - chosen by eye
    sums = cv2.boxFilter(soft, -1, (width, height), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    inside = sums[: truth.shape[0] - height + 1, : truth.shape[1] - width + 1]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def beach(shape: tuple[int, ...]) -> Pixels:
    """Sky, sea and sand: a light, a dark and a warm band."""
    picture = np.full(shape, SKY, np.uint8)
    picture[shape[0] * 2 // 5 :] = SEA
    picture[shape[0] * 3 // 5 :] = SAND
    return picture


def tile(pixels: Pixels) -> Pixels:
    """Shrunk or enlarged to fit a tile, its aspect kept."""
    height, width = pixels.shape[:2]
    scale = min(TILE[0] / width, TILE[1] / height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    shown = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (TILE[0] - size[0]) // 2, (TILE[1] - size[1]) // 2
    filled = np.zeros((TILE[1], TILE[0], 3), np.uint8)
    filled[top : top + size[1], left : left + size[0]] = shown
    return filled


def title(text: str, height: int = 24) -> Pixels:
    """A tile's width with words."""
    picture = np.zeros((height, TILE[0], 3), np.uint8)
    cv2.putText(picture, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return picture
