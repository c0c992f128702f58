"""The seam of a range: how much its first frame differs from a run in one piece, by the length of the warm-up.

    python benchmarks/seam.py --data ../shared/data/clips

Each clip is run from its start to a frame, then again from a little before that frame. Reported at that frame: the mean
absolute difference of both alphas, and the mean absolute error of each against the true alpha, in thousandths.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from clips import Clip, folder_clips
from metrics import Alpha, Pixels

from realtime_matte import BackgroundRemover, __version__

WARMUPS_S: Final = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0)
FPS: Final = 25.0
AT: Final = 110
"""The frame at which ranges begin: the longest warm-up begins 10 frames after the start."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Of one clip and one warm-up, in thousandths of alpha: difference from the whole run, errors of both."""

    clip: str
    warmup_s: float
    difference: float
    error: float
    whole_error: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if there is no clip that is long enough."""
    parser = ArgumentParser(description="Measure the seam of ranges by the length of the warm-up.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="clips NAME.mp4 with NAME_alpha.mp4")
    parser.add_argument("--model", default="large", metavar="NAME", help="(%(default)s)")
    parser.add_argument("--clips", type=int, default=0, metavar="N", help="only the first N clips that are long enough")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    options = parser.parse_args(arguments)
    try:
        clips = [clip for clip in folder_clips(options.data) if len(clip.alphas) > AT]
    except FileNotFoundError as error:
        print(f"seam: {error}", file=sys.stderr)
        return 2
    clips = clips[: options.clips or None]
    if not clips:
        print(f"seam: no clip in {options.data} has more than {AT} frames", file=sys.stderr)
        return 2
    with BackgroundRemover(options.model) as remover:
        seams = [seam for clip in clips for seam in measure(remover, clip)]
    print(f"rtmatte {__version__}, {options.model}, {len(clips)} clips, at frame {AT}")
    print("\n".join(table(seams)))
    if options.json:
        records = [{name: getattr(seam, name) for name in Seam.__slots__} for seam in seams]
        options.json.write_text(json.dumps(records, indent=1))
    return 0


def measure(remover: BackgroundRemover, clip: Clip) -> list[Seam]:
    """The seam of each warm-up."""
    frames, truth = clip.frames[: AT + 1], clip.alphas[AT]
    whole = last_alpha(remover, frames)
    seams = []
    for warmup_s in WARMUPS_S:
        alpha = last_alpha(remover, frames[AT - round(warmup_s * FPS) :])
        seams.append(Seam(clip.name, warmup_s, distance(alpha, whole), distance(alpha, truth), distance(whole, truth)))
    print(clip.name, *(f"{seam.difference:.2f}" for seam in seams), file=sys.stderr, flush=True)
    return seams


def last_alpha(remover: BackgroundRemover, frames: Sequence[Pixels]) -> Alpha:
    """The alpha of the last frame of a shot."""
    shot = remover.shot()
    return [shot.process(frame, index / FPS) for index, frame in enumerate(frames)][-1].alpha


def distance(alpha: Alpha, other: Alpha) -> float:
    """Mean absolute difference in thousandths."""
    return float(np.abs(alpha - other).mean() * 1000)


def table(seams: Sequence[Seam]) -> list[str]:
    """A row for each warm-up: mean, median and largest difference over the clips, and the errors."""
    rows = ["warm-up s   difference: mean  median  largest   error   error in one piece"]
    for warmup_s in WARMUPS_S:
        here = [seam for seam in seams if seam.warmup_s == warmup_s]
        differences = [seam.difference for seam in here]
        errors = np.mean([seam.error for seam in here]), np.mean([seam.whole_error for seam in here])
        rows.append(
            f"{warmup_s:9.1f} {np.mean(differences):18.2f} {np.median(differences):7.2f} {max(differences):8.2f}"
            f" {errors[0]:7.2f} {errors[1]:20.2f}"
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
