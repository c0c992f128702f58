"""The steps on the network's grid as a part of the graph of the whole frame.

The limit of two grids, what is weak, the temporal filter and the guided filter, as ``engine.py``, ``weak_regions.py``,
``temporal.py`` and ``guided_filter.py`` compute them. The kernels skip what is all background or all foreground; a
graph computes every cell, and the models there are constants whose alpha is 0 or 1.
"""

from typing import Final

import numpy as np

from realtime_matte.frame import Size
from realtime_matte.models.engine import REACH_CELLS
from realtime_matte.models.onnx_tensors import Tensor, joined, larger, smaller
from realtime_matte.render.guided_filter import EPSILON, FLAT, GAIN, RADIUS_CELLS, SHIFT
from realtime_matte.render.temporal import MOTION
from realtime_matte.render.weak_regions import MEMORY_S, PRESENT, SURE, block_side

REACH_BLOCKS: Final = 24
"""A third of the width of 288x160. In people, blocks in which the network is sure are a few blocks apart."""


def limited(fine: Tensor, base: Tensor, size: Size) -> Tensor:
    """As ``engine.AlphaLimit``: the ``fine`` alpha of ``size``, limited by the ``base`` alpha nearby."""
    most, least = base.dilated(REACH_CELLS), base.eroded(REACH_CELLS)
    return larger(smaller(fine, most.resized(*size, 1, mode="linear")), least.resized(*size, 1, mode="linear"))


def without_weak(alpha: Tensor, sure_s: Tensor, elapsed_s: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """As ``WeakRegions.remove``: alpha (1, 1, h, w) of ``size``, and for how much longer blocks count as sure.

    A region is followed REACH_BLOCKS from where the network is sure, not to its end, and however many there are.
    """
    side = block_side(size[::-1])
    half = max(1, side // 2)
    blocks = alpha.apply("AveragePool", kernel_shape=(side, side), strides=(half, half))  # each half a side further
    if half < side:
        present = alpha.apply("AveragePool", kernel_shape=(side, side), strides=(side, side)).at_least(PRESENT)
        most = blocks.apply("MaxPool", kernel_shape=(2, 2), strides=(2, 2), pads=(0, 0, 1, 1))
    else:
        present, most = blocks.at_least(PRESENT), blocks
    sure_s = most.at_least(SURE).where(MEMORY_S, larger(sure_s - elapsed_s, 0.0))
    kept = present * sure_s.above(0.0)
    for _ in range(REACH_BLOCKS):
        kept = kept.dilated(1) * present
    gone = (present - kept).dilated(1) * (1 - kept)
    return alpha * (1 - gone.resized(*size, 1, mode="nearest")), sure_s


def filtered(alpha: Tensor, before: Tensor, min_weight: Tensor) -> Tensor:
    """As ``temporal.update``; a weight of 1 starts a shot."""
    change = alpha - before
    weight = smaller(larger(abs(change) * float(np.float32(1 / MOTION)), min_weight), 1.0)
    return before + weight * change


def fitted(guide: Tensor, alpha: Tensor, *, epsilon: Tensor, anchored: Tensor) -> tuple[Tensor, Tensor]:
    """As ``GuidedFilter.fit``: local linear models (1, 4, h, w), colours (1, 6, h, w).

    Args:
        guide: (1, 3, h, w), 0 .. 255.
        alpha: (1, 1, h, w).
        epsilon: Regularisation beyond EPSILON.
        anchored: How far models move towards their cell's alpha, 0 to 1.
    """
    scaled = guide / 255
    products = scaled.pick(0, 0, 0, 1, 1, 2) * scaled.pick(0, 1, 2, 1, 2, 2)
    means = joined([scaled, alpha, scaled * alpha, products]).averaged(RADIUS_CELLS)
    colour, mean, shared, squares = means.channels(3, 1, 3, 6)
    uneven = mean.at_least(FLAT) * (1 - mean.above(1 - FLAT))
    gains = GAIN * _gains(colour, (mean, shared, squares), epsilon + EPSILON)
    constant = GAIN * mean + SHIFT - (gains * colour).total([1])
    even = (1 - mean.at_least(0.5)).where(SHIFT, GAIN + SHIFT)
    linear = joined([uneven.where(gains / 255, 0.0), uneven.where(constant, even)]).averaged(RADIUS_CELLS)
    gains, constant = linear.channels(3, 1)
    own = GAIN * alpha + SHIFT - (gains * guide).total([1])
    models = joined([gains, constant + anchored * (own - constant)])
    share = mean.clip(float(FLAT), float(1 - FLAT))
    foreground = uneven.where(shared / share, colour) * 255
    background = uneven.where((colour - shared) / (1 - share), colour) * 255
    return models, joined([foreground, background])


def _gains(colour: Tensor, moments: tuple[Tensor, Tensor, Tensor], epsilon: Tensor) -> Tensor:
    """The solution of each cell's linear system: (1, 3, h, w), for colours in [0, 1]."""
    mean, shared, squares = moments
    covariance = squares - colour.pick(0, 0, 0, 1, 1, 2) * colour.pick(0, 1, 2, 1, 2, 2)
    diagonal = np.asarray([1, 0, 0, 1, 0, 1], np.float32).reshape(1, 6, 1, 1)
    covariance = covariance + epsilon * diagonal  # bb, bg, br, gg, gr, rr
    cofactors = covariance.pick(3, 4, 1, 0, 1, 0) * covariance.pick(5, 2, 4, 5, 2, 3)
    cofactors = cofactors - covariance.pick(4, 1, 3, 2, 0, 1) * covariance.pick(4, 5, 2, 2, 4, 1)
    determinant = (covariance.pick(0, 1, 2) * cofactors.pick(0, 1, 2)).total([1])
    blue, green, red = (shared - colour * mean).channels(1, 1, 1)
    solved = cofactors.pick(0, 1, 2) * blue + cofactors.pick(1, 3, 4) * green + cofactors.pick(2, 4, 5) * red
    return solved / determinant
