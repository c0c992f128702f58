"""See me in the dark: ``--low-light auto``. More exposure for the person only; the background stays as it is.

How much light is missing is read off the highlights of the whole frame and corrected by the person's own brightness: a
dark complexion is no reason to brighten, nor are dark clothes. In linear light one factor undoes what the missing light
did, so that complexions keep their differences; the brightest values are rolled off. Parts of the person that get less
light than the others, as the side away from a lamp, are lifted a little more. Noise is reduced by a 3x3 median.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.config.config import Config
from realtime_matte.effects._samples import FEWEST, GAMMA, LINEAR, LUMINANCE, OPAQUE, Light, linear_table
from realtime_matte.effects._steady import Steady
from realtime_matte.frame import Pixels, Size
from realtime_matte.look import GRID, Look, Samples

STAGE: Final = "person"
ORDER: Final = 0
OPTIONS: Final = ("low_light",)

MOST_STOPS: Final = 2.6
"""Limit of the exposure: six times the light."""

SECONDS: Final = 1.0
DEAD_ZONE: Final = 0.15
"""In stops."""

HIGHLIGHTS: Final = 99
"""Percentile of the frame's cells whose brightest channel stands for its highlights: one small lamp is none."""

QUARTILE_STOPS, MEDIAN_STOPS, BRIGHTEST_STOPS, HIGHLIGHT_STOPS, BASE_STOPS = -0.136, 0.477, -0.123, -1.121, 0.438
"""Missing stops by the person's 25th, 50th and 98th percentile and the frame's highlights, log2 of linear light.

They were fitted to 900 darkened portraits of the training split: least error of L*, with equal errors for the darkest
and the lightest third of complexions. ``benchmarks/looks.py`` shows the error on people it was not fitted to."""

BRIGHT, DARK = -0.5, -0.85
"""Highlights, log2 of linear light: above the first nothing is missing, below the second the estimate counts fully."""

LOCAL: Final = 0.3
"""Share of a part's distance from the person's median, in stops, that is removed."""
MOST_LOCAL: Final = 0.5
"""In stops."""
LOCAL_FROM: Final = 1.0
"""Stops of exposure from which on parts are evened out fully."""
LOCAL_CELLS: Final = 2.0
"""Standard deviation of the blur that makes parts, in cells: a third of a face."""
LOCAL_SECONDS: Final = 0.5
LOCAL_DEAD_ZONE: Final = 0.08

FLOOR: Final = 0.003
"""Linear light added before a logarithm."""

KNEE: Final = 0.8
"""Linear light above which highlights are rolled off."""

NOISY: Final = (0.3, 1.3)
"""Stops at which the noise filter sets in, and from which on it has its full strength."""


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
        self._local = Steady(GRID[0] * GRID[1], seconds=LOCAL_SECONDS, dead_zone=LOCAL_DEAD_ZONE)
        self._table = np.arange(256, dtype=np.uint8)
        self._gain = np.ones(GRID[::-1], np.float32)

    @property
    def stops(self) -> float:
        """The exposure now, as log2."""
        return float(self._steady.values[0])

    def apply(self, samples: Samples, look: Look) -> None:
        """Brighten the person."""
        if self._steady.is_due(samples.time):
            self._measure(samples)
        if self._steady.advance(samples.time):
            self._table = exposure_table(self.stops)
        if self._local.advance(samples.time):
            gain = np.exp2(self._local.values / GAMMA, dtype=np.float64)
            self._gain = gain.reshape(GRID[::-1]).astype(np.float32)
        if self.stops > 0:
            look.noise_filter = float(np.interp(self.stops, NOISY, (0, 1)))
            look.follow_with(self._table)
            look.gain = self._gain

    def reset(self) -> None:
        """The next frame is exposed at once as it needs."""
        self._steady.reset()
        self._local.reset()

    def _measure(self, samples: Samples) -> None:
        person = samples.alpha > OPAQUE
        if np.count_nonzero(person) < FEWEST:
            return
        luminance = LINEAR[samples.colors] @ LUMINANCE
        stops = self._fixed
        if stops is None:
            highlights = np.percentile(samples.colors.max(axis=2), HIGHLIGHTS)
            stops = missing_stops(luminance[person], float(LINEAR[int(highlights)]))
        self._steady.aim(np.array([stops]), samples.time)
        amount = min(self.stops / LOCAL_FROM, 1.0)
        self._local.aim(amount * uneven_stops(luminance, person).ravel(), samples.time)


def missing_stops(person: Light, highlights: float) -> float:
    """How many stops of light are missing, from the linear luminance of the person and of the frame's highlights."""
    bright = np.log2(highlights + FLOOR)
    quartile, median, brightest = np.log2(np.percentile(person, (25, 50, 98)) + FLOOR)
    stops = QUARTILE_STOPS * quartile + MEDIAN_STOPS * median + BRIGHTEST_STOPS * brightest
    stops += HIGHLIGHT_STOPS * bright + BASE_STOPS
    share = np.clip((BRIGHT - bright) / (BRIGHT - DARK), 0, 1)
    return float(np.clip(stops, 0, MOST_STOPS) * share)


def uneven_stops(luminance: Light, person: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(36, 64): the stops that even out parts of the person, 0 for the median part; continued beside the person."""
    weight = person.astype(np.float32)
    parts = np.log2(luminance + np.float32(FLOOR)) * weight
    near = cv2.GaussianBlur(weight, (0, 0), LOCAL_CELLS) + np.float32(1e-4)
    parts = cv2.GaussianBlur(parts, (0, 0), LOCAL_CELLS) / near
    stops = LOCAL * (np.median(parts[person]) - parts)
    limited = np.clip(stops, -MOST_LOCAL, MOST_LOCAL) * np.minimum(near / np.float32(0.1), 1)
    return np.asarray(limited, np.float64)


def exposure_table(stops: float) -> Pixels:
    """The look-up table of an exposure by ``stops``, with rolled off highlights; nothing changes at 0."""
    light = LINEAR * 2.0**stops
    over = np.maximum(light - KNEE, 0) / (1 - KNEE)
    rolled = KNEE + (1 - KNEE) * over / (1 + over * (1 - 1 / max(over[-1], 1)))  # the brightest value becomes white
    return linear_table(np.where(light > KNEE, rolled, light))
