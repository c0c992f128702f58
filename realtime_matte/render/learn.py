"""What is in sight of the room: remembered, and compared with what was.

A running Gaussian for each cell of the network's grid, as in Wren et al. 1997 (Pfinder), of the colours it had when it
was room for sure. What the person covers is kept as it was, but for the light: that is seen beside the person.
"""

from typing import Final, TypeAlias

import numpy as np

from realtime_matte.render.guided import Bytes, Floats
from realtime_matte.render.kernels import kernel

Memory: TypeAlias = tuple[Floats, Floats, Bytes]
"""(colour, variance, seen): (h, w, 3) and (h, w), of use where ``seen`` (h, w) is not 0."""

JUMP: Final = np.float32(20**2)
"""A mean square change of colour, of 255, that is no noise, nor a lamp that fades."""

UNKNOWN: Final = np.float32(3**2)
"""Variance of what was seen once."""


@kernel
def learn(guide: Bytes, near: Bytes, share: np.float32, memory: Memory, light: Floats, change: Floats) -> float:
    """Take what is in sight of the room, where ``near`` is 0, into ``memory``; ``change``: from it, mean square, or -1.

    ``light``: what each channel of the covered room is to be multiplied with, from what the room in sight did in the
    last frame; then that of this one. The part of what was remembered that jumped; 0 where hardly anything was.
    """
    colour, variance, seen = memory
    jumped, known = 0, 0
    l0, l1, l2 = light[0], light[1], light[2]
    now0, now1, now2 = np.float32(0), np.float32(0), np.float32(0)
    old0, old1, old2 = np.float32(0), np.float32(0), np.float32(0)
    for y in range(guide.shape[0]):
        for x in range(guide.shape[1]):
            free = near[y, x] == 0
            visible = free and seen[y, x] != 0
            rate = share if visible else np.float32(free)
            c0, c1, c2 = colour[y, x, 0], colour[y, x, 1], colour[y, x, 2]
            b, g, r = np.float32(guide[y, x, 0]) - c0, np.float32(guide[y, x, 1]) - c1, np.float32(guide[y, x, 2]) - c2
            colour[y, x, 0] = c0 + rate * b if free else c0 * l0
            colour[y, x, 1] = c1 + rate * g if free else c1 * l1
            colour[y, x, 2] = c2 + rate * r if free else c2 * l2
            square = (b * b + g * g + r * r) * np.float32(1 / 3)
            variance[y, x] += rate * ((square if visible else UNKNOWN) - variance[y, x])
            seen[y, x] |= free
            change[y, x] = square if visible else np.float32(-1)
            known += visible
            jumped += visible and square > JUMP
            steady = np.float32(visible and square <= JUMP)
            old0, old1, old2 = old0 + steady * c0, old1 + steady * c1, old2 + steady * c2
            now0, now1, now2 = now0 + steady * b, now1 + steady * g, now2 + steady * r
    light[0] = 1 + share * now0 / max(old0, np.float32(1))
    light[1] = 1 + share * now1 / max(old1, np.float32(1))
    light[2] = 1 + share * now2 / max(old2, np.float32(1))
    return jumped / known if known > guide.shape[0] * guide.shape[1] // 100 else 0.0
