"""A contact sheet: frames, truth and each network's result, as alpha, over a background, and enlarged at the hair."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from clips import Clip
from metrics import Alpha, Pixels
from networks import Cutout, ScoredNetwork

TILE: Final = (320, 180)
GREEN: Final = (90, 200, 60)
SAND, SEA, SKY = (150, 200, 225), (165, 125, 40), (235, 205, 150)

Window: TypeAlias = tuple[slice, slice]


def write(file: Path, clips: Sequence[Clip], networks: Sequence[ScoredNetwork], *, count: int = 6) -> None:
    """Write a PNG of ``count`` evenly chosen clips: the middle frame of each as alpha, over a beach, hair over green.

    Raises:
        OSError: the file cannot be written.
    """
    places = np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int)
    headings = [heading(text) for text in ("", "truth", *(network.name for network in networks))]
    rows = [headings, *(row for place in places for row in _rows(clips[place], networks))]
    encoded, png = cv2.imencode(".png", np.vstack([np.hstack(row) for row in rows]))
    assert encoded, "PNG takes any image"  # noqa: S101 - our own mistake otherwise
    file.write_bytes(png.tobytes())


def _rows(clip: Clip, networks: Sequence[ScoredNetwork]) -> Iterator[list[Pixels]]:
    frames, alphas = clip.frames, clip.alphas
    middle = len(frames) // 2
    frame, truth = frames[middle], alphas[middle]
    cutouts = [(truth, frame), *(_last(network.cut_out(frames[: middle + 1], clip.plate)) for network in networks)]
    hair, green = softest_window(truth), np.full_like(frame, GREEN)
    yield [tile(frame), *(tile(np.repeat(as_bytes(alpha)[..., None], 3, axis=2)) for alpha, _ in cutouts)]
    yield [heading(clip.name, TILE[1]), *(tile(composite(cutout, beach(frame.shape))) for cutout in cutouts)]
    yield [tile(frame[hair]), *(tile(composite(cutout, green)[hair]) for cutout in cutouts)]


def _last(cutouts: Iterator[Cutout]) -> Cutout:
    *_, last = cutouts
    return last


def composite(cutout: Cutout, background: Pixels) -> Pixels:
    """The foreground over another background."""
    alpha, foreground = cutout
    opacity = alpha[..., None]
    return as_bytes(np.asarray((foreground * opacity + background * (1 - opacity)) / 255, np.float32))


def as_bytes(values: Alpha) -> Pixels:
    """From [0, 1] to 0 .. 255."""
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)


def softest_window(truth: Alpha) -> Window:
    """The window with the most pixels between foreground and background, a quarter of the frame wide and high."""
    height, width = (max(side // 4, 1) for side in truth.shape)
    soft = ((truth > 0.05) & (truth < 0.95)).astype(np.float32)  # noqa: PLR2004 - chosen by eye
    sums = cv2.boxFilter(soft, -1, (width, height), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    inside = sums[: truth.shape[0] - height + 1, : truth.shape[1] - width + 1]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def beach(shape: tuple[int, ...]) -> Pixels:
    """Sky, sea and sand: a light, a dark and a warm band."""
    image = np.full(shape, SKY, np.uint8)
    image[shape[0] * 2 // 5 :] = SEA
    image[shape[0] * 3 // 5 :] = SAND
    return image


def tile(pixels: Pixels) -> Pixels:
    """The image scaled to fit a tile, keeping the aspect ratio."""
    height, width = pixels.shape[:2]
    scale = min(TILE[0] / width, TILE[1] / height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (TILE[0] - size[0]) // 2, (TILE[1] - size[1]) // 2
    filled = np.zeros((TILE[1], TILE[0], 3), np.uint8)
    filled[top : top + size[1], left : left + size[0]] = scaled
    return filled


def heading(text: str, height: int = 24) -> Pixels:
    """A text on black, as wide as a tile."""
    image = np.zeros((height, TILE[0], 3), np.uint8)
    cv2.putText(image, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return image
