"""``--white-balance auto``: the person's colours toward skin that is neither blue nor orange; the background stays.

The median colour of a person's upper half, of skin, hair and some clothes, lies near that of skin in neutral light.
What is farther from it than people differ among themselves is taken for the light's tint and removed, by a factor for
red and one for blue, at the same luminance.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime_matte.config.config import Config
from realtime_matte.effects._samples import FEWEST, LINEAR, LUMINANCE, OPAQUE, Light, Points, linear_table
from realtime_matte.effects._steady import Steady, Values
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.look import Look, Samples

STAGE: Final = "person"
ORDER: Final = 1
OPTIONS: Final = ("white_balance",)

NEUTRAL: Final = np.array([-0.34, 0.70])
"""Logarithms of blue and of red over green, of linear light: between the means of dark and of light complexions."""

WARM: Final = np.array([-1.0, 1.0]) / np.sqrt(2)
"""The direction of lamps and shade: less blue and more red. Only along it is a tint corrected: no face turns green."""

SPREAD: Final = 0.42
"""How far people in neutral light are from it: 1.5 standard deviations. Nothing within is corrected."""

MOST: Final = 0.8
"""Limit of a correction, as a logarithm."""

UPPER: Final = 0.5
"""Share of the person's height, from the top, that is measured, as clothes may have any colour. On 900 portraits of the
training split it finds a tint better than all of the person, and takes a quarter less for one in neutral light."""

SECONDS: Final = 1.0
DEAD_ZONE: Final = 0.08

LEAST, LARGEST = 25, 250
"""Brightest channel of a pixel that has a tint: below is noise, above is clipped."""


def open(config: Config, *, size: Size) -> "WhiteBalance | None":  # noqa: ARG001 - it works on samples
    """The effect, or None if it is off."""
    return WhiteBalance() if config.white_balance == "auto" else None


class WhiteBalance:
    """Removes the tint of the light on the person. See ``interfaces.PersonEffect``."""

    def __init__(self) -> None:
        self._steady = Steady(2, seconds=SECONDS, dead_zone=DEAD_ZONE)
        self._table = balance_table(np.zeros(2), LUMINANCE)
        self._color = np.full(3, 1 / 3, np.float32)

    @property
    def correction(self) -> Values:
        """Logarithms of the factors of blue and red over that of green."""
        return self._steady.values

    def apply(self, samples: Samples, look: Look) -> None:
        """Balance the person's colours."""
        if self._steady.is_due(samples.time):
            self._measure(look.of(samples.colors), samples.alpha, samples.time)
        if self._steady.advance(samples.time):
            self._table = balance_table(self.correction, self._color)
        if self.correction.any():
            look.follow_with(self._table)

    def reset(self) -> None:
        """The next frame is balanced at once as it needs."""
        self._steady.reset()

    def _measure(self, colors: Pixels, alpha: Alpha, time: float) -> None:
        brightest = colors.max(axis=2)
        person = colors[upper_part(alpha > OPAQUE) & (brightest > LEAST) & (brightest < LARGEST)]
        if len(person) >= FEWEST:
            self._color = LINEAR[person].mean(axis=0)
            self._steady.aim(tint_correction(person), time)


def upper_part(person: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The upper half of a mask of the person."""
    rows = np.flatnonzero(person.any(axis=1))
    upper = person.copy()
    if len(rows):
        upper[int(rows[0] + UPPER * (rows[-1] - rows[0])) + 1 :] = False
    return upper


def tint_correction(person: Points) -> Values:
    """Logarithms of the factors of blue and red over that of green which remove the tint of these colours."""
    logarithms = np.log(LINEAR[person] + np.float32(0.004))
    tint = np.median(logarithms[:, [0, 2]] - logarithms[:, 1:2], axis=0) - NEUTRAL
    warmth = float(tint @ WARM)
    size = min(max(abs(warmth) - SPREAD, 0), MOST)
    return np.asarray(-np.copysign(size, warmth) * WARM, np.float64)


def balance_table(correction: Values, color: Light) -> Pixels:
    """The look-up table (256, 3) of a correction that keeps the luminance of the linear ``color``."""
    factors = np.exp([correction[0], 0.0, correction[1]])
    factors *= (color @ LUMINANCE) / max(float((color * factors) @ LUMINANCE), 1e-6)
    return linear_table(LINEAR[:, None] * factors)
