"""Batches of shots, made in a process of their own beside the training."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from training.pack import Pack
from training.scene import scenes
from training.teacher import Teacher

ASPECTS = ((16, 9, 0.55), (4, 3, 0.25), (1, 1, 0.1), (9, 16, 0.1))
"""Frame shapes and how often each is drawn; a whole batch has one."""

MULTIPLE = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """``frames`` (B, T, H, W, 3) and ``alpha`` (B, T, H, W), both uint8.

    ``taught``: the teacher's features of the first frames of the first so many shots, float16; None without a teacher.
    """

    frames: Tensor
    alpha: Tensor
    taught: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch is: how many shots of how many frames, of about how many pixels each.

    ``least``: the smallest batches have this share of ``area``, for a network that is run on grids of several sizes.
    ``taught``: how many of the shots the teacher looks at, where there is one.
    """

    shots: int
    length: int
    area: int
    least: float = 1.0
    taught: int = 0


def grid(area: float, columns: int, rows: int) -> tuple[int, int]:
    """(width, height), multiples of 16, of about ``area`` pixels in the shape ``columns``:``rows``."""
    scale = (area / (columns * rows)) ** 0.5
    width, height = (max(1, round(side * scale / MULTIPLE)) * MULTIPLE for side in (columns, rows))
    return width, height


class Batches(IterableDataset[Batch]):
    """Endless batches, the same for the same seed and number of workers."""

    def __init__(self, pack: Pack, plan: Plan, *, seed: int, teacher: Path | None = None) -> None:
        super().__init__()
        self.pack, self.plan, self.seed, self.teacher = pack, plan, seed, teacher

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        source = scenes(self.pack, seed=self.seed * 64 + (worker.id if worker else 0))
        teacher = Teacher(self.teacher) if self.teacher and self.plan.taught else None
        weights = [weight for *_, weight in ASPECTS]
        while True:
            columns, rows, _ = ASPECTS[source.random.choice(len(ASPECTS), p=weights)]
            area = self.plan.area * source.random.uniform(self.plan.least, 1)
            width, height = grid(area, columns, rows)
            shots = [source.shot(self.plan.length, width=width, height=height) for _ in range(self.plan.shots)]
            frames, alpha = np.stack([shot.frames for shot in shots]), np.stack([shot.alpha for shot in shots])
            taught = torch.from_numpy(teacher.features(frames[: self.plan.taught, 0])) if teacher else None
            yield Batch(torch.from_numpy(frames), torch.from_numpy(alpha), taught)


def batches(pack: Pack, plan: Plan, *, seed: int, workers: int, teacher: Path | None = None) -> Iterator[Batch]:
    """Batches made by ``workers`` processes, a few ahead; ``teacher``: the file of its network."""
    source = Batches(pack, plan, seed=seed, teacher=teacher)
    return iter(DataLoader(source, batch_size=None, num_workers=workers, prefetch_factor=6 if workers else None))
