"""Compiling ahead of the first frame: seconds once on a machine, a blink later."""

from collections.abc import Callable

import numpy as np

from realtime_matte.frame import Frame, Matte
from realtime_matte.render.bands import split
from realtime_matte.render.composite import composite, straight
from realtime_matte.render.edge_model import sample, take, weigh
from realtime_matte.render.guided_filter import judge, moments, solve
from realtime_matte.render.jit import compiled, constant, kept
from realtime_matte.render.learn import learn, shine
from realtime_matte.render.refine import Refiner
from realtime_matte.render.temporal import follow
from realtime_matte.render.upsample import alphas, colours, over

KERNELS: tuple[Callable[..., object], ...] = (
    learn,
    shine,
    sample,
    weigh,
    take,
    follow,
    moments,
    solve,
    judge,
    split,
    over,
    alphas,
    colours,
    composite,
    straight,
)


COMPILED = "compiled the picture loops for this processor, once: later starts are seconds quicker"
UNKEPT = "compiled the picture loops, as at every start: no folder can keep them; set NUMBA_CACHE_DIR to one with room"

MOST_TRIES = 100
"""More than there are loops, those within loops counted too: each is compiled in one try."""


def warm_up() -> str:
    """Run every loop once on a tiny picture. What to tell when they had to be compiled, which takes seconds."""
    before, full = _compiled_so_far(), False
    for left in reversed(range(MOST_TRIES)):
        try:
            _run()
            break
        except OSError:  # no room to keep a loop for the next start: it is there all the same
            full = True
            if not left:
                raise
    if _compiled_so_far() == before:
        return ""
    return UNKEPT if full or not all(map(kept, KERNELS)) else COMPILED


def _run() -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    refiner = Refiner((32, 32))
    for moment in range(2):
        matte = refiner.refine(Frame(pixels, float(moment), moment), Matte(np.zeros((16, 16), np.float32)))
    matte.over(pixels, pixels.copy())
    composite(constant(matte.foreground), matte.alpha, constant(pixels), np.zeros(96, np.uint16), pixels.copy())
    straight(constant(matte.foreground), matte.alpha, np.zeros((32, 32, 4), np.uint8))


def _compiled_so_far() -> int:
    return sum(compiled(loop) for loop in KERNELS)
