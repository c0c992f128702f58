"""What the graph of the whole frame is given beside its images: weights by time, and regularisation by noise.

A graph has no clock, and the noise is measured on a sample of the frame that is in memory already.
"""

from dataclasses import dataclass
from math import exp

from realtime_matte.frame import Frame, Size
from realtime_matte.render.clean_plate import REFERENCE_TIME_CONSTANT_S, TIME_CONSTANT_S
from realtime_matte.render.guided_filter import ANCHOR_NOISE, HARMLESS_NOISE, NOISE_WEIGHT
from realtime_matte.render.noise import NoiseEstimator
from realtime_matte.render.temporal import TIME_CONSTANT_S as ALPHA_TIME_CONSTANT_S


@dataclass(frozen=True, slots=True)
class Controls:
    """The values for one frame: see ``frame_graph.CONTROLS``."""

    elapsed_s: float
    alpha_weight: float
    plate_weight: float
    reference_weight: float
    epsilon: float
    anchored: float


class ControlValues:
    """The controls of the frames of a shot, all of ``size``, as ``Refiner`` computes them."""

    def __init__(self, size: Size) -> None:
        self._noise = NoiseEstimator(size)
        self._time: float | None = None

    def of(self, frame: Frame) -> Controls:
        """Those of the next frame, BGR."""
        elapsed_s = 0.0 if self._time is None else max(0.0, frame.time - self._time)
        first, self._time = self._time is None, frame.time
        self._noise.update(frame.pixels, frame.time)
        noise = max(0.0, self._noise.variance - HARMLESS_NOISE)
        return Controls(
            elapsed_s=elapsed_s,
            alpha_weight=1.0 if first else _weight(elapsed_s, ALPHA_TIME_CONSTANT_S),
            plate_weight=_weight(elapsed_s, TIME_CONSTANT_S),
            reference_weight=_weight(elapsed_s, REFERENCE_TIME_CONSTANT_S),
            epsilon=NOISE_WEIGHT * noise,
            anchored=noise**2 / (noise**2 + ANCHOR_NOISE**2),
        )

    def reset(self) -> None:
        """The next frame starts a new shot. The noise is the camera's, and is kept."""
        self._time = None
        self._noise.reset()


def _weight(elapsed_s: float, time_constant_s: float) -> float:
    return 1 - exp(-elapsed_s / time_constant_s)
