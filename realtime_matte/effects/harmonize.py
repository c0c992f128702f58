"""``--harmonize 0..1``: the person's light and colours toward those of the background, and its light at the edge.

Mean and spread of the lightness and the mean colour, in CIE L*a*b*, move a limited way toward the background's
(Reinhard et al. 2001). Light wrap: the blurred background is added where the person's alpha, blurred alike, is below 1.
"""

from typing import Final

import cv2
import numpy as np

from realtime_matte.config.config import Config
from realtime_matte.effects._samples import FEWEST, GAMMA, GRID, LINEAR, OPAQUE, Points, SampleGrid, linear_table
from realtime_matte.effects._steady import Steady, Values
from realtime_matte.frame import Alpha, Frame, Pixels, RefinedMatte, Size

STAGE: Final = "person"
ORDER: Final = 2
OPTIONS: Final = ("harmonize",)

TOWARD: Final = np.array([0.25, 0.25, 0.25, 0.4])
"""Share of the way that L*, a*, b* and the spread of L* move, with 1."""

LIMITS: Final = np.array([7.0, 5.0, 5.0, 0.12])
"""How far they move at most; the spread as a logarithm."""

SECONDS: Final = 1.0
DEAD_ZONE: Final = 1.0

WRAP: Final = 0.4
"""Share of the background's light that is added at the edge itself, with 1."""

REACH: Final = 3
"""Points of the grid over which light and alpha are blurred: a 21st of the width."""


def open(config: Config, *, size: Size) -> "Harmonize | None":
    """The effect, or None if it is off."""
    return Harmonize(size, config.harmonize) if config.harmonize else None


class Harmonize:
    """Fits the person into the background. See ``interfaces.PersonEffect``. Without a replaced one it does nothing."""

    def __init__(self, size: Size, amount: float) -> None:
        self._grid = SampleGrid(size)
        self._amount = amount
        self._size = size
        self._steady = Steady(4, seconds=SECONDS, dead_zone=DEAD_ZONE)
        self._mean = np.zeros(3)  # of the person, L*a*b*
        self._table = np.empty((256, 1, 3), np.uint8)
        self._points, self._light = np.empty((2, GRID[1], GRID[0], 3), np.uint8)
        self._wrap = np.empty((size[1], size[0], 3), np.uint8)

    @property
    def shift(self) -> Values:
        """How far L*, a*, b* are moved, and the logarithm of the spread's factor, times 10."""
        return self._steady.values

    def apply(self, frame: Frame, matte: RefinedMatte, foreground: Pixels, background: Pixels | None) -> None:
        """Change the foreground's colours, and add the light of the background at its edge."""
        if background is None:
            return
        alpha = self._grid.alpha(matte.alpha)
        behind = self._grid.colors(background)
        if self._steady.is_due(frame.time):
            self._measure(self._grid.colors(foreground)[alpha > OPAQUE], behind, frame.time)
        if self._steady.advance(frame.time):
            self._table = shift_table(self._mean, self.shift)
        cells = self._grid.person_cells(alpha)
        if cells:
            area = self._grid.pixels_of(cells)
            if self.shift.any():
                cv2.LUT(foreground[area], self._table, dst=foreground[area])
            self._find_light(alpha, behind)
            self._add_light(foreground[area], self._light[cells], self._wrap[area])

    def reset(self) -> None:
        """The next frame is fitted at once."""
        self._steady.reset()

    def _measure(self, person: Points, behind: Pixels, time: float) -> None:
        if len(person) >= FEWEST:
            mean, spread = statistics(person)
            other, other_spread = statistics(behind.reshape(-1, 3))
            self._mean = mean
            distance = np.append(other - mean, np.log((other_spread + 1) / (spread + 1)))
            shift = self._amount * np.clip(distance * TOWARD, -LIMITS, LIMITS)
            shift[3] *= 10  # on the scale of the others
            self._steady.aim(shift, time)

    def _find_light(self, alpha: Alpha, behind: Pixels) -> None:
        """The light that falls from behind over the edge: none inside, half of WRAP at a straight edge."""
        cv2.blur(behind, (REACH, REACH), dst=self._points)
        beside = 1 - cv2.blur(alpha, (REACH, REACH))
        np.multiply(self._points, (beside * (WRAP * self._amount))[..., None], out=self._light, casting="unsafe")

    @staticmethod
    def _add_light(part: Pixels, light: Pixels, scratch: Pixels) -> None:
        cv2.resize(light, part.shape[1::-1], dst=scratch, interpolation=cv2.INTER_LINEAR)
        cv2.add(part, scratch, dst=part)


def statistics(points: Points) -> tuple[Values, float]:
    """Mean L*, a* and b* of colours, and the spread of L*."""
    lab = cv2.cvtColor(LINEAR[points][:, None], cv2.COLOR_LBGR2LAB)[:, 0]
    return lab.mean(axis=0, dtype=np.float64), float(lab[:, 0].std())


def shift_table(mean: Values, shift: Values) -> Pixels:
    """The look-up table (256, 1, 3) that moves colours of this mean L*, a*, b* by ``shift``, as ``Harmonize.shift``."""
    before, after = (_linear(mean + moved) for moved in (np.zeros(3), shift[:3]))
    center = float(before.mean()) ** (1 / GAMMA)
    values = np.arange(256) / 255
    spread = np.clip(center + (values - center) * np.exp(shift[3] / 10), 0, 1)
    return linear_table(spread[:, None, None] ** GAMMA * (after / before))


def _linear(lab: Values) -> Values:
    """Linear BGR of one colour; never 0."""
    bgr = cv2.cvtColor(np.asarray(lab, np.float32)[None, None], cv2.COLOR_LAB2LBGR)[0, 0]
    return np.maximum(np.asarray(bgr, np.float64), 1e-3)
