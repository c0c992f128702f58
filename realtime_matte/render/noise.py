"""The camera's noise, from the differences of successive frames.

A pixel that shows the same thing in two frames differs by the noise of both. Motion makes large differences, so only
the smaller half of them is used, as in robust estimates of scale (Rousseeuw and Croux 1993): motion in a third of the
frame adds half to the estimate. A difference over time finds what makes an edge flicker; an estimate within one
frame (Immerkaer 1996) also counts texture, and noise that a codec keeps from frame to frame.
"""

from math import exp, sqrt
from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420

STEP_PX: Final = 8
"""Distance of the sampled pixels."""

LOWER_HALF_MEAN: Final = 0.3247
"""Mean of the smaller half of the absolute values of a standard normal variable: 4 (phi(0) - phi(0.6745))."""

TIME_CONSTANT_S: Final = 0.5
"""Of the average over time: noise changes with the light, not from frame to frame."""

INTERVAL_S: Final = 0.2
"""Between two measurements: each needs two successive frames, and the average hardly changes in between."""

MAX_NOISE: Final = 24 / 255
"""Larger estimates are of a camera that moves, or of light that changes."""


class NoiseEstimator:
    """Variance of the noise in frames of ``size``, for colours in [0, 1]. Buffers are allocated once.

    Attributes:
        variance: Of the noise; 0 before there were two frames.
    """

    def __init__(self, size: Size) -> None:
        width, height = size
        self.variance = 0.0
        self._sample, self._before, self._difference = np.zeros(
            (3, -(-height // STEP_PX), -(-width // STEP_PX), 3), np.uint8
        )
        self._histogram = np.zeros((256, 1), np.float32)
        self._half = self._sample.size // 2
        self._time: float | None = None  # of the frame that waits for its successor
        self._measured: float | None = None  # when, last

    def update(self, pixels: Pixels, time: float) -> None:
        """Add a frame, BGR or I420, with its time in seconds. Most of them are not read."""
        first = self._time
        if first is None and self._measured is not None and 0 <= time - self._measured < INTERVAL_S:
            return
        self._sample, self._before = self._before, self._sample
        if pixels.ndim == 2:  # noqa: PLR2004 - planes
            i420.sample_bgr(pixels, STEP_PX, self._sample)
        else:
            np.copyto(self._sample, pixels[::STEP_PX, ::STEP_PX])
        if first is None or time <= first:
            self._time = time
            return
        elapsed_s = TIME_CONSTANT_S * 99 if self._measured is None else max(0.0, time - self._measured)
        weight = 1 - exp(-elapsed_s / TIME_CONSTANT_S)  # 0 at first where another source's clock is behind
        self.variance += weight * (self._measure() - self.variance)
        self._measured, self._time = time, None

    def reset(self) -> None:
        """Forget the previous frame. The noise is the camera's, and is kept."""
        self._time = None

    def _measure(self) -> float:
        """The variance that the differences of the last two frames show."""
        cv2.absdiff(self._sample, self._before, dst=self._difference)
        cv2.calcHist([self._difference.reshape(-1)], [0], None, [256], [0, 256], hist=self._histogram)
        left, total = float(self._half), 0.0
        for value, count in enumerate(self._histogram[:, 0].tolist()):
            total += value * min(count, left)
            left -= count
            if left <= 0:
                break
        deviation = total / max(self._half, 1) / LOWER_HALF_MEAN / 255
        return min(deviation / sqrt(2), MAX_NOISE) ** 2
