"""How well a checkpoint does on shots that nobody trained on: ``python -m training.evaluate --help``.

Shots are made from the pack's validation split as the training's are from its own, the same ones each time, so that
two checkpoints can be compared within a minute. What is published comes from benchmarks/quality.py, on exact truth.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training import pack
from training.export import load
from training.loader import Batch, grid
from training.net import MattingNet, to_alpha
from training.recipe import FULL
from training.run import prepared
from training.scene import Shot, scenes

WARM = 2
"""Frames of a shot that are not counted: the memory is still empty."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over counted frames; ``mad`` and ``mse`` x 1000, ``iou`` at half opacity, ``flicker`` as dtSSD x 100."""

    mad: float
    mse: float
    iou: float
    flicker: float


def evaluate(net: MattingNet, shots: list[Shot]) -> Figures:
    """Run the network through each shot and compare."""
    rows = []
    for shot in shots:
        batch = Batch(*(torch.from_numpy(part)[None] for part in (shot.frames, shot.alpha, shot.certainty)))
        frames, truth, _ = prepared(batch, _device(net))
        with torch.no_grad():
            alpha = to_alpha(net(frames)[0])
        rows.append(_figures(alpha[0, WARM:], truth[0, WARM:]))
    return Figures(*(float(mean) for mean in np.mean(rows, axis=0)))


def shots_of(data: pack.Pack, *, count: int, length: int = 6) -> list[Shot]:
    """The same shots each time."""
    source = scenes(data, seed=20_231)
    width, height = grid(FULL, 16, 9)
    return [source.shot(length, width=width, height=height) for _ in range(count)]


def _figures(alpha: Tensor, truth: Tensor) -> tuple[float, float, float, float]:
    error = alpha - truth
    found, there = alpha > 0.5, truth > 0.5
    either = float((found | there).sum())
    iou = float((found & there).sum()) / either if either else 1.0
    change = torch.diff(alpha, dim=0) - torch.diff(truth, dim=0)
    flicker = change.square().mean((1, 2, 3)).sqrt().mean()
    return float(error.abs().mean()) * 1e3, float(error.square().mean()) * 1e3, iou, float(flicker) * 1e2


def _device(net: MattingNet) -> torch.device:
    return net.head.weight.device


def main() -> None:
    """Read the command line and print one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--shots", type=int, default=64)
    chosen = parser.parse_args()
    net, frames = load(chosen.checkpoint)
    figures = evaluate(net, shots_of(pack.read(chosen.pack, split="val", cache=chosen.cache), count=chosen.shots))
    names = Figures.__dataclass_fields__
    print(json.dumps({"frames": frames} | {name: round(getattr(figures, name), 4) for name in names}))


if __name__ == "__main__":
    main()
