"""The memory of the room: it draws the person's edge where the room behind it was seen before.

Nothing that is remembered is ever shown: it moves alpha, near edges, where the person covers what once was in sight.
"""

from math import exp
from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.edge_model import SAMPLE, SAMPLED, sample, take, weigh
from realtime_matte.render.jit import constant
from realtime_matte.render.learn import learn, shine

SETTLE_S: Final = 0.3
"""Time constant of what is remembered, while it is in sight."""

ANEW_S: Final = 10.0
"""Time constant of a place that got another light than the rest, to be one of them again."""

ROOM, SOFT, PERSON = 0.02, 0.03, 0.95
"""Alpha up to which a cell is room for sure; from which it may be an edge; from which it is the person for sure."""

MUCH: Final = 0.2
"""Where more of the room than that jumps, light or camera changed: what is covered just now is forgotten."""

NEARBY: Final = (9, 9)
"""How far nearby is, in samples."""

BESIDE: Final = np.ones((3, 3), np.uint8)
"""How far from every sign of the person a cell is room for sure."""

AROUND: Final = np.ones((5, 5), np.uint8)
"""How far from what is soft an edge may be moved."""


class Room:
    """The memory of one shot, for alphas of ``shape`` (h, w)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        sampled = (shape[0] + SAMPLED - 1) // SAMPLED, (shape[1] + SAMPLED - 1) // SAMPLED, SAMPLE
        self._colour = np.zeros((*shape, 3), np.float32)
        self._variance = np.zeros(shape, np.float32)
        self._seen, self._near, self._person, self._edge = np.zeros((4, *shape), np.uint8)
        self._samples, self._means = np.zeros((2, *sampled), np.float32)
        self._change, self._smooth = np.zeros((2, *shape), np.float32)
        self._alpha = np.zeros(shape, np.float32)
        self._first = np.zeros((*shape, 3), np.float32)
        self._light, self._step = np.ones((2, 3), np.float32)

    def correct(self, alpha: Alpha, guide: Pixels, passed_s: float) -> Alpha:
        """The alpha with its edges as the room's memory has them; overwritten by the next call.

        ``guide``: (h, w, 3), the frame on that grid; ``passed_s``: seconds since the last one.
        """
        guide, alpha = constant(guide), constant(alpha)
        cv2.dilate(cv2.inRange(alpha, ROOM, 2.0, dst=self._near), BESIDE, dst=self._near)
        cv2.erode(cv2.inRange(alpha, PERSON, 2.0, dst=self._person), BESIDE, dst=self._person)
        cv2.dilate(cv2.inRange(alpha, SOFT, 1 - SOFT, dst=self._edge), AROUND, dst=self._edge)
        share, anew = (np.float32(1 - exp(-passed_s / constant_s)) for constant_s in (SETTLE_S, ANEW_S))
        memory, light = (self._colour, self._variance, self._seen), (self._first, self._light, self._step)
        if learn(guide, self._near, share, memory, self._step, self._change) > MUCH:
            self._seen[self._near != 0] = 0
        shine(self._near, anew, memory, self._change, light)
        sample(guide, self._person, memory, self._change, self._samples)
        cv2.blur(self._samples, NEARBY, dst=self._means)
        weigh(alpha, guide, self._near, self._edge, memory, self._means, self._change)
        cv2.blur(self._change, (3, 3), dst=self._smooth)
        take(alpha, self._edge, self._smooth, self._alpha)
        return self._alpha

    def reset(self) -> None:
        """Remember nothing."""
        self._seen.fill(0)
        self._light.fill(1)
        self._step.fill(1)
