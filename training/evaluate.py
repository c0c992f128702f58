"""Figures of a checkpoint on held-out shots: ``python -m training.evaluate --checkpoint FILE --pack FOLDER``.

Shots are made from the pack's validation split as those of the training are, always the same ones, so that two
checkpoints can be compared within a minute. Published figures come from benchmarks/quality.py, on exact truth.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training import pack
from training.augment.shot import Shot
from training.augment.shot_generator import shot_generator
from training.export import load_checkpoints
from training.loader import Batch, input_size
from training.network import MattingNet, to_alpha
from training.recipes import BASE_AREA
from training.trainer import to_tensors

SKIPPED_FRAMES = 2
"""First frames of a shot that are not scored: the recurrent state is still empty."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the scored frames: ``mad`` and ``mse`` x 1000, ``iou`` at alpha 0.5, ``flicker`` is dtSSD x 100."""

    mad: float
    mse: float
    iou: float
    flicker: float


def evaluate(net: MattingNet, shots: list[Shot]) -> Figures:
    """Run the network through each shot and compare with the truth."""
    rows = []
    for shot in shots:
        parts = [shot.frames, shot.alpha, shot.certainty, *([] if shot.plate is None else [shot.plate])]
        batch = Batch(*(torch.from_numpy(part)[None] for part in parts))
        frames, truth, _ = to_tensors(batch, net.head.weight.device)
        with torch.no_grad():
            alpha = to_alpha(net(frames)[0])
        rows.append(_figures(alpha[0, SKIPPED_FRAMES:], truth[0, SKIPPED_FRAMES:]))
    return Figures(*(float(mean) for mean in np.mean(rows, axis=0)))


def validation_shots(data: pack.Pack, *, count: int, plates: bool, length: int = 6) -> list[Shot]:
    """The same shots each time; with clean plates as a program has them if ``plates``."""
    generator = shot_generator(data, seed=20_231, plates=plates)
    width, height = input_size(BASE_AREA, 16, 9)
    return [generator.shot(length, width=width, height=height) for _ in range(count)]


def _figures(alpha: Tensor, truth: Tensor) -> tuple[float, float, float, float]:
    error = alpha - truth
    mask, true_mask = alpha > 0.5, truth > 0.5
    union = float((mask | true_mask).sum())
    iou = float((mask & true_mask).sum()) / union if union else 1.0
    change = torch.diff(alpha, dim=0) - torch.diff(truth, dim=0)
    flicker = change.square().mean((1, 2, 3)).sqrt().mean()
    return float(error.abs().mean()) * 1e3, float(error.square().mean()) * 1e3, iou, float(flicker) * 1e2


def main() -> None:
    """The command line: prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--shots", type=int, default=64)
    options = parser.parse_args()
    net, frames = load_checkpoints(options.checkpoint)
    data = pack.read(options.pack, split="val", cache=options.cache)
    figures = evaluate(net, validation_shots(data, count=options.shots, plates=net.architecture.sees_plate))
    names = Figures.__dataclass_fields__
    print(json.dumps({"frames": frames} | {name: round(getattr(figures, name), 4) for name in names}))


if __name__ == "__main__":
    main()
