"""Removes regions of a coarse alpha in which the network is nowhere sure of a person.

In a person a network is sure of most cells. What it only half takes for one, such as a coat, a plush toy or a shadow,
is grey throughout, and would show a part of the room. So a region is kept or removed as a whole, as edges are by
hysteresis (Canny 1986, A Computational Approach to Edge Detection): it reaches as far as alpha is not low, and is kept
if alpha is high in one place. Where the network was sure a moment ago counts too, so that a hand that is blurred by its
motion stays.

This is done on the means of blocks, which takes a small fraction of a frame's time; regions nearer than a block are
one.
"""

from collections.abc import Sequence
from math import log2
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only

BLOCKS: Final = 72 * 40
"""Of a grid, within a factor of two: a block has 4 x 4 cells of 288x160."""

PRESENT: Final = np.float32(0.05)
"""Mean alpha from which on a block belongs to a region."""

SURE: Final = np.float32(0.8)
"""Mean alpha from which on the network is sure of a block, or of one shifted by half of its side."""

MEMORY_S: Final = np.float32(0.5)
"""For how long a block counts in which it was sure."""

MOST_REGIONS: Final = 256
"""Further regions are kept."""

NEIGHBOURS: Final = np.ones((3, 3), np.uint8)
NONE, ALL, ZERO = np.uint8(0), np.uint8(255), np.float32(0)


def block_side(shape: Sequence[int]) -> int:
    """Cells of a block's side on a grid of ``shape`` (h, w): a power of two that divides both of its sides."""
    side = 1 << max(0, round(log2(shape[0] * shape[1] / BLOCKS) / 2))
    while any(length % side for length in shape):
        side //= 2
    return side


class WeakRegions:
    """Removes them from the alphas of one shot, of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: Sequence[int]) -> None:
        side = block_side(shape)
        blocks = shape[0] // side, shape[1] // side
        halves = 1 if side == 1 else 2
        grid = halves * blocks[0], halves * blocks[1]
        self._halves, self._means, self._most = np.zeros((3, *grid), np.float32)
        self._window = np.ones((halves, halves), np.uint8)
        self._sure_s = np.zeros(blocks, np.float32)  # for how much longer a block counts as sure
        self._present, self._removed, self._kept = np.zeros((3, *blocks), np.uint8)
        self._labels = np.zeros(blocks, np.int32)
        self._is_kept = np.zeros(MOST_REGIONS, np.uint8)
        self._left = np.zeros(shape, np.uint8)
        self._alpha = np.zeros(shape, np.float32)

    def remove(self, alpha: Alpha, elapsed_s: float, *, only_look: bool = False) -> Alpha:
        """The alpha without such regions.

        Args:
            alpha: (h, w).
            elapsed_s: Seconds since the previous frame.
            only_look: Remember where the network is sure, and remove nothing.

        Returns:
            ``alpha`` itself if there are none, otherwise a buffer that the next call overwrites.
        """
        cv2.resize(alpha, self._halves.shape[::-1], dst=self._halves, interpolation=cv2.INTER_AREA)
        cv2.blur(self._halves, self._window.shape, dst=self._means, anchor=(0, 0))
        cv2.dilate(self._means, self._window, dst=self._most, anchor=(0, 0))
        means, most = read_only(self._means), read_only(self._most)
        find_sure(means, most, np.float32(elapsed_s), self._sure_s, self._present)
        if only_look:
            return alpha
        count, _ = cv2.connectedComponents(self._present, labels=self._labels, connectivity=8)
        judged = min(count, MOST_REGIONS)
        if find_weak(self._labels, self._sure_s, self._is_kept[:judged], self._removed, self._kept) == 0:
            return alpha
        return without_blocks(alpha, self._removed, self._kept, NEIGHBOURS, (self._left, self._alpha))

    def reset(self) -> None:
        """Forget where the network was sure."""
        self._sure_s.fill(0)


def without_blocks(alpha: Alpha, removed: Bytes, kept: Bytes, reach: Bytes, buffers: tuple[Bytes, Alpha]) -> Alpha:
    """``alpha`` without blocks, and without the soft alpha beside them.

    Args:
        alpha: (h, w).
        removed: Not 0 in these blocks, on any grid; overwritten.
        kept: Not 0 in blocks that stay, with at least the value of ``removed``.
        reach: The window within which alpha beside a removed block goes too, unless its block stays.
        buffers: Both (h, w): scratch, and the result.
    """
    left, result = buffers
    cv2.dilate(removed, reach, dst=removed)
    cv2.subtract(removed, kept, dst=removed)
    cv2.inRange(removed, 0, 0, dst=removed)
    cv2.resize(removed, alpha.shape[::-1], dst=left, interpolation=cv2.INTER_NEAREST)
    result.fill(0)
    cv2.copyTo(alpha, left, result)
    return result


@kernel
def find_sure(means: Floats, most: Floats, elapsed_s: np.float32, sure_s: Floats, present: Bytes) -> None:
    """Look at each block.

    Args:
        means: Mean alphas of all blocks, also of those shifted by half a side, if a block has more than one cell.
        most: The largest of each mean and those of the blocks shifted to the right and down.
        elapsed_s: Seconds since the previous frame.
        sure_s: For how much longer a block counts as sure; updated.
        present: Not 0 where it belongs to a region; a result.
    """
    step = means.shape[0] // sure_s.shape[0]
    for y in range(sure_s.shape[0]):
        for x in range(sure_s.shape[1]):
            left_s = max(sure_s[y, x] - elapsed_s, ZERO)
            sure_s[y, x] = MEMORY_S if most[step * y, step * x] >= SURE else left_s
            present[y, x] = ALL if means[step * y, step * x] >= PRESENT else NONE


@kernel
def find_weak(labels: NDArray[np.int32], sure_s: Floats, is_kept: Bytes, removed: Bytes, kept: Bytes) -> int:
    """Judge each region. Returns how many are weak.

    Args:
        labels: The region of each block; 0: none.
        sure_s: Above 0 where a block counts as sure.
        is_kept: (n), scratch for regions 0 to n - 1; further ones are kept.
        removed: Not 0 in blocks of weak regions; a result.
        kept: Not 0 in blocks of other regions; a result.
    """
    is_kept[:] = NONE
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] < is_kept.shape[0] and sure_s[y, x] > ZERO:
                is_kept[labels[y, x]] = ALL
    weak = 0
    for label in range(1, is_kept.shape[0]):
        weak += is_kept[label] == NONE
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            kept[y, x] = ALL if label > 0 and (label >= is_kept.shape[0] or is_kept[label] != NONE) else NONE
            removed[y, x] = ALL if label > 0 and kept[y, x] == NONE else NONE
    return weak
