"""What is trained in which order: recipes, each of a few stages."""

import math
from dataclasses import dataclass
from itertools import pairwise

from training.loader import Plan

FULL = 256 * 144
LARGER = 320 * 180
WIDE = 384 * 216
HALF_HD = 512 * 288


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training: frames to see, the batches they come in, the learning rate from start to end."""

    frames: int
    plan: Plan
    rate: tuple[float, float]


RECIPES = {
    "full": (
        # What people look like: small pictures, four times as many in the same time.
        Stage(frames=400_000, plan=Plan(shots=32, length=1, area=FULL // 4), rate=(2e-3, 1e-3)),
        # Their edges: full size.
        Stage(frames=125_000, plan=Plan(shots=16, length=1, area=FULL), rate=(1.2e-3, 6e-4)),
        # How they move: the memory.
        Stage(frames=122_000, plan=Plan(shots=4, length=5, area=FULL), rate=(7e-4, 1e-5)),
    ),
    # Once more from the averaged network of an earlier run, with a teacher, on every grid that is offered.
    "again": (
        Stage(frames=310_000, plan=Plan(shots=24, length=1, area=FULL, least=0.35, taught=8), rate=(1.2e-3, 1e-3)),
        Stage(frames=110_000, plan=Plan(shots=10, length=1, area=WIDE, least=0.25, taught=4), rate=(1e-3, 8e-4)),
        Stage(frames=132_000, plan=Plan(shots=4, length=5, area=WIDE, least=0.25, taught=4), rate=(7e-4, 1e-5)),
    ),
    # More people, bands, hands: single frames, from a network that knows people already.
    "people": (Stage(frames=70_000, plan=Plan(shots=24, length=1, area=FULL, least=0.4), rate=(6e-4, 1e-5)),),
    # The same on every grid, then in shots of twelve for the memory; alphas of mirror images are to agree.
    "people-long": (
        Stage(frames=36_000, plan=Plan(shots=12, length=1, area=WIDE, least=0.35, mirrored=3), rate=(4e-4, 2.5e-4)),
        Stage(frames=45_000, plan=Plan(shots=3, length=12, area=LARGER, least=0.4), rate=(2.5e-4, 1e-5)),
    ),
    # What stays true for half a second: longer shots, for a memory that fades.
    "long": (
        Stage(frames=50_000, plan=Plan(shots=3, length=12, area=LARGER, least=0.4, taught=1), rate=(2e-4, 1e-5)),
        Stage(frames=240_000, plan=Plan(shots=3, length=14, area=LARGER, least=0.4, taught=1), rate=(3e-4, 1e-5)),
    ),
    # Edges as fine as the pictures have them, from a network that knows people already.
    "large": (
        Stage(frames=20_000, plan=Plan(shots=6, length=1, area=HALF_HD, least=0.3, taught=2), rate=(6e-4, 5e-4)),
        Stage(frames=30_000, plan=Plan(shots=3, length=4, area=HALF_HD, least=0.3, taught=1), rate=(4e-4, 1e-5)),
    ),
    # A camera of one's own, from a network that knows people already.
    "fine-tune": (Stage(frames=60_000, plan=Plan(shots=4, length=5, area=FULL), rate=(2e-4, 1e-5)),),
}


def stage_at(recipe: tuple[Stage, ...], frames: int) -> tuple[int, float] | None:
    """Which stage a number of seen frames falls into, and how far through it; None after the last."""
    begins = [sum(stage.frames for stage in recipe[:index]) for index in range(len(recipe) + 1)]
    for index, (first, last) in enumerate(pairwise(begins)):
        if frames < last:
            return index, (frames - first) / (last - first)
    return None


def rate_at(stage: Stage, progress: float, *, warm: float) -> float:
    """Half a cosine from the stage's first rate to its last, after a linear warm-up."""
    first, last = stage.rate
    return min(1.0, warm) * (last + (first - last) * (1 + math.cos(math.pi * progress)) / 2)
