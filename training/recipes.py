"""Training schedules: each recipe is a series of stages."""

import math
from dataclasses import dataclass
from itertools import pairwise

from training.loader import BatchPlan

BASE_AREA = 256 * 144
MEDIUM_AREA = 320 * 180
WIDE_AREA = 384 * 216
HALF_HD_AREA = 512 * 288


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a schedule: number of frames, batches, learning rate (first, last)."""

    frames: int
    plan: BatchPlan
    rate: tuple[float, float]


REFRESHING = BatchPlan(shots=24, length=1, area=MEDIUM_AREA, least=0.4, mirrored=2, empty_share=0.28)
REFRESHING_STATE = BatchPlan(shots=3, length=12, area=MEDIUM_AREA, least=0.4, empty_share=0.28)
"""Single frames, and shots of half a second for the recurrent state, of a network that was trained before."""

RECIPES = {
    "full": (
        # What people look like: small frames, four times as many in the same time.
        Stage(frames=400_000, plan=BatchPlan(shots=32, length=1, area=BASE_AREA // 4), rate=(2e-3, 1e-3)),
        # Edges: full size.
        Stage(frames=125_000, plan=BatchPlan(shots=16, length=1, area=BASE_AREA), rate=(1.2e-3, 6e-4)),
        # Motion: the recurrent state.
        Stage(frames=122_000, plan=BatchPlan(shots=4, length=5, area=BASE_AREA), rate=(7e-4, 1e-5)),
    ),
    # From the averaged network of an earlier run, with a teacher, on all input sizes that the program offers.
    "again": (
        Stage(310_000, BatchPlan(shots=24, length=1, area=BASE_AREA, least=0.35, taught=8), rate=(1.2e-3, 1e-3)),
        Stage(110_000, BatchPlan(shots=10, length=1, area=WIDE_AREA, least=0.25, taught=4), rate=(1e-3, 8e-4)),
        Stage(132_000, BatchPlan(shots=4, length=5, area=WIDE_AREA, least=0.25, taught=4), rate=(7e-4, 1e-5)),
    ),
    # More people, bands, hands: single frames, from a trained network.
    "people": (Stage(50_000, BatchPlan(shots=24, length=1, area=BASE_AREA, least=0.4), rate=(6e-4, 1e-5)),),
    # The same on all input sizes with mirror agreement, then in shots of twelve frames for the recurrent state.
    "people-long": (
        Stage(18_000, BatchPlan(shots=24, length=1, area=MEDIUM_AREA, least=0.35, mirrored=2), rate=(5e-4, 1e-5)),
        Stage(14_400, BatchPlan(shots=3, length=12, area=MEDIUM_AREA, least=0.4), rate=(1.5e-4, 1e-5)),
    ),
    # More backgrounds without people, after runs that were shown too many body parts.
    "no-person": (
        Stage(12_000, BatchPlan(shots=24, length=1, area=MEDIUM_AREA, least=0.35, empty_share=0.3), rate=(3e-4, 1e-5)),
    ),
    # The clean plate as input: single frames from a trained network, then shots of half a second.
    "plate": (
        Stage(
            132_000,
            BatchPlan(shots=24, length=1, area=MEDIUM_AREA, least=0.4, mirrored=2, empty_share=0.3),
            rate=(1e-3, 3e-5),
        ),
        Stage(14_400, BatchPlan(shots=3, length=12, area=MEDIUM_AREA, least=0.4, empty_share=0.3), rate=(2e-4, 1e-5)),
    ),
    # The same on small inputs, faster: for a mean with the result of ``plate``.
    "plate-small": (
        Stage(84_000, BatchPlan(shots=24, length=1, area=BASE_AREA, least=0.5, empty_share=0.25), rate=(1e-3, 1e-5)),
    ),
    # From a trained network, after labels or shots have changed: single frames, then shots of half a second.
    "refresh": (
        Stage(60_000, REFRESHING, rate=(7e-4, 3e-5)),
        Stage(10_800, REFRESHING_STATE, rate=(1.5e-4, 1e-5)),
    ),
    # The same in half the time, at a lower rate.
    "refresh-short": (
        Stage(24_000, REFRESHING, rate=(4e-4, 2e-5)),
        Stage(7_200, REFRESHING_STATE, rate=(1.2e-4, 1e-5)),
    ),
    # Half a second of motion: longer shots, for a state that decays.
    "long": (
        Stage(50_000, BatchPlan(shots=3, length=12, area=MEDIUM_AREA, least=0.4, taught=1), rate=(2e-4, 1e-5)),
        Stage(240_000, BatchPlan(shots=3, length=14, area=MEDIUM_AREA, least=0.4, taught=1), rate=(3e-4, 1e-5)),
    ),
    # Fine edges on large inputs, from a trained network.
    "large": (
        Stage(20_000, BatchPlan(shots=6, length=1, area=HALF_HD_AREA, least=0.3, taught=2), rate=(6e-4, 5e-4)),
        Stage(30_000, BatchPlan(shots=3, length=4, area=HALF_HD_AREA, least=0.3, taught=1), rate=(4e-4, 1e-5)),
    ),
    # From nothing in less time than ``full``, with more shots without people: for the network of open data.
    "open": (
        Stage(300_000, BatchPlan(shots=32, length=1, area=BASE_AREA // 4, empty_share=0.25), rate=(2e-3, 1e-3)),
        Stage(90_000, BatchPlan(shots=24, length=1, area=BASE_AREA, least=0.5, empty_share=0.25), rate=(1.2e-3, 3e-5)),
        Stage(28_800, BatchPlan(shots=4, length=6, area=MEDIUM_AREA, least=0.4, empty_share=0.3), rate=(3e-4, 1e-5)),
    ),
    # For one camera, from a trained network.
    "fine-tune": (Stage(60_000, BatchPlan(shots=4, length=5, area=BASE_AREA), rate=(2e-4, 1e-5)),),
}


def stage_at(recipe: tuple[Stage, ...], frames: int) -> tuple[int, float] | None:
    """The stage after a number of frames, and the progress in it in [0, 1); None after the last."""
    begins = [sum(stage.frames for stage in recipe[:index]) for index in range(len(recipe) + 1)]
    for index, (first, last) in enumerate(pairwise(begins)):
        if frames < last:
            return index, (frames - first) / (last - first)
    return None


def learning_rate(stage: Stage, progress: float, *, warm_up: float) -> float:
    """Half a cosine from the stage's first rate to its last, times a linear ``warm_up`` up to 1."""
    first, last = stage.rate
    return min(1.0, warm_up) * (last + (first - last) * (1 + math.cos(math.pi * progress)) / 2)
