"""Two grids for one frame: the fine one draws edges, the usual one says who is there.

A network is surest of who is a person on the grid it was mostly trained on, and draws edges best on a finer one. So the
fine alpha is free near every edge of the usual one, and held to it everywhere else.
"""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Matte, Pixels, Size
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.engine import Engine
from realtime_matte.models.family import Family
from realtime_matte.models.session import Session

REACH_CELLS = 3
"""How far from an edge of the usual grid, in its cells, the fine alpha is free."""


class Anchored:
    """As ``Engine``: a session wired for one frame size, on the grids of ``family`` and of its ``anchor``."""

    def __init__(self, session: Session, family: Family, anchor: Family, size: Size) -> None:
        self.size = size
        self._fine, self._usual = Engine(session, family, size), Engine(session.other, anchor, size)
        self._bounds: Bounds | None = None
        self._mine = object()

    def process(self, pixels: Pixels, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The matte, overwritten by the next call, and the state after it. A state of another engine starts a shot.

        Raises:
            FAILURES: of the session.
        """
        fine_state, usual_state = self._both(state)
        usual, usual_state = self._usual.process(pixels, usual_state)
        fine, fine_state = self._fine.process(pixels, fine_state)
        if self._bounds is None:
            self._bounds = Bounds(usual.alpha.shape, fine.alpha.shape)
        self._bounds.hold(fine.alpha, usual.alpha)
        return fine, (self._mine, fine_state, usual_state)

    def memories(self, state: RecurrentState | None) -> dict[str, NDArray[np.float32]]:
        """What a state of this engine remembers on either grid, as ``Engine.memories``."""
        fine_state, usual_state = self._both(state)
        usual = self._usual.memories(usual_state)
        return self._fine.memories(fine_state) | {f"{name} of the usual grid": usual[name] for name in usual}

    def _both(self, state: RecurrentState | None) -> tuple[RecurrentState | None, RecurrentState | None]:
        both = state[1:] if state and state[0] is self._mine else (None, None)
        return cast("tuple[RecurrentState | None, RecurrentState | None]", both)


def wired(session: Session, family: Family, size: Size) -> Engine | Anchored:
    """A session that runs a network as its family wants it, for frames of ``size``."""
    return Anchored(session, family, family.anchor, size) if family.anchor else Engine(session, family, size)


class Bounds:
    """Holds alphas of shape ``fine`` (H, W) to coarser ones of shape ``usual`` (h, w); its scratch is made once."""

    def __init__(self, usual: Sequence[int], fine: Sequence[int]) -> None:
        self._window = np.ones((2 * REACH_CELLS + 1, 2 * REACH_CELLS + 1), np.uint8)
        self._near, self._bound = np.empty(usual, np.float32), np.empty(fine, np.float32)

    def hold(self, fine: Alpha, usual: Alpha) -> None:
        """``fine``, in place, between the least and the most of ``usual`` within reach."""
        for most_or_least, hold in ((cv2.dilate, np.minimum), (cv2.erode, np.maximum)):
            most_or_least(usual, self._window, dst=self._near)
            cv2.resize(self._near, self._bound.shape[::-1], dst=self._bound)
            hold(fine, self._bound, out=fine)
