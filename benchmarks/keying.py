"""The keyer and the networks on clips with exact truth: people of the data pack before green and blue screens.

    python benchmarks/keying.py /path/to/data

The screens are lit unevenly: up to a stop less at the sides, and cloudy. Frames have the noise and JPEG of webcams.
MAD is that of ``benchmarks/README.md``, x1000, with the refiner where a network needs it.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import composites
import cv2
import numpy as np
from data_pack import stills
from metrics import Alpha, Pixels
from numpy.random import Generator, default_rng

from realtime_matte.remover import BackgroundRemover

SCREENS: Final = {"green": (64, 177, 0), "light green": (70, 200, 40), "blue": (200, 70, 30)}
"""Colours, BGR; the first one is OBS's."""

SIZE: Final = (760, 420)
SEED: Final = 5
FRAMES: Final = 12

Clip = tuple[str, list[Pixels], list[Alpha]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the MAD of each model on each clip."""
    parser = ArgumentParser(description=__doc__, usage="%(prog)s DATA")
    parser.add_argument("data", type=Path, help="the data pack")
    parser.add_argument("--clips", type=int, default=8, metavar="N")
    parser.add_argument("--model", action="append", metavar="NAME", help="may be repeated (chromakey, small)")
    options = parser.parse_args(arguments)
    models = options.model or ["chromakey", "small"]
    print("clip".ljust(24), *(model.rjust(12) for model in models))
    rows: list[list[float]] = []
    for name, frames, truths in make_clips(options.data, options.clips):
        rows.append([mad(model, frames, truths) for model in models])
        print(name.ljust(24), *(f"{value:12.2f}" for value in rows[-1]))
    for figure, values in (("mean", np.mean(rows, axis=0)), ("median", np.median(rows, axis=0))):
        print(figure.ljust(24), *(f"{value:12.2f}" for value in values))
    return 0


def make_clips(data: Path, clips: int) -> Iterator[Clip]:
    """Name, frames and true alphas of each clip; the colours take turns."""
    for number, person in enumerate(islice(stills(data, default_rng(SEED)), clips)):
        name = list(SCREENS)[number % len(SCREENS)]
        wall = screen(SCREENS[name], default_rng(number))
        images, alphas = composites.compose(person, wall, FRAMES, default_rng([SEED, number]))
        frames = [_decoded(image, cv2.IMREAD_COLOR) for image in images]
        truths = [np.divide(_decoded(alpha, cv2.IMREAD_GRAYSCALE), 255, dtype=np.float32) for alpha in alphas]
        yield f"{number} {name}", frames, truths


def screen(color: tuple[int, int, int], rng: Generator) -> Pixels:
    """A screen of one colour, lit from a side."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    light = 1 - 0.45 * np.hypot((x / SIZE[0] - rng.uniform(0.2, 0.8)) * 1.2, y / SIZE[1] - rng.uniform(0.1, 0.5))
    clouds = cv2.GaussianBlur(rng.normal(0, 50, SIZE[::-1]), (0, 0), 20)
    return np.asarray(np.clip(np.array(color) * light[..., None] + clouds[..., None], 0, 255), np.uint8)


def mad(model: str, frames: Sequence[Pixels], truths: Sequence[Alpha]) -> float:
    """Mean absolute difference of alpha, x1000."""
    with BackgroundRemover(model, provider="cpu") as remover:
        alphas = [remover.process(frame, index / composites.FPS).alpha for index, frame in enumerate(frames)]
    return float(np.mean([np.abs(alpha - truth).mean() for alpha, truth in zip(alphas, truths, strict=True)]) * 1000)


def _decoded(coded: Pixels, flags: int) -> Pixels:
    image = cv2.imdecode(coded, flags)
    assert image is not None  # noqa: S101 - coded by composites
    return np.asarray(image, np.uint8)


if __name__ == "__main__":
    sys.exit(main())
