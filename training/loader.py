"""Batches of shots, made by worker processes while the network trains.

Each worker makes a part of every batch. So all work at the same time, and the training gets the same share of every
core: a step waits for the slowest of its threads, and one worker that makes whole batches would slow that thread down.
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

from training.augment.shot_generator import shot_generator
from training.distillation import Teacher
from training.pack import Pack

ASPECTS = ((16, 9, 0.55), (4, 3, 0.25), (1, 1, 0.1), (9, 16, 0.1))
"""Aspect ratios (columns, rows) and the probability of each; all shots of a batch have the same."""

MULTIPLE = 16
"""Input width and height are multiples of this: the stride of the coarsest skip connection."""

AREAS = 4
"""Number of input areas of a plan, from its smallest to its largest. A GPU's library plans the convolutions of every
new size: an H200 processed 110 frames a second when each batch had another size, 780 with six sizes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``frames`` (B, T, H, W, 3), ``alpha`` and its ``certainty`` (B, T, H, W), all uint8.

    ``plate``: (B, 1, H, W, 4) uint8, the clean plate of each shot, as in ``Shot``; None without plates.
    ``teacher_features``: float16, of the first frame of the first so many shots; None without a teacher.
    """

    frames: Tensor
    alpha: Tensor
    certainty: Tensor
    plate: Tensor | None = None
    teacher_features: Tensor | None = None


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How many ``shots`` of how many frames (``length``), of up to ``area`` pixels each.

    ``least``: area of the smallest batches as a share of ``area``, for a network that runs on several input sizes.
    ``taught``: shots with the teacher's features, if there is a teacher. ``mirrored``: shots that are also shown
    mirrored, and whose two alphas should agree. ``empty_share``: of shots without people. ``plates``: shots have a
    clean plate.
    """

    shots: int
    length: int
    area: int
    least: float = 1.0
    taught: int = 0
    mirrored: int = 0
    empty_share: float = 0.2
    plates: bool = False


def random_aspect(random: Generator) -> tuple[int, int]:
    """One of ASPECTS, (columns, rows), with its probability."""
    columns, rows, _ = ASPECTS[random.choice(len(ASPECTS), p=[weight for *_, weight in ASPECTS])]
    return columns, rows


def input_size(area: float, columns: int, rows: int) -> tuple[int, int]:
    """(width, height), multiples of MULTIPLE, of about ``area`` pixels and the aspect ratio ``columns``:``rows``."""
    scale = (area / (columns * rows)) ** 0.5
    width, height = (max(1, round(side * scale / MULTIPLE)) * MULTIPLE for side in (columns, rows))
    return width, height


def batch_sizes(plan: BatchPlan, *, seed: int) -> Iterator[tuple[int, int]]:
    """The input size of every batch; a function of the seed alone, so that all workers agree on it."""
    random = np.random.default_rng(seed)
    while True:
        columns, rows = random_aspect(random)
        yield input_size(plan.area * random.choice(np.linspace(plan.least, 1, AREAS)), columns, rows)


class BatchParts(IterableDataset[Batch]):
    """An endless series of parts of batches; worker number i of n makes the i-th part of every batch.

    The same for the same seed and number of workers.
    """

    def __init__(self, pack: Pack, plan: BatchPlan, *, seed: int, teacher: Path | None = None) -> None:
        super().__init__()
        self.pack, self.plan, self.seed, self.teacher = pack, plan, seed, teacher

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        plan = self.plan
        generator = shot_generator(
            self.pack, seed=self.seed * 64 + number, empty_share=plan.empty_share, plates=plan.plates
        )
        shots, taught = (len(range(number, total, workers)) for total in (self.plan.shots, self.plan.taught))
        teacher = Teacher(self.teacher) if self.teacher and self.plan.taught else None
        for width, height in batch_sizes(self.plan, seed=self.seed):
            made = [generator.shot(self.plan.length, width=width, height=height) for _ in range(shots)]
            frames, alpha, certainty = (
                np.stack(parts)
                for parts in zip(*((shot.frames, shot.alpha, shot.certainty) for shot in made), strict=True)
            )
            features = torch.from_numpy(teacher.features(frames[:taught, 0])) if teacher and taught else None
            plates = [shot.plate for shot in made if shot.plate is not None]
            yield Batch(
                torch.from_numpy(frames),
                torch.from_numpy(alpha),
                torch.from_numpy(certainty),
                torch.from_numpy(np.stack(plates)) if plates else None,
                features,
            )


def join_parts(parts: Sequence[Batch]) -> Batch:
    """One batch of its parts, shots with teacher features first."""
    ends = [0 if part.teacher_features is None else len(part.teacher_features) for part in parts]
    features = [part.teacher_features for part in parts if part.teacher_features is not None]
    plates = [part.plate for part in parts if part.plate is not None]

    def in_order(values: Sequence[Tensor]) -> Tensor:
        first = [value[:end] for value, end in zip(values, ends, strict=True)]
        return torch.cat(first + [value[end:] for value, end in zip(values, ends, strict=True)])

    return Batch(
        in_order([part.frames for part in parts]),
        in_order([part.alpha for part in parts]),
        in_order([part.certainty for part in parts]),
        in_order(plates) if plates else None,
        torch.cat(features) if features else None,
    )


def batches(pack: Pack, plan: BatchPlan, *, seed: int, workers: int, teacher: Path | None = None) -> Iterator[Batch]:
    """Endless batches, made by ``workers`` processes a few ahead; ``teacher``: the ONNX file of the teacher."""
    cv2.setNumThreads(1)  # before the fork: a worker would wait for ever for the threads of the copied pool
    workers = min(workers, plan.shots)
    parts = DataLoader(
        BatchParts(pack, plan, seed=seed, teacher=teacher),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=6 if workers else None,
    )
    # Iterators of one DataLoader would start workers each; the same one taken n times gives the n parts of a batch.
    turns = [iter(parts)] * max(1, workers)
    return map(join_parts, zip(*turns, strict=True))
