"""Should a network see the whole frame, or the crop that automatic framing shows? On clips with exact truth.

    python benchmarks/framing.py ../shared/data

MAD of alpha, x1000, over the pixels of the crop: of the whole frame's alpha, cropped; of a crop that rests; and of one
that moves to and fro at the speed of automatic framing (a sixth of the width in half a second), as the recurrent state
and the clean plate are then of other places.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import composites
import cv2
import numpy as np
from clips import Clip
from metrics import Alpha, Pixels

from realtime_matte.remover import BackgroundRemover

ZOOM: Final = 1.7
SWING: Final = 1 / 12
"""Of the width, to each side, in half a second."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = ArgumentParser(description=__doc__, usage="%(prog)s DATA")
    parser.add_argument("data", type=Path, help="the data pack")
    parser.add_argument("--clips", type=int, default=12, metavar="N")
    parser.add_argument("--model", default="small", metavar="NAME")
    options = parser.parse_args(arguments)
    found: list[tuple[float, ...]] = []
    with BackgroundRemover(options.model, provider="cpu") as remover:
        for clip in composites.load(options.data)[: options.clips]:
            found.append(tuple(_score(remover, clip, swing, whole=whole) for swing, whole in CASES))
            print(clip.name, *(f"{value:8.2f}" for value in found[-1]))
    for name, figure in (("mean", np.mean), ("median", np.median)):
        print(name.ljust(12), *(f"{value:8.2f}" for value in figure(found, axis=0)))
    print("columns: whole frame; resting crop; whole frame, moving crop; moving crop")
    return 0


CASES: Final = ((0.0, True), (0.0, False), (SWING, True), (SWING, False))


def _score(remover: BackgroundRemover, clip: Clip, swing: float, *, whole: bool) -> float:
    shot = remover.shot()
    frames, truths = clip.frames, clip.alphas
    boxes = _boxes(truths, swing)
    errors = []
    for index, (frame, truth, box) in enumerate(zip(frames, truths, boxes, strict=True)):
        time = index / composites.FPS
        seen = frame if whole else np.asarray(_cropped(frame, box), np.uint8)
        alpha = shot.process(seen, time).alpha
        shown = _cropped(alpha, box) if whole else alpha
        errors.append(float(np.abs(shown - _cropped(truth, box)).mean()))
    return float(np.mean(errors)) * 1000


def _boxes(truths: Sequence[Alpha], swing: float) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of the crop of each frame, around the person of the middle one."""
    rows, columns = truths[0].shape
    width, height = round(columns / ZOOM), round(rows / ZOOM)
    person = truths[len(truths) // 2] > 0.5  # noqa: PLR2004 - half covered
    center = float(np.flatnonzero(person.any(axis=0)).mean())
    top = max(0, int(np.flatnonzero(person.any(axis=1))[0]) - round(0.15 * height))
    found = []
    for index in range(len(truths)):
        left = center - width / 2 + swing * columns * np.sin(2 * np.pi * index / composites.FPS)
        found.append((int(np.clip(left, 0, columns - width)), min(top, rows - height), width, height))
    return found


def _cropped(image: Pixels | Alpha, box: tuple[int, int, int, int]) -> Pixels | Alpha:
    left, top, width, height = box
    part = image[top : top + height, left : left + width]
    return cast("Pixels | Alpha", cv2.resize(part, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


if __name__ == "__main__":
    sys.exit(main())
