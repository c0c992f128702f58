"""The renderer on the CPU: matte, refine, background, composite, each in its own file."""

from collections.abc import Callable, Sequence

import numpy as np

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Background, Network, RecurrentState
from realtime_matte.render.composite import straight
from realtime_matte.render.jit import constant
from realtime_matte.render.refine import Refiner
from realtime_matte.render.upsampled import UpsampledMatte


class CpuRenderer:
    """Renders frames of one size with a network and a background that others opened and will close.

    ``lap`` is called after each part with its name: "matte", "refine", "background", "composite".
    """

    def __init__(
        self,
        network: Network,
        *,
        size: Size,
        background: Background | None,
        lap: Callable[[str], None] | None = None,
    ) -> None:
        width, height = size
        self.background = background
        self._network = network
        self._lap = lap or (lambda _: None)
        self._refiner = Refiner(size)
        self._state: RecurrentState | None = None
        self._picture = np.zeros((height, width, 3), np.uint8)
        self._straight: Pixels | None = None

    @property
    def notices(self) -> Sequence[str]:
        """What the network has to tell."""
        return self._network.notices

    def render(self, frame: Frame) -> Pixels:
        """The frame's person on the background."""
        coarse, self._state = self._network.process(frame, self._state)
        self._lap("matte")
        matte = self._refiner.refine(frame, coarse)
        self._lap("refine")
        return self._over_background(frame, matte)

    def reset(self) -> None:
        """Start a new shot."""
        self._state = None
        self._refiner.reset()

    def close(self) -> None:
        """Nothing to close: the network belongs to whoever opened it."""

    def _over_background(self, frame: Frame, matte: UpsampledMatte) -> Pixels:
        if self.background is None:
            if self._straight is None:
                self._straight = np.zeros((*self._picture.shape[:2], 4), np.uint8)
            straight(constant(matte.foreground), matte.alpha, self._straight)
            self._lap("composite")
            return self._straight
        behind = self.background.image(frame, matte)
        self._lap("background")
        matte.over(behind, self._picture)
        self._lap("composite")
        return self._picture
