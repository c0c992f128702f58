"""See me in the dark: ``--low-light auto``. More exposure for the person only; the background stays as it is.

How much light is missing is read off the highlights of the whole frame, not off the person alone: a dark complexion is
no reason to brighten, nor are dark clothes. In linear light one factor undoes what the missing light did, so that
complexions keep their differences; the brightest values are rolled off. The noise that is amplified with it is reduced
by a median of 3x3 pixels.
"""

from typing import Final

import numpy as np

from realtime_matte.config.config import Config
from realtime_matte.effects._samples import FEWEST, LINEAR, LUMINANCE, OPAQUE, linear_table
from realtime_matte.effects._steady import Steady
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.look import Look, Samples

STAGE: Final = "person"
ORDER: Final = 0
OPTIONS: Final = ("low_light",)

MOST_STOPS: Final = 2.6
"""Limit of the exposure: six times the light."""

SECONDS: Final = 1.0
DEAD_ZONE: Final = 0.15
"""In stops."""

HIGHLIGHTS: Final = 98
"""Percentile of the frame's points whose brightest channel stands for its highlights."""

PERSON_STOPS, HIGHLIGHT_STOPS, BASE_STOPS = 0.42, -1.17, 1.13
"""Missing stops by the person's median and the frame's highlights, log2 of linear light: least squares on
darkened portraits of the training split (``benchmarks/looks.py`` shows the error, also by complexion)."""

BRIGHT, DARK = -0.4, -0.7
"""Highlights, log2 of linear light: above the first nothing is missing, below the second the estimate counts fully."""

FLOOR: Final = 0.003
"""Linear light added before a logarithm."""

KNEE: Final = 0.8
"""Linear light above which highlights are rolled off."""

NOISY: Final = (0.3, 1.3)
"""Stops at which the noise filter sets in, and from which on it has its full strength."""

MOST_FILTERED: Final = 0.8


def open(config: Config, *, size: Size) -> "LowLight | None":  # noqa: ARG001 - it works on samples
    """The effect, or None if it is off."""
    value = config.low_light
    if value in {"off", 0}:
        return None
    return LowLight(None if value == "auto" else float(value) * MOST_STOPS)


class LowLight:
    """Exposes the person by ``stops``, or by what is measured if None. See ``interfaces.PersonEffect``."""

    def __init__(self, stops: float | None = None) -> None:
        self._fixed = stops
        self._steady = Steady(1, seconds=SECONDS, dead_zone=DEAD_ZONE)
        self._table = np.arange(256, dtype=np.uint8)

    @property
    def stops(self) -> float:
        """The exposure now, as log2."""
        return float(self._steady.values[0])

    def apply(self, samples: Samples, look: Look) -> None:
        """Brighten the person."""
        if self._steady.is_due(samples.time):
            stops = measure(samples) if self._fixed is None else self._fixed
            if stops is not None:
                self._steady.aim(np.array([stops]), samples.time)
        if self._steady.advance(samples.time):
            self._table = exposure_table(self.stops)
        if self.stops > 0:
            look.noise_filter = float(np.interp(self.stops, NOISY, (0, MOST_FILTERED)))
            look.follow_with(self._table)

    def reset(self) -> None:
        """The next frame is exposed at once as it needs."""
        self._steady.reset()


def measure(samples: Samples) -> float | None:
    """How many stops of light are missing in a frame; None if there is no person."""
    person = samples.colors[samples.alpha > OPAQUE]
    if len(person) < FEWEST:
        return None
    highlights = np.percentile(samples.colors.max(axis=2), HIGHLIGHTS)
    return missing_stops(LINEAR[person] @ LUMINANCE, float(LINEAR[int(highlights)]))


def missing_stops(person: Alpha, highlights: float) -> float:
    """How many stops of light are missing, from the linear luminance of the person and of the frame's highlights."""
    bright, median = np.log2(highlights + FLOOR), np.log2(float(np.median(person)) + FLOOR)
    stops = PERSON_STOPS * median + HIGHLIGHT_STOPS * bright + BASE_STOPS
    share = np.clip((BRIGHT - bright) / (BRIGHT - DARK), 0, 1)
    return float(np.clip(stops, 0, MOST_STOPS) * share)


def exposure_table(stops: float) -> Pixels:
    """The look-up table of an exposure by ``stops``, with rolled off highlights; nothing changes at 0."""
    light = LINEAR * 2.0**stops
    over = np.maximum(light - KNEE, 0) / (1 - KNEE)
    rolled = KNEE + (1 - KNEE) * over / (1 + over * (1 - 1 / max(over[-1], 1)))  # the brightest value becomes white
    return linear_table(np.where(light > KNEE, rolled, light))
