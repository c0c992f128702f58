"""Batches of shots, made in processes of their own beside the training.

Each process makes a part of every batch. So all are at work at the same time, and leave the training as much of one
core as of the other: a step waits for the slowest of its threads, which one process alone, making whole batches, would
hold up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from training.pack import Pack
from training.scene import scenes
from training.teacher import Teacher

ASPECTS = ((16, 9, 0.55), (4, 3, 0.25), (1, 1, 0.1), (9, 16, 0.1))
"""Frame shapes and how often each is drawn; a whole batch has one."""

MULTIPLE = 16

SIZES = 4
"""So many areas between a plan's least and most. A GPU's library plans the convolutions of every new size: an H200 went
through 110 frames a second where each batch had one of its own, through 780 where there were six."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``frames`` (B, T, H, W, 3), ``alpha`` and its ``certainty`` (B, T, H, W), all uint8.

    ``taught``: the teacher's features of the first frames of the first so many shots, float16; None without a teacher.
    """

    frames: Tensor
    alpha: Tensor
    certainty: Tensor
    taught: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch is: how many shots of how many frames, of about how many pixels each.

    ``least``: the smallest batches have this share of ``area``, for a network that is run on grids of several sizes.
    ``taught``: how many of the shots the teacher looks at, where there is one. ``mirrored``: how many are also shown as
    their mirror image, whose alpha is to be the same.
    """

    shots: int
    length: int
    area: int
    least: float = 1.0
    taught: int = 0
    mirrored: int = 0


def aspect(random: Generator) -> tuple[int, int]:
    """One of ASPECTS, (columns, rows), as often as it says."""
    columns, rows, _ = ASPECTS[random.choice(len(ASPECTS), p=[weight for *_, weight in ASPECTS])]
    return columns, rows


def grid(area: float, columns: int, rows: int) -> tuple[int, int]:
    """(width, height), multiples of 16, of about ``area`` pixels in the shape ``columns``:``rows``."""
    scale = (area / (columns * rows)) ** 0.5
    width, height = (max(1, round(side * scale / MULTIPLE)) * MULTIPLE for side in (columns, rows))
    return width, height


class Parts(IterableDataset[Batch]):
    """Endless parts of batches: of each batch the first part, then the second, for as many as there are workers.

    All of it is the same for the same seed and number of workers.
    """

    def __init__(self, pack: Pack, plan: Plan, *, seed: int, teacher: Path | None = None) -> None:
        super().__init__()
        self.pack, self.plan, self.seed, self.teacher = pack, plan, seed, teacher

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        which, parts = (worker.id, worker.num_workers) if worker else (0, 1)
        source, teacher = scenes(self.pack, seed=self.seed * 64 + which), self._teacher()
        shots, taught = (len(range(which, whole, parts)) for whole in (self.plan.shots, self.plan.taught))
        for width, height in grids(self.plan, seed=self.seed):
            made = [source.shot(self.plan.length, width=width, height=height) for _ in range(shots)]
            frames, alpha, certainty = (
                np.stack(parts)
                for parts in zip(*((shot.frames, shot.alpha, shot.certainty) for shot in made), strict=True)
            )
            features = torch.from_numpy(teacher.features(frames[:taught, 0])) if teacher and taught else None
            yield Batch(torch.from_numpy(frames), torch.from_numpy(alpha), torch.from_numpy(certainty), features)

    def _teacher(self) -> Teacher | None:
        return Teacher(self.teacher) if self.teacher and self.plan.taught else None


def grids(plan: Plan, *, seed: int) -> Iterator[tuple[int, int]]:
    """The size of every batch: the parts of one must have the same, whoever makes them."""
    random = np.random.default_rng(seed)
    while True:
        columns, rows = aspect(random)
        yield grid(plan.area * random.choice(np.linspace(plan.least, 1, SIZES)), columns, rows)


def joined(parts: Sequence[Batch]) -> Batch:
    """One batch of its parts, those that were taught first."""
    ends = [0 if part.taught is None else len(part.taught) for part in parts]
    taught = [part.taught for part in parts if part.taught is not None]


    def in_order(values: Sequence[Tensor]) -> Tensor:
        first = [value[:end] for value, end in zip(values, ends, strict=True)]
        return torch.cat(first + [value[end:] for value, end in zip(values, ends, strict=True)])

    return Batch(
        in_order([part.frames for part in parts]),
        in_order([part.alpha for part in parts]),
        in_order([part.certainty for part in parts]),
        torch.cat(taught) if taught else None,
    )


def batches(pack: Pack, plan: Plan, *, seed: int, workers: int, teacher: Path | None = None) -> Iterator[Batch]:
    """Batches made by ``workers`` processes together, a few ahead; ``teacher``: the file of its network."""
    workers = min(workers, plan.shots)
    ahead = 6 if workers else None
    parts = DataLoader(
        Parts(pack, plan, seed=seed, teacher=teacher), batch_size=None, num_workers=workers, prefetch_factor=ahead
    )
    turns = [iter(parts)] * max(1, workers)
    return map(joined, zip(*turns, strict=True))
