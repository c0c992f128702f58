"""``--harmonize 0..1``: the person's light and colours toward those of the background, and its light at the edge.

Mean and spread of the lightness and the mean colour, in CIE L*a*b*, move a limited way toward the background's
(Reinhard et al. 2001). Light wrap: the blurred background is added where the person's alpha, blurred alike, is below 1.
"""

from typing import Final

import cv2
import numpy as np

from realtime_matte.config.config import Config
from realtime_matte.effects._samples import FEWEST, GAMMA, LINEAR, OPAQUE, Points, linear_table
from realtime_matte.effects._steady import Steady, Values
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.look import Field, Look, Samples, identity

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
"""Cells over which light and alpha are blurred: a 21st of the width."""


def open(config: Config, *, size: Size) -> "Harmonize | None":  # noqa: ARG001 - it works on samples
    """The effect, or None if it is off."""
    return Harmonize(config.harmonize) if config.harmonize else None


class Harmonize:
    """Fits the person into the background. See ``interfaces.PersonEffect``. Without a replaced one it does nothing."""

    def __init__(self, amount: float) -> None:
        self._amount = amount
        self._steady = Steady(4, seconds=SECONDS, dead_zone=DEAD_ZONE)
        self._mean = np.zeros(3)  # of the person, L*a*b*
        self._table = identity()
        self._light: Field | None = None  # of the background, ten times a second

    @property
    def shift(self) -> Values:
        """How far L*, a*, b* are moved, and the logarithm of the spread's factor, times 10."""
        return self._steady.values

    def apply(self, samples: Samples, look: Look) -> None:
        """Change the person's colours, and add the light of the background at the edge."""
        if not samples.has_background:
            return
        if self._light is None or self._steady.is_due(samples.time):
            self._light = self._measure(samples, look)
        if self._steady.advance(samples.time):
            self._table = shift_table(self._mean, self.shift)
        if self.shift.any():
            look.follow_with(self._table)
        look.light = at_edge(self._light, samples.alpha)

    def reset(self) -> None:
        """The next frame is fitted at once."""
        self._steady.reset()

    def _measure(self, samples: Samples, look: Look) -> Field:
        """Set the target, if there is a person; returns the light behind."""
        person = look.of(samples.colors)[samples.alpha > OPAQUE]
        if len(person) >= FEWEST:
            mean, spread = statistics(person)
            other, other_spread = statistics(samples.background.reshape(-1, 3))
            self._mean = mean
            distance = np.append(other - mean, np.log((other_spread + 1) / (spread + 1)))
            shift = self._amount * np.clip(distance * TOWARD, -LIMITS, LIMITS)
            shift[3] *= 10  # on the scale of the others
            self._steady.aim(shift, samples.time)
        return cv2.blur(samples.background, (REACH, REACH)) * np.float32(WRAP * self._amount)


def at_edge(light: Field, alpha: Alpha) -> Field:
    """How much of the light behind falls over the edge: none inside, half of it at a straight edge."""
    beside = 1 - cv2.blur(alpha, (REACH, REACH))
    return np.asarray(light * beside[..., None], np.float32)


def statistics(points: Points) -> tuple[Values, float]:
    """Mean L*, a* and b* of colours, and the spread of L*."""
    lab = cv2.cvtColor(LINEAR[points][:, None], cv2.COLOR_LBGR2LAB)[:, 0]
    return lab.mean(axis=0, dtype=np.float64), float(lab[:, 0].std())


def shift_table(mean: Values, shift: Values) -> Pixels:
    """The look-up table (256, 3) that moves colours of this mean L*, a*, b* by ``shift``, as ``Harmonize.shift``."""
    before, after = (_linear(mean + moved) for moved in (np.zeros(3), shift[:3]))
    center = float(before.mean()) ** (1 / GAMMA)
    values = np.arange(256) / 255
    spread = np.clip(center + (values - center) * np.exp(shift[3] / 10), 0, 1)
    return linear_table(spread[:, None] ** GAMMA * (after / before))


def _linear(lab: Values) -> Values:
    """Linear BGR of one colour; never 0."""
    bgr = cv2.cvtColor(np.asarray(lab, np.float32)[None, None], cv2.COLOR_LAB2LBGR)[0, 0]
    return np.maximum(np.asarray(bgr, np.float64), 1e-3)
