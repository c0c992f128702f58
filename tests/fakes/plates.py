"""A scripted network that sees the clean plate, and keeps what it was given."""

from collections.abc import Callable

import numpy as np

from fakes.scripted import ScriptedNetwork
from realtime_matte.frame import Frame, Matte, PlateImage
from realtime_matte.interfaces import PlateView, RecurrentState
from realtime_matte.media import i420


class SeeingNetwork(ScriptedNetwork):
    """As ``ScriptedNetwork``; the exact matte again, whatever the plate.

    Attributes:
        seen: What the plate was for each frame; None where nothing was known.
    """

    sees_plate = True

    def __init__(self, faults: dict[int, Callable[[Matte], Matte]] | None = None) -> None:
        super().__init__(faults)
        self.seen: list[PlateImage | None] = []

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        guide = np.ascontiguousarray(i420.bgr_frame(frame).pixels)
        image = PlateImage(np.zeros_like(guide), np.zeros(guide.shape[:2], np.uint8))
        self.seen.append(image if plate and plate.fit(guide, image) else None)
        return super().process(frame, state)

    def knows(self, color: tuple[int, int, int], index: int = -1) -> bool:
        """Whether the plate of a frame was this colour, where it was valid."""
        image = self.seen[index]
        if image is None:
            return False
        colours = image.colours[image.validity > 0].astype(int)
        return bool(len(colours) and np.abs(np.median(colours, axis=0) - color).max() < 12)  # 4:2:0 changes colours


class EmptyRoom(SeeingNetwork):
    """Finds no person; ``person``: the mean of its alpha, for frames from this index on until the other."""

    def __init__(self, person: range = range(0)) -> None:
        super().__init__()
        self._person = person

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        matte, state = super().process(frame, state, plate)
        alpha = np.zeros_like(matte.alpha)
        if frame.index in self._person:
            alpha[: len(alpha) // 4] = 1
        return Matte(alpha), state
