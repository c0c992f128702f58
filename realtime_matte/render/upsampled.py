"""A refined matte as it travels: models on the coarse grid, and the frame they are applied to."""

import numpy as np

from realtime_matte.frame import Alpha, Frame, Pixels, Size
from realtime_matte.render import upsample as enlarge
from realtime_matte.render.jit import constant
from realtime_matte.render.local_models import Models, Wide


class Whole:
    """Room for one frame's alpha and colours at its size: made once, on first use, since few pictures need them."""

    def __init__(self, size: Size) -> None:
        self._shape = size[1], size[0]
        self._alpha: Alpha | None = None
        self._foreground: Pixels | None = None

    @property
    def alpha(self) -> Alpha:
        """(H, W)."""
        if self._alpha is None:
            self._alpha = np.zeros(self._shape, np.float32)
        return self._alpha

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3)."""
        if self._foreground is None:
            self._foreground = np.zeros((*self._shape, 3), np.uint8)
        return self._foreground


class UpsampledMatte:
    """Who is in one frame, at its size. Everything is computed when it is asked for, and overwritten by the next."""

    def __init__(self, frame: Frame, models: Models, *, wide: Wide, whole: Whole) -> None:
        self._pixels = constant(frame.pixels)
        self._models = models
        self._wide = wide
        self._whole = whole
        self._has_alpha = False
        self._has_foreground = False

    @property
    def alpha(self) -> Alpha:
        """(H, W) float32 in [0, 1]."""
        if not self._has_alpha:
            enlarge.alphas(self._pixels, self._models, self._wide, self._whole.alpha)
            self._has_alpha = True
        return self._whole.alpha

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3) uint8 BGR, straight, without the old background; black where alpha is 0."""
        if not self._has_foreground:
            enlarge.colours(self._pixels, self._models, self._wide, self._whole.foreground)
            self._has_foreground = True
        return self._whole.foreground

    def over(self, background: Pixels, out: Pixels) -> None:
        """Write the person on ``background`` to ``out``, both (H, W, 3): exact where alpha is 0 or 1."""
        enlarge.over(self._pixels, self._models, self._wide, constant(background), out)
