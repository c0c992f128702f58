"""What is in sight of the room: remembered, and compared with what was.

A running Gaussian for each cell of the network's grid, as in Wren et al. 1997 (Pfinder), of the colours it had when it
was room for sure. What the person covers is kept as it was, but for the light: that is seen beside the person.
"""

from typing import Final, TypeAlias

import numpy as np

from realtime_matte.render.guided_filter import Bytes, Floats
from realtime_matte.render.jit import kernel

Memory: TypeAlias = tuple[Floats, Floats, Bytes]
"""(colour, variance, seen): (h, w, 3) and (h, w), of use where ``seen`` (h, w) is not 0."""

Light: TypeAlias = tuple[Floats, Floats, Floats]
"""(first, now, step): each cell's colour when it was first seen, in the first light (h, w, 3); how much of that there
is now, of each channel (3,); by how much that changed in the last frame (3,)."""

JUMP: Final = np.float32(20**2)
"""A mean square change of colour, of 255, that is no noise, nor a lamp that fades."""

UNKNOWN: Final = np.float32(3**2)
"""Variance of what was seen once."""

BRIGHTEST: Final = np.float32(8)
"""The light is at most so many times the first one, and at least that part of it."""


@kernel
def learn(guide: Bytes, near: Bytes, share: np.float32, memory: Memory, step: Floats, change: Floats) -> float:
    """Take what is in sight of the room, where ``near`` is 0, into ``memory``; ``change``: from it, mean square, or -1.

    What is covered goes with the light's ``step``. Gives the part of what was remembered that jumped; 0 where hardly
    anything was.
    """
    colour, variance, seen = memory
    jumped, known = 0, 0
    l0, l1, l2 = step
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
    return jumped / known if known > guide.shape[0] * guide.shape[1] // 100 else 0.0


@kernel
def shine(near: Bytes, share: np.float32, memory: Memory, change: Floats, light: Light) -> None:
    """Find the ``light`` of what ``learn`` took, from the cells that all changed alike since they were first seen.

    It is always found against what was first seen, never against the last frame's light: errors do not add up. Cells
    that went another way, such as a screen, do not count; by ``share`` of the way they are taken as seen anew.
    """
    colour, _, _ = memory
    first, now, step = light
    l0, l1, l2 = now
    sum0, sum1, sum2 = np.float32(0), np.float32(0), np.float32(0)
    was0, was1, was2 = np.float32(0), np.float32(0), np.float32(0)
    count = 0
    for y in range(near.shape[0]):
        for x in range(near.shape[1]):
            if near[y, x]:
                continue
            c0, c1, c2 = colour[y, x, 0], colour[y, x, 1], colour[y, x, 2]
            f0, f1, f2 = first[y, x, 0], first[y, x, 1], first[y, x, 2]
            off0, off1, off2 = c0 - l0 * f0, c1 - l1 * f1, c2 - l2 * f2
            if change[y, x] >= 0 and off0 * off0 + off1 * off1 + off2 * off2 <= 3 * JUMP:
                sum0, sum1, sum2 = sum0 + c0, sum1 + c1, sum2 + c2
                was0, was1, was2 = was0 + f0, was1 + f1, was2 + f2
                count += 1
            else:
                part = share if change[y, x] >= 0 else np.float32(1)
                first[y, x, 0] = f0 + part * (c0 / l0 - f0)
                first[y, x, 1] = f1 + part * (c1 / l1 - f1)
                first[y, x, 2] = f2 + part * (c2 / l2 - f2)
    for c, total, was in ((0, sum0, was0), (1, sum1, was1), (2, sum2, was2)):
        found = total / was if was > count else now[c]  # a channel with hardly anything in it says nothing
        found = min(max(found, 1 / BRIGHTEST), BRIGHTEST)
        step[c], now[c] = found / now[c], found
